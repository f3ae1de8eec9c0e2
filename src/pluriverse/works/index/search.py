"""The passages of an assistant's works that a question is about, best first, by words and by meaning.

Words count as much as they prove: by the square of how much of the question a passage has, rare words weighing more.
Ranks would not do: one everyday word puts passages first that have nothing else of the question. Meaning counts with
what stands beside a passage (docs/decisions/0018-meaning.md). Neighbours that were both found are one passage. Knows
indexes; nothing of assistants or of what is done with a passage.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...settings import Settings
from ...store import Store
from ..schema import Found, Means, Work
from ..texts import text_of
from .keeping import index_words
from .meaning import Vectors, embed_question, likenesses, with_neighbours
from .meaning import ranks as ranks_by_meaning
from .models import Model
from .vectors import Meaning, kept
from .words import Rank, WordsIndex, having, ranks

DEPTH = 50  # of each ranking, at least
_WORDS = 0.3  # what all words of a question together add to a cosine
_NEAR = 20  # places of the ranking within which neighbours are joined
_JOINED = 3  # passages that are joined at most


async def search(
    store: Store, settings: Settings, works: Sequence[Work], question: str, k: int, meaning: Meaning | None = None
) -> list[Found]:
    """The `k` best passages over all works together; fewer where fewer have anything of the question.

    Works whose words were never indexed are indexed now; by meaning those are searched that have their vectors
    (`vectors.embed_works`). Raises as `texts.text_of`, and the engine's errors.
    """
    asked = None
    if meaning is not None:
        asked = meaning.model, await embed_question(meaning.engine, question, meaning.model)
    return await asyncio.to_thread(_search, store, settings, works, question, k, asked)


def _search(
    store: Store,
    settings: Settings,
    works: Sequence[Work],
    question: str,
    k: int,
    asked: tuple[Model, Vectors] | None,
) -> list[Found]:
    indexes = [each.index for each in index_words(store, settings, works)]
    depth = max(k, DEPTH)
    near: list[Vectors | None] = [None] * len(works)
    if asked is not None:
        near = likenesses(kept(store, works, indexes, asked[0]), asked[1])
    best = fused(ranks(indexes, question, depth), near, most_of(indexes, question), depth)
    runs = joined(best, indexes)[:k]
    known = store.works({works[run[0].place[0]].digest for run in runs})
    texts: dict[int, bytes] = {}
    found = []
    for run in runs:
        number = run[0].place[0]
        work = works[number]
        if number not in texts:
            texts[number] = text_of(work, known.get(work.digest), settings)
        found.append(_found(run, work, indexes[number], texts[number]))
    return found


def _found(run: Sequence["Fused"], work: Work, index: WordsIndex, text: bytes) -> Found:
    numbers = sorted(each.place[1] for each in run)
    parts = tuple(index.passage(work, number, text) for number in numbers)
    whole = index.passage(work, numbers[0], text, numbers[-1])
    means: tuple[Means, ...] = ("words", "meaning")
    scores = {by: max(each.by.get(by, 0.0) for each in run) for by in means}
    return Found(
        passage=replace(whole, place=_span(parts[0].place, parts[-1].place)) if parts[1:] else whole,
        score=run[0].score,
        by=tuple(by for by in means if any(by in each.by for each in run)),
        words=scores["words"],
        meaning=scores["meaning"],
        parts=parts,
    )


class Fused(NamedTuple):
    place: tuple[int, int]  # number of the work, of the passage
    score: float
    by: dict[Means, float]  # BM25 and cosine, of the ranking that found it


def fused(words: Sequence[Rank], near: Sequence[Vectors | None], most: float, depth: int) -> list[Fused]:
    """What was found by words and what is nearest in meaning, as one ranking, best first.

    `near`: of each work the cosine of each passage with the question, None where it has no vectors: its passages count
    as the last that was found by meaning. `most`: BM25 of a passage with all words of the question.
    """
    mixed = [None if each is None else with_neighbours(each) for each in near]
    by_meaning = ranks_by_meaning(mixed, depth)
    found: dict[tuple[int, int], dict[Means, float]] = {}
    for work, number, score in words:
        found.setdefault((work, number), {})["words"] = score
    for work, number, _ in by_meaning:
        found.setdefault((work, number), {})["meaning"] = float(near[work][number])  # type: ignore[index]
    least = min((score for *_, score in by_meaning), default=0.0)

    def value(work: int, number: int, words: float) -> float:
        own = mixed[work]
        return (least if own is None else float(own[number])) + _WORDS * min(words / most, 1.0) ** 2

    ranking = [Fused(place, value(*place, by.get("words", 0.0)), by) for place, by in found.items()]
    return sorted(ranking, key=lambda each: (-each.score, each.place))


def joined(best: Sequence[Fused], indexes: Sequence[WordsIndex]) -> list[list[Fused]]:
    """The ranking with neighbours of one chapter together, where both are among its first; each run best first."""
    runs: list[list[Fused]] = []
    for at, each in enumerate(best):
        work, number = each.place
        for run in runs:
            beside = any(other.place in ((work, number - 1), (work, number + 1)) for other in run)
            if at < _NEAR and len(run) < _JOINED and beside:
                here, there = sorted((number, run[0].place[1]))
                if _span(indexes[work].place(here), indexes[work].place(there)):
                    run.append(each)
                    break
        else:
            runs.append([each])
    return runs


def _span(first: str, last: str) -> str:
    """From one place of a chapter to a later one; empty where the second is in another chapter."""
    if first == last:
        return first
    stem, _, begin = first.rpartition(" ")
    other, _, end = last.rpartition(" ")
    begin, end = begin.partition("–")[0], end.rpartition("–")[2]
    if {stem, other} <= {"paragraph", "paragraphs"} and begin != end:
        stem = other = "paragraphs"
    if stem != other or not (begin[:1].isdigit() and end[:1].isdigit()):
        return ""
    if begin == end:
        return f"{stem} {begin}".strip()
    end = end.removeprefix(begin[: begin.rfind(":") + 1])  # "1:5" and "1:9" are 1:5–9
    return f"{stem} {begin}–{end}".strip()


def most_of(indexes: Sequence[WordsIndex], question: str) -> float:
    """BM25 of a passage of usual length in which each word of the question stands once."""
    total = sum(map(len, indexes))
    counts = np.array(list(having(indexes, question).values()))
    return float(np.log1p((total - counts + 0.5) / (counts + 0.5)).sum()) or 1.0
