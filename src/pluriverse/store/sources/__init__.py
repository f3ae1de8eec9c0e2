"""Where the bytes of a digest can come from: one module per kind of source, each an entry point `pluriverse.sources`.

Each understands its references and opens a stream of bytes from an offset. None knows where bytes are kept, or the
digest of the whole to be right or wrong.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from typing import Any

from ... import doors
from ...errors import UnreachableError
from ...settings import Settings
from ...values import Source
from .kind import SourceKind
from .local import files_in
from .stream import ByteStream, Coming, Earlier, StartOver, WrongPiece

__all__ = [
    "ByteStream", "Coming", "Earlier", "SourceKind", "StartOver", "WrongPiece", "candidates", "files_in", "is_here",
    "open_source", "prepare", "room_besides",
]  # fmt: skip


def candidates(source: Source, settings: Settings) -> tuple[Source, ...]:
    """`source`, and those that hold the same file: after a hub file, each mirror's."""
    return _kind(source).candidates(source, settings)


def is_here(source: Source) -> bool:
    """Whether it lies on this machine: it may only need a link, and needs no network."""
    return _kind(source).here


async def prepare(source: Source, settings: Settings, scratch: Path) -> AsyncGenerator[int, None]:
    """What some sources must do before their bytes can be read; yields bytes fetched so far. UnreachableError."""
    if _reachable(source, settings):
        async with aclosing(_kind(source).prepare(source, scratch)) as steps:
            async for done in steps:
                yield done


def room_besides(source: Source, settings: Settings, scratch: Path, size: int) -> int:
    """Bytes of disk that the way here takes on top of the file's own `size`."""
    return _kind(source).room(source, scratch, size) if _reachable(source, settings) else 0


def open_source(
    source: Source, settings: Settings, scratch: Path, earlier: Earlier
) -> AbstractAsyncContextManager[ByteStream]:
    """A stream of the source's bytes, from where `earlier` ends if the source can, else from 0 (the stream says which).

    `scratch`: a folder for what a source must put down on the way. Raises UnreachableError, also for every source
    beyond this machine when the settings say offline; StartOver where `earlier` is of other bytes than the source has.
    """
    if not _reachable(source, settings):
        raise UnreachableError("PLURIVERSE_OFFLINE is set", "unset PLURIVERSE_OFFLINE to let pull connect")
    return _kind(source).open(source, scratch, earlier)


def _reachable(source: Source, settings: Settings) -> bool:
    return is_here(source) or not settings.offline


def _kind(source: Source) -> SourceKind[Any]:
    kind: SourceKind[Any] = doors.opened("sources", source.kind)()
    return kind
