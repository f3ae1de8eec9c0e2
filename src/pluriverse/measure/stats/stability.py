"""How much an answer hangs on the asking: order, place, wording, saying yes, and a prompt that steers.

Knows picks, counts and similarities; nothing of who was asked. Every share of answers comes with its coverage, the part
of the asked that was answered at all: stability without coverage is cheap.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from ...errors import UsageError
from .intervals import Interval
from .rates import wilson
from .resampling import of_means, ratio

_CHANCE = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Stability:
    """A share with the part of the asked that it rests on."""

    value: Interval
    coverage: float  # answered / asked


def order_sensitivity(picks: np.ndarray) -> Stability:
    """1 - share of items with one content answer under all rotations; int [items, rotations], -1 for no answer.

    Only items answered under every rotation count, with Wilson's interval; the coverage is their share. At temperature
    above 0, or with more rotations, chance alone moves it: compare at equal rotations. Why: arXiv 2306.07951.
    """
    whole = (picks >= 0).all(1)
    if not whole.any():
        raise UsageError("no item was answered under all rotations", "look at the shares of refusals first")
    answered = picks[whole]
    moved = int((answered != answered[:, :1]).any(1).sum())
    return Stability(wilson(moved, len(answered)), float(whole.mean()))


@dataclass(frozen=True, slots=True)
class PositionBias:
    """Whether places are picked alike often."""

    shares: tuple[float, ...]
    chi_square: float
    freedom: int
    p: float


def position_bias(counts: np.ndarray) -> PositionBias:
    """Chi-square of picks per place against all places alike; int [places], summed over ALL rotations of every item.

    With all rotations a respondent without a taste for places falls on all alike often, whatever it thinks, and varies
    less than the test assumes: p is then too large rather than too small. Without all rotations it means nothing.
    Draws of one wording repeat each other, so give one pick per item and rotation.
    """
    total = int(counts.sum())
    if len(counts) < 2 or total < 5 * len(counts):
        raise UsageError(f"{total} picks of {len(counts)} places are too few", "ask five or more picks per place")
    expected = total / len(counts)
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    shares = tuple(float(share) for share in counts / total)
    return PositionBias(shares, chi_square, len(counts) - 1, chi_square_p(chi_square, len(counts) - 1))


def chi_square_p(value: float, freedom: int) -> float:
    """Chance of a chi-square of `value` or more: the regularised upper incomplete gamma function Q(freedom/2, value/2).

    By its series below a + 1 and by its continued fraction above (Press et al., Numerical Recipes, section 6.2).
    """
    a, x = freedom / 2, value / 2
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        step = a
        while term > total * 1e-16:
            step += 1
            term *= x / step
            total += term
        return max(0.0, 1 - front * total)
    # Lentz's method, from the first convergent on
    b = x + 1 - a
    c, d = math.inf, 1 / b
    fraction = d
    for i in range(1, 10_000):
        b += 2
        numerator = -i * (i - a)
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction


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


def acquiescence(yes: np.ndarray, reversed_yes: np.ndarray) -> Interval:
    """P(yes | item) + P(yes | reversed) - 1, mean over items: 0 none, 1 always yes, -1 always no; float64 [items] each.

    Each item has its own reversal.
    """
    return of_means(yes + reversed_yes - 1, bounds=(-1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Balanced:
    """Statements whose keys are half Yes and half No."""

    agreement: Interval  # with the outlook, freed of acquiescence: .5 neither way
    acquiescence: Interval


def balanced(yes: np.ndarray, keyed_yes: np.ndarray) -> Balanced:
    """The same where items have no reversals of their own but balanced keys; float64 [items] P(yes), bool [items].

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


@dataclass(frozen=True, slots=True)
class Steering:
    """What a prompt for group G moved toward G, and toward an unrelated G' beside."""

    gain: Interval  # S(P_{M|G}, P_G) - S(P_M, P_G)
    cross: Interval  # S(P_{M|G}, P_G') - S(P_M, P_G')
    net: Interval  # gain less cross, paired by question

    @property
    def steers(self) -> bool:
        """It moved toward its own group, and further than toward another."""
        return self.gain.low > 0 and self.net.low > 0


def steering(
    steered_to_own: np.ndarray, plain_to_own: np.ndarray, steered_to_other: np.ndarray, plain_to_other: np.ndarray
) -> Steering:
    """Steering gain with its cross control; similarities float64 [questions] each, on the same questions.

    Any prompt may draw a respondent nearer to people in general (from a fixed option toward a spread of answers): only
    the net gain says that it took up this group. Refused answers change the questions: use those answered both times.
    """
    gain, cross = steered_to_own - plain_to_own, steered_to_other - plain_to_other
    return Steering(of_means(gain), of_means(cross), of_means(gain - cross))


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
