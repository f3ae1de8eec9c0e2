"""The words index of one work: which terms stand in which of its passages, and where these begin and end.

One file, read where it lies (`mmap`): a heading in JSON, then arrays. The same text gives the same bytes everywhere.
Ranking is BM25 over all works that are searched, with joint counts, so that an index belongs to its work alone and to
no collection. Knows passages and terms; nothing of the store.
"""

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from ..passages import fold
from ..schema import Passage, Work
from .folding import asked, terms

VERSION = 1  # of this form, of the terms and of how texts are cut
_MAGIC = b"PVWORDS\n"
_K1, _B = 1.2, 0.75  # the usual ones

Array = npt.NDArray[Any]
Rank = tuple[int, int, float]
"""Number of the work, of its passage, and the score; rankings are lists of these, best first."""


class BrokenIndex(Exception):
    """It is cut short, garbled, of another version or of another text: it is to be made anew."""


@dataclass(frozen=True, slots=True)
class WordsIndex:
    """An index that was opened. Passage `n` has `lengths[n]` terms and is bytes `spans[n]` of the text."""

    language: str
    hashes: Array  # of the terms, sorted: uint64 [terms]
    starts: Array  # uint32 [terms + 1]: where the passages of a term begin in the two that follow
    passages: Array  # uint16 or uint32
    counts: Array  # uint8: how often the term stands in that passage
    lengths: Array  # uint16 [passages]
    spans: Array  # uint32 [passages, 4]: characters from, to; bytes from, to
    places: bytes  # of all passages, in UTF-8, joined
    place_ends: Array  # uint32 [passages]

    def __len__(self) -> int:
        return len(self.lengths)

    def passage(self, work: Work, number: int, text: bytes, last: int | None = None) -> Passage:
        """One passage, or those up to `last` as one, at the place of the first; `text`: the whole text in UTF-8."""
        start, _, first, _ = map(int, self.spans[number])
        _, end, _, stop = map(int, self.spans[number if last is None else last])
        # An index of somebody else's may cut letters: what is left is still the text's own.
        folded = fold(text[first:stop].decode(errors="ignore"))
        return Passage(work, number, start, end, self.place(number), folded)

    def place(self, number: int) -> str:
        """Where a passage stands."""
        ends = self.place_ends
        return self.places[int(ends[number - 1]) if number else 0 : int(ends[number])].decode(errors="replace")


def build(work: Work, text: str, passages: Sequence[Passage]) -> bytes:
    """The index of a work, as it is kept. `passages`: all of the text, in order."""
    known: dict[str, int] = {}
    ids, numbers, counts = array("I"), array("I"), array("B")  # one of each for every term of every passage
    lengths = []
    for number, passage in enumerate(passages):
        found: dict[int, int] = {}
        length = 0
        for term in terms(passage.text, work.language):
            id_ = known.setdefault(term, len(known))
            found[id_] = found.get(id_, 0) + 1
            length += 1
        lengths.append(min(length, 65_535))
        ids.extend(found)
        numbers.extend([number] * len(found))
        counts.extend(min(count, 255) for count in found.values())
    hashes = np.fromiter(map(_hash, known), "<u8", len(known))
    order = np.argsort(hashes)
    place = np.empty(len(known), np.int64)
    place[order] = np.arange(len(known))
    where = place[np.asarray(ids, np.int64)]
    by_term = np.argsort(where, kind="stable")
    named = [passage.place.encode() for passage in passages]
    arrays = {
        "hashes": hashes[order],
        "starts": np.concatenate([[0], np.cumsum(np.bincount(where, minlength=len(known)))]).astype("<u4"),
        "passages": np.asarray(numbers)[by_term].astype("<u2" if len(passages) < 65_536 else "<u4"),
        "counts": np.asarray(counts)[by_term],
        "lengths": np.array(lengths, "<u2"),
        "spans": _spans(text, passages),
        "place_ends": np.array(list(accumulate(map(len, named))), "<u4"),
        "places": np.frombuffer(b"".join(named), "u1"),
    }
    return _written(arrays, {"text": work.digest, "language": work.language})


def opened(data: "bytes | memoryview", work: Work) -> WordsIndex:
    """An index of that work's text in that language. BrokenIndex."""
    view = memoryview(data)
    try:
        if bytes(view[:8]) != _MAGIC:
            raise BrokenIndex("it is no words index")
        begin = 12 + int.from_bytes(view[8:12], "little")
        heading = json.loads(bytes(view[12:begin]))
        if heading["made_by"] != _made_by() or (heading["text"], heading["language"]) != (work.digest, work.language):
            raise BrokenIndex("it is of another version or text")
        arrays = {}
        for name, (start, kind, shape) in heading["arrays"].items():
            count = int(np.prod(shape, dtype=np.int64))
            arrays[name] = np.frombuffer(view, kind, count, begin + start).reshape(shape)
        places = arrays.pop("places").tobytes()
        found = WordsIndex(language=heading["language"], places=places, **arrays)
        _check(found)
        return found
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenIndex(f"it cannot be read: {error}") from error


def _check(index: WordsIndex) -> None:
    """BrokenIndex where its arrays do not fit each other: then a search would leave them."""
    count, terms_, found = len(index.lengths), len(index.hashes), len(index.passages)
    arrays = (index.hashes, index.starts, index.passages, index.counts, index.lengths, index.spans, index.place_ends)
    shapes = [(terms_,), (terms_ + 1,), (found,), (found,), (count,), (count, 4), (count,)]
    fits = [each.shape for each in arrays] == shapes and all(each.dtype.kind == "u" for each in arrays)
    if not fits or not (_rising(index.starts, found) and index.starts[0] == 0 and index.starts[-1] == found):
        raise BrokenIndex("its parts do not fit each other")
    if not _rising(index.place_ends, len(index.places)) or (found and int(index.passages.max()) >= count):
        raise BrokenIndex("it names passages that it does not have")


def _rising(numbers: Array, most: int) -> bool:
    """Whether none is less than the one before it, or more than `most`."""
    return not len(numbers) or bool((numbers[1:] >= numbers[:-1]).all() and numbers[-1] <= most)


@cache
def _made_by() -> str:
    """What an index is made by: another one may find other words the same."""
    return f"{VERSION} PyStemmer {version('PyStemmer')}"


def ranks(indexes: Sequence[WordsIndex], question: str, k: int) -> list[Rank]:
    """The `k` best passages by words, by BM25; each score is above 0.

    Statistics are those of all passages of all indexes together: a word that is rare in one work and everywhere in
    another, or that stands in a text of another language, does not weigh more for it.
    """
    words, rows = _asked(indexes, question)
    counts, total = _counts(rows, len(words)), sum(map(len, indexes))
    mean = sum(int(each.lengths.sum(dtype=np.int64)) for each in indexes) / max(total, 1) or 1.0
    weights = np.log1p((total - counts + 0.5) / (counts + 0.5))
    numbers, passages, scores = [], [], []
    for number, (each, row) in enumerate(zip(indexes, rows, strict=True)):
        if row.any():
            found = _scores(each, row, weights, mean)
            top = np.flatnonzero(found)
            if len(top) > k:
                top = np.flatnonzero(found >= np.partition(found, -k)[-k])
            numbers.append(np.full(len(top), number))
            passages.append(top)
            scores.append(found[top])
    if not scores:
        return []
    joined = np.concatenate(numbers), np.concatenate(passages), np.concatenate(scores)
    best = np.lexsort((joined[1], joined[0], -joined[2]))[:k]
    return [
        (int(number), int(passage), float(score))
        for number, passage, score in zip(*(each[best] for each in joined), strict=True)
    ]


def having(indexes: Sequence[WordsIndex], question: str) -> dict[str, int]:
    """In how many passages of all indexes each word of a question stands, 0 for one that they do not have.

    By its term in the language that most of them are in.
    """
    words, rows = _asked(indexes, question)
    sizes: dict[str, int] = {}
    for each in indexes:
        sizes[each.language] = sizes.get(each.language, 0) + len(each)
    counts = _counts(rows, len(words))
    named = [max(word, key=lambda language: sizes[language]) for word in words]
    return {word[language]: int(count) for word, language, count in zip(words, named, counts, strict=True)}


def _asked(indexes: Sequence[WordsIndex], question: str) -> tuple[list[dict[str, str]], list[Array]]:
    """The words of a question, and where they are in each index."""
    languages = {each.language for each in indexes}
    words = asked(question, languages)
    hashes = {language: np.array([_hash(word.get(language, "")) for word in words], "<u8") for language in languages}
    return words, [_rows(each, hashes[each.language]) for each in indexes]


def _counts(rows: Sequence[Array], words: int) -> Array:
    """The passages of all indexes that have each word: int64 [words]."""
    return sum((row[:, 1] - row[:, 0] for row in rows), np.zeros(words, np.int64))


def _scores(index: WordsIndex, row: Array, weights: Array, mean: float) -> Array:
    scores = np.zeros(len(index), np.float32)
    norms = (_K1 * (1 - _B + _B / mean * index.lengths)).astype(np.float32)
    for weight, (start, end) in zip(weights, row, strict=True):
        if end > start:
            there, counts = index.passages[start:end], index.counts[start:end].astype(np.float32)
            scores[there] += weight * (_K1 + 1) * counts / (counts + norms[there])
    return scores


def _rows(index: WordsIndex, hashes: Array) -> Array:
    """Where the passages of each term begin and end in an index, int64 [terms, 2]; (0, 0) for one that it lacks."""
    if not len(index.hashes):
        return np.zeros((len(hashes), 2), np.int64)
    at = np.minimum(np.searchsorted(index.hashes, hashes), len(index.hashes) - 1)
    found = np.stack([index.starts[at], index.starts[at + 1]], axis=1).astype(np.int64)
    return np.where((index.hashes[at] == hashes)[:, None], found, 0)


def _hash(term: str) -> int:
    return int.from_bytes(blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _spans(text: str, passages: Sequence[Passage]) -> Array:
    """Of each passage: its characters and its bytes, from and to."""
    spans = np.array([(each.start, each.end) for each in passages], "<u4").reshape(-1, 2)
    if text.isascii():
        return np.hstack([spans, spans])
    marks = np.unique(spans)
    sizes = [len(text[first:last].encode()) for first, last in zip([0, *marks[:-1]], marks, strict=True)]
    at = np.array(list(accumulate(sizes)), "<u4")
    return np.hstack([spans, at[np.searchsorted(marks, spans)]])


def _written(arrays: Mapping[str, Array], about: Mapping[str, str]) -> bytes:
    """The file: signature, length of the heading, heading, and each array at a multiple of eight from there on."""
    places, blocks, at = {}, [], 0
    for name, each in arrays.items():
        places[name] = (at, each.dtype.str, each.shape)
        blocks.append(each.tobytes().ljust(_even(each.nbytes), b"\0"))
        at += len(blocks[-1])
    heading = json.dumps({"made_by": _made_by(), **about, "arrays": places}, separators=(",", ":")).encode()
    begin = _even(12 + len(heading))
    return b"".join([_MAGIC, (begin - 12).to_bytes(4, "little"), heading.ljust(begin - 12), *blocks])


def _even(size: int) -> int:
    return -(-size // 8) * 8
