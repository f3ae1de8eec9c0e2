"""`measure --judges`: what is said of judge panels on the terminal, in JSON, on cards and in comparisons."""

from pathlib import Path

import pytest

from .conftest import Call

MEASURE = ("measure", "propositions-free", "--with", "progressive,conservative", "--limit", "8", "--no-proof")


def judge(folder: Path) -> str:
    place = folder / "judge.toml"
    place.write_text('[[rule]]\nreplies = ["A"]\n', "utf-8")
    return f"scripted:{place}"


def test_juries_are_named_and_so_is_what_was_not_checked(call: Call, tmp_path: Path) -> None:
    told = call(*MEASURE, "--judges", judge(tmp_path))
    assert told.code == 0 and "were not checked against people's labels" in told.out + told.err
    again = call(*MEASURE, "--judges", judge(tmp_path), "--json").document
    assert any("by scripted:" in row["note"] for row in again["rows"]) and "PLURIVERSE_DATA" in again["notes"][0]
    assert any("by scripted:" in row["note"] for row in call("card", "progressive", "--json").document["rows"])
    runs = call("report", "--runs", "--json").document["runs"]
    assert "--judges scripted:" in runs[0]["command"]


def test_a_poor_jury_gives_no_figure(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "data" / "gold" / "pct"
    place.mkdir(parents=True)
    lines = ["model,completion,pct_prompt,decision,annot1_label"]
    lines += [f"x,No {n},Proposition {n},{label}," for n in range(120) for label in ("agree", "disagree", "other")]
    (place / "human_agreement_labels.csv").write_text("\n".join(lines), "utf-8")
    monkeypatch.setenv("PLURIVERSE_DATA", str(tmp_path / "data"))
    rows = call(*MEASURE, "--judges", judge(tmp_path), "--json").document["rows"]
    agreement = next(row for row in rows if row["assistant"] == "progressive" and row["metric"] == "agreement")
    assert agreement["value"] is None and "not good enough here" in agreement["note"]
    compared = call("compare", "progressive", "conservative", "--json").document["rows"]
    (difference,) = [row for row in compared if row["metric"] == "difference"]
    assert difference["value"] is None and "not good enough here" in difference["note"]
    page = tmp_path / "report.html"
    assert call("report", "-o", str(page)).code == 0 and "not good enough here" in page.read_text("utf-8")


def test_who_would_judge_itself(call: Call) -> None:
    told = call(*MEASURE, "--judges", "scripted")
    assert told.code == 2 and "scripted would judge itself" in told.err and "other weights" in told.err
