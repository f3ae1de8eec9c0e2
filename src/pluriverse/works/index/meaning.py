"""The meanings of a work's passages: one vector each, from an engine that embeds, and ranking by them.

One file a work: a heading in JSON, then a scale for each vector, then the vectors in whole numbers from -127 to 127.
Reading a book takes most of a minute, so what is here of one is kept and gone on with. Knows passages, vectors and the
engine's contract; nothing of the store, or of how an engine is made ready (`runtime.meaning`).
"""

import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...engines.contract import Engine
from ...files import delete, write
from ...values import Digest
from .models import Model

VERSION = 1  # of this form
_MAGIC = b"PVMEANS\n"
_AT_ONCE = 32  # passages that are embedded between two events
_KEEP_S = 5.0  # seconds of work that a killed process may lose
_BLOCK = 4096  # vectors that are turned into floats at a time
_MOST = 127
_BESIDE = 0.15  # what the passage before and the one behind count beside a passage

Ranked = tuple[int, int, float]
"""Number of the index, number of the passage in it, and its score."""
Vectors = npt.NDArray[np.float32]


class BrokenMeaning(Exception):
    """It is cut short, garbled, or of another text, model or version: it is to be made anew."""


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What vectors depend on: the text, how it is cut into passages (`cut_of`), and the model."""

    text: Digest
    cut: str
    model: Model

    def heading(self) -> dict[str, str | int]:
        return {"version": VERSION, "text": self.text, "cut": self.cut, "model": self.model.digest or self.model.name}


@dataclass(frozen=True, slots=True)
class Embedded:
    """`done` of `total` passages have their vectors."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class MeaningIndex:
    """The vectors of a work's passages, in their order. `vectors`: int8 [passages, width]."""

    scales: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.vectors)

    def likeness(self, question: Vectors) -> Vectors:
        """float32 [passages]: the cosine between the question's vector and each passage's."""
        found = np.empty(len(self), np.float32)
        for low in range(0, len(self), _BLOCK):
            block = self.vectors[low : low + _BLOCK].astype(np.float32)
            found[low : low + _BLOCK] = block @ question * self.scales[low : low + _BLOCK]
        return found


async def embed_question(engine: Engine, question: str, model: Model) -> Vectors:
    """float32 [width]. UnsupportedError of an engine that does not embed."""
    vector: Vectors = (await engine.embed([model.question(question)]))[0]
    return vector


async def embed_passages(engine: Engine, texts: Sequence[str], model: Model) -> Vectors:
    """float32 [len(texts), width]: of passages, or of sentences of them."""
    vectors: Vectors = await engine.embed([model.passage(text) for text in texts])
    return vectors


async def build(engine: Engine, made_of: MadeOf, texts: Sequence[str], part: Path) -> AsyncIterator[Embedded | bytes]:
    """Embed a work by the `texts` of its passages; the last that is yielded is its index, as it is kept.

    `part`: a file of its own for what is done; where one is there of the same text and model, it is gone on with. It is
    the caller's to lock and, when the index is kept, to delete (`forget`).
    """
    index = _earlier(part, made_of, len(texts))
    kept = time.monotonic()
    yield Embedded(len(index), len(texts))
    for low in range(len(index), len(texts), _AT_ONCE):
        found = whole_numbers(await embed_passages(engine, texts[low : low + _AT_ONCE], made_of.model))
        index = joined(index, found) if len(index) else found
        if time.monotonic() - kept >= _KEEP_S:
            write(part, packed(index, made_of))
            kept = time.monotonic()
        yield Embedded(len(index), len(texts))
    yield packed(index, made_of)


def forget(part: Path) -> None:
    """Delete what `build` kept on its way."""
    if part.exists():
        delete(part)


def whole_numbers(vectors: Vectors) -> MeaningIndex:
    """Vectors of length 1 in int8, each with a scale of its own."""
    scales = np.abs(vectors).max(axis=1, initial=0.0).astype(np.float32) / _MOST
    numbers = np.rint(vectors / np.where(scales == 0, 1, scales)[:, None])
    return MeaningIndex(scales, numbers.astype(np.int8))


def joined(first: MeaningIndex, second: MeaningIndex) -> MeaningIndex:
    return MeaningIndex(
        np.append(first.scales, second.scales),
        np.vstack([first.vectors, second.vectors]),
    )


def packed(index: MeaningIndex, made_of: MadeOf) -> bytes:
    """The file. The same vectors of the same text give the same bytes."""
    count, width = index.vectors.shape
    heading = json.dumps({**made_of.heading(), "passages": count, "width": width}, separators=(",", ":")).encode()
    heading = heading.ljust(-(-(12 + len(heading)) // 8) * 8 - 12)
    size = len(heading).to_bytes(4, "little")
    arrays = index.scales.astype("<f4"), index.vectors
    return b"".join([_MAGIC, size, heading, *(each.tobytes() for each in arrays)])


def opened(data: "bytes | memoryview", made_of: MadeOf) -> MeaningIndex:
    """An index that is made of just that. BrokenMeaning."""
    view = memoryview(data)
    try:
        if bytes(view[:8]) != _MAGIC:
            raise BrokenMeaning("it is no index of meanings")
        begin = 12 + int.from_bytes(view[8:12], "little")
        heading = json.loads(bytes(view[12:begin]))
        count, width = heading.pop("passages"), heading.pop("width")
        if heading != made_of.heading():
            raise BrokenMeaning("it is of another version, text, cut or model")
        if len(view) != begin + count * (4 + width):
            raise BrokenMeaning("it is cut short")
        scales = np.frombuffer(view, "<f4", count, begin)
        if not np.isfinite(scales).all():
            raise BrokenMeaning("it has scales that are no numbers")
        return MeaningIndex(scales, np.frombuffer(view, np.int8, offset=begin + 4 * count).reshape(count, width))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenMeaning(f"it cannot be read: {error}") from error


def likenesses(indexes: Sequence[MeaningIndex | None], question: Vectors) -> list[Vectors | None]:
    """Of each index the cosine between the question's vector and each passage's; None where there is no index, or one
    of another width."""
    return [
        index.likeness(question) if index is not None and index.vectors.shape[1:] == question.shape else None
        for index in indexes
    ]


def with_neighbours(likeness: Vectors) -> Vectors:
    """float32 [passages]: the mean of each passage's cosine and, less weighty, those of the passages beside it."""
    ends = np.pad(likeness, 1, "edge") if len(likeness) else np.zeros(2, np.float32)
    return np.asarray((likeness + _BESIDE * (ends[:-2] + ends[2:])) / (1 + 2 * _BESIDE), np.float32)


def ranks(scores: Sequence[Vectors | None], k: int) -> list[Ranked]:
    """The `k` passages of the highest scores over all indexes, best first."""
    best: list[Ranked] = []
    for number, own in enumerate(scores):
        if own is not None and len(own):
            top = np.argpartition(-own, min(k, len(own)) - 1)[:k]
            best += [(number, int(passage), float(own[passage])) for passage in top]
    return sorted(best, key=lambda found: (-found[2], found[0], found[1]))[:k]


def cut_of(spans: npt.ArrayLike) -> str:
    """Tells passages of one text from others of it. `spans`: characters of each, from and to; [passages, 2]."""
    return blake2b(np.asarray(spans, "<u4").tobytes(), digest_size=8).hexdigest()


def _earlier(part: Path, made_of: MadeOf, most: int) -> MeaningIndex:
    empty = whole_numbers(np.empty((0, 0), np.float32))
    try:
        found = opened(part.read_bytes(), made_of)
    except (OSError, BrokenMeaning):
        return empty
    return found if len(found) <= most else empty
