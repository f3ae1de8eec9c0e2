"""Strengths from choices: who is chosen, and how often, where one of several is picked at a time.

Bradley and Terry's model of pairs and, where more than two stood to choose from, the same of first choices: one is
chosen with a chance in proportion to exp(strength). Knows numbers only.
"""

from collections.abc import Sequence

import numpy as np

from .intervals import Interval

SPREAD = 1.5  # of strengths beforehand: so few choices say little, and a voice that always won is not infinitely strong
_Z = 1.959964
_STEPS = 100


def bradley_terry(choices: Sequence[tuple[int, Sequence[int]]], number: int) -> list[Interval]:
    """For each of `number` the chance of being chosen beside an average one of them, with its 95 % interval.

    `choices`: (who was chosen, all that stood to choose from, the chosen one too). The interval's `number` counts the
    choices that one stood in; of one that never stood the chance is about 0.5 and its interval wide. Strengths are
    normal beforehand (`SPREAD`); intervals are of their posterior's normal approximation, so that they lie in (0, 1).
    """
    strengths, precision = np.zeros(number), np.eye(number)
    for _ in range(_STEPS):
        gradient, precision = -strengths / SPREAD**2, np.eye(number) / SPREAD**2
        for chosen, among in choices:
            places = np.array(among)
            weights = np.exp(strengths[places] - strengths[places].max())
            chances = weights / weights.sum()
            gradient[chosen] += 1
            gradient[places] -= chances
            precision[np.ix_(places, places)] += np.diag(chances) - np.outer(chances, chances)
        step = np.linalg.solve(precision, gradient)
        strengths = strengths + step
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
    centred = np.eye(number) - 1 / number if number else np.eye(0)
    spread = np.sqrt(np.diag(centred @ np.linalg.inv(precision) @ centred.T))
    stood = [sum(each in among for _, among in choices) for each in range(number)]
    return [
        Interval(_chance(value), _chance(value - _Z * sd), _chance(value + _Z * sd), count)
        for value, sd, count in zip(centred @ strengths, spread, stood, strict=True)
    ]


def _chance(strength: float) -> float:
    return float(1 / (1 + np.exp(-strength)))
