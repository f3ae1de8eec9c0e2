"""The passages of an assistant's works that a question is about, best first, by words and by meaning.

Two rankings become one by reciprocal ranks: what both find goes before what one finds. Knows indexes; nothing of
assistants or of what is done with a passage.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...settings import Settings
from ...store import Store
from ..schema import Found, Means, Work
from ..texts import text_of
from .keeping import index_words
from .meaning import Vectors, embed_question
from .meaning import ranks as ranks_by_meaning
from .models import Model
from .vectors import Meaning, kept
from .words import Rank, ranks

DEPTH = 50  # of each ranking, at least
_K = 60  # of reciprocal rank fusion: Cormack, Clarke and Büttcher 2009


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
    best = fused(rankings)[:k]
    known = store.works({works[work].digest for (work, _), _ in best})
    texts = {work: text_of(works[work], known.get(works[work].digest), settings) for (work, _), _ in best}
    found = []
    for (work, number), by in best:
        passage = indexes[work].passage(works[work], number, texts[work])
        score = sum(1 / (_K + each.place) for each in by.values())
        raw = {means: each.score for means, each in by.items()}
        found.append(Found(passage, score, tuple(by), words=raw.get("words", 0.0), meaning=raw.get("meaning", 0.0)))
    return found


class Placed(NamedTuple):
    place: int  # from 1
    score: float  # of that ranking


def fused(rankings: Mapping[Means, Sequence[Rank]]) -> list[tuple[tuple[int, int], dict[Means, Placed]]]:
    """Several rankings as one: ((number of the work, of the passage), where each ranking that found it has it)."""
    found: dict[tuple[int, int], dict[Means, Placed]] = {}
    for by, ranking in rankings.items():
        for place, (work, number, score) in enumerate(ranking, 1):
            found.setdefault((work, number), {})[by] = Placed(place, score)
    return sorted(
        found.items(), key=lambda each: (-sum(1 / (_K + placed.place) for placed in each[1].values()), each[0])
    )
