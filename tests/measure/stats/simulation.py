"""Synthetic respondents whose true figures are known: how often do the intervals hold them?

`python -m tests.measure.stats.simulation 10 20 30 50 100` prints the table of docs/statistics.md: one row per
measure, one column per number of questions, 1,000 respondents each. Questions come from a large pool; each respondent
is asked its own sample of it, and its figure over the whole pool is the truth.
"""

import sys
from collections.abc import Callable
from functools import cache

import numpy as np

from pluriverse.measure.run import stopping
from pluriverse.measure.schema.figure import Figure
from pluriverse.measure.stats import (
    distributions,
    mapping,
    misclassification,
    overton,
    pairs,
    rates,
    resampling,
    stability,
)
from pluriverse.measure.stats.intervals import Interval

POOL = 4000
DRAWS = 30
Simulated = Callable[[np.random.Generator, int], tuple[Interval, float]]


def held(simulated: Simulated, questions: int, respondents: int = 1000, seed: int = 7) -> float:
    """Share of respondents whose interval holds the truth."""
    generator = np.random.default_rng(seed)
    found = (simulated(generator, questions) for _ in range(respondents))
    return sum(interval.low <= truth <= interval.high for interval, truth in found) / respondents


def uniform_over(options: np.ndarray, width: int) -> np.ndarray:
    """Equal shares for the first k of `width` options; int [questions] to float64 [questions, width]."""
    k = np.asarray(options)[:, None]
    return np.where(np.arange(width) < k, 1 / k, 0.0)


def drawn(p: np.ndarray, draws: int, generator: np.random.Generator, repeats: int) -> np.ndarray:
    """Shares among `draws` answers from each distribution; float64 [..., options] to [repeats, ..., options]."""
    exact = p / p.sum(-1, keepdims=True)
    return generator.multinomial(draws, exact, size=(repeats, *p.shape[:-1])) / draws


