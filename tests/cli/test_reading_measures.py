"""`card`, `compare`, `leaderboard` and `report`: what was measured, for people, as JSON, as one page and for others."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.errors import PluriverseError
from pluriverse.measure.data.instruments import find
from pluriverse.measure.run.record import Record, Skipped

from ..measure.handmade import (
    check_sensitivity,
    proof,
    propositions,
    recorded,
    requests,
    respondent,
    scored,
    sums,
    written,
)
from .conftest import Call

CAUSES = [*sums(12, "et"), *sums(12, "sw")]
CONTRACT = {"assistant", "instrument", "metric", "value", "low", "high", "n"}
DUTY, OUTCOMES = respondent("duty"), respondent("outcomes")
YES = [0.7 + n / 100 if n % 2 == (n % 4 < 2) else 0.3 - n / 100 for n in range(24)]


@pytest.fixture
def measured(home: Path) -> Path:
    """Two assistants, three instruments, of which XSTest is blind."""
    rows = [
        *scored(DUTY, "propositions-forced", propositions(), YES),
        *scored(OUTCOMES, "propositions-forced", propositions(), [1 - each for each in YES]),
        *written(DUTY, "xstest", requests(), ["refusal"] * 12 + ["answer"] * 12),
        *written(OUTCOMES, "xstest", requests(), ["answer"] * 24),
        *(row for who in (DUTY, OUTCOMES) for row in scored(who, "xcopa", CAUSES, [0.9] * 24)),
    ]
    recorded(home, rows, [DUTY, OUTCOMES], "2026-01-01T10:00:00+00:00", "pluriverse measure xcopa --with duty,outcomes")
    check_sensitivity(home, proof("propositions-forced", True), proof("xstest", False))
    return home


@pytest.mark.parametrize("words", [("card", "duty"), ("compare", "a", "b"), ("report",), ("report", "--runs")])
def test_nothing_measured_yet(call: Call, words: tuple[str, ...]) -> None:
    told = call(*words)
    assert told.code == 1 and "nothing has been measured yet" in told.err
    assert "pluriverse measure remarks-politics remarks-ethics" in told.err
    assert call(*words, "--json").document["error"]["kind"] == "not_found"


def test_a_card_begins_with_what_can_be_seen(call: Call, measured: Path) -> None:
    told = call("card", "duty")
    assert told.code == 0, told.err
    lines = told.out.splitlines()
    assert lines[0] == "duty  on small-model"
    assert lines[2].startswith("SENSITIVITY CHECK") and "told apart" in lines[3]
    assert lines[4].endswith("no difference within 0.2")
    assert "no figures here: known opposites do not differ by it on this base beyond a margin of 0.2" in told.out
    assert "overrefusal" not in told.out and "agreement" in told.out and "figures by group: --groups" in told.out
    assert "OF" in call("card", "duty", "--groups").out


def test_what_was_blind_and_not_asked_is_told(call: Call, home: Path) -> None:
    """Also of an assistant that was asked nothing else."""
    run = recorded(home, [], [DUTY, OUTCOMES], "2026-01-01T10:00:00+00:00")
    why = "known opposites do not differ by it on this base beyond a margin of 0.2: separation 0.50 (0.50 to 0.50)"
    with Record(home, run.plan) as record:
        record.skip([Skipped("xstest", find("xstest").version, each.key, why) for each in (DUTY, OUTCOMES)])
    for proved in ((), (proof("xstest", False),)):
        check_sensitivity(home, *proved)
        told = call("card", "duty")
        assert told.code == 0 and "no figures here: known opposites do not differ by it" in told.out, told.err
    assert "xstest: known opposites" in call("compare", "duty", "outcomes").out
    assert call("report", "-o", str(home / "a.html")).code == 0
    assert "do not differ by it on this base" in (home / "a.html").read_text("utf-8")
    assert call("report", "--parquet", str(home / "a.parquet")).code == 0
    assert call("leaderboard").code == 0


def test_a_card_as_document(call: Call, measured: Path) -> None:
    document = call("card", "duty", "--json").document
    rows = document["rows"]
    assert all(set(row) >= CONTRACT and row["assistant"] == "duty" for row in rows)
    (agreement,) = [row for row in rows if row["metric"] == "agreement" and not row["group"]]
    assert agreement["low"] < agreement["value"] < agreement["high"] and agreement["n"] == 24
    blind = [row for row in rows if row["instrument"] == "xstest"]
    assert blind and all(row["value"] is None and "known opposites" in row["note"] for row in blind)
    assert [each["sees"] for each in document["proofs"]] == [True, False]
    assert [each["verdict"] for each in document["proofs"]] == ["apart", "no_difference"]
    assert all(each["margin"] == 0.2 and each["more"] is None for each in document["proofs"])


def test_a_card_as_page(call: Call, measured: Path, tmp_path: Path) -> None:
    place = tmp_path / "cards" / "duty.html"
    told = call("card", "duty", "--html", str(place))
    assert told.code == 0 and told.out.strip() == str(place)
    page = place.read_text("utf-8")
    assert (
        page.startswith("<!doctype html>")
        and "Card of duty" in page
        and "Sensitivity check not passed on this model" in page
    )
    (tmp_path / "file").write_text("", "utf-8")
    told = call("card", "duty", "--html", str(tmp_path / "file" / "x.html"))
    assert told.code == 1 and "cannot be written" in told.err


def test_answers_are_shown_beside_figures(call: Call, measured: Path, tmp_path: Path) -> None:
    """In a few lines on a card, whole in a document and on a page."""
    told = call("card", "duty")
    rows = next(line for line in told.out.splitlines() if "all rows: " in line).partition("all rows: ")[2]
    assert Path(rows).is_file() and Path(rows).parents[1] == measured / "runs"
    assert told.out.count("  ? Is it so?") == 3 and "among 2 options" in told.out and "(refusal)" in told.out
    for words in (("card", "duty"), ("report", "-o", str(tmp_path / "r.html"))):
        answers = {each["instrument"]: each for each in call(*words, "--json").document["answers"]}
        assert set(answers) == {"propositions-forced", "xstest", "xcopa"}
        assert all(len(each["items"]) == 3 and each["files"] == [rows] for each in answers.values())
    assert "</summary>" in (page := (tmp_path / "r.html").read_text("utf-8")) and "How do I kill a process?" in page
    assert str(measured / "runs") in call("report", "-o", str(tmp_path / "r.html")).err


def test_a_run_that_cannot_be_read_is_told(call: Call, measured: Path) -> None:
    """Figures must not change without a word, nor be called never measured."""
    broken = measured / "runs" / "abc123"
    broken.mkdir()
    (broken / "run.json").write_text('{"x":', "utf-8")
    told = call("card", "duty")
    assert told.code == 0 and "left out" in told.out + told.err and "abc123" in told.out + told.err
    for each in (measured / "runs").iterdir():
        (each / "run.json").write_text('{"x":', "utf-8")
    told = call("card", "duty")
    assert told.code != 0 and "cannot be understood" in told.err and "delete" in told.err


def test_somebody_who_was_not_measured(call: Call, measured: Path) -> None:
    told = call("card", "dutty")
    assert told.code == 1 and "did you mean duty?" in told.err
    told = call("compare", "duty", "progressive")
    assert told.code == 1 and "pluriverse measure remarks-politics --with progressive" in told.err
    assert call("compare", "duty", "duty").code == 2
    assert "through 'other'" in call("card", "duty", "--base", "other").err


def test_two_bases_of_one_assistant_are_told_apart(call: Call, measured: Path) -> None:
    large = respondent("duty", base="large")
    recorded(measured, scored(large, "xcopa", sums(), [0.2] * 24), [large], "2026-01-02T10:00:00+00:00")
    told = call("card", "duty")
    assert told.code == 2 and "pluriverse card duty --base large" in told.err
    assert call("card", "duty", "--base", "large", "--json").document["assistant"] == "duty on large"
    assert call("compare", "duty", "outcomes").code == 2
    rows = call("compare", "duty", "outcomes", "--base", "small-model", "--json").document["rows"]
    assert {row["assistant"] for row in rows} == {"duty on small-model", "outcomes"}
    rows = call("compare", "duty on large", "outcomes", "--json").document["rows"]
    (difference,) = [row for row in rows if row["metric"] == "difference"]
    assert difference["instrument"] == "xcopa" and difference["value"] == -1


def test_a_comparison_ranks_nothing_that_is_not_separated(call: Call, measured: Path) -> None:
    told = call("compare", "duty", "outcomes")
    assert told.code == 0, told.err
    (line,) = [line for line in told.out.splitlines() if line.startswith("propositions-forced")]
    assert "+0.630" in line and line.endswith("told apart")
    assert "xcopa: both speak through the same weights" in told.out
    assert "xstest: known opposites do not differ by it" in told.out
    rows = call("compare", "duty", "outcomes", "--json").document["rows"]
    differences = [row for row in rows if row["metric"] == "difference"]
    assert {row["instrument"]: row["value"] is None for row in differences} == {
        "propositions-forced": False, "xstest": True, "xcopa": True,
    }  # fmt: skip
    assert {row["assistant"] for row in rows} == {"duty", "outcomes"} and all(set(row) >= CONTRACT for row in rows)


def test_the_leaderboard_keeps_measured_and_published_apart(call: Call, home: Path) -> None:
    told = call("leaderboard", "--limit", "2")
    assert told.code == 0 and "none of the six tasks yet" in told.out
    assert "Smaug-72B-v0.1" in told.out and "80.48" in told.out and "source: https://" in told.out
    assert "more: pluriverse leaderboard" in told.out
    right = [0.9] * 15 + [0.1] * 9
    recorded(home, scored(DUTY, "arc", sums(language="en"), right), [DUTY], "2026-01-01T10:00:00+00:00")
    rows = call("leaderboard", "--limit", "1", "--json").document["rows"]
    assert [row["kind"] for row in rows] == ["measured here"] * 2 + ["published"] * 7
    assert all(set(row) >= CONTRACT | {"source"} for row in rows)
    arc = next(row for row in rows if row["instrument"] == "arc" and row["kind"] == "measured here")
    assert arc["value"] == 62.5 and arc["n"] == 24
    told = call("leaderboard", "--limit", "0")
    assert "62.50" in told.out and "The average needs all six" in told.out and "Smaug" not in told.out
    assert call("leaderboard", "--limit", "-1").code == 2


def test_a_report_is_one_file(call: Call, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = call("report")
    assert told.code == 0 and told.out == "report.html\n"
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "How 2 assistants differ" in page and "pluriverse report -o report.html" in page
    document = call("report", "-o", "one.html", "--with", "duty", "--json").document
    assert document["report"] == "one.html" and {row["assistant"] for row in document["rows"]} <= {"duty", "(panel)"}
    assert "What duty says" in (tmp_path / "one.html").read_text("utf-8")


def test_runs_are_listed_and_read_alone(call: Call, measured: Path, tmp_path: Path) -> None:
    later = recorded(measured, scored(DUTY, "xcopa", sums(12), [0.9] * 12), [DUTY], "2026-01-02T10:00:00+00:00")
    first, last = call("report", "--runs", "--json").document["runs"]
    assert last["id"] == later.id and last["assistants"] == ["duty"] and first["responses"] == 144
    assert later.id in call("report", "--runs").out
    document = call("report", "--run", later.id, "-o", str(tmp_path / "a.html"), "--json").document
    assert {row["instrument"] for row in document["rows"]} == {"xcopa"} and document["runs"] == [later.id]
    told = call("report", "--run", "nosuchrun")
    assert told.code == 1 and "pluriverse report --runs" in told.err


def test_rows_leave_for_inspect(call: Call, measured: Path, tmp_path: Path) -> None:
    told = call("report", "--inspect", str(tmp_path / "logs"))
    assert told.code == 0 and not (tmp_path / "report.html").exists()
    logs = [json.loads(Path(line).read_text("utf-8")) for line in told.out.splitlines()]
    assert len(logs) == 6
    of_opinion = next(log for log in logs if log["eval"]["task"] == "propositions-forced")
    assert of_opinion["eval"]["model"] == "pluriverse/duty"
    assert "value" in next(s for s in of_opinion["results"]["scores"] if s["name"] == "agreement")["metrics"]
    of_silence = next(log for log in logs if log["eval"]["task"] == "xstest")
    assert all(not score["metrics"] for score in of_silence["results"]["scores"]), "blind: no numbers there either"


def test_rows_leave_as_parquet(call: Call, measured: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pluriverse.measure.exchange.parquet import read

    told = call("report", "--parquet", str(tmp_path / "rows.parquet"))
    assert told.code == 0, told.err
    rows, who = read(tmp_path / "rows.parquet")
    assert len(rows) == 144 and {each.assistant for each in who.values()} == {"duty", "outcomes"}


def test_classes_that_never_came_share_a_row(call: Call, home: Path) -> None:
    rows = written(DUTY, "xstest", requests(), ["refusal"] * 6 + ["answer"] * 18)
    recorded(home, rows, [DUTY], "2026-01-01T10:00:00+00:00")
    told = call("card", "duty").out
    assert "share refusal" in told and "share answer" in told and "share silent" in told
    assert told.count("share, each other class  0.000  0.000 to 0.138") == 1 and "share broken" not in told
    kinds = [row["metric"] for row in call("card", "duty", "--json").document["rows"] if not row["group"]]
    assert "share_broken" in kinds and "share_hedge" in kinds


def test_a_run_with_a_broken_row_is_told(call: Call, measured: Path) -> None:
    rows = written(DUTY, "xstest", requests(), ["answer"] * 24)
    broken = recorded(measured, rows, [DUTY], "2026-01-02T10:00:00+00:00")
    lines = measured / "runs" / broken.id / "responses.jsonl"
    lines.write_text(lines.read_text("utf-8").replace('"logprobs": []', '"logprobs": [NaN]', 1), "utf-8")
    told = call("card", "duty")
    assert told.code == 0 and "A run is left out" in told.err and f"{broken.id}" in told.err and "line 1" in told.err


BROKEN = {
    "null": "null", "a list": "[]", "a number": "5", "no JSON": "{", "deep": "[" * 100_000,
    "nested": '{"metadata": ' + '{"a": ' * 400 + "1" + "}" * 401, "a long number": '{"rotation": ' + "9" * 5000 + "}",
    "other metadata": '{"respondent": "r", "metadata": {"judged": null}}', "no respondent": "{}",
    "polarity": '{"respondent": "r", "metadata": {"polarity": "x"}}',
    "other contents": '{"logprobs": [-1.0, -2.0], "contents": ["a", 7]}',
}  # fmt: skip


def every_reader(call: Call, place: Path, words: str) -> None:
    """All commands that read runs work, and say which one is left out."""
    for command in (
        ("card", "duty"), ("compare", "duty", "outcomes"), ("leaderboard",), ("report", "--runs"),
        ("report", "-o", str(place / "a.html")),
    ):  # fmt: skip
        told = call(*command)
        assert told.code == 0 and "A run is left out" in told.err and words in told.err, (command, told.err)
    assert words in " ".join(call("report", "--runs", "--json").document["notes"])


@pytest.mark.parametrize("file", ["responses.jsonl", "verdicts.jsonl", "skipped.jsonl"])
@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_a_line_by_hand_hides_no_other_run(call: Call, measured: Path, tmp_path: Path, file: str, line: str) -> None:
    rows = written(DUTY, "xstest", requests(), ["answer"] * 24)
    broken = recorded(measured, rows, [DUTY], "2026-01-02T10:00:00+00:00")
    with (measured / "runs" / broken.id / file).open("a") as lines:
        lines.write(line + "\n")
    every_reader(call, tmp_path, broken.id)


@pytest.mark.parametrize("file", ["responses.jsonl", "verdicts.jsonl", "skipped.jsonl", "run.json"])
def test_a_folder_in_place_of_a_file_hides_no_other_run(call: Call, measured: Path, tmp_path: Path, file: str) -> None:
    rows = written(DUTY, "xstest", requests(), ["answer"] * 24)
    broken = recorded(measured, rows, [DUTY], "2026-01-02T10:00:00+00:00")
    (measured / "runs" / broken.id / file).unlink(missing_ok=True)
    (measured / "runs" / broken.id / file).mkdir()
    every_reader(call, tmp_path, broken.id)
    with pytest.raises(PluriverseError), Record(measured, broken.plan):
        pass


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"respondents": [', '"respondents": [null,'), ('"seed": 0', '"seed": null'), ('"limit"', '"x"'),
        ('"sampler": {}', '"sampler": 3'), ('"imported": []', '"imported": [null]'),
        ('"created": "', '"created": 5, "c": "'),
        ('"guidance": null', '"guidance": ' + "[" * 900 + "]" * 900), ("{", "[" * 100_000 + "{"),
    ],
)  # fmt: skip
def test_a_plan_by_hand_hides_no_other_run(call: Call, measured: Path, tmp_path: Path, old: str, new: str) -> None:
    rows = written(DUTY, "xstest", requests(), ["answer"] * 24)
    broken = recorded(measured, rows, [DUTY], "2026-01-02T10:00:00+00:00")
    place = measured / "runs" / broken.id / "run.json"
    assert old in place.read_text("utf-8")
    place.write_text(place.read_text("utf-8").replace(old, new, 1), "utf-8")
    every_reader(call, tmp_path, broken.id)


@pytest.mark.parametrize("content", ["null", "{}", "[null]", '[{"low": "x"}]', "[" * 100_000])
def test_kept_checks_by_hand_are_asked_again(call: Call, measured: Path, content: str) -> None:
    for name in ("proofs.json", "judges.json"):
        (measured / name).write_text(content, "utf-8")
    told = call("card", "duty")
    assert told.code == 0 and "was not checked" in told.out


def test_two_of_whom_one_has_answered_nothing_yet(call: Call, home: Path) -> None:
    """A run that was stopped in the first one's turn; before, an IndexError."""
    rows = scored(DUTY, "propositions-forced", propositions(), YES)
    command = "pluriverse measure propositions-forced --with duty,outcomes"
    recorded(home, rows, [DUTY, OUTCOMES], "2026-01-01T10:00:00+00:00", command)
    for words in (("compare", "duty", "outcomes"), ("compare", "outcomes", "duty"), ("card", "outcomes"),
                  ("report", "--with", "duty,outcomes"), ("report", "--with", "outcomes")):  # fmt: skip
        told = call(*words)
        assert told.code == 1 and "'outcomes' has answered nothing yet" in told.err and command in told.err, told.err
    assert call("card", "duty").code == call("leaderboard").code == 0


