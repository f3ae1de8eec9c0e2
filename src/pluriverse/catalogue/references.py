"""References as users type them: hub files, addresses, paths. Knows no entries, no disk and no network."""

import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..errors import UsageError
from ..values import Digest, HubSource, PathSource, Pullable, UrlSource

FORMS = "a catalogue name, hf:OWNER/REPO/FILE.gguf, hf:OWNER/REPO:Q4_K_M, an https address or a path to a .gguf file"
_SCHEME = re.compile(r"[a-z]{2,}:")
_HUB = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:/([^@:]+\.gguf)|:([A-Za-z0-9][\w.-]*))(?:@([\w./-]+))?")


def understood(ref: str) -> Pullable | None:
    """What a reference names that is no name of the catalogue; None if it is none of the forms. UsageError for one that
    is nearly right."""
    if ref.startswith("hf:"):
        source = hub_source(ref)
        named = (
            source.file if not source.file.startswith(":") else f"{source.repository.split('/')[1]}-{source.file[1:]}"
        )
        return Pullable(ref, _name(named), (source,))
    if ref.startswith(("http://", "https://")):
        return _url(ref)
    if path := _file(ref):
        return Pullable(ref, _name(path.name), (PathSource(path.absolute()),))
    return None


def hub_source(ref: str) -> HubSource:
    match = _HUB.fullmatch(ref)
    if not match:
        raise UsageError(f"{ref!r} is not a hub reference", "write hf:OWNER/REPO/FILE.gguf or hf:OWNER/REPO:Q4_K_M")
    repository, file, quantization, revision = match.groups()
    return HubSource(repository, file or f":{quantization}", revision or "main")


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
