"""How much of a text stands in another: groups of four words, in lower case. Knows words only."""

from functools import lru_cache

import numpy as np

MOST_RECITAL = 0.15  # of the 4-grams of words; above it an answer recites its own prompt


def recital(text: str, prompt: str) -> float:
    """Share of the text's 4-grams of words that stand in `prompt`."""
    grams = word_groups(text)
    known = _standing_in(prompt)
    return float(np.mean([gram in known for gram in grams])) if grams else 0.0


def word_groups(text: str) -> list[tuple[str, ...]]:
    """All 4-grams of words; none for texts of less than four."""
    words = text.lower().split()
    return [tuple(words[place : place + 4]) for place in range(len(words) - 3)]


@lru_cache(256)
def _standing_in(prompt: str) -> frozenset[tuple[str, ...]]:
    return frozenset(word_groups(prompt))
