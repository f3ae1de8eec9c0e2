"""Where the bytes of a digest can come from: one module per kind of source, each an entry point `pluriverse.sources`.

Each understands its references and opens a stream of bytes from an offset. None knows where bytes are kept, or the
digest of the whole to be right or wrong.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ... import doors
from ...errors import UnreachableError
from ...settings import Settings
from ...values import Source
from .kind import SourceKind
from .local import files_in
from .stream import ByteStream, Coming, Earlier, InParts, StartOver, WrongPiece

__all__ = [
    "ByteStream", "Coming", "Earlier", "InParts", "SourceKind", "StartOver", "WrongPiece", "candidates", "files_in",
    "in_parts", "is_here", "open_source", "prepare", "room_besides",
]  # fmt: skip


def candidates(source: Source, settings: Settings) -> tuple[Source, ...]:
    """`source`, and those that hold the same file: after a hub file, each mirror's."""
    with _blamed(source):
        return tuple(_kind(source).candidates(source, settings))


def in_parts(source: Source) -> tuple[Source, ...]:
    """Where all files of a split model lie, in order, if by its name `source` is one of them; else itself only."""
    with _blamed(source):
        return tuple(_kind(source).parts(source))


def is_here(source: Source) -> bool:
    """Whether it lies on this machine: it may only need a link, and needs no network."""
    return _kind(source).here


async def prepare(source: Source, settings: Settings, scratch: Path) -> AsyncGenerator[int, None]:
    """What some sources must do before their bytes can be read; yields bytes fetched so far. UnreachableError."""
    if _reachable(source, settings):
        with _blamed(source):
            async with aclosing(_kind(source).prepare(source, scratch)) as steps:
                async for done in steps:
                    yield done


def room_besides(source: Source, settings: Settings, scratch: Path, size: int) -> int:
    """Bytes of disk that the way here takes on top of the file's own `size`."""
    with _blamed(source):
        return _kind(source).room(source, scratch, size) if _reachable(source, settings) else 0


@asynccontextmanager
async def open_source(source: Source, settings: Settings, scratch: Path, earlier: Earlier) -> AsyncIterator[ByteStream]:
    """A stream of the source's bytes, from where `earlier` ends if the source can, else from 0 (the stream says which).

    `scratch`: a folder for what a source must put down on the way. Raises UnreachableError, also for every source
    beyond this machine when the settings say offline; StartOver where `earlier` is of other bytes than the source has;
    InParts where what it stands for is split.
    """
    if not _reachable(source, settings):
        raise UnreachableError("PLURIVERSE_OFFLINE is set", "unset PLURIVERSE_OFFLINE to let pull connect")
    async with AsyncExitStack() as stack:
        with _blamed(source):
            stream = await stack.enter_async_context(_kind(source).open(source, scratch, earlier))
            if not isinstance(stream, ByteStream):
                raise TypeError(f"what it opens is of type {type(stream).__name__}, and no ByteStream")
        async with aclosing(_chunks(stream, source)) as chunks:
            yield replace(stream, chunks=chunks)


async def _chunks(stream: ByteStream, source: Source) -> AsyncGenerator[bytes | Coming, None]:
    with _blamed(source):
        async for chunk in stream.chunks:
            yield chunk


@contextmanager
def _blamed(source: Source) -> Iterator[None]:
    """A source of another package that fails in a way of its own cannot give the file; others may."""
    again: StartOver | InParts | None = None
    with doors.blamed("sources", source.kind, UnreachableError):
        try:
            yield
        except (StartOver, InParts) as error:  # no failure
            again = error
    if again:
        raise again


def _reachable(source: Source, settings: Settings) -> bool:
    return is_here(source) or not settings.offline


def _kind(source: Source) -> SourceKind[Any]:
    made = doors.opened("sources", source.kind)
    with _blamed(source):
        kind: SourceKind[Any] = made()
        if not isinstance(kind, SourceKind):
            raise TypeError(f"it is of type {type(kind).__name__}, and no SourceKind")
    return kind
