"""Bringing one file into the store: sources in order, hashed while it streams, resumed where it stopped.

Visible only when it is whole, its digest is right and its header is sound. Several processes may pull the same digest:
one does, the others wait and find it there.
"""

import asyncio
import contextlib
import os
import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from weakref import WeakValueDictionary

from ..errors import EngineError, IntegrityError, PluriverseError, UnreachableError
from ..settings import Settings
from ..values import Digest, PathSource, Pullable, Source
from .events import Progress, Pulled, PullEvent, SourceFailed, StartedOver, Trying, Whole
from .gguf import Header, read_header
from .joining import Join, Lying, here_before, set_aside
from .kinds import has_vocabulary
from .layout import Layout, writing
from .manifests import StoredModel
from .parts import Part
from .receiving import Received, Receiving, Wanted, check_space
from .sources import InParts, StartOver, WrongPiece, candidates, files_in, in_parts, is_here
from .sources.local import problem_of
from .splits import check_piece
from .store import Store, check_name

_HERE: WeakValueDictionary[tuple[int, str, str], asyncio.Lock] = WeakValueDictionary()  # what this process pulls
ATTEMPTS = 3  # at one source, where what is here has to be thrown away


async def pull(
    store: Store, pullable: Pullable, settings: Settings, model: str | None = None
) -> AsyncGenerator[PullEvent, None]:
    """Yields events; the last is Pulled. A model that is split into several files comes as one. `model`: what is pulled
    is the projector of the model of that name here.

    Raises UnreachableError when no source could give it, IntegrityError when one gave other bytes than the digest asks
    for and none the right ones, UnsupportedError for what is no model that writes, NoSpaceError before or when the disk
    is full; what is here is kept for the next try, but for what is refused.
    """
    check_name(pullable.name)
    wanted, key = Wanted(store.home, pullable, settings, model), _key(pullable)
    async with _locked(wanted.layout, key):
        if (here := _already(store, wanted)) is not None:
            yield here
            return
        part = Part(wanted.layout.incoming, key)
        try:
            async with aclosing(_brought(wanted, part)) as steps:
                async for step in steps:
                    if isinstance(step, Received):
                        yield Whole(step.file, str(step.source), has_vocabulary(step.header))
                        yield await asyncio.to_thread(_finish, store, wanted, step, part)
                    else:
                        yield step
        except EngineError:  # refused: no source has another file of it
            part.discard()
            raise
        finally:
            part.link.unlink(missing_ok=True)


async def _brought(wanted: Wanted, part: Part) -> AsyncGenerator[PullEvent | Received, None]:
    """Whatever it takes until the file is here; the last is Received."""
    sources = _sources(wanted.pullable, wanted.settings)
    parts = next((found for each in sources if len(found := in_parts(each)) > 1), ())
    if not parts:
        try:
            async with aclosing(_received(wanted, sources, part)) as steps:
                async for step in steps:
                    yield step
            return
        except InParts as split:
            parts = split.sources
    async with aclosing(_joined(wanted, parts, part)) as steps:
        async for step in steps:
            yield step


async def _received(
    wanted: Wanted, sources: Sequence[Source], part: Part, place: tuple[int, int] | None = None
) -> AsyncGenerator[PullEvent | Received, None]:
    """One file, from the first of `sources` that can give it; the last is Received. `place`: see Receiving."""
    failures: list[SourceFailed] = []
    for source in sources:
        for left in reversed(range(ATTEMPTS)):
            receiving = Receiving(wanted, source, part, place)
            yield Trying(source)
            try:
                async with aclosing(receiving.run()) as steps:
                    async for step in steps:
                        yield step
                return
            except StartOver as again:
                part.discard()
                error: PluriverseError = UnreachableError(f"{source}: {again}", "pull again later")
            except (UnreachableError, WrongPiece) as unreachable:  # what is here stays right
                error, left = unreachable, 0
            except IntegrityError as wrong:
                # Where bytes were here before, it may have been those: this source gets to give all of them.
                error, left = wrong, left if receiving.resumed else 0
            part.link.unlink(missing_ok=True)
            if not left:
                failures.append(SourceFailed(source, error))
                if len(sources) > 1:  # else the error says it all
                    yield failures[-1]
                break
            yield StartedOver(source, error.message)
    raise _summary(wanted.pullable, failures)


