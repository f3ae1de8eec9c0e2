"""The passages of an assistant's works that a question is about, best first, by words and by meaning.

Words count as much as they prove: by the square of how much of the question a passage has, rare words weighing more.
Ranks would not do: one everyday word puts passages first that have nothing else of the question
(docs/decisions/0018-meaning.md). Knows indexes; nothing of assistants or of what is done with a passage.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...settings import Settings
from ...store import Store
from ..schema import Found, Means, Work
from ..texts import text_of
from .keeping import index_words
from .meaning import Vectors, embed_question
from .meaning import ranks as ranks_by_meaning
from .models import Model
from .vectors import Meaning, kept
from .words import Rank, WordsIndex, having, ranks

DEPTH = 50  # of each ranking, at least
_WORDS = 0.4  # what all words of a question together add to a cosine


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
    rankings: dict[Means, list[Rank]] = {"words": ranks(indexes, question, max(k, DEPTH))}
    if asked is not None:
        rankings["meaning"] = ranks_by_meaning(kept(store, works, indexes, asked[0]), asked[1], max(k, DEPTH))
    best = fused(rankings, most_of(indexes, question))[:k]
    known = store.works({works[each.place[0]].digest for each in best})
    texts = {work: text_of(works[work], known.get(works[work].digest), settings) for (work, _), *_ in best}
    found = []
    for (work, number), score, by in best:
        passage = indexes[work].passage(works[work], number, texts[work])
        found.append(Found(passage, score, tuple(by), words=by.get("words", 0.0), meaning=by.get("meaning", 0.0)))
    return found


class Fused(NamedTuple):
    place: tuple[int, int]  # number of the work, of the passage
    score: float
    by: dict[Means, float]  # the score of each ranking that found it


def fused(rankings: Mapping[Means, Sequence[Rank]], most: float) -> list[Fused]:
    """The rankings of one search as one, best first. `most`: what a passage with all words of the question has.

    A passage that is not among those found by meaning counts as the last of them.
    """
    found: dict[tuple[int, int], dict[Means, float]] = {}
    for by, ranking in rankings.items():
        for work, number, score in ranking:
            found.setdefault((work, number), {})[by] = score
    least = min((score for *_, score in rankings.get("meaning", ())), default=0.0)

    def value(by: Mapping[Means, float]) -> float:
        return by.get("meaning", least) + _WORDS * min(by.get("words", 0.0) / most, 1.0) ** 2

    return sorted(
        (Fused(place, value(by), by) for place, by in found.items()), key=lambda each: (-each.score, each.place)
    )


def most_of(indexes: Sequence[WordsIndex], question: str) -> float:
    """BM25 of a passage of usual length in which each word of the question stands once."""
    total = sum(map(len, indexes))
    counts = np.array(list(having(indexes, question).values()))
    return float(np.log1p((total - counts + 0.5) / (counts + 0.5)).sum()) or 1.0
