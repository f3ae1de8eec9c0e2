"""The vectors of works, as parts of the store: looked for, made where they are missing, gone on with where that broke
off.

Those of the shipped library's works come with it. Knows the store, words indexes (for where passages begin and end) and
an engine that embeds; nothing of ranking.
"""

import asyncio
import mmap
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass
from hashlib import file_digest, sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ...engines.contract import Engine
from ...settings import Settings
from ...store import Store
from ...store.works import StoredWork
from ...values import Digest, Work
from ..texts import text_of
from .keeping import index_words
from .meaning import BrokenMeaning, Embedded, MadeOf, MeaningIndex, build, cut_of, forget, opened
from .models import Model
from .words import WordsIndex

_PART = "vectors."
_MOST_OPEN = 256
# Vectors whose bytes were checked, for as long as their files are the same.
_opened: dict[tuple[Path, MadeOf, int, int, int], MeaningIndex] = {}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What works are embedded with."""

    model: Model
    engine: Engine


@dataclass(frozen=True, slots=True)
class Embedding:
    """`done` of `total` passages of a work have their vectors."""

    work: Work
    done: int
    total: int


def kept(store: Store, works: Sequence[Work], indexes: Sequence[WordsIndex], model: Model) -> list[MeaningIndex | None]:
    """The vectors of each work that are here, from a store or with the library; None where they are to be made."""
    known = store.works({work.digest for work in works})
    return [
        _kept(known.get(work.digest), made_of(work, index, model), len(index))
        for work, index in zip(works, indexes, strict=True)
    ]


def any_kept(store: Store, works: Sequence[Work], model: str) -> bool:
    """Whether one of the works has vectors of that model, in a store or with the library; whole or not."""
    known = store.works({work.digest for work in works})
    part = f"{_PART}{model}"
    return any(part in stored.parts for stored in known.values()) or any(
        _shipped(work.digest).is_file() for work in works
    )


async def embed_works(
    store: Store, settings: Settings, works: Sequence[Work], meaning: Meaning
) -> AsyncGenerator[Embedding, None]:
    """Make the vectors that are missing and keep them; nothing is yielded of works that have theirs.

    One process makes those of a work, others wait for it. Raises as `texts.text_of`, the engine's errors, NoSpaceError
    and PluriverseError where nothing can be kept.
    """
    indexed = await asyncio.to_thread(lambda: list(index_words(store, settings, works)))
    for each, here in zip(indexed, kept(store, works, [one.index for one in indexed], meaning.model), strict=True):
        if here is None:
            async with aclosing(_embedded(store, settings, each.work, each.index, meaning)) as steps:
                async for step in steps:
                    yield step


async def _embedded(
    store: Store, settings: Settings, work: Work, index: WordsIndex, meaning: Meaning
) -> AsyncGenerator[Embedding, None]:
    of = made_of(work, index, meaning.model)
    key = f"vectors-{sha256(repr(of.heading()).encode()).hexdigest()[:32]}"
    with ExitStack() as stack:
        await asyncio.to_thread(stack.enter_context, store.home.lock(key))
        stored = store.works({work.digest}).get(work.digest)
        if _kept(stored, of, len(index)) is not None:  # another process made them meanwhile
            return
        text = text_of(work, stored, settings)
        texts = [index.passage(work, number, text).text for number in range(len(index))]
        part = store.home.incoming / f"{key}.part"
        async for step in build(meaning.engine, of, texts, part):
            if isinstance(step, Embedded):
                yield Embedding(work, step.done, step.total)
            else:
                await asyncio.to_thread(store.add_work, work, {part_of(meaning.model): step})
        forget(part)


def _kept(stored: StoredWork | None, of: MadeOf, passages: int) -> MeaningIndex | None:
    """What a store has, whole and as it was written; else what came with the library."""
    name = part_of(of.model)
    if stored and (path := stored.path(name)):
        with suppress(OSError, ValueError, BrokenMeaning):
            found = _opened_once(path, stored.parts[name][0], of)
            if found is not None and len(found) == passages:
                return found
    try:
        return opened(_shipped(of.text).read_bytes(), of)
    except (OSError, BrokenMeaning):
        return None


def _opened_once(path: Path, digest: Digest, of: MadeOf) -> MeaningIndex | None:
    """The file where it lies; None where it is not as it was written. Its bytes are checked once, for as long as it
    stays the same file."""
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        key = (path, of, state.st_size, state.st_mtime_ns, state.st_ino)
        if (index := _opened.get(key)) is None:
            if file_digest(file, "sha256").hexdigest() != digest.hex:
                return None
            if len(_opened) >= _MOST_OPEN:
                _opened.clear()
            index = opened(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)), of)
            _opened[key] = index
    return index


def made_of(work: Work, index: WordsIndex, model: Model) -> MadeOf:
    """What the vectors of a work must be of to fit its index."""
    return MadeOf(work.digest, cut_of(index.spans[:, :2]), model)


def part_of(model: Model) -> str:
    """The part of a stored work that its vectors are."""
    return f"{_PART}{model.name}"


def _shipped(text: Digest) -> Traversable:
    """Where the vectors of a work of the library lie."""
    return files("pluriverse.works") / "library" / "vectors" / f"{text.short}.bin"
