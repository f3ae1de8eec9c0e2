"""Distributions by hand, known diversity, and the published anchors recomputed from people's answers."""

import json
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from pluriverse import settings as settings_module
from pluriverse.errors import UsageError
from pluriverse.measure.stats import distributions as d

from .simulation import drawn, expected_similarity, survey, uniform_over

DATA = settings_module.load().data  # before each test gets an environment of its own
REPEATS = 40
ROUNDED = 0.0025  # Monte Carlo of the published figures to .002, and their last digit


def test_similarities_by_hand() -> None:
    a, b, even = np.eye(4)[0], np.eye(4)[3], np.full(4, 0.25)
    assert d.similarity_js(a, a) == d.similarity_w1(a, a) == 1
    assert d.similarity_js(a, b) == d.similarity_w1(a, b) == pytest.approx(0)
    assert d.similarity_w1(a, np.eye(4)[1]) == pytest.approx(2 / 3)  # the next option is near, for JS it is not
    assert d.similarity_js(a, np.eye(4)[1]) == pytest.approx(0)
    assert d.similarity_w1(a, even) == pytest.approx(0.5)
    half = 1 - np.sqrt(1.5 - np.log2(3) * 0.75)  # (1, 0) and (1/2, 1/2): H(3/4, 1/4) - 1/2
    assert d.similarity_js(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(half)


def test_options_that_a_question_does_not_have_change_nothing() -> None:
    p, q = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.4, 0.0])
    padded, other = np.append(p, [0.0, 0.0]), np.append(q, [0.0, 0.0])
    assert d.similarity_js(padded, other) == pytest.approx(d.similarity_js(p, q))
    assert d.similarity_w1(padded, other, 3) == pytest.approx(d.similarity_w1(p, q))
    assert uniform_over(np.array([2, 3]), 3) == pytest.approx(np.array([[0.5, 0.5, 0], [1 / 3] * 3]))
    with pytest.raises(UsageError, match="two options"):
        d.similarity_w1(np.ones(1), np.ones(1))


def test_entropy() -> None:
    assert d.entropy(np.full(8, 1 / 8)) == pytest.approx(3)
    assert d.entropy(np.eye(3)[1]) == 0


def test_s_star_puts_lot_at_0_and_people_at_1() -> None:
    pool = survey()
    perfect, uniform = pool["js perfect"], pool["js uniform"]
    assert d.chance_corrected(perfect, perfect, uniform).value == pytest.approx(1)
    assert d.chance_corrected(uniform, perfect, uniform).value == pytest.approx(0)
    half = d.chance_corrected((perfect + uniform) / 2, perfect, uniform)
    assert half.value == pytest.approx(0.5) and half.low <= 0.5 <= half.high
    with pytest.raises(UsageError, match="answering by lot"):
        d.chance_corrected(perfect, uniform, uniform)


def test_known_diversity_is_recovered_from_probabilities_and_from_draws() -> None:
    same = np.tile(np.full((50, 2), 0.5), (3, 1, 1))
    assert d.diversity(same).value.value == pytest.approx(0)
    apart = np.stack([np.tile(np.eye(4)[i], (50, 1)) for i in range(4)])
    assert d.diversity(apart).value.value == pytest.approx(2)  # bits: four that never agree
    assert d.diversity(apart).share.value == pytest.approx(1)

    generator, pool = np.random.default_rng(3), survey()
    panel = np.stack([pool["a"], pool["b"], pool["other"], pool["human"]])
    truth = d.diversity(panel)
    for draws, off in ((30, 0.01), (10, 0.06)):
        shares = drawn(panel, draws, generator, 1)[0]
        assert d.diversity(shares, draws).value.value == pytest.approx(truth.value.value, rel=off)
        assert d.diversity(shares).value.value > 1.25 * truth.value.value  # chance taken for diversity
    twins = drawn(np.stack([pool["a"]] * 4), 30, generator, 1)[0]
    assert d.diversity(twins, 30).share.value == pytest.approx(0, abs=0.005)
    with pytest.raises(UsageError, match="too few"):
        d.diversity(panel, 3)


