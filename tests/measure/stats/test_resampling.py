"""Drawing questions anew, pairs of respondents, and who cannot be told from whom."""

from dataclasses import replace

import numpy as np
import pytest

from pluriverse.errors import UsageError
from pluriverse.measure.stats.intervals import Interval, mean_of
from pluriverse.measure.stats.pairs import Paired, all_pairs, clusters, paired, paired_rates
from pluriverse.measure.stats.rates import wilson
from pluriverse.measure.stats.resampling import LEAST, flips, of_means, ratio, trusted
from pluriverse.measure.stats.stability import balanced

from .simulation import by_question

NUMBERS = np.random.default_rng(4)


def test_plain_percentiles_are_those_of_the_other_bootstrap_and_the_default_is_wider() -> None:
    values = NUMBERS.normal(2, 1, 25)
    plain, other, wide = of_means(values, percentile=True), mean_of(values), of_means(values)
    assert plain.value == pytest.approx(other.value) == pytest.approx(values.mean())
    assert (plain.low, plain.high) == pytest.approx((other.low, other.high), abs=0.05)
    assert wide.high - wide.low > plain.high - plain.low
    exact = 2.0639 * values.std(ddof=1) / 5  # Student's t, 24 degrees of freedom
    assert (wide.high - wide.low) / 2 == pytest.approx(exact, rel=0.1)


def test_the_same_seed_gives_the_same_interval_and_blocks_do_not_matter_to_the_value() -> None:
    values = NUMBERS.random(3000)
    assert of_means(values) == of_means(values) != of_means(values, seed=1)
    assert of_means(values).low < 0.5 < of_means(values).high
    assert of_means(values).number == 3000


def test_answers_of_one_question_stay_together() -> None:
    questions = np.repeat(np.arange(40), 25)
    values = np.repeat(NUMBERS.integers(0, 2, 40), 25).astype(float)
    clustered = of_means(by_question(values, questions), ratio)
    apart = of_means(values)
    assert clustered.value == pytest.approx(apart.value) and clustered.number == 40
    assert clustered.high - clustered.low > 4 * (apart.high - apart.low)
    values[:25] = np.nan
    assert of_means(by_question(values, questions), ratio).number == 39


def test_where_nothing_varies_the_doubt_of_few_questions_remains() -> None:
    none = of_means(np.zeros(50), bounds=(0, 1))
    assert none == wilson(0, 50)
    always = of_means(np.full(50, -1.0), bounds=(-1, 1))
    assert (always.low, always.high) == pytest.approx((-1, -1 + 2 * none.high))
    assert of_means(np.ones(50)).high == 1  # without bounds there is nothing to go by


def test_too_few_questions_and_missing_figures_are_refused() -> None:
    with pytest.raises(UsageError, match="too few"):
        of_means(np.ones(1))
    with pytest.raises(UsageError, match="no figure"):
        of_means(np.array([1.0, np.nan, 2.0]))
    assert trusted(of_means(np.arange(float(LEAST)))) and not trusted(of_means(np.arange(5.0)))


def test_sign_flips_by_hand_and_by_lot() -> None:
    assert flips(np.array([1.0, 2.0, 3.0])) == pytest.approx(2 / 8)
    assert flips(np.zeros(5)) == 1
    assert flips(np.ones(30)) == pytest.approx(1 / 10_000)
    values = NUMBERS.normal(0.3, 1, 13)
    both = flips(values), flips(np.append(values, values[0]))  # all signs, and drawn ones
    assert both[0] == pytest.approx(both[1], abs=0.2)


def test_sign_flips_keep_their_level() -> None:
    even = np.random.default_rng(6).normal(0, 1, (1000, 30))
    assert 0.035 <= np.mean([flips(row, rounds=999) <= 0.05 for row in even]) <= 0.065


def test_skewed_differences_need_the_interval_beside_the_flips() -> None:
    """Mean 0 without symmetry is not what flips assume: alone they are wrong too often, the rule of both is not."""
    skewed = np.random.default_rng(5).exponential(1, (1000, 30)) - 1
    alone = np.mean([flips(row) <= 0.05 for row in skewed])
    both = np.mean([paired(row, np.zeros(30)).separated for row in skewed])
    assert 0.06 < alone < 0.10 and both <= 0.06


