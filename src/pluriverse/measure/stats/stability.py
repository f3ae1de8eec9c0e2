"""How much an answer hangs on the asking: wording, saying yes, and a prompt that steers.

Knows counts and chances; nothing of who was asked. A share of answers comes with its coverage, the part of the asked
that was answered at all: stability without coverage is cheap.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...errors import UsageError
from .intervals import Interval
from .resampling import of_means, ratio

_CHANCE = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Paraphrased:
    """How far wordings of one item get one answer."""

    value: Interval  # mean of sum_a p_a^2, as published; 1 / wordings at the least
    agreement: Interval  # chance that two different wordings get the same answer: comparable across numbers of wordings
    coverage: float


def paraphrase_stability(counts: np.ndarray, asked: int) -> Paraphrased:
    """Mean over items of sum_a p_a^2, with coverage; int [items, answers]: in how many wordings each answer was given.

    `asked` is the wordings per item. Items with fewer than two answers do not count. `agreement` is
    sum_a c_a (c_a - 1) / (m (m - 1)) for m answers, the same free of what few wordings add.
    """
    answered = counts.sum(1)
    kept = answered >= 2
    if kept.sum() < 2:
        raise UsageError("fewer than two items were answered in two wordings", "look at the shares of refusals first")
    m = answered[kept].astype(float)
    squares = (counts[kept].astype(float) ** 2).sum(1)
    value = of_means(squares / m**2, bounds=_CHANCE)
    agreement = of_means((squares - m) / (m * (m - 1)), bounds=_CHANCE)
    return Paraphrased(value, agreement, float(answered.sum() / (asked * len(counts))))


@dataclass(frozen=True, slots=True)
class Balanced:
    """Statements whose keys are half Yes and half No."""

    agreement: Interval  # with the outlook, freed of acquiescence: .5 neither way
    acquiescence: Interval


def balanced(yes: np.ndarray, keyed_yes: np.ndarray) -> Balanced:
    """Agreement freed of saying yes, by items with balanced keys; float64 [items] P(yes), bool [items].

    agreement = (P(yes | key yes) + 1 - P(yes | key no)) / 2, acquiescence = P(yes | key yes) + P(yes | key no) - 1. The
    keys weigh the same, however many items each has; at least two of each.
    """
    keys = np.asarray(keyed_yes, float)
    if min(keys.sum(), (1 - keys).sum()) < 2:
        raise UsageError("statements of one key are missing", "take items with both keys, half and half")
    columns = np.stack([yes * keys, keys, yes * (1 - keys), 1 - keys], 1)

    def rates(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return ratio(means[..., :2]), ratio(means[..., 2:])

    def agreeing(means: np.ndarray) -> np.ndarray:
        to_yes, to_no = rates(means)
        return np.asarray((to_yes + 1 - to_no) / 2)

    def saying_yes(means: np.ndarray) -> np.ndarray:
        to_yes, to_no = rates(means)
        return np.asarray(to_yes + to_no - 1)

    return Balanced(of_means(columns, agreeing, bounds=_CHANCE), of_means(columns, saying_yes, bounds=(-1.0, 1.0)))


def net_of_other_questions(gain: np.ndarray, cross: np.ndarray) -> Interval:
    """Mean gain less how far the cross control moved, whichever way, where that was seen on other questions.

    float64 [questions] each, of different questions: both rows are drawn anew, apart from each other, as one table of
    which each question fills its own half. The control's sign is taken as observed, so that chance makes the net gain
    smaller, never larger.
    """
    away = -1.0 if cross.mean() < 0 else 1.0
    columns = np.zeros((len(gain) + len(cross), 4))
    columns[: len(gain), 0], columns[: len(gain), 1] = gain, 1
    columns[len(gain) :, 2], columns[len(gain) :, 3] = away * cross, 1
    found = of_means(columns, lambda means: ratio(means[..., :2]) - ratio(means[..., 2:]))
    return replace(found, number=len(gain))
