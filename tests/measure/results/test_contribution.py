"""Figures of a card that depend on company come from the newest run that had some."""

import json
from pathlib import Path

import pytest

from pluriverse.cli import main
from pluriverse.measure.results.assemble import card
from pluriverse.measure.results.contribution import in_company
from pluriverse.measure.results.for_report import report
from pluriverse.measure.results.result_set import latest
from pluriverse.measure.run.record import Run
from pluriverse.measure.schema.figure import Figure
from pluriverse.report.page import render

from ..handmade import check_sensitivity, proof, propositions, recorded, respondent, scored

A, B, C = respondent("a"), respondent("b"), respondent("c")
NAME = "propositions-forced"


def yes(who: object, chance: float) -> list:
    return scored(who, NAME, propositions(), [chance] * 24)  # type: ignore[arg-type]


def ran(home: Path) -> list[Run]:
    """a and c, who say the same; then a and b, who do not; then a alone."""
    return [
        recorded(home, yes(A, 0.9) + yes(C, 0.9), [A, C], "2026-01-01"),
        recorded(home, yes(A, 0.9) + yes(B, 0.1), [A, B], "2026-01-02"),
        recorded(home, yes(A, 0.9), [A], "2026-01-03"),
    ]


def gain(rows: list[Figure]) -> Figure:
    (found,) = [each for each in rows if each.metric == "marginal_gain"]
    return found


def test_the_gain_of_a_card_is_of_the_newest_panel(tmp_path: Path) -> None:
    runs, checks = ran(tmp_path), [proof(NAME, True)]
    found = latest(runs, ["a"])
    alone = card(found, "a", checks)
    assert gain(alone).value is None
    figures = in_company(alone, found, "a", runs, checks)
    assert gain(figures).value == pytest.approx(0.5) and "panel of 2: a, b" in gain(figures).note
    assert len(figures) == len(alone) + 1  # the Shapley part, too
    older = in_company(alone, found, "a", [runs[0], runs[2]], checks)
    assert gain(older).value == 0 and "panel of 2: a, c" in gain(older).note
    assert gain(in_company(alone, found, "a", runs[2:], checks)).value is None
    why_none = in_company(alone, found, "a", runs, [proof(NAME, False)])
    assert gain(why_none).value is None and "known opposites do not differ" in gain(why_none).note


def test_who_was_another_then_has_no_gain_from_it(tmp_path: Path) -> None:
    changed = respondent("a", definition="2")
    runs = [*ran(tmp_path)[:2], recorded(tmp_path, yes(changed, 0.9), [changed], "2026-01-04")]
    found = latest(runs, ["a"])
    assert gain(in_company(card(found, "a", []), found, "a", runs, [])).value is None


def test_the_report_shows_coverage_and_gains(tmp_path: Path) -> None:
    page = render(report(latest(ran(tmp_path)), [proof(NAME, True)], "2026-01-04", "pluriverse report"))
    assert "Overton coverage" in page and "gain to the panel" in page and "the panel together" in page
    assert "3 answering by lot" in page and "panel of 3: a, c, b" in page


def test_the_command_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLURIVERSE_HOME", str(tmp_path))
    ran(tmp_path)
    check_sensitivity(tmp_path, proof(NAME, True))
    assert main(["card", "a", "--json", "--html", str(tmp_path / "card.html")]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["value"] for row in rows if row["metric"] == "marginal_gain"] == [pytest.approx(0.5)]
    assert "gain to the panel" in (tmp_path / "card.html").read_text("utf-8")
