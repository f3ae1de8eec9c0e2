"""Moves of voices whose poles are known: from the plain base, from each other, and where they have no business."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.measure.data.instruments import find
from pluriverse.measure.results.assemble import card, figures
from pluriverse.measure.results.contribution import in_company
from pluriverse.measure.results.result_set import latest
from pluriverse.measure.results.steering import steering
from pluriverse.measure.run.sensitivity import SensitivityCheck
from pluriverse.measure.schema.figure import PANEL, Figure
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import Respondent, Response

from ..handmade import BASE, proof, propositions, recorded, respondent, scored, written

OWN, OTHER, FREE = "propositions-forced", "persona-ethics", "persona-ethics-free"
LEFT, RIGHT = respondent("progressive"), respondent("conservative")
PLAIN = replace(respondent("plain"), system="")


def leaning(who: Respondent, instrument: str, lean: float, says_yes: float = 0.0) -> list[Response]:
    """`lean`: 1 gives the first pole's answer always, -1 the other's; `says_yes` is added to every statement."""
    items = [item if n % 2 else _noisy(item) for n, item in enumerate(propositions(40))]
    chances = [min(max(0.5 + lean / 2 * _key(item) * _noise(item) + says_yes / 2, 0.0), 1.0) for item in items]
    return scored(who, instrument, items, chances)


def _key(item: Item) -> int:
    return int(item.metadata["polarity"] * item.metadata["side"])


def _noisy(item: Item) -> Item:
    return replace(item, metadata={**item.metadata, "noisy": True})


def _noise(item: Item) -> float:
    return 0.8 if item.metadata.get("noisy") else 1.2  # the mean is 1


def moved(
    rows: Sequence[Response], who: Sequence[Respondent] = (LEFT, RIGHT, PLAIN), checks: Sequence[SensitivityCheck] = ()
) -> list[Figure]:
    named = [find(each) for each in dict.fromkeys(row.instrument for row in rows)]
    return steering(named, lambda each: [row for row in rows if row.instrument == each.name], who, checks)


def one(rows: Sequence[Figure], metric: str, assistant: str, group: str = "") -> Figure:
    (found,) = [each for each in rows if (each.metric, each.assistant, each.group) == (metric, assistant, group)]
    return found


def both_axes() -> list[Response]:
    """The left moves from -0.1 to 0.5 on its own axis, the right to -0.6; elsewhere all but the left stay at 0."""
    return [
        *leaning(LEFT, OWN, 0.5, 0.2), *leaning(RIGHT, OWN, -0.6), *leaning(PLAIN, OWN, -0.1),
        *leaning(LEFT, OTHER, -0.2), *leaning(RIGHT, OTHER, 0.0), *leaning(PLAIN, OTHER, 0.0),
    ]  # fmt: skip


def test_moves_from_the_base_less_moves_elsewhere() -> None:
    rows = moved(both_axes(), checks=[proof(OTHER, True)])
    for name, gain, cross in (("progressive", 0.3, -0.1), ("conservative", 0.25, 0.0)):
        own = one(rows, "steering_gain", name)
        assert own.value == pytest.approx(gain) and own.n == 40 and own.instrument == OWN
        assert own.low is not None and own.high is not None and own.low < gain < own.high
        assert "from plain, the plain base" in own.note
        assert one(rows, "steering_cross", name, OTHER).value == pytest.approx(cross, abs=1e-9)
        net = one(rows, "steering_net", name)
        assert net.value == pytest.approx(gain - abs(cross)) and net.low is not None and net.low > 0
        assert "further than elsewhere" in net.note and "not" not in net.note and net.n == 40
    assert one(rows, "pair_gain", PANEL).value == pytest.approx(0.55)
    assert one(rows, "pair_net", PANEL).value == pytest.approx(0.45)
    assert {each.instrument for each in rows} == {OWN}  # nobody here is a pole of the other one


def test_who_moves_everywhere_is_not_steered() -> None:
    rows = [*leaning(LEFT, OWN, 0.5), *leaning(PLAIN, OWN, 0), *leaning(LEFT, OTHER, 0.5), *leaning(PLAIN, OTHER, 0)]
    rows += [*leaning(RIGHT, OWN, 0.1), *leaning(RIGHT, OTHER, 0)]
    found = moved(rows)
    net = one(found, "steering_net", "progressive")
    assert net.value == pytest.approx(0, abs=1e-9) and "not shown" in net.note and "was not checked" in net.note
    backwards = one(found, "steering_gain", "conservative")
    assert backwards.value == pytest.approx(-0.05) and backwards.high is not None and backwards.high < 0
    assert "not shown" in one(found, "steering_net", "conservative").note


def test_saying_yes_to_everything_is_no_move() -> None:
    rows = [*leaning(LEFT, OWN, 0, 0.8), *leaning(RIGHT, OWN, 0, -0.8), *leaning(PLAIN, OWN, 0)]
    rows = [row for row in rows if int(row.item[2:]) % 4 != 0 or int(row.item[2:]) < 12]  # keys in unequal numbers
    found = moved(rows)
    assert one(found, "steering_gain", "progressive").value == pytest.approx(0, abs=1e-9)
    assert one(found, "pair_gain", PANEL).value == pytest.approx(0, abs=1e-9)


def test_what_is_missing_leaves_figures_out() -> None:
    rows = both_axes()
    assert moved([row for row in rows if row.assistant != "conservative"], (LEFT, PLAIN)) == []
    alone = moved([row for row in rows if row.assistant != "plain"], (LEFT, RIGHT))
    assert {each.metric for each in alone} == {"pair_gain", "pair_cross", "pair_net"}
    uncontrolled = moved([row for row in rows if row.instrument == OWN])
    assert {each.metric for each in uncontrolled} == {"steering_gain", "pair_gain"}
    assert all("moving everywhere" in each.note for each in uncontrolled)
    few = [row for row in rows if int(row.item[2:]) < 6]
    assert moved(few) == []
    other = replace(PLAIN, base="another", weights="sha256:" + "b" * 64)
    assert not [each for each in moved(rows, (LEFT, RIGHT, other)) if each.metric.startswith("steering")]
    guided = replace(PLAIN, guidance={"against": "x", "strength": 2.0})
    assert not [each for each in moved(rows, (LEFT, RIGHT, guided)) if each.metric.startswith("steering")]


def remarks(who: Respondent, instrument: str, subjects: Sequence[str]) -> list[Response]:
    items = [Item(f"q{n}", f"Question {n}?", "chat") for n in range(12)]
    rows = written(who, instrument, items, ["answer"] * len(items))
    return [replace(row, text=f"I think of {subjects[n % len(subjects)]} first.") for n, row in enumerate(rows)]


def test_the_words_of_open_questions_move_too() -> None:
    left, right = ("equality", "climate change"), ("tradition", "free market capitalism")
    neither = ("breakfast", "the weather")
    rows = [
        *remarks(LEFT, "remarks-politics", left), *remarks(RIGHT, "remarks-politics", right),
        *remarks(PLAIN, "remarks-politics", neither),
        *(row for who in (LEFT, RIGHT, PLAIN) for row in remarks(who, "remarks-ethics", neither)),
    ]  # fmt: skip
    found = moved(rows, checks=[proof("remarks-ethics", True)])
    lean = {each: one(found, "steering_gain", each).value or 0 for each in ("progressive", "conservative")}
    assert 0.1 < lean["progressive"] < 1 and 0.1 < lean["conservative"] < 1
    assert one(found, "pair_gain", PANEL).value == pytest.approx(sum(lean.values()))
    net = one(found, "steering_net", "progressive")
    assert net.value == pytest.approx(lean["progressive"]) and "not shown" not in net.note and net.n == 12
    assert one(found, "steering_cross", "progressive", "remarks-ethics").value == 0


def test_a_blind_axis_and_another_way_of_asking_are_no_controls() -> None:
    why_none = moved(both_axes(), checks=[proof(OTHER, False)])
    assert not [each for each in why_none if each.metric.endswith(("net", "cross"))]
    free = [replace(row, instrument=FREE) if row.instrument == OTHER else row for row in both_axes()]
    assert not [each for each in moved(free) if each.metric.endswith(("net", "cross"))]


def test_report_and_card_show_it_and_a_blind_instrument_shows_nothing(tmp_path: Path) -> None:
    rows, checks = both_axes(), [proof(OWN, True), proof(OTHER, True)]
    runs = [recorded(tmp_path, rows, [LEFT, RIGHT, PLAIN], "2026-01-01")]
    shown = figures(latest(runs), checks)
    assert one(shown, "steering_net", "progressive").value == pytest.approx(0.2)
    alone = latest(runs, ["progressive"])
    told = in_company(card(alone, "progressive", checks), alone, "progressive", runs, checks)
    assert one(told, "steering_net", "progressive").value == pytest.approx(0.2)
    assert one(told, "steering_cross", "progressive", OTHER).value == pytest.approx(-0.1)
    hidden = figures(latest(runs), [proof(OWN, False), proof(OTHER, True)])
    assert one(hidden, "steering_gain", "progressive").value is None
    assert one(hidden, "pair_gain", PANEL).value is None


def test_on_two_bases_each_has_its_own(tmp_path: Path) -> None:
    large = [replace(respondent(each.assistant, base="large"), system=each.system) for each in (LEFT, RIGHT, PLAIN)]
    rows = [*leaning(large[0], OWN, 0.8), *leaning(large[1], OWN, -0.8), *leaning(large[2], OWN, 0)]
    runs = [
        recorded(tmp_path, both_axes(), [LEFT, RIGHT, PLAIN], "2026-01-01"),
        recorded(tmp_path, rows, large, "2026-01-02"),
    ]
    shown = figures(latest(runs), [])
    assert one(shown, "pair_gain", PANEL, "large").value == pytest.approx(0.8)
    assert one(shown, "pair_net", PANEL, BASE).value == pytest.approx(0.45)
    assert one(shown, "steering_gain", "progressive on large").value == pytest.approx(0.4)
