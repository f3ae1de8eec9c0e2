"""A map of two axes fitted on people, respondents laid onto it, with ellipses of what the questions leave open.

Knows rows of features (answer shares, one or more per question) and NaN for what was not asked; nothing of countries or
assistants. The axes are fitted once, on people alone, and never move when a respondent is added. They have no names:
what an axis means must be read from its loadings.
"""

import math
from dataclasses import dataclass

import numpy as np

from ...errors import UsageError
from .resampling import SEED, drawn_questions

_STEPS = 500
_ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class Axes:
    """Two principal axes of people. `positions` of people are least squares on what they answered, as respondents'."""

    centre: np.ndarray  # float64 [features]
    loadings: np.ndarray  # float64 [features, 2], columns of length 1, the largest entry of each positive
    explained: tuple[float, float]  # shares of the variance among people, missing cells as filled
    filled: float  # share of cells that were missing and had to be filled: much of it, and the map is a guess
    positions: np.ndarray  # float64 [people, 2]


@dataclass(frozen=True, slots=True)
class Place:
    """One respondent on the map, with the 95 % ellipse of drawing the questions anew."""

    centre: tuple[float, float]
    covariance: tuple[tuple[float, float], tuple[float, float]]
    half_axes: tuple[float, float]  # longer first, in units of the map
    angle: float  # of the longer half axis against the first axis, radians in (-pi/2, pi/2]
    questions: int


def dense(people: np.ndarray, least: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Rows and features worth fitting on: bool [people], bool [features], each filled to `least` on the others.

    The emptiest row or feature is dropped again and again; what is left may be nothing.
    """
    there = ~np.isnan(people)
    rows, features = np.ones(len(people), bool), np.ones(people.shape[1], bool)
    while rows.any() and features.any():
        by_row = np.where(rows, there[:, features].mean(1), 2.0)
        by_feature = np.where(features, there[rows].mean(0), 2.0)
        if min(by_row.min(), by_feature.min()) >= least:
            break
        if by_row.min() < by_feature.min():
            rows[by_row.argmin()] = False
        else:
            features[by_feature.argmin()] = False
    some = rows.any() and features.any()
    return rows & some, features & some


def fitted(people: np.ndarray) -> Axes:
    """The two principal axes of people: SVD of the centred rows; float64 [people, features], NaN where not asked.

    Missing cells are filled by regularised iterative PCA: fit two axes, shrink them by the noise, fill, fit again
    (Josse and Husson, J. Soc. Fr. Stat. 153(2), 2012). Weigh questions before: k shares of one question count
    k times, and shares of rare options little. At least four rows and three features, each with two values or more.
    """
    there = ~np.isnan(people)
    if len(people) < 4 or people.shape[1] < 3 or there.sum(0).min() < 2 or there.sum(1).min() < 2:
        raise UsageError(
            "too few people's answers for a map of two axes",
            "keep groups and questions with answers enough: `dense` finds them",
        )
    full = np.where(there, people, np.nanmean(people, 0))
    for _ in range(_STEPS if not there.all() else 0):
        guess = _shrunk(full)
        change = np.abs((guess - full)[~there]).max()
        full = np.where(there, people, guess)
        if change < 1e-7:
            break
    centre = full.mean(0)
    _, sizes, right = np.linalg.svd(full - centre, full_matrices=False)
    loadings = right[:2].T
    loadings = loadings * np.sign(loadings[np.abs(loadings).argmax(0), [0, 1]])
    shares = sizes**2 / (sizes**2).sum()
    positions = _solved(people[:, None] - centre, loadings, np.ones((1, people.shape[1])))[:, 0]
    return Axes(centre, loadings, (float(shares[0]), float(shares[1])), float(1 - there.mean()), positions)


def placed(axes: Axes, respondents: np.ndarray, questions: np.ndarray, rounds: int = _ROUNDS) -> tuple[Place, ...]:
    """Respondents laid onto the map by least squares on the features they have, with ellipses.

    `respondents` is float64 [respondents, features], NaN where not answered; `questions` int [features] names the
    question of each feature: they are drawn anew together. The ellipse is Hotelling's, radius sqrt(2 (n-1)/(n-2) F),
    about the bootstrap covariance times n/(n-1). It holds the doubt from the choice of questions with the axes as they
    are; not that of the axes themselves, nor that of few draws beyond what shows between questions.
    """
    _, question_of = np.unique(questions, return_inverse=True)
    found = []
    for row in respondents:
        there = ~np.isnan(row)
        _, place = np.unique(question_of[there], return_inverse=True)
        number = int(place.max()) + 1 if len(place) else 0
        if number < 5:
            raise UsageError(f"{number} answered questions are too few for a place on the map", "ask 20 or more")
        offset, loadings = row[there] - axes.centre[there], axes.loadings[there]
        centre = _solved(offset[None], loadings, np.ones((1, len(offset))))[0]
        weights = np.concatenate(list(drawn_questions(number, rounds, SEED)))[:, place]
        redrawn = _solved(offset[None], loadings, weights)
        covariance = np.cov(redrawn.T) * number / (number - 1)
        found.append(_place(centre, covariance, number))
    return tuple(found)


def _place(centre: np.ndarray, covariance: np.ndarray, number: int) -> Place:
    # F with 2 and m degrees of freedom has a closed quantile: (m/2) (alpha^(-2/m) - 1).
    m = number - 2
    radius = math.sqrt(2 * (number - 1) / m * (m / 2) * (0.05 ** (-2 / m) - 1))
    sizes, directions = np.linalg.eigh(covariance)
    x, y = directions[:, 1]
    angle = math.atan2(y, x)
    angle = angle - math.pi if angle > math.pi / 2 else angle + math.pi if angle <= -math.pi / 2 else angle
    short, long = (radius * math.sqrt(max(float(size), 0.0)) for size in sizes)
    (a, b), (c, d) = covariance.tolist()
    return Place((float(centre[0]), float(centre[1])), ((a, b), (c, d)), (long, short), angle, number)


def _solved(offsets: np.ndarray, loadings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted least squares of offsets on two loadings, NaN left out; [..., features], weights [draws, features].

    Offsets [rows, 1, features] or [1, features] broadcast against the weights; out come [..., draws, 2].
    """
    there = ~np.isnan(offsets)
    weighted = np.where(there, weights, 0.0)
    squares = weighted @ (loadings[:, :, None] * loadings[:, None, :]).reshape(len(loadings), 4)
    sides = (weighted * np.where(there, offsets, 0.0)) @ loadings
    # A grain of ridge keeps draws solvable in which one axis happens to be hardly asked of.
    squares = squares.reshape(*squares.shape[:-1], 2, 2) + 1e-9 * np.eye(2)
    return np.asarray(np.linalg.solve(squares, sides[..., None])[..., 0])


def _shrunk(full: np.ndarray) -> np.ndarray:
    """The rows as two axes give them, each axis shrunk by the mean size of the others."""
    centre = full.mean(0)
    left, sizes, right = np.linalg.svd(full - centre, full_matrices=False)
    noise = float((sizes[2:] ** 2).mean()) if len(sizes) > 2 else 0.0
    kept = np.maximum(sizes[:2] ** 2 - noise, 0) / np.maximum(sizes[:2], 1e-12)
    return np.asarray((left[:, :2] * kept) @ right[:2] + centre)
