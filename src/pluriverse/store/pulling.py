"""Bringing one file into the store: sources in order, hashed while it streams, resumed where it stopped.

Visible only when it is whole, its digest is right and its header is sound. Several processes may pull the same digest:
one does, the others wait and find it there.
"""

import asyncio
import contextlib
import os
import shlex
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import EngineError, IntegrityError, NoSpaceError, PluriverseError, UnreachableError, UnsupportedError
from ..files import make_folder
from ..settings import Settings
from ..values import Digest, PathSource, Pullable, Source
from .events import Progress, Pulled, PullEvent, SourceFailed, StartedOver, Trying, Whole
from .gguf import MAX_HEADER, Header, read_header
from .kinds import check_kind, check_part, check_projector, has_vocabulary
from .layout import Layout, writing
from .manifests import StoredModel
from .parts import Part
from .sources import (
    ByteStream,
    Coming,
    StartOver,
    WrongPiece,
    candidates,
    files_in,
    is_here,
    open_source,
    prepare,
    room_besides,
)
from .store import Store, check_name

SPARE = 64 * 1024**2  # bytes that stay free on the disk
ATTEMPTS = 3  # at one source, where what is here has to be thrown away
_TELL_EVERY = 1024 * 1024
_LOOK_EVERY = 4 * 1024**2  # bytes after which the free space is looked at again


async def pull(
    store: Store, pullable: Pullable, settings: Settings, model: str | None = None
) -> AsyncGenerator[PullEvent, None]:
    """Yields events; the last is Pulled. `model`: what is pulled is the projector of the model of that name here.

    Raises UnreachableError when no source could give it, IntegrityError when one gave other bytes than the digest asks
    for and none the right ones, UnsupportedError for what is no model that writes, NoSpaceError before or when the disk
    is full; what is here is kept for the next try, but for what is refused.
    """
    check_name(pullable.name)
    layout = store.home
    async with _locked(layout, _key(pullable)):
        if (here := _already(store, pullable, model)) is not None:
            yield here
            return
        failures: list[SourceFailed] = []
        sources = _sources(pullable, settings)
        for source in sources:
            if not is_here(source):
                check_part(source)
            for left in reversed(range(ATTEMPTS)):
                job = _Job(store, pullable, settings, source, model)
                yield Trying(source)
                try:
                    async with aclosing(job.run()) as events:
                        async for event in events:
                            yield event
                    return
                except StartOver as again:
                    job.part.discard()
                    error: PluriverseError = UnreachableError(f"{source}: {again}", "pull again later")
                except EngineError:  # refused: no source has another file of it
                    job.part.discard()
                    raise
                except (UnreachableError, WrongPiece) as unreachable:  # what is here stays right
                    error, left = unreachable, 0
                except IntegrityError as wrong:
                    # Where bytes were here before, it may have been those: this source gets to give all of them.
                    error, left = wrong, left if job.resumed else 0
                finally:
                    job.part.link.unlink(missing_ok=True)
                if not left:
                    failures.append(SourceFailed(source, error))
                    if len(sources) > 1:  # else the error says it all
                        yield failures[-1]
                    break
                yield StartedOver(source, error.message)
        raise _summary(pullable, failures)


