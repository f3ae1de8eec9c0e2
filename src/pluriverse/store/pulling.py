"""Bringing one file into the store: sources in order, hashed while it streams, resumed where it stopped.

Visible only when it is whole, its digest is right and its header is sound. Several processes may pull the same digest:
one does, the others wait and find it there.
"""

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import IntegrityError, NoSpaceError, PluriverseError, UnreachableError
from ..files import make_folder
from ..settings import Settings
from ..values import Digest, PathSource, Pullable, Source
from .gguf import read_header
from .layout import Layout, writing
from .manifests import StoredModel
from .sources import ByteStream, Earlier, StartOver, candidates, files_in, open_source, prepare, room_besides
from .store import Store, check_name

SPARE = 64 * 1024**2  # bytes that stay free on the disk
ATTEMPTS = 3  # at one source, where what is here has to be thrown away
_TELL_EVERY = 1024 * 1024
_LOOK_EVERY = 4 * 1024**2  # bytes after which the free space is looked at again


@dataclass(frozen=True, slots=True)
class Trying:
    source: Source


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` bytes are here and hashed; total None where the source does not say."""

    done: int
    total: int | None
    source: Source


@dataclass(frozen=True, slots=True)
class SourceFailed:
    source: Source
    error: PluriverseError


@dataclass(frozen=True, slots=True)
class StartedOver:
    """What was here of the file has been thrown away: `why`."""

    source: Source
    why: str


@dataclass(frozen=True, slots=True)
class Pulled:
    """It is here, whole and checked."""

    ref: str
    name: str
    digest: Digest
    bytes: int
    source: Source | None  # None: it was here
    resumed_bytes: int
    already_here: bool


PullEvent = Trying | Progress | SourceFailed | StartedOver | Pulled


async def pull(store: Store, pullable: Pullable, settings: Settings) -> AsyncGenerator[PullEvent, None]:
    """Yields events; the last is Pulled.

    Raises UnreachableError when no source could give it, IntegrityError when one gave other bytes than the digest asks
    for and none the right ones, NoSpaceError before or when the disk is full; what is here is kept for the next try.
    """
    check_name(pullable.name)
    layout = store.home
    async with _locked(layout, _key(pullable)):
        if (here := _already(store, pullable)) is not None:
            yield here
            return
        failures: list[SourceFailed] = []
        for source in _sources(store, pullable, settings):
            for left in reversed(range(ATTEMPTS)):
                job = _Job(store, pullable, settings, source)
                yield Trying(source)
                try:
                    async with aclosing(job.run()) as events:
                        async for event in events:
                            yield event
                    return
                except StartOver as again:
                    job.forget()
                    error: PluriverseError = UnreachableError(f"{source}: {again}", "pull again later")
                except UnreachableError as unreachable:
                    error, left = unreachable, 0
                except IntegrityError as wrong:
                    # Where bytes were here before, it may have been those: this source gets to give all of them.
                    error, left = wrong, left if job.resumed else 0
                if not left:
                    failures.append(SourceFailed(source, error))
                    yield failures[-1]
                    break
                yield StartedOver(source, error.message)
        raise _summary(pullable, failures)


class _Job:
    """One source, one file. `part` is what is here of it so far; `note`, beside it, what its source said of the whole.

    `link` is a second name of the user's own file. Never `part`, which a later source would write to.
    """

    def __init__(self, store: Store, pullable: Pullable, settings: Settings, source: Source) -> None:
        self.store, self.pullable, self.settings, self.source = store, pullable, settings, source
        self.layout = store.home
        self.part = self.layout.incoming / f"{_key(pullable)}.part"
        self.note, self.link, self.scratch = (self.part.with_suffix(end) for end in (".note", ".link", ".scratch"))
        self.resumed = 0

    async def run(self) -> AsyncGenerator[PullEvent, None]:
        with writing(self.layout.root):
            make_folder(self.layout.incoming)
        earlier, size = self._earlier(), self.pullable.size
        if not isinstance(self.source, PathSource):  # a file may only need a link
            besides = room_besides(self.source, self.settings, self.scratch, size or 0)
            self._check_space((size or 0) - earlier.bytes + besides)
        async with aclosing(prepare(self.source, self.settings, self.scratch)) as fetching:
            async for fetched in fetching:
                yield Progress(fetched, None, self.source)
                self._check_space(0)
        async with open_source(self.source, self.settings, self.scratch, earlier) as stream:
            digest = self.pullable.digest or stream.digest
            if None not in (size, stream.size) and size != stream.size:
                raise IntegrityError(f"{self.source} has {stream.size:,} bytes, not {size:,}")
            size = size or stream.size
            if stream.file is not None and self._linked(stream.file):
                file = self.link
                found = await asyncio.to_thread(_digest_of, file)
                yield Progress(file.stat().st_size, size, self.source)
            else:
                self._check_space((size or 0) - stream.start)
                file, hasher, self.resumed = self.part, sha256(), stream.start
                async with aclosing(self._receive(stream, hasher)) as steps:
                    async for done in steps:
                        yield Progress(done, size, self.source)
                found = Digest("sha256:" + hasher.hexdigest())
            self._check(file, found, digest)
        yield await asyncio.to_thread(self._finish, file, found)

    def forget(self) -> None:
        """Throw away what is here of it."""
        for path in (self.part, self.note, self.link):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _earlier(self) -> Earlier:
        """What is here, if it can be gone on with: nothing may be put behind bytes of which it is not known what."""
        checked, total, validator = self.pullable.digest is not None, self.pullable.size, None
        have = self.part.stat().st_size if self.part.exists() else 0
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            note = json.loads(self.note.read_bytes())
            if note["source"] == str(self.source) and isinstance(note["validator"], str):
                validator, total = note["validator"], total or note["total"]
        if not (checked or validator) or (total is not None and have > total):
            have = 0
        if not have:
            return Earlier(checked=checked)
        return Earlier(have, total, None if checked else validator, checked)

    async def _receive(self, stream: ByteStream, hasher: Any) -> AsyncGenerator[int, None]:
        """Write the stream behind what is here; yields bytes done. What could never be gone on with goes at once."""
        try:
            with writing(self.layout.root), self.part.open("r+b" if stream.start else "wb") as file:
                # After the old bytes are gone: a kill in between must not leave them under the new note.
                self._write_note(stream)
                done = await asyncio.to_thread(_hash_start, file, hasher, stream.start)
                told = looked = done
                async for chunk in stream.chunks:
                    file.write(chunk)
                    hasher.update(chunk)
                    done += len(chunk)
                    if done - looked >= _LOOK_EVERY:
                        looked = done
                        self._check_room(done)
                    if self.pullable.size is not None and done > self.pullable.size:
                        raise IntegrityError(f"{self.source} gave more than {self.pullable.size:,} bytes")
                    if done - told >= _TELL_EVERY:
                        told = done
                        yield done
                file.truncate()
                file.flush()
        except BaseException:
            if not (self.pullable.digest or stream.validator):
                self.forget()
            raise
        yield done

    def _write_note(self, stream: ByteStream) -> None:
        note = {"source": str(self.source), "validator": stream.validator, "total": stream.size}
        self.note.write_text(json.dumps(note), "utf-8")

    def _check_room(self, done: int) -> None:
        """The disk is never filled to the last byte, also by what does not say how long it is."""
        if shutil.disk_usage(self.layout.root).free < SPARE:
            raise NoSpaceError(
                f"the disk of {self.layout.root} is full but for the {SPARE:,} bytes that stay free; "
                f"{self.pullable.name} was not at its end after {done:,} bytes",
                "free some space, e.g. pluriverse gc, which also drops unfinished downloads; then pull again",
            )

    def _linked(self, file: Path) -> bool:
        """Share the bytes of a file on the same disk instead of copying them."""
        self.link.unlink(missing_ok=True)
        try:
            self.link.hardlink_to(file)
        except OSError:  # another disk, or one without links
            return False
        return True

    def _check_space(self, more: int) -> None:
        """That `more` bytes can be written and the reserve still be free."""
        free, root = shutil.disk_usage(self.layout.root).free, self.layout.root
        if free < max(more, 0) + SPARE:
            needs = f"{self.pullable.name} needs {more:,} more bytes, and" if more > 0 else "on the disk"
            raise NoSpaceError(
                f"{needs} {SPARE:,} bytes must stay free; the disk of {root} has {free:,} free",
                "free some space, e.g. pluriverse gc, which also drops unfinished downloads; "
                "or set PLURIVERSE_HOME to a folder on a larger disk",
            )

    def _check(self, file: Path, found: Digest, wanted: Digest | None) -> None:
        """Throw wrong bytes away: they must neither be used nor resumed."""
        try:
            if wanted is not None and found != wanted:
                size = file.stat().st_size
                raise IntegrityError(f"{self.source} gave other bytes: {size:,} of digest {found}, not {wanted}")
            read_header(file)
        except IntegrityError:
            file.unlink(missing_ok=True)
            if file == self.part:
                self.forget()
            raise

    def _finish(self, file: Path, digest: Digest) -> Pulled:
        header, size, pullable = read_header(file), file.stat().st_size, self.pullable
        with writing(self.layout.root), file.open("rb") as opened:
            os.fsync(opened.fileno())
        here = self.store.has(digest)
        self.store.add_model(pullable, digest, header, _text(self.source), None if here else file)
        self.forget()
        return Pulled(pullable.ref, pullable.name, digest, size, self.source, self.resumed, already_here=here)


def _already(store: Store, pullable: Pullable) -> Pulled | None:
    """Where the digest is in one of the stores, it needs a name at most."""
    if pullable.digest is None or not store.has(pullable.digest):
        return None
    path = store.path(pullable.digest)
    if pullable.size is not None and path.stat().st_size != pullable.size:
        with contextlib.suppress(OSError):  # cut short by some accident: fetch it again
            store.home.blob(pullable.digest).unlink(missing_ok=True)
        return None
    named: list[StoredModel] = [m for m in store.models() if m.name == pullable.name and m.digest == pullable.digest]
    if not named:
        store.add_model(pullable, pullable.digest, read_header(path), _text(path))
    size = path.stat().st_size
    return Pulled(pullable.ref, pullable.name, pullable.digest, size, None, 0, already_here=True)


def _sources(store: Store, pullable: Pullable, settings: Settings) -> list[Source]:
    """Files of the right size in the user's folders first, then the sources named, each hub file with its mirrors."""
    found: list[Source] = []
    if pullable.size is not None:
        for folder in settings.folders:
            found += [
                PathSource(path)
                for path, size in sorted(files_in(folder))
                if path.suffix == ".gguf" and size == pullable.size
            ]
    for source in pullable.sources:
        found += candidates(source, settings)
    return found


def _summary(pullable: Pullable, failures: list[SourceFailed]) -> PluriverseError:
    told = "; ".join(each.error.message for each in failures) or "it has no source"
    if any(isinstance(each.error, IntegrityError) for each in failures):
        return IntegrityError(f"no source has the right bytes of {pullable.name}: {told}", "try again later")
    hints = [each.error.hint for each in failures if each.error.hint]
    hint = hints[0] if hints else "check the network, or put the file into a folder and set PLURIVERSE_FOLDERS to it"
    return UnreachableError(f"no source of {pullable.name} can be reached: {told}", hint)


def _text(source: Source | Path) -> str:
    """For a manifest: a path need not be UTF-8."""
    return str(source).encode("utf-8", "backslashreplace").decode()


def _key(pullable: Pullable) -> str:
    """Names the partial file: by digest, so that all sources continue it; else by the reference."""
    return (
        pullable.digest.hex
        if pullable.digest
        else "ref-" + sha256(pullable.ref.encode("utf-8", "surrogateescape")).hexdigest()
    )


@contextlib.asynccontextmanager
async def _locked(layout: Layout, key: str) -> AsyncIterator[None]:
    """Waits in a thread: another process may hold the lock for as long as it downloads."""
    stack = contextlib.ExitStack()
    await asyncio.to_thread(stack.enter_context, layout.lock(key))
    try:
        yield
    finally:
        stack.close()


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
