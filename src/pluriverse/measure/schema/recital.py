"""How much of a text stands in another: groups of words in lower case. Knows words only."""

import re
from functools import lru_cache

import numpy as np

MOST_RECITAL = 0.15  # of the 4-grams of words; above it an answer recites its own prompt
_WORD = re.compile(r"\w+")


def recital(text: str, prompt: str) -> float:
    """Share of the text's 4-grams of words that stand in `prompt`."""
    return _share(word_groups(text), _standing_in(prompt))


def trigram_recital(text: str, prompt: str) -> float:
    """Share of the text's trigrams of words that stand in `prompt`, whatever the punctuation: it also sees a prompt
    that is said with a word more here and there."""
    return _share(_trigrams(text), _trigrams_of(prompt))


def word_groups(text: str) -> list[tuple[str, ...]]:
    """All 4-grams of words; none for texts of less than four."""
    return _groups(text.lower().split(), 4)


def _share(groups: list[tuple[str, ...]], known: frozenset[tuple[str, ...]]) -> float:
    return float(np.mean([group in known for group in groups])) if groups else 0.0


def _groups(words: list[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[place : place + length]) for place in range(len(words) - length + 1)]


def _trigrams(text: str) -> list[tuple[str, ...]]:
    return _groups(_WORD.findall(text.lower()), 3)


@lru_cache(256)
def _standing_in(prompt: str) -> frozenset[tuple[str, ...]]:
    return frozenset(word_groups(prompt))


@lru_cache(256)
def _trigrams_of(prompt: str) -> frozenset[tuple[str, ...]]:
    return frozenset(_trigrams(prompt))
