"""Plots and what is read into them: scales, clusters, names that keep apart, harm beside over-refusal."""

from dataclasses import replace
from itertools import combinations

import pytest

from pluriverse.measure.data.published import TASKS
from pluriverse.measure.results.board import board
from pluriverse.measure.results.board_rows import board_rows
from pluriverse.measure.results.parts import Cluster, LeaderboardRow, Report
from pluriverse.measure.schema.figure import PANEL, Figure
from pluriverse.report.card import card_html
from pluriverse.report.label_placement import Box, Name, placed
from pluriverse.report.labels import class_of, interval, metric_of, number, percent
from pluriverse.report.markup import Html, cleaned, el, linked, shortened
from pluriverse.report.page import render
from pluriverse.report.plots import Row, intervals
from pluriverse.report.svg import scale_for
from pluriverse.report.visibility import Measured, bars, lanes, ordered

from .reading import Page
from .sample import full, the_map


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([0.2, 0.9], 0, 1),
        ([-0.2, 0.9], -1, 1),
        ([31.4, 80.5], 0, 100),
        ([-3.5, 250], -100, 300),
        ([], 0, 1),
        ([7e6], 0, 0),
    ],
)
def test_a_scale_is_round_and_holds_everything(values: list[float], low: float, high: float) -> None:
    scale = scale_for(values)
    if values != [7e6]:
        assert (scale.low, scale.high) == (low, high)
    assert all(scale.low <= value <= scale.high for value in values)
    assert scale.ticks[0] == scale.low and scale.ticks[-1] == scale.high and 2 <= len(scale.ticks) <= 8


def figure_of(name: str, value: float | None) -> Figure:
    return Figure(name, "i", "m", value, None, None, 10)


def test_clusters_stand_together_and_are_no_rank() -> None:
    rows = [figure_of("d", 0.9), figure_of("c", 0.2), figure_of("b", 0.3), figure_of("a", 0.25), figure_of(PANEL, 0.5)]
    clusters = [Cluster("i", "m", ("a", "b")), Cluster("i", "m", ("b", "c"))]
    found = ordered(rows, ["a", "b", "c", "d"], clusters)
    assert [each.assistant for each in found] == ["d", "a", "b", "c", PANEL], "by name where nothing tells them apart"
    assert lanes(found, clusters) == [[1, 2], [2, 3]]
    unseen = [replace(each, value=None) if each.assistant == "a" else each for each in found]
    assert lanes(unseen, clusters) == [[2, 3]]


def test_without_clusters_the_order_is_that_of_the_report() -> None:
    rows = [figure_of("a", 0.1), figure_of("b", 0.9)]
    assert [each.assistant for each in ordered(rows, ["b", "a"], [])] == ["b", "a"]
    assert [each.assistant for each in ordered(rows, ["a", "b"], [])] == ["a", "b"]


def test_bars_of_the_panel_are_lines_to_read_assistants_by() -> None:
    bar = Figure(PANEL, "i", "m", 0.58, None, None, 10, "answering by lot", "a bar")
    found = Measured("i", None, [figure_of("a", 0.7), bar])
    assert bars(found, "m") == [bar]
    text = render(Report("r", "2026-11-24", ["a"], figures=found.figures))
    assert "answering by lot 0.58" in text and "by group" not in text
    topic = Figure(PANEL, "i", "spread", 0.58, None, None, 10, "topic")
    assert bars(Measured("i", None, [topic]), "spread") == []


def test_a_row_without_a_value_says_so_in_its_place() -> None:
    plot = intervals("k", "A title", [Row("a", None, absent="cannot see"), Row("b", 0.5, 0.4, 0.6)])
    assert "cannot see" in plot and plot.count("<circle") == 1


