"""Files become works: read, kept in the store by the digest of their text, and indexed.

What was kept stays when the process is killed: the same call goes on where it was. Knows files, texts and indexes; not
whose works they are.
"""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..errors import UsageError
from ..settings import Settings
from ..store import Store
from ..store.works import Origin, origin_of
from ..values import Digest
from .index.keeping import index_words
from .reading import Document, Problem
from .schema import Work
from .texts import TEXT

_UNKNOWN = "und"  # what a language detector calls what it cannot tell


@dataclass(frozen=True, slots=True)
class Reading:
    """This file is read now."""

    path: Path


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or a part of it, gave no text."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Indexing:
    """So many works of all that were read can be searched by words."""

    done: int
    total: int
    work: Work


@dataclass(frozen=True, slots=True)
class AddedWork:
    """`again`: whoever asked has a work with this text already, and it is that one."""

    work: Work
    passages: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """The end: all that can be answered from, in the order of the files, and what gave no text."""

    works: tuple[AddedWork, ...]
    problems: tuple[Problem, ...]

    @property
    def new(self) -> tuple[Work, ...]:
        return tuple(each.work for each in self.works if not each.again)


AddingEvent = Reading | Unread | Indexing | Added


async def add_works(
    store: Store, settings: Settings, paths: Sequence[Path], *, have: Sequence[Work] = (), most: int = 1000
) -> AsyncGenerator[AddingEvent, None]:
    """Read files and folders, keep their texts and index their words; the last event is Added.

    `have`: works that are there already, whose ids are taken. `most`: works in all. UsageError where no file gave any
    text or there are too many; NoSpaceError, PluriverseError where the store cannot keep them.
    """
    works: dict[Digest, Work] = {work.digest: work for work in have}
    order: list[Digest] = []
    problems: list[Problem] = []
    for path in _files(paths):
        yield Reading(path)
        for read in await asyncio.to_thread(_read, path):
            if isinstance(read, Problem):
                problems.append(read)
                yield Unread(read)
                continue
            document, origin = read
            if document.digest not in order:
                order.append(document.digest)
            if document.digest not in works:
                work = _work(document, {work.id for work in works.values()})
                works[work.digest] = work
                if len(works) > most:
                    raise UsageError(f"there are more than {most:,} works", "join texts that belong together into one")
                await asyncio.to_thread(store.add_work, work, {TEXT: document.text.encode()}, origin)
    if not order:
        raise _nothing(paths, problems)
    taken = {work.digest for work in have}
    added: list[AddedWork] = []
    indexes = index_words(store, settings, [works[digest] for digest in order], must_keep=True)
    while (indexed := await asyncio.to_thread(next, indexes, None)) is not None:
        added.append(AddedWork(indexed.work, len(indexed.index), indexed.work.digest in taken))
        yield Indexing(len(added), len(order), indexed.work)
    yield Added(tuple(added), tuple(problems))


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} is not there", "name files or folders with texts in them")
        yield from sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else (path,)


def _read(path: Path) -> list[tuple[Document, Origin] | Problem]:
    """One file. What it is called where it does not say so itself is the name of the file."""
    origin = origin_of(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return [Problem("undecodable", path, f"{path} is not UTF-8 text", "save it as UTF-8")]
    if path.suffix.lower() != ".txt":
        return [Problem("wrong_kind", path, f"{path} is nothing that is read here", "save it as text")]
    if not text.strip():
        return [Problem("empty", path, f"{path} is empty")]
    return [(Document(path, path.stem, text), origin)]


def _work(document: Document, taken: Collection[str]) -> Work:
    title = " ".join(document.title.split())[:300] or document.path.stem
    return Work(
        id=_id(document, taken),
        title=title,
        digest=document.digest,
        language=document.language or _language(document.text),
        author=" ".join(document.author.split())[:300],
        edition=" ".join(document.edition.split())[:300],
    )


def _id(document: Document, taken: Collection[str]) -> str:
    """A short name after the file's, or after the text where no letter of that can be written in an id."""
    plain = unicodedata.normalize("NFKD", document.path.stem).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].strip("-") or f"work-{document.digest.short}"
    count = 1
    while (found := name if count == 1 else f"{name}-{count}") in taken:
        count += 1
    return found


def _language(text: str) -> str:
    """By the text itself, from its middle, where a preface in another language has ended."""
    import py3langid

    middle = len(text) // 2
    found, _ = py3langid.classify(text[max(0, middle - 5000) : middle + 5000])
    return "" if found == _UNKNOWN else str(found)


def _nothing(paths: Sequence[Path], problems: Sequence[Problem]) -> UsageError:
    named = ", ".join(map(str, paths[:3]))
    if len(problems) == 1:
        return UsageError(problems[0].message, problems[0].hint)
    return UsageError(
        f"no text was found in {named}", "name text, Markdown, HTML, EPUB, PDF or DOCX files, or a folder"
    )


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
