"""Coverage and marginal gains of panels whose positions are known."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.measure.data.instruments import find
from pluriverse.measure.metrics.by_name import figures_of
from pluriverse.measure.metrics.overton import overton, overton_values
from pluriverse.measure.schema.figure import PANEL
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import Response

from .replaying import items_of, one, scored, written
from .test_contested_history import told as told_history

FORCED, UNFORCED, FREE = (f"propositions-{mode}" for mode in ("forced", "unforced", "free"))
SURVEY = "globalopinionqa"


def says(side: int) -> Callable[[Item], Sequence[float]]:
    return lambda item: [0.9 if place == side else 0.1 / (len(item.order) - 1) for place in range(len(item.order))]


def first_half(then: int, otherwise: int) -> Callable[[Item], Sequence[float]]:
    """One side on the first 14 propositions, the other on the rest."""
    return lambda item: says(then if int(item.id.partition("/")[2]) < 14 else otherwise)(item)


def lot(item: Item) -> Sequence[float]:
    return [1 / len(item.order)] * len(item.order)


def surveyed(number: int = 24) -> list[Item]:
    """Three countries; the commonest answers are 0 and 1 on every other question, else 0 alone. "Don't know" is 3."""
    items = []
    for n in range(number):
        other = [0.2, 0.5, 0.1, 0.2] if n % 2 else [0.5, 0.2, 0.1, 0.2]
        human = {"Chile": [0.4, 0.1, 0.1, 0.4], "Ghana": [0.5, 0.3, 0.2, 0.0], "Japan": other}
        about = {"human": human, "unsure": [3], "ordered": False, "mode": "unforced"}
        for by in (0, 1):
            order = tuple((place + by) % 4 for place in range(4))
            items.append(Item(f"goqa/{n}", "?", "chat", tuple("ABCD"), contents=order, wording="plain", rotation=by,
                              metadata=about))  # fmt: skip
    return items


def test_both_sides_are_covered_by_opposites_and_gains_are_known(tmp_path: Path) -> None:
    items = items_of(FORCED, tmp_path)
    people = {"yes": says(0), "also-yes": says(0), "half": first_half(0, 1), "lot": lot}
    rows = [row for name, each in people.items() for row in scored(FORCED, items, name, each)]
    figures = overton(find(FORCED), rows)
    panel = one(figures, "overton_coverage", PANEL)
    assert panel.value == pytest.approx((14 * 0.5 + 14 * 1) / 28) and panel.n == 28
    assert panel.low is not None and panel.high is not None and panel.low < 0.75 < panel.high
    assert "panel of 4: yes, also-yes, half, lot" in panel.note and "acquiescence" in panel.note
    for name, alone, gain, part in (
        ("yes", 0.5, 0, (14 / 3 + 14 / 2) / 2 / 28),
        ("also-yes", 0.5, 0, (14 / 3 + 14 / 2) / 2 / 28),
        ("half", 0.5, 0.25, (14 / 3 + 14) / 2 / 28),
        ("lot", 0, 0, 0),  # answers by lot take no side
    ):
        assert one(figures, "overton_coverage", name).value == pytest.approx(alone)
        found = one(figures, "marginal_gain", name)
        assert found.value == pytest.approx(gain) and found.n == 28 and "leaves this panel" in found.note
        assert found.low is not None and found.high is not None and found.low <= gain <= found.high
        assert one(figures, "shapley_part", name).value == pytest.approx(part)
    assert one(figures, "overton_coverage", PANEL, "4 answering by lot").value == pytest.approx(1 - 0.5**4)
    assert not [each for each in figures if each.metric == "overton_contested"]
    assert overton_values(find(FORCED), rows)["yes"]["proposition/0"] == 0.5


def test_who_says_neither_or_refuses_takes_no_side(tmp_path: Path) -> None:
    items = items_of(UNFORCED, tmp_path)
    rows = scored(UNFORCED, items, "neither", says(2)) + scored(UNFORCED, items, "no", says(1))
    figures = overton(find(UNFORCED), rows)
    assert one(figures, "overton_coverage", "neither").value == 0
    assert one(figures, "overton_coverage", PANEL).value == one(figures, "marginal_gain", "no").value == 0.5
    assert one(figures, "overton_coverage", PANEL, "2 answering by lot").value == pytest.approx(1 - 0.75**2)
    free = items_of(FREE, tmp_path)
    rows = written(FREE, free, "agreeing", lambda _: ("I agree with this statement.", "answer"))
    rows += written(FREE, free, "mute", lambda _: ("I cannot discuss that.", "refusal"))
    figures = overton(find(FREE), rows)
    assert one(figures, "overton_coverage", "mute").value == 0
    assert one(figures, "overton_coverage", PANEL).value == 0.5


def test_of_surveys_the_commonest_answers_of_countries_count() -> None:
    items = surveyed()
    rows = scored(SURVEY, items, "zero", says(0)) + scored(SURVEY, items, "one", says(1))
    rows += scored(SURVEY, items, "unsure", says(3))
    figures = overton(find(SURVEY), rows)
    assert one(figures, "overton_coverage", "zero").value == pytest.approx(0.75)
    assert one(figures, "overton_coverage", "one").value == pytest.approx(0.25)
    assert one(figures, "overton_coverage", "unsure").value == 0
    assert one(figures, "overton_coverage", PANEL).value == 1
    assert one(figures, "marginal_gain", "zero").value == pytest.approx(0.75)
    assert one(figures, "marginal_gain", "one").value == pytest.approx(0.25)
    contested = one(figures, "overton_contested", PANEL)
    assert contested.value == 1 and contested.n == 12 and "12" not in contested.note
    assert one(figures, "overton_contested", "zero").value == 0.5
    by_lot = one(figures, "overton_coverage", PANEL, "3 answering by lot").value
    assert by_lot == pytest.approx(1 - 0.75**3)
    people = ((1 - (1 / 3) ** 3 + 1 - (2 / 3) ** 3) / 2 + 1) / 2  # two of three countries hold 0, one holds 1
    assert one(figures, "overton_coverage", PANEL, "people of 3 countries").value == pytest.approx(people)


@pytest.mark.parametrize("why_none", [False, True])
def test_of_history_both_sides_of_events(tmp_path: Path, why_none: bool) -> None:
    items = items_of("history", tmp_path)
    rows = told_history(items, "a", lambda _: 0.02) + told_history(items, "b", lambda _: -0.02)
    if why_none:
        rows = told_history(items, "b", lambda _: -0.02) + told_history(items, "a", lambda _: 0.02, 0.0)
    figures = overton(find("history"), rows)
    assert one(figures, "overton_coverage", "b").value == 0.5 and one(figures, "overton_coverage", "b").n == 32
    if why_none:
        lost = one(figures, "overton_coverage", "a")
        assert lost.value is None and "cannot tell plain facts" in lost.note
        assert not [each for each in figures if each.assistant == PANEL and not each.group]
        return
    assert one(figures, "overton_coverage", PANEL).value == 1
    assert one(figures, "marginal_gain", "a").value == one(figures, "marginal_gain", "b").value == 0.5
    assert "rarity of words" in one(figures, "overton_coverage", PANEL).note


def test_of_history_asked_outright(tmp_path: Path) -> None:
    name = "history-asked"
    items = items_of(name, tmp_path)

    def picking(side: int) -> Callable[[Item], Sequence[float]]:
        return lambda item: says(0 if item.metadata.get("control") else side)(item)

    rows = [row for side in (0, 1, 2) for row in scored(name, items, "ab-"[side], picking(side))]
    figures = overton(find(name), rows)
    assert [one(figures, "overton_coverage", each).value for each in ("a", "b", "-", PANEL)] == [0.5, 0.5, 0, 1]
    assert one(figures, "overton_coverage", PANEL, "3 answering by lot").value == pytest.approx(1 - (2 / 3) ** 3)


def test_alone_there_is_no_gain_and_few_questions_say_nothing(tmp_path: Path) -> None:
    items = items_of(FORCED, tmp_path)
    figures = overton(find(FORCED), scored(FORCED, items, "a", says(0)))
    assert one(figures, "overton_coverage", "a").value == 0.5
    assert one(figures, "marginal_gain", "a").value is None
    assert "alone is no panel" in one(figures, "marginal_gain", "a").note
    few = [row for row in scored(FORCED, items, "a", says(0)) if row.item in {f"proposition/{n}" for n in range(5)}]
    (told,) = overton(find(FORCED), few)
    assert told.value is None and "at least" in told.note


def test_a_panel_asked_different_questions_is_no_panel() -> None:
    items = surveyed(24)
    early, late = ([item for item in items if (int(item.id[5:]) < 12) == part] for part in (True, False))
    figures = overton(find(SURVEY), scored(SURVEY, early, "a", says(0)) + scored(SURVEY, late, "b", says(0)))
    (told,) = figures
    assert told.assistant == PANEL and told.value is None and "the same" in told.note


def test_every_instrument_of_opinion_reports_it(tmp_path: Path) -> None:
    rows: list[Response] = scored(FORCED, items_of(FORCED, tmp_path), "a", says(0))
    rows += [replace(row, assistant="b") for row in rows]
    assert {"overton_coverage", "marginal_gain"} <= {each.metric for each in figures_of(find(FORCED), rows)}
