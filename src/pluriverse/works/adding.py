"""Files, and works of the library, become what somebody answers from: read, kept in the store by the digest of their
text, and indexed.

What was kept stays when the process is killed: the same call goes on where it was. Knows files, texts and indexes; not
whose works they are.
"""

import asyncio
import os
import re
import unicodedata
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from ..errors import UsageError
from ..settings import Settings
from ..store import Store
from ..store.works import Origin, origin_of
from ..values import Digest
from .fetching import fetch_text, in_library
from .index.keeping import keep
from .reading import Document, Problem, read
from .schema import Work
from .texts import is_here, text_of

LIBRARY = "library:"  # before the name of a work of the library, where paths are given
_CALLED = {"yue": "zh"}  # what old Chinese is taken for


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or a part of it, gave no text."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class AddedWork:
    """A text was read, kept and indexed by its words. `again`: whoever asked has a work with it already: that one.
    `instead`: the work that was read from this file when it held another text; this one takes its place."""

    work: Work
    passages: int
    again: bool = False
    instead: Work | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """The end: all that can be answered from, in the order of the files, and what gave no text."""

    works: tuple[AddedWork, ...]
    problems: tuple[Problem, ...]

    @property
    def languages(self) -> tuple[str, ...]:
        """In which they are, each once, as far as that is known."""
        return tuple(dict.fromkeys(filter(None, (each.work.language for each in self.works))))

    @property
    def new(self) -> tuple[Work, ...]:
        return tuple(each.work for each in self.works if not each.again)

    def after(self, have: Sequence[Work]) -> tuple[Work, ...]:
        """All works, now that these came to those that were there."""
        instead = {each.instead.digest for each in self.works if each.instead}
        return joined([work for work in have if work.digest not in instead], self.new)


AddingEvent = AddedWork | Unread | Added


async def add_works(
    store: Store, settings: Settings, paths: Sequence[Path], *, have: Sequence[Work] = (), most: int = 1000
) -> AsyncGenerator[AddingEvent, None]:
    """Read files and folders, keep their texts and index their words, one after the other; the last event is Added.

    A path `library:ID` is a work of the library; they come first, fetched where they do not ship. `have`: works that
    are there already, whose ids are taken. `most`: works in all. UsageError where no file gave any text or there are
    too many; NotFoundError for a work that the library does not have; NoSpaceError, PluriverseError where the store
    cannot keep them; UnreachableError, IntegrityError as `fetch_text`.
    """
    named = [os.fspath(path).removeprefix(LIBRARY) for path in paths if os.fspath(path).startswith(LIBRARY)]
    paths = [path for path in paths if not os.fspath(path).startswith(LIBRARY)]
    works: dict[Digest, Work] = {work.digest: work for work in have}
    added: dict[Digest, AddedWork] = {}
    problems: list[Problem] = []
    was = _files(store, have)
    _check_there(paths)
    for work in [in_library(name) for name in named]:
        again = work.digest in works
        if not again and any(each.id == work.id for each in works.values()):
            raise UsageError(f"there is another work named {work.id}", "take that one away first")
        works[work.digest] = work
        index = await asyncio.to_thread(keep, store, work, (await _text(work, store, settings)).decode(), None)
        added[work.digest] = AddedWork(work, len(index), again)
        yield added[work.digest]
    files = read(paths)
    while (document := await asyncio.to_thread(next, files, None)) is not None:
        for problem in (document,) if isinstance(document, Problem) else document.problems:
            problems.append(problem)
            yield Unread(problem)
        if isinstance(document, Problem) or document.digest in added:
            continue
        again, origin = document.digest in works, _origin(document)
        old = was.get(origin.path) if origin else None
        instead = old if old and old.digest != document.digest and old.digest not in added else None
        if instead:
            works.pop(instead.digest, None)
        work = works.setdefault(document.digest, _work(document, {work.id for work in works.values()}))
        if len(works) > most:
            raise UsageError(f"there are more than {most:,} works", "join texts that belong together into one")
        index = await asyncio.to_thread(keep, store, work, document.text, origin)
        added[work.digest] = AddedWork(work, len(index), again, instead)
        yield added[work.digest]
    if not added:
        raise _nothing(paths, problems)
    yield Added(tuple(added.values()), tuple(problems))


async def _text(work: Work, store: Store, settings: Settings) -> bytes:
    """Of a work of the library: what is here, or what its public home has."""
    stored = store.works({work.digest}).get(work.digest)
    if is_here(work, stored, settings):
        return await asyncio.to_thread(text_of, work, stored, settings)
    return await fetch_text(work, settings)


def _check_there(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} is not there", "name files or folders with texts in them")


def _files(store: Store, works: Sequence[Work]) -> dict[str, Work]:
    """The works by the files that they were read from, as far as these are known."""
    known = store.works({work.digest for work in works}) if works else {}
    kept = ((known.get(work.digest), work) for work in works)
    return {stored.origin.path: work for stored, work in kept if stored and stored.origin}


def _origin(document: Document) -> Origin | None:
    try:
        return origin_of(document.path)
    except OSError:  # it vanished after it was read
        return None


def _work(document: Document, taken: Collection[str]) -> Work:
    title = " ".join(document.title.split())[:300] or document.path.stem
    return Work(
        id=_id(document, taken),
        title=title,
        digest=document.digest,
        language=_CALLED.get(document.language, document.language),
        author=" ".join(document.author.split())[:300],
        edition=" ".join(document.edition.split())[:300],
    )


def _id(document: Document, taken: Collection[str]) -> str:
    """A short name after the file's, or after the text where no letter of that can be written in an id."""
    plain = unicodedata.normalize("NFKD", document.path.stem).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].strip("-") or f"work-{document.digest.short}"
    return _free(name, taken)


def _free(name: str, taken: Collection[str]) -> str:
    count = 1
    while (found := name if count == 1 else f"{name}-{count}") in taken:
        count += 1
    return found


def joined(works: Sequence[Work], new: Sequence[Work]) -> tuple[Work, ...]:
    """Works, and new ones behind them: each text once, and with an id of its own, whoever added what meanwhile."""
    found = {work.digest: work for work in works}
    for work in new:
        found.setdefault(work.digest, replace(work, id=_free(work.id, {each.id for each in found.values()})))
    return tuple(found.values())


def _nothing(paths: Sequence[Path], problems: Sequence[Problem]) -> UsageError:
    kinds = "name text, Markdown, HTML, EPUB, PDF or DOCX files, or a folder of them"
    if len(problems) == 1:
        return UsageError(problems[0].message, problems[0].hint or kinds)
    return UsageError(f"no text was found in {', '.join(map(str, paths[:3]))}", kinds)


def unchanged(origin: Origin) -> bool | None:
    """Whether the file that a text was read from is as it was then; None where it is gone."""
    path = Path(origin.path)
    try:
        state = path.stat()
        if (state.st_size, state.st_mtime_ns) == (origin.bytes, origin.modified_ns):
            return True
        return state.st_size == origin.bytes and sha256(path.read_bytes()).hexdigest() == origin.digest.hex
    except OSError:
        return None
