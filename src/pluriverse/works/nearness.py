"""How near words are to a question by the words that they share, the rare ones counting more, and whether works speak
of a question at all.

Knows terms, and in how many passages each stands.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .index.folding import terms
from .index.words import WordsIndex, having

_UNSPACED = "\u2e80"  # from here on scripts without spaces, whose terms are pairs of characters
_FEW = 20  # passages that a work is taken to have besides its own, so that in a short one all terms weigh much the same


@dataclass(frozen=True, slots=True)
class Weighed:
    """The terms of a question, each with what it weighs by how seldom it stands in the works."""

    weights: Mapping[str, float]
    unknown: float  # the share of the terms that stand nowhere in them

    @classmethod
    def of(cls, question: str, indexes: Sequence[WordsIndex]) -> "Weighed":
        found = _without_chance_pairs(having(indexes, question))
        total = sum(map(len, indexes))
        weights = {term: math.log1p((total + _FEW) / (count + 1)) for term, count in found.items()}
        return cls(weights, sum(not count for count in found.values()) / len(found) if found else 1.0)

    def shared(self, text: str, language: str) -> float:
        """The share of the weights whose terms stand in `text`: 0 to 1."""
        inside = set(terms(text, language))
        whole = sum(self.weights.values())
        return sum(weight for term, weight in self.weights.items() if term in inside) / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """That works speak of a question. `covered`: the share of its terms, weighed, that the best passage has; `unknown`:
    the share of them that stand nowhere in the works; `meaning`: the cosine of the passage that is nearest in meaning,
    None where nothing embeds."""

    covered: float
    unknown: float
    meaning: float | None = None

    @property
    def value(self) -> float:
        """Above 0 where they speak of it. The numbers are fitted to `benchmarks/answerable.py`."""
        by_words = self.covered - 0.5 * self.unknown
        return by_words - 0.28 if self.meaning is None else self.meaning + 0.2 * by_words - 0.34


def _without_chance_pairs(having: Mapping[str, int]) -> Mapping[str, int]:
    """Pairs of characters straddle words: one that stands nowhere tells nothing, unless all of them do."""
    kept = {term: count for term, count in having.items() if count or term < _UNSPACED}
    return kept or having
