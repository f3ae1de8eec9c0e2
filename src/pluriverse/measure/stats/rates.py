"""Rates of yes and no: their intervals, their correction for an imperfect detector, their paired test.

Knows counts and p-values; nothing of what was counted. One response per question: where a question was asked several
times, take its mean and resample by question (`resampling`).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ...errors import UsageError
from .intervals import LEVEL, Interval

_ROUNDS = 20_000  # of three beta draws each: milliseconds, and the ends stand to a thousandth
_SEED = 20240


def wilson(hits: float, number: int, level: float = LEVEL) -> Interval:
    """Rate `hits / number` with the score interval of Wilson, J. Amer. Stat. Assoc. 22, 1927, 209-212.

    `hits` and `number` are counts, 0 <= hits <= number, number >= 1; the rate and its ends are shares of 1.
    """
    if number < 1 or not 0 <= hits <= number:
        raise UsageError(f"{hits:g} of {number} is no rate", "ask at least one item")
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, more = hits / number, z * z / number
    centre = (rate + more / 2) / (1 + more)
    half = z * math.sqrt(rate * (1 - rate) / number + more / (4 * number)) / (1 + more)
    # The ends at 0 and at all are exact; rounding must not move them past the rate.
    return Interval(rate, min(max(centre - half, 0.0), rate), max(min(centre + half, 1.0), rate), number)


@dataclass(frozen=True, slots=True)
class Confusion:
    """What a detector said of responses of known class; four counts of responses."""

    true_positive: int
    false_negative: int
    true_negative: int
    false_positive: int

    @property
    def sensitivity(self) -> Interval:
        """Share of the positive that is found, with Wilson's interval."""
        return wilson(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> Interval:
        """Share of the negative that is left alone, with Wilson's interval."""
        return wilson(self.true_negative, self.true_negative + self.false_positive)


def corrected(hits: float, number: int, confusion: Confusion, rounds: int = _ROUNDS) -> Interval:
    """The true rate behind a detector's `hits` of `number`: (rate + spec - 1) / (sens + spec - 1), cut to 0 to 1.

    The formula is Rogan and Gladen's, Am. J. Epidemiol. 107, 1978, 71-76. The interval carries all three uncertainties
    by parametric bootstrap: rate, sensitivity and specificity are drawn from beta distributions about their counts,
    with half a count added to each side, and the corrected rates' percentiles are taken. `confusion` must be of the
    assistant in question: errors of detectors differ between assistants. Where the correction is cut to 0 or 1 the
    interval is at least as wide as the observed rate's. A detector no better than chance
    (sens + spec <= 1) is refused.
    """
    sens, spec = confusion.sensitivity.value, confusion.specificity.value
    if sens + spec <= 1:
        raise UsageError(
            f"the detector finds {sens:.0%} and wrongly flags {1 - spec:.0%}: no better than chance",
            "judge with another detector, or label more responses by hand",
        )
    plain = wilson(hits, number)
    generator = np.random.default_rng(_SEED)

    def about(yes: float, no: float) -> np.ndarray:
        return generator.beta(yes + 0.5, no + 0.5, rounds)

    rate = about(hits, number - hits)
    found = about(confusion.true_positive, confusion.false_negative)
    left = about(confusion.true_negative, confusion.false_positive)
    gain = found + left - 1
    # Draws in which the detector tells nothing allow any rate: they widen the interval to both sides.
    any_rate = generator.integers(0, 2, rounds)
    drawn = np.where(gain > 0, np.clip((rate + left - 1) / np.where(gain > 0, gain, 1), 0, 1), any_rate)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = min(max((plain.value + spec - 1) / (sens + spec - 1), 0.0), 1.0)
    if value == 0:  # fewer hits than false alarms alone would bring: the detector may err less on this assistant
        high = max(high, plain.high)
    if value == 1:
        low = min(low, plain.low)
    return Interval(value, min(float(low), value), max(float(high), value), number)


def mcnemar(only_a: int, only_b: int) -> float:
    """p of the exact paired test: of the pairs in which just one said yes, is it as often a as b?

    Two-sided binomial test of `only_a` among `only_a + only_b` against one half; 1 where there are none. Exact, hence
    never too small, and for few pairs larger than need be.
    """
    number = only_a + only_b
    if number == 0:
        return 1.0
    top = math.lgamma(number + 1) - number * math.log(2)
    terms = (math.exp(top - math.lgamma(k + 1) - math.lgamma(number - k + 1)) for k in range(min(only_a, only_b) + 1))
    return min(1.0, 2 * math.fsum(terms))


def holm(p_values: np.ndarray) -> np.ndarray:
    """p-values adjusted for having looked at all of them; float64 [tests] in, the same order and shape out.

    Holm's step-down rule (Scand. J. Statist. 6, 1979, 65-70): the chance of any false alarm stays below the level,
    however the tests depend on each other.
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted
