"""A map of people whose places are known."""

import math

import numpy as np
import pytest

from pluriverse.errors import UsageError
from pluriverse.measure.stats.mapping import dense, fitted, placed


def world(people: int, features: int, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers, places, loadings; the first axis is the wider."""
    generator = np.random.default_rng(1)
    loadings = np.linalg.qr(generator.normal(size=(features, 2)))[0]
    places = generator.normal(size=(people, 2)) * (3, 1.5)
    places -= places.mean(0)
    return places @ loadings.T + noise * generator.normal(size=(people, features)) + 0.4, places, loadings


def agreement(found: np.ndarray, truth: np.ndarray) -> float:
    """Correlation of distances between points: the axes may be turned."""
    pairs = np.triu_indices(len(truth), 1)
    apart = [np.linalg.norm(each[pairs[0]] - each[pairs[1]], axis=1) for each in (found, truth)]
    return float(np.corrcoef(*apart)[0, 1])


def test_people_lie_where_they_are() -> None:
    rows, places, _ = world(50, 40)
    axes = fitted(rows)
    assert agreement(axes.positions, places) > 0.995
    assert axes.filled == 0 and axes.explained[0] > axes.explained[1] > 0.1 and sum(axes.explained) > 0.9
    assert axes.loadings.T @ axes.loadings == pytest.approx(np.eye(2), abs=1e-9)
    assert axes.positions == pytest.approx((rows - rows.mean(0)) @ axes.loadings, abs=1e-6)


def test_signs_do_not_depend_on_the_order_of_people() -> None:
    rows, _, _ = world(30, 20)
    one, other = fitted(rows), fitted(rows[::-1])
    assert one.loadings == pytest.approx(other.loadings, abs=1e-9)
    assert (one.loadings[np.abs(one.loadings).argmax(0), [0, 1]] > 0).all()


@pytest.mark.parametrize("missing", [0.1, 0.4])
def test_missing_questions_are_filled_and_owned_up_to(missing: float) -> None:
    rows, places, _ = world(50, 40)
    rows[np.random.default_rng(2).random(rows.shape) < missing] = np.nan
    axes = fitted(rows)
    assert axes.filled == pytest.approx(missing, abs=0.03)
    assert agreement(axes.positions, places) > 0.97


def test_a_respondent_never_moves_the_axes_and_is_laid_by_what_it_answered() -> None:
    rows, _, _ = world(50, 60, noise=0.02)
    axes = fitted(rows)
    questions = np.repeat(np.arange(30), 2)
    guest = axes.centre + np.array([4.0, -2.0]) @ axes.loadings.T
    partly = np.where(np.arange(60) < 24, guest, np.nan)
    whole, part = placed(axes, np.stack([guest, partly]), questions)
    assert whole.centre == pytest.approx((4, -2), abs=1e-6) and part.centre == pytest.approx((4, -2), abs=1e-4)
    assert (whole.questions, part.questions) == (30, 12)
    assert whole.half_axes[0] == pytest.approx(0, abs=1e-4)  # it fits the axes exactly, whatever is asked


def test_ellipses_narrow_with_questions_and_have_the_shape_of_the_doubt() -> None:
    generator = np.random.default_rng(3)
    sizes = []
    for number in (10, 40, 160):
        loadings = np.linalg.qr(generator.normal(size=(number, 2)))[0] * math.sqrt(number)
        people = generator.normal(size=(60, 2)) * (3, 2) @ loadings.T
        row = fitted(people).centre + generator.normal(size=number)
        (place,) = placed(fitted(people), row[None], np.arange(number))
        covariance = np.array(place.covariance)
        assert place.half_axes[0] >= place.half_axes[1] > 0 and -math.pi / 2 < place.angle <= math.pi / 2
        along = np.array([math.cos(place.angle), math.sin(place.angle)])
        assert along @ covariance @ along == pytest.approx(np.linalg.eigvalsh(covariance)[1])
        sizes.append(place.half_axes[0] / math.sqrt(number))  # in units of one question's loading
    assert sizes[0] > sizes[1] > sizes[2]


def test_what_is_asked_of_few_is_dropped() -> None:
    rows = np.ones((6, 5))
    rows[0, 1:] = np.nan
    rows[1:, 4] = np.nan
    people, features = dense(rows)
    assert people.tolist() == [False] + [True] * 5 and features.tolist() == [True] * 4 + [False]
    assert not any(kept.any() for kept in dense(np.full((3, 3), np.nan)))


def test_too_little_for_a_map_is_refused() -> None:
    rows, _, _ = world(10, 10)
    for few in (rows[:3], rows[:, :2], np.where(np.arange(10) == 4, np.nan, rows)):
        with pytest.raises(UsageError, match="too few people"):
            fitted(few)
    with pytest.raises(UsageError, match="place on the map"):
        placed(fitted(rows), np.where(np.arange(10) < 4, rows[:1], np.nan), np.arange(10))