class _Job:
    """One source, one file."""

    def __init__(self, store: Store, pullable: Pullable, settings: Settings, source: Source, model: str | None) -> None:
        self.store, self.pullable, self.settings, self.source, self.model = store, pullable, settings, source, model
        self.layout = store.home
        self.part = Part(self.layout.incoming, _key(pullable))
        self.resumed = 0

    async def run(self) -> AsyncGenerator[PullEvent, None]:
        with writing(self.layout.root):
            make_folder(self.layout.incoming)
        earlier, size = self.part.earlier(self.pullable, self.source), self.pullable.size
        if not is_here(self.source):  # a file may only need a link
            besides = room_besides(self.source, self.settings, self.part.scratch, size or 0)
            self._check_space((size or 0) - earlier.bytes + besides)
        async with aclosing(prepare(self.source, self.settings, self.part.scratch)) as fetching:
            async for fetched in fetching:
                yield Progress(fetched, None, self.source)
                self._check_space(0)
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
                self._check_space((size or 0) - stream.start)
                file, hasher, self.resumed = self.part.file, sha256(), stream.start
                async with aclosing(self._receive(stream, hasher, size)) as steps:
                    async for done in steps:
                        yield Progress(done, size, self.source)
                found = Digest("sha256:" + hasher.hexdigest())
            header = self._check(file, found, digest)
        yield Whole(file, str(self.source), has_vocabulary(header))
        yield await asyncio.to_thread(self._finish, file, found)

    async def _receive(self, stream: ByteStream, hasher: Any, size: int | None) -> AsyncGenerator[int, None]:
        """Write the stream behind what is here; yields bytes done. `size`: of the whole, where it is known.

        What could never be gone on with goes at once.
        """
        try:
            with writing(self.layout.root), self.part.file.open("r+b" if stream.start else "wb") as file:
                self.part.note(self.source, stream)
                done = await asyncio.to_thread(_hash_start, file, hasher, stream.start)
                told = looked = done
                headed = False
                async for chunk in stream.chunks:
                    if isinstance(chunk, Coming):
                        file.flush()
                        self._check_space(chunk.room)
                        if (told := max(told, done + chunk.bytes)) > done:
                            yield told
                        continue
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
            _check(header, str(self.source), self.model)
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

    def _finish(self, file: Path, digest: Digest) -> Pulled:
        header, size, pullable = read_header(file, str(self.source)), file.stat().st_size, self.pullable
        with writing(self.layout.root), file.open("rb") as opened:
            os.fsync(opened.fileno())
        here = self.store.has(digest)
        _add(self.store, pullable, digest, header, _text(self.source), self.model, None if here else file)
        self.part.discard()
        return Pulled(pullable.ref, pullable.name, digest, size, self.source, self.resumed, already_here=here)


def _check(header: Header, called: str, model: str | None) -> None:
    if model is None:
        check_kind(header, called)
    else:
        check_projector(header, called)


def _add(
    store: Store, pullable: Pullable, digest: Digest, header: Header, source: str, model: str | None, file: Path | None
) -> None:
    if model is None:
        store.add_model(pullable, digest, header, source, file)
    else:
        store.add_projector(model, digest, source, file)


def _already(store: Store, pullable: Pullable, model: str | None) -> Pulled | None:
    """Where the digest is in one of the stores, it needs a name at most."""
    if pullable.digest is None or not store.has(pullable.digest):
        return None
    path = store.path(pullable.digest)
    if pullable.size is not None and path.stat().st_size != pullable.size:
        with contextlib.suppress(OSError):  # cut short by some accident: fetch it again
            store.home.blob(pullable.digest).unlink(missing_ok=True)
        return None
    header = read_header(path, pullable.name)
    _check(header, pullable.name, model)
    named: list[StoredModel] = [m for m in store.models() if m.name == pullable.name and m.digest == pullable.digest]
    if model is not None or not named:
        _add(store, pullable, pullable.digest, header, _text(path), model, None)
    size = path.stat().st_size
    return Pulled(pullable.ref, pullable.name, pullable.digest, size, None, 0, already_here=True)


def _sources(pullable: Pullable, settings: Settings) -> list[Source]:
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
    if len(failures) == 1 and failures[0].error.hint:
        return failures[0].error
    told = "; ".join(each.error.message for each in failures) or "it has no source"
    if any(isinstance(each.error, IntegrityError) for each in failures):
        hint = next((each.error.hint for each in failures if each.error.hint), "try again later")
        return IntegrityError(f"no source has the right bytes of {pullable.name}: {told}", hint)
    hints = [each.error.hint for each in failures if each.error.hint]
    nearby = failures and all(is_here(each.source) for each in failures)
    check = "look whether it is there" if nearby else "check the network"
    hint = hints[0] if hints else f"{check}, or put the file into a folder and set PLURIVERSE_FOLDERS to it"
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
