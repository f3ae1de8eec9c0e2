"""The words indexes of works, as parts of the store: made where they are missing, made anew where they are no use.

Knows texts and the store; nothing of ranking.
"""

import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from ...errors import PluriverseError
from ...settings import Settings
from ...store import Store
from ...store.works import Origin, StoredWork
from ..passages import passages
from ..schema import Work
from ..texts import TEXT, text_of
from .words import BrokenIndex, WordsIndex, build, opened

_MOST_OPEN = 256
# Indexes whose bytes were checked, for as long as their files are the same.
_opened: dict[tuple[Path, str, str, int, int, int], WordsIndex] = {}


@dataclass(frozen=True, slots=True)
class Indexed:
    """The words of one work can be searched. `made`: now, for there was no index of use."""

    work: Work
    index: WordsIndex
    made: bool


def index_words(store: Store, settings: Settings, works: Sequence[Work]) -> Iterator[Indexed]:
    """The index of each work, in their order; one that cannot be kept, for want of room or rights, serves once.

    Raises as `text_of` where an index is to be made and the text is not to be had.
    """
    known = store.works({work.digest for work in works})
    for work in works:
        stored = known.get(work.digest)
        if (index := _kept(work, stored)) is not None:
            yield Indexed(work, index, False)
            continue
        data = text_of(work, stored, settings)
        made = _made(work, data.decode())
        with suppress(PluriverseError):
            store.add_work(work, {TEXT: data, _part(work): made})
        yield Indexed(work, opened(made, work), True)


def keep(store: Store, work: Work, text: str, origin: Origin | None) -> WordsIndex:
    """Keep a text that was read from a file, with its index, which is made where there is none of use.

    NoSpaceError, PluriverseError.
    """
    index = _kept(work, store.works({work.digest}).get(work.digest))
    made = _made(work, text) if index is None else b""
    store.add_work(work, {TEXT: text.encode()} | ({_part(work): made} if made else {}), origin)
    return index or opened(made, work)


def _made(work: Work, text: str) -> bytes:
    return build(work, text, passages(work, text))


def indexed(store: Store, works: Sequence[Work]) -> Iterator[tuple[Work, WordsIndex]]:
    """The works that have an index of use, with it; nothing is made."""
    known = store.works({work.digest for work in works})
    for work in works:
        if (index := _kept(work, known.get(work.digest))) is not None:
            yield work, index


def _kept(work: Work, stored: StoredWork | None) -> WordsIndex | None:
    """The index that a store has, if its bytes are those that were written, and of today's version."""
    path = stored.path(_part(work)) if stored else None
    if stored is None or path is None:
        return None
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            key = (path, work.digest, work.language, state.st_size, state.st_mtime_ns, state.st_ino)
            if (index := _opened.get(key)) is None:
                if file_digest(file, "sha256").hexdigest() != stored.parts[_part(work)][0].hex:
                    return None
                if len(_opened) >= _MOST_OPEN:
                    _opened.clear()
                index = opened(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)), work)
                _opened[key] = index
        return index
    except (OSError, ValueError, BrokenIndex):
        return None


def _part(work: Work) -> str:
    """Each language that a text is taken for has its own terms."""
    return f"words.{work.language or 'und'}"
