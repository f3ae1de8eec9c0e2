"""One source, one file: its bytes hashed while they stream to a partial file, gone on with where an earlier call
stopped, and its header looked at. Nothing becomes visible here.
"""

import asyncio
import os
import shlex
import shutil
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from ..errors import IntegrityError, NoSpaceError, UnreachableError, UnsupportedError
from ..files import make_folder
from ..settings import Settings
from ..values import Digest, Pullable, Source
from .events import Progress
from .gguf import MAX_HEADER, Header, read_header
from .kinds import check_kind, check_projector
from .layout import Layout, writing
from .parts import Part
from .sources import ByteStream, Coming, WrongPiece, is_here, open_source, prepare, room_besides
from .splits import check_piece

SPARE = 64 * 1024**2  # bytes that stay free on the disk
_TELL_EVERY = 1024 * 1024
_LOOK_EVERY = 4 * 1024**2  # bytes after which the free space is looked at again
_SYNC_EVERY = 32 * 1024**2  # bytes after which they are sent to the disk, so that at the end little is left to wait for


@dataclass(frozen=True, slots=True)
class Received:
    """A file that is here, all of it, right and sound. `resumed`: bytes of it that were here before."""

    file: Path
    digest: Digest
    header: Header
    source: Source
    resumed: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is brought where. `model`: it is the projector of the model of that name."""

    layout: Layout
    pullable: Pullable
    settings: Settings
    model: str | None = None

    def check(self, header: Header, called: str, part: bool = False) -> None:
        """UnsupportedError where it is of another kind than wanted. `part`: see `check_kind`."""
        if self.model is None:
            check_kind(header, called, part)
        else:
            check_projector(header, called)


class Receiving:
    """`place`: (number, of how many) where the file is one part of a model that is split."""

    def __init__(self, wanted: Wanted, source: Source, part: Part, place: tuple[int, int] | None) -> None:
        self.wanted, self.source, self.part, self.place = wanted, source, part, place
        self.layout, self.pullable, self.settings = wanted.layout, wanted.pullable, wanted.settings
        self.resumed = 0

    async def run(self) -> AsyncGenerator[Progress | Received, None]:
        """Yields how far it is; the last is Received."""
        with writing(self.layout.root):
            make_folder(self.part.file.parent)
        earlier, size = self.part.earlier(self.pullable, self.source), self.pullable.size
        if not is_here(self.source):  # a file may only need a link
            besides = room_besides(self.source, self.settings, self.part.scratch, size or 0)
            check_space(self.wanted, (size or 0) - earlier.bytes + besides)
        async with aclosing(prepare(self.source, self.settings, self.part.scratch)) as fetching:
            async for fetched in fetching:
                yield Progress(fetched, None, self.source)
                check_space(self.wanted, 0)
        async with open_source(self.source, self.settings, self.part.scratch, earlier) as stream:
            if not 0 <= stream.start <= earlier.bytes:
                raise UnreachableError(f"{self.source} begins at byte {stream.start:,}, which nobody asked for")
            digest = self.pullable.digest or stream.digest
            if None not in (size, stream.size) and size != stream.size:
                raise IntegrityError(f"{self.source} has {stream.size:,} bytes, not {size:,}")
            if None not in (digest, stream.digest) and digest != stream.digest:
                raise IntegrityError(f"{self.source} is another file there: of digest {stream.digest}, not {digest}")
            size = size or stream.size
            if stream.file is not None and self.part.link_to(stream.file):
                file = self.part.link
                found = await asyncio.to_thread(_digest_of, file)
                yield Progress(file.stat().st_size, size, self.source)
            else:
                check_space(self.wanted, (size or 0) - stream.start)
                file, hasher, self.resumed = self.part.file, sha256(), stream.start
                async with aclosing(self._receive(stream, hasher, size)) as steps:
                    async for done in steps:
                        yield Progress(done, size, self.source)
                found = Digest("sha256:" + hasher.hexdigest())
            header = self._check(file, found, digest)
        yield Received(file, found, header, self.source, self.resumed)

    async def _receive(self, stream: ByteStream, hasher: Any, size: int | None) -> AsyncGenerator[int, None]:
        """Write the stream behind what is here; yields bytes done. `size`: of the whole, where it is known.

        What could never be gone on with goes at once.
        """
        try:
            with writing(self.layout.root), self.part.file.open("r+b" if stream.start else "wb") as file:
                async with _Syncing(file) as syncing:
                    self.part.note(self.source, stream)
                    done = await asyncio.to_thread(_hash_start, file, hasher, stream.start)
                    told = looked = done
                    headed = False
                    async for chunk in stream.chunks:
                        if isinstance(chunk, Coming):
                            file.flush()
                            check_space(self.wanted, chunk.room)
                            if (told := max(told, done + chunk.bytes)) > done:
                                yield told
                            continue
                        file.write(chunk)
                        hasher.update(chunk)
                        done += len(chunk)
                        syncing.written(done)
                        if done - looked >= _LOOK_EVERY:
                            looked = done
                            self._check_room(done)
                        if self.pullable.size is not None and done > self.pullable.size:
                            raise IntegrityError(f"{self.source} gave more than {self.pullable.size:,} bytes")
                        if done - told >= _TELL_EVERY:
                            told = done
                            yield done
                        if size and not headed and done >= MAX_HEADER:  # what is no model is not fetched to its end
                            headed = True
                            file.flush()
                            self._check_header(self.part.file, size)
                    file.truncate()
                    file.flush()
                    if stream.size is not None and done < stream.size:
                        raise UnreachableError(
                            f"{self.source} ended after {done:,} of the {stream.size:,} bytes it spoke of", "pull again"
                        )
        except WrongPiece as wrong:
            os.truncate(self.part.file, wrong.sound)
            raise
        except BaseException:
            if not (self.pullable.digest or stream.validator):
                self.part.discard()
            raise
        yield done

    def _check_room(self, done: int) -> None:
        """The disk is never filled to the last byte, also by what does not say how long it is."""
        if shutil.disk_usage(self.layout.root).free < SPARE:
            raise NoSpaceError(
                f"the disk of {self.layout.root} is full but for the {SPARE:,} bytes that stay free; "
                f"{self.pullable.name} was not at its end after {done:,} bytes",
                "free some space, e.g. pluriverse gc, which also drops unfinished downloads; then pull again",
            )

    def _check(self, file: Path, found: Digest, wanted: Digest | None) -> Header:
        """Throw wrong bytes away: they must neither be used nor resumed."""
        try:
            if wanted is not None and found != wanted:
                size = file.stat().st_size
                raise IntegrityError(f"{self.source} gave other bytes: {size:,} of digest {found}, not {wanted}")
        except IntegrityError:
            self.part.drop(file)
            raise
        return self._check_header(file)

    def _check_header(self, file: Path, size: int | None = None) -> Header:
        """It is that of a model; what is none goes. `size`: of the whole, while it is still on its way.

        An unsound one is told by the name of what the user asked for, with what can be done there.
        """
        try:
            header = read_header(file, str(self.source), size)
            if self.place:
                check_piece(header, str(self.source), *self.place)
            if not self.place or self.place[0] == 1:
                self.wanted.check(header, str(self.source), part=bool(self.place))
            return header
        except UnsupportedError:
            self.part.drop(file)
            raise
        except IntegrityError as error:
            self.part.drop(file)
            again = f"pluriverse pull {shlex.quote(self.pullable.ref)}"
            error.hint = (
                f"get that file anew from where it came; then {again}"
                if is_here(self.source)
                else f"look whether that is the address of the .gguf file itself; then {again}"
            )
            raise


class _Syncing:
    """A file's bytes go to the disk while more are written. Raises what the disk answers, at the latest at the end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._before = 0
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "_Syncing":
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """The file is not closed before the disk has answered."""
        if self._running:
            await asyncio.wait([self._running])
            if error is None:
                self._running.result()

    def written(self, done: int) -> None:
        if self._running and self._running.done():
            self._running.result()
            self._running = None
        if self._running is None and done - self._before >= _SYNC_EVERY:
            self._before = done
            self._file.flush()
            self._running = asyncio.create_task(asyncio.to_thread(os.fsync, self._file.fileno()))


def check_space(wanted: Wanted, more: int) -> None:
    """That `more` bytes can be written and the reserve still be free."""
    free, root = shutil.disk_usage(wanted.layout.root).free, wanted.layout.root
    if free < max(more, 0) + SPARE:
        needs = f"{wanted.pullable.name} needs {more:,} more bytes, and" if more > 0 else "on the disk"
        raise NoSpaceError(
            f"{needs} {SPARE:,} bytes must stay free; the disk of {root} has {free:,} free",
            "free some space, e.g. pluriverse gc, which also drops unfinished downloads; "
            "or set PLURIVERSE_HOME to a folder on a larger disk",
        )


def _hash_start(file: Any, hasher: Any, size: int) -> int:
    """Hash the first `size` bytes of what is here and stay behind them."""
    file.seek(0)
    left = size
    while left and (chunk := file.read(min(left, 1024 * 1024))):
        hasher.update(chunk)
        left -= len(chunk)
    return size - left


def _digest_of(path: Path) -> Digest:
    hasher = sha256()
    with path.open("rb") as file:
        _hash_start(file, hasher, path.stat().st_size)
    return Digest("sha256:" + hasher.hexdigest())