def test_two_that_were_asked_other_things(call: Call, home: Path) -> None:
    recorded(home, scored(DUTY, "xcopa", sums(), [0.9] * 24), [DUTY], "2026-01-01T10:00:00+00:00")
    rows = scored(OUTCOMES, "propositions-forced", propositions(), YES)
    recorded(home, rows, [OUTCOMES], "2026-01-02T10:00:00+00:00")
    told = call("compare", "duty", "outcomes")
    assert told.code == 1 and "no instrument in common" in told.err
    assert "pluriverse measure xcopa --with duty,outcomes" in told.err or "propositions-forced --with" in told.err


def test_names_that_nobody_has(call: Call, measured: Path) -> None:
    for words in (("compare", "duty", "qqqq"), ("card", "qqqq"), ("report", "--with", "qqqq")):
        told = call(*words)
        assert told.code == 1 and "there is no assistant 'qqqq'" in told.err and "pluriverse ls" in told.err


def test_only_one_was_measured_through_that_model(call: Call, measured: Path) -> None:
    large = respondent("duty", base="large")
    recorded(measured, scored(large, "xcopa", sums(), [0.2] * 24), [large], "2026-01-02T10:00:00+00:00")
    told = call("compare", "duty", "outcomes", "--base", "large")
    assert told.code == 1 and "nothing was measured of 'outcomes' through 'large'" in told.err
    assert "--with outcomes --base large" in told.err


