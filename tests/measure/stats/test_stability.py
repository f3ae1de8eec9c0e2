"""How much an answer hangs on the asking, where that is known."""

import math

import numpy as np
import pytest

from pluriverse.errors import UsageError
from pluriverse.measure.stats import stability as s


def test_order_sensitivity_by_hand() -> None:
    picks = np.array([[0, 0, 0], [1, 1, 1], [0, 1, 0], [2, -1, 2]])
    found = s.order_sensitivity(picks)
    assert found.value.value == pytest.approx(1 / 3) and found.value.number == 3 and found.coverage == 0.75
    with pytest.raises(UsageError, match="all rotations"):
        s.order_sensitivity(np.array([[0, -1]]))


@pytest.mark.parametrize(
    ("value", "freedom", "p"),
    [(3.841459, 1, 0.05), (5.991465, 2, 0.05), (9.487729, 4, 0.05), (18.307038, 10, 0.05), (16.918978, 9, 0.05)],
)
def test_chi_square_against_the_usual_table(value: float, freedom: int, p: float) -> None:
    assert s.chi_square_p(value, freedom) == pytest.approx(p, rel=1e-5)


def test_chi_square_against_closed_forms() -> None:
    for value in (0.01, 0.5, 1.9, 2.1, 8.0, 60.0, 700.0):
        assert s.chi_square_p(value, 1) == pytest.approx(math.erfc(math.sqrt(value / 2)), rel=1e-9)
        assert s.chi_square_p(value, 2) == pytest.approx(math.exp(-value / 2), rel=1e-9)
        assert s.chi_square_p(value, 4) == pytest.approx(math.exp(-value / 2) * (1 + value / 2), rel=1e-9)
    assert s.chi_square_p(0, 3) == 1


def test_a_taste_for_places_is_seen_and_none_is_not_invented() -> None:
    found = s.position_bias(np.array([60, 20, 20]))
    assert found.chi_square == pytest.approx(32) and found.freedom == 2 and found.p == pytest.approx(math.exp(-16))
    assert found.shares == (0.6, 0.2, 0.2)
    assert s.position_bias(np.array([50, 50])).p == 1
    with pytest.raises(UsageError, match="too few"):
        s.position_bias(np.array([3, 2, 1]))


def test_opinions_are_not_taken_for_places() -> None:
    """Items with strong opinions, all four rotations, no taste for places: the test is wrong in at most 5 of 100."""
    generator, wrong = np.random.default_rng(3), 0
    for _ in range(500):
        opinions = generator.dirichlet(np.full(4, 0.7), 30).cumsum(1)
        content = (generator.random((30, 4, 1)) > opinions[:, None]).sum(-1)
        places = (content + np.arange(4)) % 4
        wrong += s.position_bias(np.bincount(places.ravel().clip(0, 3), minlength=4)).p <= 0.05
    assert wrong <= 25


def test_paraphrase_stability_by_hand() -> None:
    counts = np.array([[4, 0], [2, 2], [1, 0], [3, 1]])
    found = s.paraphrase_stability(counts, 4)
    assert found.value.value == pytest.approx((1 + 0.5 + 10 / 16) / 3) and found.value.number == 3
    assert found.agreement.value == pytest.approx((1 + 1 / 3 + 0.5) / 3)
    assert found.coverage == 13 / 16
    with pytest.raises(UsageError, match="two wordings"):
        s.paraphrase_stability(counts[:1], 4)


def test_agreement_does_not_hang_on_the_number_of_wordings() -> None:
    generator = np.random.default_rng(4)
    p = np.tile([0.6, 0.3, 0.1], (4000, 1))
    for wordings in (3, 10):
        found = s.paraphrase_stability(generator.multinomial(wordings, p), wordings)
        assert found.agreement.value == pytest.approx(0.46, abs=0.015)
        assert found.value.value == pytest.approx(0.46 + 0.54 / wordings, abs=0.015)


def test_known_acquiescence_is_recovered() -> None:
    generator = np.random.default_rng(5)
    lean = generator.uniform(0.2, 0.8, 500)
    for truth in (-0.3, 0.0, 0.25):
        yes = (generator.random(500) < np.clip(lean + truth / 2, 0, 1)).astype(float)
        other = (generator.random(500) < np.clip(1 - lean + truth / 2, 0, 1)).astype(float)
        found = s.acquiescence(yes, other)
        assert found.low <= truth <= found.high and found.value == pytest.approx(truth, abs=0.08)
    always = s.acquiescence(np.ones(30), np.ones(30))
    assert always.value == always.high == 1 and always.low < 1


def test_saying_yes_is_told_from_agreeing_by_balanced_keys() -> None:
    keys = np.arange(200) % 2 == 0
    always = s.balanced(np.ones(200), keys)
    assert always.agreement.value == pytest.approx(0.5) and always.acquiescence.value == pytest.approx(1)
    believer = s.balanced(keys.astype(float), keys)
    assert believer.agreement.value == pytest.approx(1) and believer.acquiescence.value == pytest.approx(0)
    generator = np.random.default_rng(6)
    mixed = s.balanced((generator.random(200) < np.where(keys, 0.9, 0.5)).astype(float), keys)
    assert mixed.agreement.low <= 0.7 <= mixed.agreement.high
    assert mixed.acquiescence.low <= 0.4 <= mixed.acquiescence.high
    uneven = np.arange(200) < 150
    assert s.balanced(np.ones(200), uneven).agreement.value == pytest.approx(0.5)
    with pytest.raises(UsageError, match="one key"):
        s.balanced(np.ones(10), np.ones(10, bool))


def test_steering_is_told_from_being_moved_anywhere() -> None:
    generator = np.random.default_rng(7)
    base = generator.uniform(0.3, 0.7, (2, 60))

    def moved(own: float, other: float) -> s.Steering:
        noise = generator.normal(0, 0.05, (4, 60))
        return s.steering(base[0] + own + noise[0], base[0] + noise[1], base[1] + other + noise[2], base[1] + noise[3])

    taken = moved(0.15, 0.02)
    assert taken.steers and taken.net.value == pytest.approx(0.13, abs=0.03)
    assert not moved(0, 0.15).steers
    spread = [moved(0.15, 0.15) for _ in range(400)]  # nearer to everybody
    assert all(each.gain.low > 0 for each in spread)
    assert sum(each.steers for each in spread) <= 20  # 2.5 % lie above by chance
