"""Strengths from choices: against values worked out by hand, and how often the interval holds the truth."""

import numpy as np
import pytest

from pluriverse.measure.stats.choices import SPREAD, bradley_terry


def test_two_that_win_equally_often_are_equal() -> None:
    one, other = bradley_terry([(0, (0, 1)), (1, (0, 1))] * 10, 2)
    assert one.value == pytest.approx(0.5) and other.value == pytest.approx(0.5)
    assert one.low < 0.5 < one.high and one.number == 20


def test_of_many_choices_the_share_is_found() -> None:
    """75 of 100 choices: the strengths differ by about log 3, each half of that from their mean."""
    one, other = bradley_terry([(0, (0, 1))] * 750 + [(1, (0, 1))] * 250, 2)
    assert one.value == pytest.approx(1 / (1 + 3**-0.5), abs=0.01)
    assert one.value + other.value == pytest.approx(1)


def test_nothing_chosen_says_nothing() -> None:
    assert bradley_terry([], 0) == []
    for each in bradley_terry([], 3):
        assert each.value == 0.5 and each.low < 0.2 and each.high > 0.8 and each.number == 0


def test_one_that_always_won_is_not_certain() -> None:
    one, _ = bradley_terry([(0, (0, 1))] * 3, 2)
    assert 0.5 < one.value < one.high < 1 and one.low < 0.6


def test_intervals_hold_the_truth_in_about_95_of_100_worlds() -> None:
    """Strengths drawn as the model takes them, 40 choices of one among four; of 200 worlds at least 93 %."""
    generator = np.random.default_rng(5)
    held = []
    for _ in range(200):
        strengths = generator.normal(0, SPREAD, 4)
        chances = np.exp(strengths) / np.exp(strengths).sum()
        choices = [(int(each), range(4)) for each in generator.choice(4, 40, p=chances)]
        truth = 1 / (1 + np.exp(-(strengths - strengths.mean())))
        held += [each.low <= value <= each.high for each, value in zip(bradley_terry(choices, 4), truth, strict=True)]
    assert 0.93 <= np.mean(held) <= 0.98
