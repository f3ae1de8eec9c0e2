"""Measured and published rows on one board, never in one order; clusters where nothing is told apart."""

import math

import pytest

from pluriverse.measure.data.published import TASKS, published
from pluriverse.measure.results.board import BOARD, board
from pluriverse.measure.schema.figure import Figure

METRICS = dict(zip(TASKS, ("accuracy", "accuracy", "mean_of_groups", "mc2", "accuracy", "exact"), strict=True))
CONTRACT = {"assistant", "instrument", "metric", "value", "low", "high", "n", "kind", "source"}


def six(name: str, value: float, half: float = 0.01, n: int = 100) -> list[Figure]:
    return [Figure(name, task, METRICS[task], value, value - half, value + half, n) for task in TASKS]


def test_measured_and_published_rows_stand_apart() -> None:
    rows = board([*six("high", 0.99), *six("low", 0.01)], published()).as_dict()["rows"]
    kinds = [row["kind"] for row in rows]
    assert kinds == ["measured here"] * 14 + ["published"] * 35 * 7
    assert all(set(row) >= CONTRACT for row in rows)
    averages = [row for row in rows if row["instrument"] == BOARD]
    assert [row["assistant"] for row in averages[:3]] == ["high", "low", "Smaug-72B-v0.1"]
    assert averages[2]["value"] == pytest.approx(80.48, abs=0.01) and averages[2]["low"] is None
    assert "ARC and HellaSwag" in averages[2]["note"] and averages[2]["source"].startswith("https://")
    assert "Grok-1" in " ".join(board([], published()).notes)


def test_the_average_is_the_mean_of_six_with_errors_added_as_squares() -> None:
    figures = six("a", 0.4)
    figures[0] = Figure("a", "arc", "accuracy", 0.7, 0.66, 0.72, 50)
    (entry,) = board(figures, []).here
    assert entry.average.value == pytest.approx(45.0)
    assert entry.average.low == pytest.approx(45 - math.sqrt(5 * 1 + 16) / 6)
    assert entry.average.high == pytest.approx(45 + math.sqrt(5 * 1 + 4) / 6)
    assert entry.average.n == 550


def test_the_interval_of_the_average_covers_it() -> None:
    import numpy as np

    numbers, hits, truth = np.random.default_rng(5), 0, np.array([0.3, 0.4, 0.25, 0.42, 0.5, 0.1])
    for _ in range(1000):
        shares = numbers.binomial(200, truth) / 200
        halves = 1.96 * np.sqrt(shares * (1 - shares) / 200)
        figures = [
            Figure("a", task, METRICS[task], float(v), float(v - h), float(v + h), 200)
            for task, v, h in zip(TASKS, shares, halves, strict=True)
        ]
        average = board(figures, []).here[0].average
        assert average.low is not None and average.high is not None
        hits += average.low <= 100 * truth.mean() <= average.high
    assert 930 <= hits <= 970


def test_no_average_without_all_six() -> None:
    figures = [figure for figure in six("a", 0.5) if figure.instrument not in {"mmlu", "gsm8k"}]
    figures.append(Figure("a", "gsm8k", "exact", None, None, None, 3, caption="too few items for a claim"))
    (entry,) = board([*figures, *six("whole", 0.3)], []).here[1:]
    assert entry.name == "a" and entry.average.value is None
    assert "mmlu, gsm8k" in entry.notes[0] and "too few items" in entry.notes[1]


def test_figures_of_groups_and_other_instruments_do_not_count() -> None:
    figures = [
        Figure("a", "mmlu", "accuracy", 0.1, 0.0, 0.2, 9, group="law"),
        *six("a", 0.5),
        Figure("a", "mmlu", "accuracy", 0.9, 0.8, 1.0, 9),
        Figure("b", "xcopa", "accuracy", 0.9, 0.8, 1.0, 9),
    ]
    (entry,) = board(figures, []).here
    assert entry.average.value == pytest.approx(50)


def test_whoever_cannot_be_told_apart_is_a_cluster_and_no_rank() -> None:
    found = board([*six("b", 0.501), *six("a", 0.50), *six("z", 0.8)], [])
    assert [entry.name for entry in found.here] == ["z", "a", "b"]
    assert found.clusters == (("a", "b"),)


def test_likeness_does_not_carry_over() -> None:
    found = board([*six("a", 0.50), *six("b", 0.506), *six("c", 0.512)], [])
    assert found.clusters == (("a", "b"), ("b", "c"))


def test_without_intervals_nothing_is_told_apart() -> None:
    figures = [
        Figure(name, task, METRICS[task], v, None, None, 9) for name, v in (("a", 0.1), ("b", 0.9)) for task in TASKS
    ]
    assert board(figures, []).clusters == (("a", "b"),)


def test_the_limit_cuts_published_rows_only() -> None:
    found = board([*six("a", 0.5), *six("b", 0.8)], published(), limit=1)
    assert len(found.here) == 2 and [entry.name for entry in found.published] == ["Smaug-72B-v0.1"]
    assert found.left_out == 34


def test_an_empty_board_is_a_board() -> None:
    assert board([], []).as_dict()["rows"] == []
