"""Figures with their intervals: areas under the curve and means, resampled by question.

Answers to one question belong together, so that whole questions are drawn anew (cluster bootstrap; Field and Welsh,
"Bootstrapping clustered data", J. R. Statist. Soc. B 69, 2007). Knows numbers only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

_ROUNDS = 2000
_SEED = 20240
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its percentile interval at `LEVEL`; `number` counts the questions behind it."""

    value: float
    low: float
    high: float
    number: int

    def as_dict(self) -> dict[str, Any]:
        return {"value": self.value, "low": self.low, "high": self.high, "questions": self.number}

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def auc(a: np.ndarray, b: np.ndarray) -> float:
    """Chance that a score of `a` is above one of `b`, ties counting half: 0.5 cannot tell, 1 always does."""
    above = (a[:, None] > b[None, :]).mean()
    even = (a[:, None] == b[None, :]).mean()
    return float(above + even / 2)


def auc_of(a: np.ndarray, b: np.ndarray) -> Interval:
    """Area under the curve of two rows of scores, question by question; float64 [questions] each."""
    return clustered(len(a), lambda drawn: auc(a[drawn], b[drawn]))


def mean_of(values: np.ndarray) -> Interval:
    """Mean of one value per question; float64 [questions]."""
    return clustered(len(values), lambda drawn: float(values[drawn].mean()))


def clustered(questions: int, statistic: Callable[[np.ndarray], float]) -> Interval:
    """`statistic` of the questions' places, on all of them and on `_ROUNDS` draws with replacement."""
    generator = np.random.default_rng(_SEED)
    drawn = [statistic(generator.integers(0, questions, questions)) for _ in range(_ROUNDS)]
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(statistic(np.arange(questions)), float(low), float(high), questions)