@cache
def people() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distributions [rows, 18], numbers of options [rows], pairs of rows that are two countries on one question."""
    if DATA is None:
        pytest.skip("set PLURIVERSE_DATA to a folder of the public data")
    file = DATA / "globalopinionqa" / "globalopinionqa_country_question_distributions_subset.json"
    rows = [row for row in json.loads(file.read_text("utf-8")) if abs(sum(row["distribution"]) - 1) <= 0.005]
    options = np.array([len(row["options"]) for row in rows])
    shares = np.zeros((len(rows), options.max()))
    by_question: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        shares[place, : options[place]] = row["distribution"]
        by_question.setdefault(row["question"], []).append(place)
    pairs = np.array([pair for places in by_question.values() for pair in combinations(places, 2)])
    return shares / shares.sum(1, keepdims=True), options, pairs


def similarity(p: np.ndarray, q: np.ndarray, k: np.ndarray) -> np.ndarray:
    return np.stack([d.similarity_js(p, q), d.similarity_w1(p, q, k)])


def test_anchors_of_exact_distributions() -> None:
    shares, k, pairs = people()
    assert (len(shares), len(pairs)) == (4624, 11479)
    width = shares.shape[1]
    uniform = similarity(uniform_over(k, width), shares, k).mean(1)
    modal = similarity(np.eye(width)[shares.argmax(1)], shares, k).mean(1)
    fixed = sum(similarity(np.eye(width)[j], shares, k) * (j < k) / k for j in range(width)).mean(1)
    other = similarity(shares[pairs[:, 0]], shares[pairs[:, 1]], k[pairs[:, 0]])
    assert uniform == pytest.approx([0.581, 0.761], abs=6e-4)
    assert modal == pytest.approx([0.477, 0.813], abs=6e-4)
    assert fixed == pytest.approx([0.218, 0.594], abs=6e-4)
    assert other.mean(1) == pytest.approx([0.738, 0.894], abs=6e-4)
    assert np.quantile(other[0], [0.1, 0.9]) == pytest.approx([0.537, 0.902], abs=6e-4)


@pytest.mark.parametrize(
    ("draws", "perfect", "uniform", "other", "corrected"),
    [
        (1, (0.390, 0.759), (0.218, 0.594), (0.336, 0.756), (0.68, 0.98)),
        (5, (0.667, 0.892), (0.436, 0.722), (0.564, 0.853), (0.56, 0.77)),
        (10, (0.759, 0.924), (0.506, 0.742), (0.632, 0.871), (0.50, 0.71)),
        (30, (0.859, 0.956), (0.559, 0.755), (0.695, 0.885), (0.45, 0.65)),
        (100, (0.924, 0.976), (0.575, 0.759), (0.724, 0.891), (0.43, 0.61)),
        (None, (1, 1), (0.581, 0.761), (0.738, 0.894), (0.38, 0.56)),
    ],
)
def test_anchors_of_draws(
    draws: int | None,
    perfect: tuple[float, float],
    uniform: tuple[float, float],
    other: tuple[float, float],
    corrected: tuple[float, float],
) -> None:
    shares, k, pairs = people()
    a, b = pairs.T

    def mean(source: np.ndarray, target: np.ndarray, options: np.ndarray) -> np.ndarray:
        return np.array(
            [expected_similarity(source, target, draws, options, kind, REPEATS).mean() for kind in (False, True)]
        )

    lot = uniform_over(k, shares.shape[1])
    best, worst = mean(shares, shares, k), mean(lot, shares, k)
    beside = (mean(shares[a], shares[b], k[a]) + mean(shares[b], shares[a], k[a])) / 2
    assert best == pytest.approx(perfect, abs=ROUNDED)
    assert worst == pytest.approx(uniform, abs=ROUNDED)
    assert beside == pytest.approx(other, abs=ROUNDED)
    assert (beside - worst) / (best - worst) == pytest.approx(corrected, abs=0.01)


def test_answers_of_unequal_numbers_make_no_diversity() -> None:
    """Two who both answer by lot, one with 6 answers to a question, the other with 5."""
    generator = np.random.default_rng(4)
    draws = np.tile([[6], [5]], (1, 4000))
    ones = generator.binomial(draws, 0.5)
    panel = np.stack([ones / draws, 1 - ones / draws], 2)
    assert d.diversity(panel, draws).value.value == pytest.approx(0, abs=0.03)
    assert d.diversity(panel).value.value > 0.08
