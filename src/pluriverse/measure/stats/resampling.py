"""Intervals and tests by drawing whole questions anew: any function of means over questions, one respondent or two.

Answers to one question belong together, so that the question is the unit (cluster bootstrap, as in `intervals`, which
resamples any other statistic). Knows one row of numbers per question; nothing of what they measure.

The intervals are BCa with widened ends: the bootstrap percentiles are shifted for bias and skew (acceleration from the
influence of each question; Efron and Tibshirani, "An Introduction to the Bootstrap", 1994) and taken as far out as
Student's t and the factor sqrt(n / (n - 1)) ask, because plain percentiles are too narrow for few questions
(Hesterberg, arXiv 1411.5279). How well they cover: docs/statistics.md.
"""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from ...errors import UsageError
from .intervals import LEVEL, Interval
from .rates import wilson

Combine = Callable[[np.ndarray], np.ndarray]

ROUNDS = 2000
FLIPS = 9999  # draws of signs by a test
SEED = 20240
LEAST = 20  # questions from which on all intervals here held their level in simulation (docs/statistics.md)
_BLOCK = 4_000_000  # numbers drawn at once: 32 MB
_ROUNDING = 1e-8  # what the slopes' finite differences leave of no difference at all
_NORMAL = NormalDist()


def first(means: np.ndarray) -> np.ndarray:
    """The mean of the first column; float64 [..., columns] to [...]."""
    return np.asarray(means[..., 0])


def ratio(means: np.ndarray) -> np.ndarray:
    """Mean of the first column over that of the second: a mean over answers when they are sums and counts."""
    return np.asarray(means[..., 0] / means[..., 1])


def trusted(interval: Interval) -> bool:
    """Whether there are questions enough (`LEAST`) for the interval to hold what it says."""
    return interval.number >= LEAST