def test_pairs_are_compared_on_the_questions_both_have() -> None:
    a, b = NUMBERS.random(60) + 0.4, NUMBERS.random(60)
    a[:5], b[5:8] = np.nan, np.nan
    found = paired(a, b)
    assert found.difference.number == 52 and found.separated
    assert not paired(b, b + NUMBERS.normal(0, 0.01, 60)).separated


def test_rates_of_matched_pairs() -> None:
    a, b = np.arange(100) < 40, np.arange(100) < 20
    found = paired_rates(a, b)
    assert found.difference.value == pytest.approx(0.2) and found.separated
    same = paired_rates(a, a)
    assert same.p == 1 and same.difference.low < 0 < same.difference.high


def _told(apart: bool) -> Paired:
    return Paired(Interval(0.5, 0.4, 0.6, 30), 0.001, 0.001) if apart else Paired(Interval(0, -1, 1, 30), 1, 1)


def test_clusters_never_hold_a_separated_pair_and_join_every_other() -> None:
    assert clusters(3, {(0, 1): _told(False), (1, 2): _told(False), (0, 2): _told(True)}) == ((0, 1), (1, 2))
    assert clusters(3, {(i, j): _told(False) for i in range(3) for j in range(i)}) == ((0, 1, 2),)
    assert clusters(3, {(0, 1): _told(True), (0, 2): _told(True), (1, 2): _told(True)}) == ((0,), (1,), (2,))
    for seed in range(20):
        apart = np.random.default_rng(seed).random((8, 8)) < 0.4
        keys = [(i, j) for i in range(8) for j in range(i + 1, 8)]
        groups = clusters(8, {(i, j): _told(bool(apart[i, j])) for i, j in keys})
        for i, j in keys:
            assert any(i in group and j in group for group in groups) != bool(apart[i, j])
        assert not any(set(a) < set(b) for a in groups for b in groups)


def test_respondents_that_differ_are_found_and_no_rank_is_made_of_the_others() -> None:
    numbers = np.random.default_rng(8)
    question = numbers.normal(0, 1, 80)
    levels = (0.0, 0.0, 0.0, 0.6, 0.6)
    scores = np.array([question + level + numbers.normal(0, 0.5, 80) for level in levels])
    pairs = all_pairs(scores)
    assert clusters(5, pairs) == ((0, 1, 2), (3, 4))
    assert all(each.adjusted >= each.p for each in pairs.values())
    assert all_pairs(scores[:1]) == {} and clusters(1, {}) == ((0,),)


def test_twins_are_seldom_called_different() -> None:
    """Six respondents alike in truth: at most 5 % of panels hold any separated pair."""
    numbers, wrong = np.random.default_rng(9), 0
    for _ in range(100):
        scores = numbers.normal(0, 1, 30) + numbers.normal(0, 0.7, (6, 30))
        wrong += any(pair.separated for pair in all_pairs(scores, rounds=500).values())
    assert wrong <= 8


def test_many_respondents_can_still_be_told_apart() -> None:
    """The smallest p must bear Holm's factor over all pairs."""
    scores = np.random.default_rng(1).normal(0, 1, (34, 50)) + 5 * np.arange(34)[:, None]
    pairs = all_pairs(scores, rounds=200)
    assert len(pairs) == 561 and all(each.separated for each in pairs.values())


def test_respondents_without_questions_in_common_are_not_compared() -> None:
    scores = np.full((3, 20), np.nan)
    scores[0], scores[1, :10], scores[2, 12:] = 1.0, 0.0, 0.5
    pairs = all_pairs(scores, least=8)
    assert set(pairs) == {(0, 1), (0, 2)}
    assert (1, 2) in clusters(3, {key: replace(each, adjusted=0.0) for key, each in pairs.items()})


def test_no_difference_at_all_is_known_to_wilson_s_rate_of_none() -> None:
    same = np.arange(100) % 2 == 0
    found = paired_rates(same, same).difference
    assert found.value == 0 and found.high == -found.low == pytest.approx(wilson(0, 100).high)


def test_constant_answers_are_seen_whatever_rounding_leaves() -> None:
    """A quotient of means that never varies has Wilson's interval, not none and not one of rounding."""
    for number in (20, 40, 60):
        keys = np.arange(number) % 2.0
        for said in (0.0, 1.0):
            yes = np.full(number, said)
            found = balanced(yes, keys > 0).agreement
            assert found.value == 0.5 and found.high - found.low > 0.1, (number, said)


def test_a_share_of_nothing_is_no_figure() -> None:
    with pytest.raises(UsageError, match="share of"):
        of_means(np.zeros((12, 2)), ratio)
