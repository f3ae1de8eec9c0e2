"""Rates behind a detector that errs otherwise on every respondent: corrected by its errors on others.

The formula is Rogan and Gladen's (`rates.corrected`). Where the detector's sensitivity and specificity were counted on
other respondents than the one in question, theirs say only between which it may lie: its own are drawn from how much
theirs vary (beta-binomial; the mean and the correlation within a respondent are integrated over, so that few
respondents leave much open). Knows counts; nothing of what was counted.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from .intervals import LEVEL, Interval
from .rates import Confusion, corrected, wilson

FEWEST = 3  # respondents with `TEXTS` of either kind; of fewer it cannot be told how much errors vary
TEXTS = 3
_ROUNDS = 20_000
_SEED = 20240
# The correlation's prior is beta(1, 4): any may be, those that leave each respondent all good or all bad are unlikely.
_UNLIKELY = 4
_MEANS = np.linspace(0.005, 0.995, 60)
_CORRELATIONS = np.concatenate([[1e-4], np.linspace(0.01, 0.95, 30)])
_log_gamma = np.vectorize(math.lgamma, otypes=[float])


def corrected_elsewhere(
    hits: float, number: int, labelled: Sequence[Confusion], rounds: int = _ROUNDS
) -> Interval | None:
    """The true rate behind `hits` of `number`, by the detector's errors on others, one `Confusion` each.

    The value is that of all of them together; the interval carries how much they vary. None where fewer than `FEWEST`
    have `TEXTS` texts of either kind; UsageError for a detector no better than chance.
    """
    known = [each for each in labelled if min(_positive(each)[1], _negative(each)[1]) >= TEXTS]
    if len(known) < FEWEST:
        return None
    value = corrected(hits, number, together(labelled), rounds=1).value
    generator = np.random.default_rng(_SEED)
    rate = generator.beta(hits + 0.5, number - hits + 0.5, rounds)
    found = _of_another(tuple(map(_positive, known)), rounds, 1)
    left = _of_another(tuple(map(_negative, known)), rounds, 2)
    gain = found + left - 1
    # Draws in which the detector tells nothing allow any rate.
    drawn = np.where(gain > 0, np.clip((rate + left - 1) / np.where(gain > 0, gain, 1), 0, 1), generator.random(rounds))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    plain = wilson(hits, number)
    return Interval(value, min(float(low), value, plain.low), max(float(high), value, plain.high), number)


def together(labelled: Sequence[Confusion]) -> Confusion:
    """The counts of all."""
    sums = (
        sum(getattr(each, name) for each in labelled)
        for name in ("true_positive", "false_negative", "true_negative", "false_positive")
    )
    return Confusion(*sums)


def _positive(each: Confusion) -> tuple[int, int]:
    return each.true_positive, each.true_positive + each.false_negative


def _negative(each: Confusion) -> tuple[int, int]:
    return each.true_negative, each.true_negative + each.false_positive


@lru_cache(64)
def _of_another(counts: tuple[tuple[int, int], ...], rounds: int, seed: int) -> np.ndarray:
    """Draws of a share on another respondent than these, of whom `counts` are hits and numbers; float64 [rounds]."""
    mean, correlation = (axis.ravel() for axis in np.meshgrid(_MEANS, _CORRELATIONS, indexing="ij"))
    a, b = (side * (1 - correlation) / correlation for side in (mean, 1 - mean))
    prior = _log_beta(a, b)
    likelihood = (_UNLIKELY - 1) * np.log1p(-correlation)
    for hits, number in counts:
        likelihood = likelihood + _log_beta(a + hits, b + number - hits) - prior
    weights = np.exp(likelihood - likelihood.max())
    generator = np.random.default_rng(_SEED + seed)
    places = generator.choice(len(weights), rounds, p=weights / weights.sum())
    return np.asarray(generator.beta(a[places], b[places]))


def _log_beta(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(_log_gamma(a) + _log_gamma(b) - _log_gamma(a + b))