def expected_similarity(
    source: np.ndarray,
    target: np.ndarray,
    draws: int | None,
    options: np.ndarray | int | None = None,
    ordered: bool = False,
    repeats: int = 200,
    seed: int = 20240,
) -> np.ndarray:
    """Mean similarity to `target` of whoever gives `draws` answers from `source`, by Monte Carlo; float64 [questions].

    perfect(n) is `expected_similarity(human, human, n)`, uniform(n) `expected_similarity(uniform_over(...), human, n)`.
    Both arrays float64 [questions, options]; `draws` None means option probabilities, without chance. The error of one
    question's figure is below .5 / sqrt(repeats).
    """

    def similarity(p: np.ndarray) -> np.ndarray:
        return distributions.similarity_w1(p, target, options) if ordered else distributions.similarity_js(p, target)

    if draws is None:
        return similarity(source)
    generator = np.random.default_rng(seed)
    total = np.zeros(len(target))
    block = max(1, 2_000_000 // max(source.size, 1))
    for start in range(0, repeats, block):
        total += similarity(drawn(source, draws, generator, min(block, repeats - start))).sum(0)
    return total / repeats


def by_question(values: np.ndarray, questions: np.ndarray) -> np.ndarray:
    """Sums and counts per question, to be resampled with `ratio`; float64 [answers], int [answers] to [questions, 2].

    NaN answers (refused, broken) count neither as sum nor as count; a question without any answer is left out.
    """
    kept = ~np.isnan(values)
    _, places = np.unique(questions[kept], return_inverse=True)
    return np.stack([np.bincount(places, values[kept]), np.bincount(places)], 1)


@cache
def survey() -> dict[str, np.ndarray]:
    """A pool of questions: people's answers, two respondents', an unrelated group's, and what may be expected."""
    g = np.random.default_rng(1)
    options = g.integers(3, 6, POOL)
    alike = uniform_over(options, 5)

    def people() -> np.ndarray:
        raw = g.gamma(0.8, size=(POOL, 5)) * (alike > 0) + 1e-12 * (alike > 0)
        return raw / raw.sum(1, keepdims=True)

    human, own, else_ = people(), people(), people()
    a = 0.6 * human + 0.4 * own
    b = 0.4 * human + 0.6 * own
    return {"options": options, "human": human, "uniform": alike, "a": a, "b": b, "other": else_} | {
        f"{kind} {name}": expected_similarity(source, human, DRAWS, options, kind == "w1", repeats=100)
        for kind in ("js", "w1")
        for name, source in (("a", a), ("b", b), ("perfect", human), ("uniform", alike))
    }


def answers(g: np.random.Generator, p: np.ndarray) -> np.ndarray:
    return drawn(p, DRAWS, g, 1)[0]


def asked(g: np.random.Generator, questions: int) -> np.ndarray:
    return g.integers(0, POOL, questions)


def rate(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
    truth = g.uniform(0.05, 0.95)
    return rates.wilson(int(g.binomial(questions, truth)), questions), truth


def corrected_rate(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
    truth, sens, spec, gold = g.uniform(0.1, 0.9), 0.85, 0.92, 100
    hits = int(g.binomial(questions, truth * sens + (1 - truth) * (1 - spec)))
    found, left = int(g.binomial(gold, sens)), int(g.binomial(gold, spec))
    confusion = rates.Confusion(found, gold - found, left, gold - left)
    return rates.corrected(hits, questions, confusion, rounds=4000), truth


XSTEST = ((56, 3, 59, 0), (59, 5, 41, 13), (87, 0, 14, 17), (40, 12, 57, 9), (4, 10, 102, 2))  # by assistant


def corrected_by_others(
    variation: float, widened: bool, labelled: int = 5, texts: int = 60, sens: float = 0.85, spec: float = 0.85
) -> Simulated:
    """The detector errs otherwise on each assistant: shares drawn from a beta distribution of this correlation. Its
    errors are counted on `labelled` others, on so many `texts` of either kind. Not `widened`: by their sum."""

    def shares(g: np.random.Generator, mean: float) -> np.ndarray:
        if variation == 0:
            return np.full(labelled + 1, mean)
        return g.beta(*(side * (1 - variation) / variation for side in (mean, 1 - mean)), labelled + 1)

    def simulated(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
        truth, found, left = g.uniform(0.05, 0.95), shares(g, sens), shares(g, spec)
        hits = int(g.binomial(questions, truth * found[-1] + (1 - truth) * (1 - left[-1])))
        yes, no = g.binomial(texts, found[:-1]), g.binomial(texts, left[:-1])
        counts = [rates.Confusion(int(p), int(texts - p), int(n), int(texts - n)) for p, n in zip(yes, no, strict=True)]
        pooled = misclassification.together(counts)
        if not widened:
            return rates.corrected(hits, questions, pooled, rounds=2000), truth
        return misclassification.corrected_elsewhere(hits, questions, counts, rounds=2000) or Interval(
            0, 0, 1, 0
        ), truth

    return simulated


def one_left_out(g: np.random.Generator, questions: int, widened: bool = True) -> tuple[Interval, float]:
    """As XSTest's rules: of its five assistants one is measured, by the errors on the four others."""
    place, truth = int(g.integers(len(XSTEST))), g.uniform(0.05, 0.95)
    tp, fn, tn, fp = XSTEST[place]
    counts = [rates.Confusion(*each) for number, each in enumerate(XSTEST) if number != place]
    hits = int(g.binomial(questions, truth * tp / (tp + fn) + (1 - truth) * fp / (tn + fp)))
    if not widened:
        return rates.corrected(hits, questions, misclassification.together(counts), rounds=2000), truth
    return misclassification.corrected_elsewhere(hits, questions, counts, rounds=2000) or Interval(0, 0, 1, 0), truth


def accuracy_by_question(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
    """Several draws of each question, unequally many, with refusals; questions differ in how hard they are."""
    hard, times = g.beta(1.5, 1, questions), g.integers(1, 9, questions)
    right = (g.random(times.sum()) < np.repeat(hard, times)).astype(float)
    right[g.random(len(right)) < 0.1] = np.nan
    columns = by_question(right, np.repeat(np.arange(questions), times))
    return resampling.of_means(columns, resampling.ratio, bounds=(0.0, 1.0)), 0.6


def similarity(kind: str) -> Simulated:
    def simulated(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
        pool, q = survey(), asked(g, questions)
        given = answers(g, pool["a"][q])
        if kind == "js":
            values = distributions.similarity_js(given, pool["human"][q])
        else:
            values = distributions.similarity_w1(given, pool["human"][q], pool["options"][q])
        return resampling.of_means(values, bounds=(0.0, 1.0)), float(pool[f"{kind} a"].mean())

    return simulated


def s_star(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
    pool, q = survey(), asked(g, questions)
    near = distributions.similarity_js(answers(g, pool["a"][q]), pool["human"][q])
    value = distributions.chance_corrected(near, pool["js perfect"][q], pool["js uniform"][q])
    a, perfect, uniform = (pool[f"js {name}"].mean() for name in ("a", "perfect", "uniform"))
    return value, float((a - uniform) / (perfect - uniform))


@cache
def _panel() -> np.ndarray:
    pool = survey()
    return np.stack([pool["a"], pool["b"], pool["other"], pool["human"]])


@cache
def _panel_truth() -> tuple[float, float]:
    mean = distributions.entropy(_panel().mean(0)).mean()
    value = mean - distributions.entropy(_panel()).mean()
    return float(value), float(value / mean)


def diversity(share: bool, draws: int | None) -> Simulated:
    def simulated(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
        panel = _panel()[:, asked(g, questions)]
        if draws is not None:
            panel = drawn(panel, draws, g, 1)[0]
        value = distributions.diversity(panel, draws)
        return (value.share if share else value.value), _panel_truth()[share]

    return simulated


@cache
def _claims() -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """How likely each of four members makes each claim; the claims; and what is to be expected of each question."""
    g = np.random.default_rng(2)
    claims = np.arange(8) < g.integers(3, 9, POOL)[:, None]
    chance = g.beta(0.6, 1.6, (4, POOL, 8)) * claims
    number = claims.sum(1)
    none = np.prod(1 - chance, 0)
    whole = ((1 - none) * claims).sum(1) / number
    alone = chance[0].sum(1) / number
    others = np.prod(1 - chance[1:], 0)
    return chance, claims, [whole, alone, (chance[0] * others).sum(1) / number]


def covering(figure: int) -> Simulated:
    def simulated(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
        chance, claims, expected = _claims()
        q = asked(g, questions)
        found = overton.coverage(g.random((4, questions, 8)) < chance[:, q], claims[q])
        return (found.panel, found.alone[0], found.gains[0])[figure], float(expected[figure].mean())

    return simulated


def paraphrases(agreement: bool) -> Simulated:
    def simulated(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
        p, m = survey()["a"], 5
        squares = (p**2).sum(1)
        counts = g.multinomial(m, p[asked(g, questions)])
        found = stability.paraphrase_stability(counts, m)
        truth = squares if agreement else squares + (1 - squares) / m
        return (found.agreement if agreement else found.value), float(truth.mean())

    return simulated


def keyed(agreement: bool) -> Simulated:
    def simulated(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
        keys, (to_yes, to_no) = np.arange(questions) % 2 == 0, g.uniform(0.2, 0.9, 2)
        yes = (g.random(questions) < np.where(keys, to_yes, to_no)).astype(float)
        found = stability.balanced(yes, keys)
        return (found.agreement, (to_yes + 1 - to_no) / 2) if agreement else (found.acquiescence, to_yes + to_no - 1)

    return simulated


def steered_elsewhere(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
    """The same with the control on other questions, where the prompt moves answers a little as well."""
    gain = g.beta(2, 3, questions) - g.beta(2, 4, questions)
    cross = g.beta(3, 3, questions) - g.beta(2, 4, questions)
    return stability.net_of_other_questions(gain, -cross), (2 / 5 - 2 / 6) - (3 / 6 - 2 / 6)


def plain_percentiles(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
    """1-JS again with the plain percentile interval, for comparison."""
    pool, q = survey(), asked(g, questions)
    values = distributions.similarity_js(answers(g, pool["a"][q]), pool["human"][q])
    return resampling.of_means(values, percentile=True), float(pool["js a"].mean())


def difference(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
    pool, q = survey(), asked(g, questions)
    a, b = (distributions.similarity_js(answers(g, pool[name][q]), pool["human"][q]) for name in "ab")
    return resampling.of_means(a - b), float((pool["js a"] - pool["js b"]).mean())


def asymmetry(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
    ease, less = g.uniform(0, 1, questions), g.uniform(0.3, 1)
    a, b = (g.random(questions) < ease), (g.random(questions) < less * ease)
    return pairs.paired_rates(a, b).difference, 0.5 * (1 - less)


MEASURES: dict[str, Simulated] = {
    "rate (Wilson)": rate,
    "rate, corrected": corrected_rate,
    "accuracy by question": accuracy_by_question,
    "1-JS": similarity("js"),
    "1-W1": similarity("w1"),
    "S*": s_star,
    "diversity D": diversity(False, None),
    "share of D": diversity(True, None),
    "diversity D, 30 draws": diversity(False, DRAWS),
    "Overton, panel": covering(0),
    "Overton, one": covering(1),
    "Overton, gain": covering(2),
    "paraphrase stability": paraphrases(False),
    "paraphrase agreement": paraphrases(True),
    "acquiescence, balanced keys": keyed(False),
    "agreement, balanced keys": keyed(True),
    "steering, control elsewhere": steered_elsewhere,
    "paired difference": difference,
    "refusal asymmetry": asymmetry,
}


def until(
    half: float, drawn: Callable[[np.random.Generator, int], np.ndarray], truth: Callable[[], float] | None
) -> Simulated:
    """Asked until the interval is that narrow, at most so many questions; `truth` is None for a rate of its own."""

    def simulated(g: np.random.Generator, questions: int) -> tuple[Interval, float]:
        true = g.uniform(0.03, 0.97) if truth is None else truth()
        values = (g.random(questions) < true).astype(float) if truth is None else drawn(g, questions)
        for number in stopping.looks(questions):
            part = values[:number]
            found = rates.wilson(part.sum(), number) if truth is None else resampling.of_means(part, bounds=(0.0, 1.0))
            if stopping.half_width(Figure("", "", "", found.value, found.low, found.high, number)) <= half:
                break
        return found, true

    return simulated


def alike(g: np.random.Generator, questions: int) -> np.ndarray:
    pool, q = survey(), asked(g, questions)
    return distributions.similarity_js(answers(g, pool["a"][q]), pool["human"][q])


def skewed(g: np.random.Generator, questions: int) -> np.ndarray:
    return g.beta(0.15, 1.35, questions)


STOPPING: dict[str, Simulated] = {
    f"{name}, until {half}": until(half, drawn, truth)
    for name, drawn, truth in (
        ("rate", alike, None), ("1-JS", alike, lambda: float(survey()["js a"].mean())), ("skewed", skewed, lambda: 0.1)
    )
    for half in (0.03, 0.05, 0.1, 0.15)
}  # fmt: skip
MOST = 2000  # questions that are asked when the interval does not get narrow


def mapped(questions: int, respondents: int = 1000, seed: int = 5) -> float:
    """Share of respondents whose ellipse on the map holds their true place; two features per question."""
    g = np.random.default_rng(seed)
    loadings = np.linalg.qr(g.normal(size=(2 * questions, 2)))[0]
    people = g.normal(size=(60, 2)) * (3, 2) @ loadings.T + 0.05 * g.normal(size=(60, 2 * questions))
    axes = mapping.fitted(people)
    truths = g.normal(size=(respondents, 2)) * 2
    doubt = np.repeat(g.normal(size=(respondents, questions)), 2, 1) + g.normal(size=(respondents, 2 * questions))
    rows = axes.centre + truths @ axes.loadings.T + 0.2 * doubt
    places = mapping.placed(axes, rows, np.repeat(np.arange(questions), 2), rounds=400)
    return sum(inside(place, truth) for place, truth in zip(places, truths, strict=True)) / respondents


def inside(place: mapping.Place, point: np.ndarray) -> bool:
    away = point - np.array(place.centre)
    along = away @ [np.cos(place.angle), np.sin(place.angle)] / place.half_axes[0]
    across = away @ [-np.sin(place.angle), np.cos(place.angle)] / place.half_axes[1]
    return bool(along**2 + across**2 <= 1)


ELSEWHERE: dict[str, tuple[Simulated, Simulated]] = {
    f"errors correlated {each}": (corrected_by_others(each, True), corrected_by_others(each, False))
    for each in (0.0, 0.05, 0.1, 0.2, 0.3)
} | {"XSTest's rules, one left out": (one_left_out, lambda g, n: one_left_out(g, n, widened=False))}


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]] or [10, 20, 30, 50, 100]
    print("|questions|" + "|".join(map(str, numbers)) + "|", "|-|" + "-|" * len(numbers), sep="\n", flush=True)
    for name, simulated in (MEASURES | {"1-JS, plain percentiles": plain_percentiles}).items():
        print(f"|{name}|" + "|".join(f"{100 * held(simulated, n):.1f}" for n in numbers) + "|", flush=True)
    for name, simulated in STOPPING.items():
        print(f"|{name}|{100 * held(simulated, MOST):.1f}|", flush=True)
    for name, (widened, plain) in ELSEWHERE.items():
        print(
            f"|{name}|" + "|".join(f"{100 * held(each, 100, 300):.1f}" for each in (plain, widened)) + "|", flush=True
        )
    print("|map, ellipse|" + "|".join(f"{100 * mapped(n):.1f}" for n in numbers) + "|", flush=True)
