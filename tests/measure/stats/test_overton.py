"""Coverage of a panel whose claims are known."""

import numpy as np
import pytest

from pluriverse.errors import UsageError
from pluriverse.measure.stats.overton import coverage, covered


def test_coverage_and_gains_by_hand() -> None:
    claims = np.array([[True, True, True, True], [True, True, False, False]])
    held = np.array(
        [
            [[True, True, False, False], [True, False, True, True]],  # what is no claim of the question does not count
            [[True, False, True, False], [True, False, False, False]],
            [[True, False, False, False], [False, False, False, False]],
        ]
    )
    assert covered(held, claims) == pytest.approx([0.75, 0.5])
    found = coverage(held, claims)
    assert found.panel.value == pytest.approx(0.625)
    assert [each.value for each in found.alone] == pytest.approx([0.5, 0.5, 0.125])
    assert [each.value for each in found.gains] == pytest.approx([0.125, 0.125, 0])
    assert sum(each.value for each in found.shapley) == pytest.approx(found.panel.value)
    assert found.shapley[0].value == pytest.approx((1 / 3 / 4 + 1 / 4 + 1 / 2 / 2) / 2)


def test_two_that_say_the_same_add_nothing_to_each_other() -> None:
    generator = np.random.default_rng(1)
    claims = np.ones((40, 6), bool)
    one = generator.random((40, 6)) < 0.5
    found = coverage(np.stack([one, one, generator.random((40, 6)) < 0.3]), claims)
    assert found.gains[0].value == found.gains[1].value == 0
    assert 0 < found.gains[0].high < 0.1  # of 40 questions, none shows no certainty
    assert found.shapley[0] == found.shapley[1] and found.shapley[0].value > 0.2
    assert found.gains[2].low > 0


def test_known_coverage_is_recovered() -> None:
    generator = np.random.default_rng(2)
    claims = np.arange(8) < generator.integers(3, 9, 400)[:, None]
    chances = np.array([0.5, 0.3, 0.1])
    found = coverage(generator.random((3, 400, 8)) < chances[:, None, None], claims)
    assert found.panel.value == pytest.approx(1 - 0.5 * 0.7 * 0.9, abs=0.03)
    assert [each.value for each in found.alone] == pytest.approx(chances, abs=0.03)
    gains = [0.5 * 0.7 * 0.9, 0.3 * 0.5 * 0.9, 0.1 * 0.5 * 0.7]
    assert [each.value for each in found.gains] == pytest.approx(gains, abs=0.03)


def test_questions_without_claims_are_left_out_and_too_few_refused() -> None:
    claims = np.array([[True, True], [False, False], [True, False]])
    assert coverage(np.ones((2, 3, 2), bool), claims).panel.number == 2
    with pytest.raises(UsageError, match="claims to cover"):
        coverage(np.ones((2, 2, 2), bool), claims[:2])