def of_means(
    columns: np.ndarray,
    combine: Combine = first,
    *,
    bounds: tuple[float, float] | None = None,
    level: float = LEVEL,
    rounds: int = ROUNDS,
    seed: int = SEED,
    percentile: bool = False,
) -> Interval:
    """`combine` of the columns' means over questions, with its interval; at least two questions.

    UsageError where it divides by nothing.

    `columns` is float64 [questions] or [questions, columns], one row per question, no NaN; `combine` maps means
    [..., columns] to [...] smoothly. `bounds` are the least and the largest value a question can have: where all
    questions have the same, drawing them anew shows no doubt at all, and the interval is then Wilson's for a rate
    between these bounds. `percentile` gives the plain percentiles instead.
    """
    columns = columns[:, None] if columns.ndim == 1 else columns
    number = len(columns)
    if number < 2:
        raise UsageError(f"{number} question is too few for an interval", f"ask {LEAST} or more")
    if not np.isfinite(columns).all():
        raise UsageError("a question has no figure", "leave out the questions that were not answered")
    means = columns.mean(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(combine(means))
    if not math.isfinite(value):  # a share of nothing: there is no figure to have an interval
        raise UsageError("these answers differ in nothing that it could be a share of", "ask more items")
    influence = _influence(columns, means, combine)
    if not np.abs(influence).max() > _ROUNDING * max(1.0, float(np.abs(columns).max())):
        return _unvaried(value, number, bounds, level)
    with np.errstate(divide="ignore", invalid="ignore"):  # a draw may miss what is divided by; it tells nothing
        redrawn = np.concatenate([combine(block @ columns) for block in drawn_questions(number, rounds, seed)])
    redrawn = redrawn[np.isfinite(redrawn)]
    ends = np.array([(1 - level) / 2, (1 + level) / 2])
    if not percentile:
        ends = _bca(_widened(ends, number), redrawn, value, influence)
    low, high = np.quantile(redrawn, ends)
    return Interval(value, min(float(low), value), max(float(high), value), number)


def flips(differences: np.ndarray, rounds: int = FLIPS, seed: int = SEED) -> float:
    """p that the mean of one difference per question is 0, two-sided; float64 [questions].

    Were both respondents alike, each difference could as well have the other sign. All signs are tried for up to 13
    questions, else `rounds` drawn ones; the smallest p is 2 / 2^questions or 1 / (rounds + 1). Differences whose mean
    is 0 but which lean far to one side are called different too often by this test alone (docs/statistics.md).
    """
    number = len(differences)
    least = abs(float(differences.mean())) * (1 - 1e-9)
    if number <= 13:
        signs = 1 - 2 * ((np.arange(2**number)[:, None] >> np.arange(number)) & 1)
        return float((np.abs(signs @ differences / number) >= least).mean())
    beyond = sum(int((np.abs(block @ differences / number) >= least).sum()) for block in _signs(number, rounds, seed))
    return (1 + beyond) / (1 + rounds)


def _unvaried(value: float, number: int, bounds: tuple[float, float] | None, level: float) -> Interval:
    if bounds is None:
        return Interval(value, value, value, number)
    least, span = bounds[0], bounds[1] - bounds[0]
    share = wilson(min(max((value - least) / span, 0.0), 1.0) * number, number, level)
    return Interval(value, min(least + span * share.low, value), max(least + span * share.high, value), number)


def _influence(columns: np.ndarray, means: np.ndarray, combine: Combine) -> np.ndarray:
    """How much each question pulls at the value: its distance from the mean, along the slope of `combine`."""
    steps = 1e-5 * np.maximum(np.abs(means), 1e-3) * np.eye(len(means))
    slope = (combine(means + steps) - combine(means - steps)) / (2 * np.diag(steps))
    return np.asarray((columns - means) @ slope)


def _widened(ends: np.ndarray, number: int) -> np.ndarray:
    """Percentiles as far out as `number` questions ask: t's quantile times sqrt(n / (n - 1)), as a normal share."""
    return np.array([_NORMAL.cdf(math.sqrt(number / (number - 1)) * _student(end, number - 1)) for end in ends])


def _student(share: float, freedom: int) -> float:
    """Quantile of Student's t by its expansion about the normal; to 1 % from 4 degrees of freedom on."""
    z = _NORMAL.inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + math.fsum(term / freedom**power for power, term in enumerate(terms, 1))


def _bca(ends: np.ndarray, redrawn: np.ndarray, value: float, influence: np.ndarray) -> np.ndarray:
    """Percentiles moved for the bias of the redrawn values and for the skew of the questions' influence."""
    below = float((redrawn < value).mean() + (redrawn == value).mean() / 2)
    bias = _NORMAL.inv_cdf(min(max(below, 1e-3), 1 - 1e-3))
    skew = float((influence**3).sum() / (influence**2).sum() ** 1.5 / 6)
    moved = []
    for end in ends:
        z = bias + _NORMAL.inv_cdf(min(max(float(end), 1e-6), 1 - 1e-6))
        moved.append(_NORMAL.cdf(bias + z / max(1 - skew * z, 0.1)))
    return np.array(moved)


def drawn_questions(questions: int, rounds: int, seed: int) -> Iterator[np.ndarray]:
    """How often each question was drawn, as shares; float64 [rounds, questions] in blocks."""
    size = max(1, _BLOCK // questions)
    for start in range(0, rounds, size):
        yield _weight_block(questions, min(size, rounds - start), seed, start)


@lru_cache(maxsize=4)
def _weight_block(questions: int, rounds: int, seed: int, start: int) -> np.ndarray:
    generator = np.random.default_rng((seed, start))
    places = generator.integers(0, questions, (rounds, questions)) + np.arange(rounds)[:, None] * questions
    return np.bincount(places.ravel(), minlength=rounds * questions).reshape(rounds, questions) / questions


def _signs(questions: int, rounds: int, seed: int) -> Iterator[np.ndarray]:
    """Plus or minus one; float64 [rounds, questions] in blocks."""
    size = max(1, _BLOCK // questions)
    for start in range(0, rounds, size):
        yield _sign_block(questions, min(size, rounds - start), seed, start)


@lru_cache(maxsize=4)
def _sign_block(questions: int, rounds: int, seed: int, start: int) -> np.ndarray:
    drawn = np.random.default_rng((seed, start, 1)).integers(0, 2, (rounds, questions), np.int8)
    return 1.0 - 2.0 * drawn
