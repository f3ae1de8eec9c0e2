"""Rates against figures that can be looked up or worked out by hand."""

import numpy as np
import pytest

from pluriverse.errors import UsageError
from pluriverse.measure.stats.misclassification import corrected_elsewhere, together
from pluriverse.measure.stats.rates import Confusion, corrected, holm, mcnemar, wilson


def test_wilson_gives_the_known_widths() -> None:
    for number, points in ((100, 9.6), (450, 4.6), (1000, 3.1)):
        half = (wilson(number // 2, number).high - wilson(number // 2, number).low) / 2
        assert 100 * half == pytest.approx(points, abs=0.05)
    none = wilson(0, 50)
    assert (none.value, none.low) == (0, 0) and none.high == pytest.approx(0.071, abs=5e-4)
    every = wilson(50, 50)
    assert every.high == 1 and every.low == pytest.approx(1 - none.high)
    assert wilson(15, 50).low == pytest.approx(0.1910, abs=1e-4)  # by hand from the formula


def test_no_items_give_no_rate() -> None:
    for hits, number in ((0, 0), (3, 2), (-1, 5)):
        with pytest.raises(UsageError, match="no rate"):
            wilson(hits, number)


def test_a_detectors_errors_are_taken_out_of_a_rate() -> None:
    good = Confusion(90, 10, 95, 5)
    found = corrected(41, 100, good)
    assert found.value == pytest.approx((0.41 + 0.95 - 1) / (0.9 + 0.95 - 1))
    assert found.low < found.value < found.high
    plain = wilson(41, 100)
    assert found.high - found.low > plain.high - plain.low  # the detector's own doubt is in it
    few = corrected(41, 100, Confusion(18, 2, 19, 1))
    assert few.high - few.low > found.high - found.low
    sure = corrected(41, 100, Confusion(10**7, 0, 10**7, 0))
    assert (sure.low, sure.high) == pytest.approx((plain.low, plain.high), abs=0.01)
    assert corrected(0, 100, good).value == 0 == corrected(0, 100, good).low  # below the false alarms: cut


def test_a_detector_no_better_than_chance_is_refused() -> None:
    with pytest.raises(UsageError, match="no better than chance") as refused:
        corrected(5, 10, Confusion(5, 5, 5, 5))
    assert "label more" in (refused.value.hint or "")
    barely = corrected(50, 100, Confusion(6, 4, 5, 5))
    assert barely.low == 0 and barely.high == 1  # and one that may be no better leaves all open


def test_mcnemar_is_the_exact_binomial() -> None:
    assert mcnemar(0, 0) == mcnemar(3, 3) == 1
    assert mcnemar(5, 0) == mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(1, 9) == pytest.approx(2 * 11 / 1024)
    assert 0 < mcnemar(4000, 4500) < 1e-6


def test_mcnemar_keeps_its_level() -> None:
    generator = np.random.default_rng(1)
    wrong = [mcnemar(int(k), 30 - int(k)) <= 0.05 for k in generator.binomial(30, 0.5, 3000)]
    assert np.mean(wrong) <= 0.05


def test_holm_steps_down() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.5, 0.9])) == pytest.approx([1, 1])
    assert holm(np.array([0.03])) == pytest.approx([0.03])
    assert len(holm(np.array([]))) == 0


def test_holm_guards_against_many_looks() -> None:
    p = np.random.default_rng(2).random((2000, 20))
    assert np.mean([holm(row).min() <= 0.05 for row in p]) == pytest.approx(0.05, abs=0.015)
    assert (p.min(1) <= 0.05).mean() > 0.6


def test_a_corrected_rate_that_is_cut_is_no_surer_than_what_was_observed() -> None:
    errs = Confusion(true_positive=90, false_negative=10, true_negative=85, false_positive=15)
    none, all_ = corrected(0, 200, errs), corrected(200, 200, errs)
    assert none.value == 0 and none.high >= wilson(0, 200).high
    assert all_.value == 1 and all_.low <= wilson(200, 200).low


LIKE = [Confusion(85, 15, 92, 8)] * 5
UNLIKE = [Confusion(99, 1, 50, 50), Confusion(45, 55, 98, 2), *LIKE[:3]]


def test_errors_on_others_widen_the_interval_by_how_much_they_vary() -> None:
    alike, unlike = (corrected_elsewhere(40, 100, each) for each in (LIKE, UNLIKE))
    pooled = corrected(40, 100, together(LIKE))
    assert alike and unlike and alike.value == pooled.value, "the value is that of all together"
    assert alike.low < pooled.low and alike.high > pooled.high
    assert unlike.high - unlike.low > 1.3 * (alike.high - alike.low)
    assert unlike.value == corrected(40, 100, together(UNLIKE)).value
    assert corrected_elsewhere(40, 100, LIKE) == alike, "the same each time"


def test_without_labels_of_several_nothing_is_corrected() -> None:
    assert corrected_elsewhere(40, 100, LIKE[:2]) is None
    assert corrected_elsewhere(40, 100, [Confusion(2, 0, 90, 3)] * 8) is None, "too few positive ones of each"
    assert corrected_elsewhere(40, 100, []) is None
    with pytest.raises(UsageError, match="no better than chance"):
        corrected_elsewhere(40, 100, [Confusion(5, 5, 5, 5)] * 5)
