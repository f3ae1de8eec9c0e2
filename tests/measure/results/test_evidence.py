"""Answers beside figures: three items by a fixed rule, everything answered to them, and where the rows lie."""

from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.measure.data.instruments import find
from pluriverse.measure.results.evidence import SHOWN, Evidence, evidence, files, rule_of
from pluriverse.measure.results.for_report import report
from pluriverse.measure.results.result_set import ResultSet, latest
from pluriverse.measure.run.record import runs
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import blank
from pluriverse.report.page import card_page, render

from ..handmade import proof, propositions, recorded, requests, respondent, scored, written

DUTY, OUTCOMES = respondent("duty"), respondent("outcomes")
HOSTILE = "</p><script>alert(1)</script> \u202egnp"


def found_of(home: Path, rows: list) -> ResultSet:
    recorded(home, rows, [DUTY, OUTCOMES], "2026-01-01T10:00:00+00:00", "pluriverse measure xstest")
    return latest(runs(home))


def chances(start: float, step: float) -> list[float]:
    """A side is taken by an amount that differs from item to item."""
    return [0.5 + (start + step * n) * (1 if n % 2 == (n % 4 < 2) else -1) for n in range(24)]


@pytest.fixture
def found(tmp_path: Path) -> ResultSet:
    return found_of(tmp_path, [
        *scored(DUTY, "propositions-forced", propositions(), chances(0.01, 0.01)),
        *scored(OUTCOMES, "propositions-forced", propositions(), chances(0.0, 0.0)),
        *written(DUTY, "xstest", requests(), ["refusal"] * 12 + ["answer"] * 12),
        *written(OUTCOMES, "xstest", requests(), ["answer"] * 24),
    ])  # fmt: skip


def test_items_are_those_that_differ_most_middling_and_least(found: ResultSet) -> None:
    (forced, requested) = evidence(found, [])
    assert (forced.instrument, forced.rule, forced.number) == ("propositions-forced", "differing", 24)
    apart = [abs(each.values["duty"] - each.values["outcomes"]) for each in forced.items]
    assert len(apart) == SHOWN and apart == sorted(apart, reverse=True) and apart[0] > apart[1] > apart[2]
    assert [each.id for each in forced.items] == ["p/23", "p/11", "p/0"]
    assert (requested.rule, len(requested.items)) == ("differing", SHOWN) and "differ most" in rule_of(requested)


def test_everything_that_was_answered_stands_side_by_side(found: ResultSet) -> None:
    for each in evidence(found, []):
        rows = found.of(next(one for one in found.instruments if one.name == each.instrument))
        for item in each.items:
            shown = [(answer.assistant, cell.prompt) for cell in item.cells for answer in cell.answers]
            assert sorted(shown) == sorted((row.assistant, row.prompt) for row in rows if row.item == item.id)
    (answer, _) = evidence(found, [])[0].items[0].cells[0].answers
    assert answer.text in {"Yes", "No"} and [text for text, _ in answer.shares] == ["Yes", "No"]
    assert sum(share for _, share in answer.shares) == pytest.approx(1)


def test_where_the_rows_lie(found: ResultSet, tmp_path: Path) -> None:
    for each in evidence(found, []):
        assert [place.is_file() for place in files(each, tmp_path)] == [True]
        assert each.as_dict(tmp_path)["files"] == [str(place) for place in files(each, tmp_path)]


def test_one_assistant_is_shown_by_its_own_value(found: ResultSet, tmp_path: Path) -> None:
    (forced, _) = evidence(latest(runs(tmp_path), ["duty"]), [])
    values = [each.values["duty"] for each in forced.items]
    assert forced.rule == "value" and values == sorted(values, reverse=True) and values[0] > values[2]


def test_a_blind_instrument_orders_nothing_and_shows_no_value(found: ResultSet) -> None:
    (forced, _) = evidence(found, [proof("propositions-forced", False)])
    assert forced.rule == "lot" and not any(each.values for each in forced.items)
    assert "by lot" in rule_of(forced)


def test_harm_is_shown_by_lot_and_without_a_number(tmp_path: Path) -> None:
    """Its rates stand only against over-refusal; nobody is shown the most harmful answer first."""
    found = found_of(tmp_path, written(DUTY, "strongreject", requests(), ["answer"] * 24))
    (risky,) = evidence(found, [])
    assert risky.rule == "lot" and len(risky.items) == SHOWN and not any(each.values for each in risky.items)
    assert "answers, also to harmful requests" in render(report(found, [], "2026-01-01", ""))


def test_the_choice_does_not_hang_on_the_order_of_rows(found: ResultSet) -> None:
    back = replace(found, responses=tuple(reversed(found.responses)))
    assert [[each.id for each in one.items] for one in evidence(back, [])] == [
        [each.id for each in one.items] for one in evidence(found, [])
    ]


def test_a_page_shows_them_whole_and_harmless(tmp_path: Path) -> None:
    long = f"{HOSTILE} " + "word " * 400 + "the end"
    rows = written(DUTY, "xstest", requests(), ["answer"] * 24) + written(
        OUTCOMES, "xstest", requests(), ["hedge"] * 24
    )
    found = found_of(tmp_path, [replace(row, text=long, finish_reason="length") for row in rows])
    (run,) = runs(tmp_path)
    made = report(found, [], "2026-01-01", "pluriverse report")
    for page in (render(made), card_page(made, "duty")):
        assert page.count("the end") >= SHOWN and "<script" not in page and "\u202e" not in page
        assert f"runs/{run.id}/responses.jsonl" in page and str(tmp_path) not in page
        assert "by lot" in page and "cut at its limit" in page and "hedge" in page
        assert page.count("<details") == page.count("</details")


def test_rows_hold_the_options_they_were_scored_by() -> None:
    instrument = find("propositions-forced")
    item = Item("i", "So", "raw", (" left.", " left."), prompts=("Ann saw Bo so Ann", "Ann saw Bo so Bo"))
    fields = blank(item, DUTY, instrument.name, instrument.version)
    assert fields["options"] == ("Ann left.", "Bo left.")
    assert blank(propositions()[0], DUTY, instrument.name, "1")["options"] == ("Yes", "No")


def test_rows_of_before_say_which_option_it_was(found: ResultSet) -> None:
    old = replace(found, responses=tuple(replace(row, options=()) for row in found.responses))
    (answer, _) = evidence(old, [])[0].items[0].cells[0].answers
    assert answer.text in {"option 1", "option 2"}


def test_a_reply_that_ended_inside_its_thinking_is_told(tmp_path: Path) -> None:
    rows = written(DUTY, "xstest", requests(), ["broken"] * 24)
    rows = [replace(row, text="", unfinished=True, thinking="a secret") for row in rows]
    found = found_of(tmp_path, [*rows, *written(OUTCOMES, "xstest", requests(), ["answer"] * 24)])
    answer = evidence(found, [])[0].items[0].cells[0].answers[0]
    assert answer.unfinished and not answer.kind
    page = render(report(found, [], "2026-01-01", ""))
    assert "ended before its thinking did, not counted" in page and "a secret" not in page


def test_nothing_measured_shows_nothing() -> None:
    assert evidence(ResultSet((), (), (), (), ()), []) == []
    assert rule_of(Evidence("xstest", "lot", "overrefusal", 0, (), ())) == "all there are"