async def _joined(wanted: Wanted, parts: Sequence[Source], whole: Part) -> AsyncGenerator[PullEvent | Received, None]:
    """All parts of a split model, then the one file that they become; the last is Received."""
    pullable, settings = wanted.pullable, wanted.settings
    lying: list[Lying] = []
    resumed = 0
    for number, source in enumerate(parts, 1):
        part, called = Part(whole.scratch, f"{number:05}"), str(source)
        if (before := here_before(part, called)) is not None:
            lying.append(before)
            resumed += before.file.stat().st_size
            continue
        if isinstance(source, PathSource):  # it is read where it lies
            yield Trying(source)
            lying.append(await asyncio.to_thread(_in_place, wanted, source, number, len(parts)))
            continue
        one = replace(pullable, ref=called, sources=(source,), digest=None, size=None)
        sources, place = candidates(source, settings), (number, len(parts))
        async with aclosing(_received(replace(wanted, pullable=one), sources, part, place)) as steps:
            async for step in steps:
                if not isinstance(step, Received):
                    yield step
                    continue
                resumed += step.resumed
                ours = step.file == part.file
                lying.append(set_aside(part, step.header) if ours else Lying(step.file, step.header))
    source, called = pullable.sources[0], str(pullable.sources[0])
    try:
        join = Join(lying, whole, called)
        wanted.check(join.header, called)
        check_space(wanted, join.room)
        with writing(wanted.layout.root):
            steps_of_join = join.steps()
            while (done := await asyncio.to_thread(next, steps_of_join, None)) is not None:
                yield Progress(done, join.size, source)
        if pullable.digest not in (None, join.digest):
            raise IntegrityError(f"the parts of {called} make a file of digest {join.digest}, not {pullable.digest}")
    except IntegrityError:
        whole.discard()
        raise
    assert join.digest is not None
    yield Received(whole.file, join.digest, join.header, source, resumed)


def _in_place(wanted: Wanted, source: PathSource, number: int, of: int) -> Lying:
    if problem := problem_of(source.path):
        raise problem
    try:
        header = read_header(source.path, str(source))
        check_piece(header, str(source), number, of)
    except IntegrityError as error:
        again = f"pluriverse pull {shlex.quote(wanted.pullable.ref)}"
        error.hint = f"get that file anew from where it came, under its own name; then {again}"
        raise
    if number == 1:
        wanted.check(header, str(source), part=True)
    return Lying(source.path, header)


def _finish(store: Store, wanted: Wanted, received: Received, part: Part) -> Pulled:
    file, digest, source, pullable = received.file, received.digest, received.source, wanted.pullable
    header, size = read_header(file, str(source)), file.stat().st_size
    with writing(store.home.root), file.open("rb") as opened:
        os.fsync(opened.fileno())
    here = store.has(digest)
    _add(store, wanted, digest, header, _text(source), None if here else file)
    part.discard()
    return Pulled(pullable.ref, pullable.name, digest, size, source, received.resumed, already_here=here)


def _add(store: Store, wanted: Wanted, digest: Digest, header: Header, source: str, file: Path | None) -> None:
    if wanted.model is None:
        store.add_model(wanted.pullable, digest, header, source, file)
    else:
        store.add_projector(wanted.model, digest, source, file)


def _already(store: Store, wanted: Wanted) -> Pulled | None:
    """Where the digest is in one of the stores, it needs a name at most."""
    pullable = wanted.pullable
    if pullable.digest is None or not store.has(pullable.digest):
        return None
    path = store.path(pullable.digest)
    if pullable.size is not None and path.stat().st_size != pullable.size:
        with contextlib.suppress(OSError):  # cut short by some accident: fetch it again
            store.home.blob(pullable.digest).unlink(missing_ok=True)
        return None
    header = read_header(path, pullable.name)
    wanted.check(header, pullable.name)
    named: list[StoredModel] = [m for m in store.models() if m.name == pullable.name and m.digest == pullable.digest]
    if wanted.model is not None or not named:
        _add(store, wanted, pullable.digest, header, _text(path), None)
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
    """Waits in a thread: another process may hold the lock for as long as it downloads. Others of this process wait
    before, without a thread: there are few, and who holds the lock needs them."""
    place = id(asyncio.get_running_loop()), str(layout.incoming), key
    mine = _HERE.setdefault(place, asyncio.Lock())
    async with mine:
        stack = contextlib.ExitStack()
        await asyncio.to_thread(stack.enter_context, layout.lock(key))
        try:
            yield
        finally:
            stack.close()
