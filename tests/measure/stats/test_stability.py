"""How much an answer hangs on the asking, where that is known."""

import numpy as np
import pytest

from pluriverse.errors import UsageError
from pluriverse.measure.stats import stability as s


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