def test_names_on_the_map_do_not_cover_each_other() -> None:
    points = [
        Name(each.x * 60 + 200, each.y * 60 + 180, 60, 12, 3, each.kind == "assistant") for each in the_map().points
    ]
    found = placed(points, Box(0, 0, 400, 360))
    assert all(place for place, point in zip(found, points, strict=True) if point.must), "assistants are always named"
    boxes = [
        Box(
            place.x - point.width / 2, place.y - point.height / 2, place.x + point.width / 2, place.y + point.height / 2
        )
        for place, point in zip(found, points, strict=True)
        if place
    ]
    assert all(one.overlap(other) == 0 for one, other in combinations(boxes, 2))


def test_names_that_must_stand_do_so_where_there_is_no_room() -> None:
    crowd = [Name(50, 50, 80, 12, 4, True) for _ in range(12)]
    assert all(placed(crowd, Box(0, 0, 100, 100)))
    assert placed([Name(50, 50, 200, 12, 4, False)], Box(0, 0, 100, 100)) == [None]


def test_harm_is_never_without_overrefusal() -> None:
    harm = Figure("a", "strongreject", "compliance", 0.321, 0.28, 0.36, 100)
    over = Figure("a", "xstest", "overrefusal", 0.123, 0.1, 0.15, 100)
    alone = Report("r", "2026-11-24", ["a"], figures=[harm])
    assert "0.32" not in Page(render(alone)).text and "<svg" not in render(replace(alone, figures=[over]))
    assert "shown only together" in card_html(alone, "a")
    both = render(replace(alone, figures=[harm, over]))
    assert "against over-refusal" in both and "0.32" in both and "0.12" in both


def test_published_and_measured_stand_apart() -> None:
    text = render(full())
    assert text.index(">Measured here<") < text.index(">Published by others<")
    assert "never mixed" in text
    assert "the mean of the six scores is 50.00" in text


def test_an_average_is_checked_against_its_six() -> None:
    right = LeaderboardRow("m", "published", 80.48, (76.02, 89.27, 77.15, 76.67, 85.08, 78.70), "s")
    assert right.recomputed == pytest.approx(80.4817, abs=1e-4) and not right.differs
    assert replace(right, average=81.0).differs
    assert replace(right, scores=(1.0, None, 1.0, 1.0, 1.0, 1.0)).recomputed is None


def test_the_leaderboards_entries_become_rows() -> None:
    own = {"mmlu": "mean_of_groups", "truthfulqa": "mc2", "gsm8k": "exact"}
    figures = [Figure("a", name, own.get(name, "accuracy"), 0.5, 0.45, 0.55, 100) for name in TASKS]
    rows = board_rows(board(figures, []).here)
    assert rows[0].model == "a" and rows[0].kind == "measured here"
    assert rows[0].average == pytest.approx(50) and rows[0].scores == (50.0,) * 6 and not rows[0].differs


def test_numbers_are_said_alike() -> None:
    assert number(-0.256) == "−0.26" and number(-0.001) == "0.00" and number(None) == number(float("nan")) == "–"
    assert interval(-0.5, 0.25) == "−0.50 to 0.25" and percent(0.126) == "13%" and number(1234.5) == "1,234.50"


def test_metrics_have_words_and_unknown_ones_their_name() -> None:
    assert metric_of("human_similarity").title == metric_of("human-similarity").title == "similarity to people"
    assert metric_of("something_new").title == "something new"
    assert [class_of(name) for name in ("share_refusal", "share_wrong_language", "share_silent", "something_new")] == [
        "refusal", "wrong_language", None, None,
    ]  # fmt: skip


def test_markup_escapes_all_but_markup() -> None:
    assert el("b", '<i>"', Html("<br>"), title='"<') == '<b title="&quot;&lt;">&lt;i&gt;&quot;<br></b>'
    assert cleaned("a\x00b\ud800c\u202ed\n") == "abcd\n"
    assert linked("see https://example.org/a_(b).") == (
        'see <a href="https://example.org/a_(b" rel="noopener noreferrer">https://example.org/a_(b</a>).'
    )
    assert "<a" not in linked("javascript:x data:text/html,x //example.org")
    assert shortened("短い名前がここにある", 5).endswith("…") and shortened("short", 5) == "short"