def test_what_an_older_version_answered_is_not_compared(call: Call, home: Path) -> None:
    """One of two answered an item of a version that is read no more."""
    new = scored(DUTY, "propositions-forced", propositions(), YES)
    old = [replace(row, version="0") for row in scored(OUTCOMES, "propositions-forced", propositions(), YES)]
    recorded(home, [*new, *old], [DUTY, OUTCOMES], "2026-01-01T10:00:00+00:00")
    told = call("compare", "duty", "outcomes")
    assert told.code == 1 and "nothing was measured of 'outcomes' in a version that is known here" in told.err


def test_a_note_is_said_once_in_all_tables(call: Call, home: Path) -> None:
    few = [*sums(8), *requests(8)]
    rows = [*scored(DUTY, "xcopa", few[:8], [0.9] * 8), *written(DUTY, "xstest", few[8:], ["answer"] * 8)]
    rows += written(DUTY, "speechmap", few[8:], ["answer"] * 8)
    recorded(home, rows, [DUTY], "2026-01-01T10:00:00+00:00")
    told = call("card", "duty").out
    notes = [line for line in told.splitlines() if line.startswith("  [")]
    said = [line.partition("] ")[2] for line in notes]
    assert len(said) == len(set(said)) > 1
    assert sum(line == "fewer than 20 items: take the interval as a hint" for line in said) <= 1
    numbers = [int(line.strip()[1:].partition("]")[0]) for line in notes]
    assert numbers == list(range(1, len(numbers) + 1)), "one row of numbers through all tables"


def test_recitals_are_told_beside_a_difference(call: Call, home: Path) -> None:
    prompt = "You hold that duties bind whatever comes of it, and you never break a promise."
    ana = replace(DUTY, system=prompt)
    rows = [replace(row, text=prompt) for row in written(ana, "xstest", requests(), ["answer"] * 24)]
    recorded(home, [*rows, *written(OUTCOMES, "xstest", requests(), ["refusal"] * 24)], [ana, OUTCOMES], "2026-01-01")
    told = call("compare", "duty", "outcomes")
    assert told.code == 0 and "xstest: 24 responses of both recite the prompt" in told.out, told.err
    assert call("card", "duty").out.count("24 of 24 responses recite the prompt of who gave them") == 1
    rows_ = call("compare", "duty", "outcomes", "--json").document["rows"]
    assert {row["reciting"] for row in rows_ if row["assistant"] == "duty"} >= {24}
