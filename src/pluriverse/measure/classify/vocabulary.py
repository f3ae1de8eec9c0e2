"""Scales of vocabulary: how likely the words of a text are those of one side's personas rather than of the other's.

A scale is a classifier (`classifier`) that has read persona statements and nothing else, kept as a file of the package,
so that figures are functions of rows alone and anybody computes the same. It reads words, not stances: "I am against
unions" uses the words of whoever speaks of unions, and people's labels of left and right it does not find
(docs/statistics.md). `benchmarks/scales.py` makes the files anew from the public data and counts that.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from .classifier import Classifier, accuracy, trained, words_of

AXES = {  # scale: persona statements of its two sides
    "politics": ("politically-liberal", "politically-conservative"),
    "ethics": ("subscribes-to-deontology", "subscribes-to-utilitarianism"),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """`held`: share of statements that classifiers which have not read them put on their side."""

    name: str
    sides: tuple[str, str]
    source: str
    licence: str
    held: float
    classifier: Classifier

    def __call__(self, texts: Sequence[str], prompt: str = "") -> np.ndarray:
        """Probability that the words are the first side's; float64 [texts], NaN for a text without a word that counts.
        Words of `prompt`, which the speaker was given, do not count."""
        given = frozenset(words_of(prompt))
        found = self.classifier.probability(texts, given)
        return np.where([self.classifier.knows(text, given) for text in texts], found, np.nan)


@cache
def scale(name: str) -> Scale:
    """The scale as it was shipped. FileNotFoundError for any that instruments do not name."""
    file = resources.files(__package__).joinpath("vocabularies", f"{name}.json")
    return _read(json.loads(file.read_text("utf-8")))


def made(name: str, a: Sequence[str], b: Sequence[str], source: str, licence: str) -> dict[str, Any]:
    """The document of a scale that has read these statements of both sides."""
    judge = trained(a, b)
    terms = {
        term: [round(float(judge.rarity[place]), 4), round(float(judge.weights[place]), 4)]
        for term, place in judge.terms.items()
    }
    return {
        "name": name, "sides": list(AXES[name]), "source": source, "licence": licence,
        "held": round(accuracy(a, b), 4), "bias": round(judge.bias, 4), "terms": terms,
    }  # fmt: skip


def _read(document: dict[str, Any]) -> Scale:
    terms = document["terms"]
    rarity, weights = np.array(list(terms.values()), float).T
    places = {term: place for place, term in enumerate(terms)}
    return Scale(
        document["name"],
        (document["sides"][0], document["sides"][1]),
        document["source"],
        document["licence"],
        document["held"],
        Classifier(places, rarity, weights, document["bias"]),
    )
