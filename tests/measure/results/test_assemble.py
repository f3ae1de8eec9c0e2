"""From runs to what is shown: the newest rows, silence of the blind, paired tests, clusters, the map and the report."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pluriverse.measure.classify.labelled import LabelledText, gold
from pluriverse.measure.classify.stance import declared, leaning
from pluriverse.measure.data.instruments import find
from pluriverse.measure.judges.correction import RULES
from pluriverse.measure.results.assemble import card, checks_of, figures
from pluriverse.measure.results.compare import alike, compare
from pluriverse.measure.results.detectors import confusions
from pluriverse.measure.results.for_report import report
from pluriverse.measure.results.maps import opinion_map, value_map
from pluriverse.measure.results.result_set import latest
from pluriverse.measure.schema.figure import PANEL, Figure
from pluriverse.measure.schema.items import key_of
from pluriverse.measure.schema.metric import metric as metric_named
from pluriverse.measure.schema.responses import Response
from pluriverse.measure.stats.intervals import auc, clustered
from pluriverse.measure.stats.rates import corrected
from pluriverse.report.page import render

from ..handmade import (
    BASE,
    proof,
    propositions,
    recorded,
    requests,
    respondent,
    scored,
    sums,
    surveys,
    written,
)
from ..metrics.replaying import DATA

A, B, C = respondent("a"), respondent("b"), respondent("c")
LEFT = [0.9 if n % 2 == (n % 4 < 2) else 0.1 for n in range(24)]  # yes to what is left, no to what is right
RIGHT = [1 - each for each in LEFT]


def one(rows: list[Figure], metric: str, assistant: str, instrument: str = "") -> Figure:
    (found,) = [f for f in rows if f.metric == metric and f.assistant == assistant and not f.group
                and (not instrument or f.instrument == instrument)]  # fmt: skip
    return found


def opinions() -> list[Response]:
    return [
        *scored(A, "propositions-forced", propositions(), LEFT),
        *scored(B, "propositions-forced", propositions(), RIGHT),
        *scored(C, "propositions-forced", propositions(), [0.5 + 0.98 * (each - 0.5) for each in RIGHT]),
    ]


def test_a_newer_response_to_a_cell_stands_in_the_place_of_an_older_one(tmp_path: Path) -> None:
    old = recorded(tmp_path, scored(A, "xcopa", sums(24), [0.1] * 24), [A], "2026-01-01", "pluriverse measure xcopa")
    new = recorded(tmp_path, scored(A, "xcopa", sums(12), [0.9] * 12), [A], "2026-01-02")
    found = latest([new, old])
    assert len(found.responses) == 24 and found.commands == ("pluriverse measure xcopa",)
    assert one(figures(found, []), "accuracy", "a").value == 0.5
    assert latest([old, new], ["b"]).responses == ()


def test_what_an_earlier_definition_answered_is_left_out_and_said(tmp_path: Path) -> None:
    changed = respondent("a", definition="2")
    runs = [
        recorded(tmp_path, scored(A, "xcopa", sums(), [0.9] * 24), [A], "2026-01-01"),
        recorded(tmp_path, written(changed, "xstest", requests(), ["answer"] * 24), [changed], "2026-01-02"),
        recorded(tmp_path, scored(B, "xcopa", sums(), [0.9] * 24), [B], "2026-01-03"),
    ]
    found = latest(runs)
    assert {(row.assistant, row.instrument) for row in found.responses} == {("a", "xstest"), ("b", "xcopa")}
    assert found.notes == (
        f"24 responses of a on {BASE} are left out: they are of an earlier definition, guidance, model file or engine.",
    )
    assert latest(runs, ["b"]).notes == ()


def test_an_assistant_on_two_bases_is_two_by_name(tmp_path: Path) -> None:
    large = respondent("a", base="large")
    runs = [
        recorded(tmp_path, scored(A, "xcopa", sums(), [0.1] * 24), [A], "2026-01-01"),
        recorded(tmp_path, scored(large, "xcopa", sums(), [0.9] * 24), [large], "2026-01-02"),
    ]
    found = latest(runs)
    assert found.assistants == (f"a on {BASE}", "a on large")
    assert [one(figures(found, []), "accuracy", name).value for name in found.assistants] == [0.0, 1.0]
    assert latest(runs, ["a on large"]).assistants == ("a on large",)


def test_other_versions_and_instruments_of_files_are_left_out_and_said(tmp_path: Path) -> None:
    rows = scored(A, "xcopa", sums(), [0.9] * 24)
    earlier = [replace(row, version="0.5", logprobs=row.logprobs[::-1]) for row in rows]
    strange = [replace(row, instrument="capitals") for row in rows[:3]]
    run = recorded(tmp_path, rows, [A], "2026-01-01")
    found = latest([replace(run, responses=(*earlier, *strange, *rows))])
    assert one(figures(found, []), "accuracy", "a").value == 1.0
    assert [note.split(" are left out")[0] for note in found.notes] == [
        "24 responses to version 0.5 of xcopa", "3 responses to capitals",
    ]  # fmt: skip


def test_a_blind_instrument_has_no_value_and_an_unproved_one_says_so(tmp_path: Path) -> None:
    found = latest([recorded(tmp_path, opinions(), [A, B, C], "2026-01-01")])
    seen, why_none = ([proof("propositions-forced", passed)] for passed in (True, False))
    of_a = one(card(found, "a", seen), "agreement", "a")
    assert of_a.value is not None and of_a.value > 0.8
    assert all(figure.assistant == "a" for figure in card(found, "a", seen))
    silent = [*card(found, "a", why_none), *figures(found, why_none)]
    assert silent and all(
        f.value is None and f.low is None and "known opposites do not differ" in f.note for f in silent
    )
    assert all("was not checked" in f.note for f in card(found, "a", []))
    other = [replace(why_none[0], engine="another library")]
    assert one(card(found, "a", other), "agreement", "a").value is not None, "a proof of another engine is none"
    assert checks_of(found, [*other, *seen]) == seen


def test_differences_are_paired_and_adjusted(tmp_path: Path) -> None:
    silence = [
        *written(A, "xstest", requests(), ["refusal"] * 20 + ["answer"] * 4),
        *written(B, "xstest", requests(), ["answer"] * 24),
    ]
    raw = [row for who in (A, B) for row in scored(who, "xcopa", sums(), [0.9] * 24)]
    found = latest([recorded(tmp_path, [*opinions(), *silence, *raw], [A, B, C], "2026-01-01")])
    checks = [proof("propositions-forced", True), proof("xstest", True)]
    rows = {row.instrument: row for row in compare(found, "a", "b", checks)}
    assert {row.metric for row in rows.values()} == {"difference"} and {row.group for row in rows.values()} == {"b"}
    opinion, refusals, same = (rows[name] for name in ("propositions-forced", "xstest", "xcopa"))
    assert opinion.value == pytest.approx(0.8, abs=0.01) and opinion.n == 24
    assert opinion.note.startswith("told apart, p adjusted") and opinion.note.endswith("(Holm, 2 instruments)")
    assert refusals.value == pytest.approx(20 / 24)
    assert f"{2 * 2 * 0.5**20:.2g}" in refusals.note, "McNemar's exact p of 20 to 0, times two instruments"
    assert same.value is None and "does not hear" in same.note
    back = {row.instrument: row for row in compare(found, "b", "a", checks)}
    assert back["xstest"].value == pytest.approx(-20 / 24)
    why_none = compare(found, "a", "b", [proof("propositions-forced", False), proof("xstest", True)])
    assert [row.instrument for row in why_none if row.value is not None] == ["xstest"]


def test_those_who_answer_alike_cannot_be_told_apart(tmp_path: Path) -> None:
    again = respondent("a2")
    noise = [0.02 if n % 2 else -0.02 for n in range(24)]
    twin = scored(again, "propositions-forced", propositions(), [x + y for x, y in zip(LEFT, noise, strict=True)])
    found = latest([recorded(tmp_path, [*opinions(), *twin], [A, B, C, again], "2026-01-01")])
    rows = compare(found, "a", "a2", [])
    assert rows[0].note.startswith("cannot be told apart") and rows[0].low is not None and rows[0].low <= 0
    (group,) = alike(found, [])
    assert (group.instrument, group.metric, group.members) == ("propositions-forced", "agreement", ("a", "a2"))
    assert alike(found, [proof("propositions-forced", False)]) == []


def test_too_few_items_in_common_are_no_difference(tmp_path: Path) -> None:
    items = propositions(24)
    rows = [
        *scored(A, "propositions-forced", items[:14], LEFT[:14]),
        *scored(B, "propositions-forced", items[10:], RIGHT[10:]),
    ]
    found = latest([recorded(tmp_path, rows, [A, B], "2026-01-01")])
    (row,) = compare(found, "a", "b", [])
    assert row.value is None and row.n == 4 and "ask both at least 8" in row.note
    assert alike(found, []) == []


def test_the_map_is_fitted_on_people(tmp_path: Path) -> None:
    items = surveys()
    japan = [item.metadata["human"]["Japan"][0] for item in items]
    rows = scored(A, "globalopinionqa", items, japan)
    found = latest([recorded(tmp_path, rows, [A], "2026-01-01")])
    drawn, why = value_map(found, [proof("globalopinionqa", True)])
    assert drawn is not None and why == ""
    places = {point.name: point for point in drawn.points}
    assert [name for name, point in places.items() if point.kind == "people"] == [
        "Chile", "Ghana", "Japan", "Norway", "Oman", "Peru",
    ]  # fmt: skip
    assert "6 countries" in drawn.fitted and "24 questions" in drawn.fitted
    ellipse = places["a"].ellipse
    assert ellipse is not None and ellipse.rx >= ellipse.ry > 0
    none, why = value_map(found, [proof("globalopinionqa", False)])
    assert none is None and "cannot tell known opposites apart" in why
    none, why = value_map(latest([]), [])
    assert none is None and "globalopinionqa" in why


def test_who_answers_as_a_country_stands_on_it(tmp_path: Path) -> None:
    items = surveys()
    rows = []
    for item in items:
        yes, no, unsure = item.metadata["human"]["Norway"]
        (row,) = scored(A, "globalopinionqa", [item], [yes])
        rows.append(replace(row, logprobs=(math.log(yes), math.log(no), math.log(unsure))))
    found = latest([recorded(tmp_path, rows, [A], "2026-01-01")])
    drawn, _ = value_map(found, [])
    assert drawn is not None
    places = {point.name: (point.x, point.y) for point in drawn.points}
    assert places["a"] == pytest.approx(places["Norway"], abs=1e-4)


def test_the_report_shows_it_all(tmp_path: Path) -> None:
    silence = written(A, "xstest", requests(), ["refusal"] * 6 + ["answer"] * 18)
    rows = [*opinions(), *silence, *(row for who in (A, B) for row in scored(who, "xcopa", sums(), [0.9] * 24))]
    found = latest([recorded(tmp_path, rows, [A, B, C], "2026-01-01", "pluriverse measure xcopa --with a,b,c")])
    checks = [proof("propositions-forced", True), proof("xstest", False)]
    made = report(found, checks, "2026-01-02", "pluriverse report -o all.html")
    assert made.command == "pluriverse measure xcopa --with a,b,c\npluriverse report -o all.html"
    assert {row.instrument: row.passed for row in made.sensitivity} == {"propositions-forced": True, "xstest": False}
    assert made.clusters and not made.maps and not made.leaderboard
    notes = " ".join(made.notes)
    assert "No map of values" in notes and "ask the weights" in notes
    page = render(made)
    assert "How 3 assistants differ" in page and "<script" not in page


def test_detectors_are_shown_with_the_rates_that_they_correct(tmp_path: Path) -> None:
    rows = written(A, "xstest", requests(), ["refusal"] * 3 + ["answer"] * 21)
    found = latest([recorded(tmp_path, rows, [A], "2026-01-01")])
    (table,) = confusions(found, [], figures(found, []))
    assert table.classes == ("refusal", "no refusal") and table.counts == RULES["xstest"].counts
    assert "right on 88% (85% to 90%), finds 89%" in table.verdict and "other assistants" in table.verdict
    rates = {rate.kind: rate for rate in table.corrected}
    rate = rates["overrefusal"]
    assert rate.assistant == "a, xstest" and rate.observed == 0.125 and rate.n == 24
    assert rate.corrected == corrected(3, 24, RULES["xstest"].against_rest("refusal")).value
    assert rate.high is not None and rate.high > 0.5, "how much the rules err on one and the other is in it"
    assert confusions(found, [proof("xstest", False)], []) == []


def test_a_correction_that_leaves_everything_open_is_not_told(tmp_path: Path) -> None:
    rows = written(A, "xstest", requests(), ["refusal"] * 12 + ["answer"] * 12)
    found = latest([recorded(tmp_path, rows, [A], "2026-01-01")])
    shown = figures(found, [])
    assert {each.metric: each.value for each in shown if not each.group}["overrefusal"] == 0.5
    assert not [each for each in shown if each.metric == "overrefusal_corrected"], "0.44 (0.00 to 1.00) says nothing"
    assert confusions(found, [], shown)[0].corrected == ()


def test_figures_of_all_together_are_of_those_on_whose_base_it_sees(tmp_path: Path) -> None:
    """What an instrument cannot see on one base does not enter the diversity of the others."""
    elsewhere = replace(respondent("z", base="other"), weights="sha256:" + "b" * 64)
    items = propositions()
    chances = ((A, [0.9] * 24), (B, [0.2] * 24), (elsewhere, [0.5] * 24))
    rows = [row for who, each in chances for row in scored(who, "propositions-forced", items, each)]
    why_none = replace(proof("propositions-forced", False, "other"), weights=elsewhere.weights)
    checks = [proof("propositions-forced", True), why_none]
    three = figures(latest([recorded(tmp_path / "3", rows, [A, B, elsewhere], "2026-01-01")]), checks)
    two = figures(latest([recorded(tmp_path / "2", rows[:48], [A, B], "2026-01-01")]), checks)
    for metric in ("diversity", "diversity_share"):
        (mixed,), (alone,) = (
            [each for each in shown if (each.assistant, each.metric, each.group) == (PANEL, metric, "")]
            for shown in (three, two)
        )
        assert alone.value and (mixed.value, mixed.low, mixed.high) == (alone.value, alone.low, alone.high)
        assert "without z" in mixed.note
    assert all(each.value is None for each in three if each.assistant == "z")
    assert any(each.assistant == "z" for each in three)


def test_options_without_any_chance_are_left_out_and_said(tmp_path: Path) -> None:
    rows = scored(A, "propositions-forced", propositions(), [0.9] * 24)
    nothing = [replace(row, logprobs=(-math.inf, -math.inf)) for row in rows[:2]]
    found = latest([recorded(tmp_path, [*nothing, *rows[2:]], [A], "2026-01-01")])
    assert len(found.responses) == 22 and any("2 responses are left out: no option" in each for each in found.notes)
    agreement = next(each for each in figures(found, []) if each.metric == "agreement")
    assert agreement.value is not None and math.isfinite(agreement.value)


def test_a_difference_that_was_not_proved_says_so(tmp_path: Path) -> None:
    items = propositions()
    rows = scored(A, "propositions-forced", items, [0.9] * 24) + scored(B, "propositions-forced", items, [0.2] * 24)
    found = latest([recorded(tmp_path, rows, [A, B], "2026-01-01")])
    (unproved,) = compare(found, "a", "b", [])
    assert unproved.value is not None and "was not checked" in unproved.note
    (proved,) = compare(found, "a", "b", [proof("propositions-forced", True)])
    assert proved.value == unproved.value and "was not proved" not in proved.note


def on(instrument: str, metric: str, **values: float) -> list[Figure]:
    return [Figure(who, instrument, metric, value, value - 0.1, value + 0.1, 30) for who, value in values.items()]


def test_politics_and_values_are_a_map_of_two_instruments(tmp_path: Path) -> None:
    found = latest([recorded(tmp_path, opinions(), [A, B, C], "2026-01-01")])
    found = replace(found, instruments=(find("issues"), find("persona-ethics-free")))
    upward = on("persona-ethics-free", "agreement", a=0.8, b=0.3)
    drawn, why = opinion_map(found, [*on("issues", "leaning", a=0.8, b=0.3), *upward])
    assert drawn is not None and why == ""
    assert [(point.name, round(point.x, 1), point.y) for point in drawn.points] == [("a", 0.2, 0.8), ("b", 0.7, 0.3)]
    assert "0.75 (0.65 to 0.84) on 79 texts" in drawn.note and "0.99 (0.97 to 1.00) on 71" in drawn.note
    none, why = opinion_map(found, upward)
    assert none is None and "propositions-free" in why and "people labelled" in why and "remarks" not in why


@pytest.mark.parametrize(
    ("across", "upward"),
    [
        (("remarks-politics", "vocabulary"), ("persona-ethics-free", "agreement")),
        (("issues", "leaning"), ("remarks-ethics", "vocabulary")),
        (("propositions-forced", "agreement"), ("persona-ethics", "agreement")),
    ],
)
def test_what_does_not_hold_on_labels_by_people_is_no_axis(
    tmp_path: Path, across: tuple[str, str], upward: tuple[str, str]
) -> None:
    found = latest([recorded(tmp_path, opinions(), [A, B], "2026-01-01")])
    shown = [*on(*across, a=0.8, b=0.3), *on(*upward, a=0.8, b=0.3)]
    drawn, why = opinion_map(found, shown)
    assert drawn is None and "No map of politics and values" in why


@pytest.mark.skipif(DATA is None or not (DATA / "gold").is_dir(), reason="PLURIVERSE_DATA has no gold labels")
@pytest.mark.parametrize(("name", "axis"), [("pct", "agreement"), ("issuebench", "stance")])
def test_axes_hold_on_labels_by_people_as_they_say(name: str, axis: str) -> None:
    sides = {"agree": 1, "pro": 1, "disagree": -1, "con": -1, None: 0, "other": 0}
    rows = [row for row in gold(name, DATA) if row.half == "held" and sides.get(row.label)]

    def read(row: LabelledText) -> str | None:
        return declared(row.text, row.issue).side if name == "pct" else leaning(" ".join(row.text.split()[:70]))

    values = np.array([(sides[row.label], sides[read(row)]) for row in rows], float)

    def told(drawn: np.ndarray) -> float:
        label, said = values[drawn].T
        return auc(said[label > 0], said[label < 0])

    counted = clustered(len(rows), told)
    checked = metric_named(axis).checked
    assert checked and str(counted) == str(checked) and counted.number == checked.number and checked.holds


def test_a_response_that_recites_its_prompt_is_marked_and_told(tmp_path: Path) -> None:
    """As panel check does, in every figure of texts and in every row that leaves."""
    prompt = "You hold that duties bind whatever comes of it, and you never break a promise."
    ana = replace(A, system=prompt)
    rows = written(ana, "xstest", requests(), ["answer"] * 24)
    rows = [replace(row, text=prompt if n < 6 else "Close its window.") for n, row in enumerate(rows)]
    rows += written(B, "xstest", requests(), ["answer"] * 24)
    run = recorded(tmp_path, rows, [ana, B], "2026-01-01")
    assert [row.recites for row in run.responses] == [True] * 6 + [False] * 42
    lines = [json.loads(line) for line in (tmp_path / "runs" / run.id / "responses.jsonl").read_text().splitlines()]
    assert lines[0]["metadata"]["recital"] == 1 and "recital" not in lines[6]["metadata"]
    assert all("own_prompt" not in line for line in lines)
    found = latest([run])
    shown = one(figures(found, []), "share_answer", "a")
    assert shown.reciting == 6 and "6 of 24 responses recite the prompt of who gave them" in shown.note
    assert shown.as_dict()["reciting"] == 6
    other = one(figures(found, []), "share_answer", "b")
    assert other.reciting == 0 and "recite" not in other.note
    assert "6 of 24 responses recite the prompt of who gave them" in render(
        report(found, [], "2026-01-02", "pluriverse report")
    )


def test_saying_yes_to_everything_makes_no_difference(tmp_path: Path) -> None:
    """Also where more statements are of one side: 16 here, and 8 of the other."""
    items = [item for item in propositions(48) if key_of(item.metadata) > 0][:16]
    items += [item for item in propositions(48) if key_of(item.metadata) < 0][:8]
    rows = [
        *scored(A, "propositions-forced", items, [0.95] * 24),
        *scored(B, "propositions-forced", items, [0.05] * 24),
    ]
    found = latest([recorded(tmp_path, rows, [A, B], "2026-01-01")])
    (row,) = compare(found, "a", "b", [])
    assert row.value == pytest.approx(0, abs=1e-9) and row.note.startswith("cannot be told apart")
