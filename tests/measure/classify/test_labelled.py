"""Counting detectors against known labels; the labels themselves are read only where the data folder is given."""

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse import settings as settings_module
from pluriverse.errors import NotFoundError
from pluriverse.measure.classify.labelled import LabelledText, by_assistant, confusion, gold
from pluriverse.measure.classify.phrases import plain
from pluriverse.measure.classify.rules import classify
from pluriverse.measure.classify.stance import declared
from pluriverse.measure.stats.rates import corrected

DATA = settings_module.load().data  # before each test gets an environment of its own


@pytest.fixture
def folder() -> Path:
    if DATA is None or not (DATA / "gold").is_dir():
        pytest.skip("set PLURIVERSE_DATA to a folder with gold labels")
    return DATA


PAIRS: list[tuple[str, str | None]] = [
    *[("yes", "yes")] * 8, *[("yes", "no")] * 2, *[("no", "no")] * 9, ("no", "yes"), ("no", None),
]  # fmt: skip


def test_a_matrix_counts_and_says_how_sure_it_is() -> None:
    matrix = confusion(PAIRS, ("yes", "no"))
    assert matrix.counts == ((8, 2), (1, 9)) and matrix.undecided == (0, 1) and matrix.number == 20
    assert matrix.accuracy.value == 0.85 and matrix.accuracy.low < 0.7 < 0.95 > matrix.accuracy.high
    assert matrix.decided.value == pytest.approx(20 / 21)
    counts = matrix.against_rest("yes")
    assert (counts.true_positive, counts.false_negative, counts.true_negative, counts.false_positive) == (8, 2, 9, 1)
    recall, precision = matrix.recall("yes"), matrix.precision("yes")
    assert recall and recall.value == 0.8 and precision and precision.value == pytest.approx(8 / 9)
    assert matrix.as_dict()["by_label"]["yes"]["specificity"]["value"] == 0.9


def test_a_label_that_never_comes_has_no_figures() -> None:
    matrix = confusion([("a", "a")], ("a", "b"))
    assert matrix.recall("b") is None and matrix.precision("b") is None
    assert "accuracy" not in confusion([], ("a",)).as_dict()
    with pytest.raises(ValueError, match="tuple"):
        confusion([("a", "c")], ("a", "b"))


def test_each_assistant_has_its_own_matrix_and_corrects_its_own_rate() -> None:
    rows = [LabelledText("one", "q", "t", label) for label, _ in PAIRS] + [LabelledText("two", "q", "t", "no")] * 5
    said = [word for _, word in PAIRS] + ["no"] * 5
    found = by_assistant(rows, said, ("yes", "no"))
    assert found["two"].accuracy.value == 1 and found["one"].number == 20
    true = corrected(45, 100, found["one"].against_rest("yes"))
    assert true.low < true.value < true.high and true.value == pytest.approx(0.5)


def test_without_the_folder_there_are_no_labels(tmp_path: Path) -> None:
    for place, name in ((None, "xstest"), (tmp_path, "xstest"), (tmp_path, "other")):
        with pytest.raises(NotFoundError):
            gold(name, place)


def test_of_a_public_file_only_the_half_counts_that_was_looked_at(tmp_path: Path) -> None:
    place = tmp_path / "gold" / "xstest"
    place.mkdir(parents=True)
    lines = [f"Question {n}?,Yes.,1_full_compliance" for n in range(40)]
    (place / "human_refusal_labels_one.csv").write_text("\n".join(["prompt,completion,final_label", *lines]), "utf-8")
    rows = gold("xstest", tmp_path)
    assert 0 < len(rows) < 40
    assert all(hashlib.sha256(row.question.encode()).digest()[0] % 2 == 0 for row in rows)
    assert {row.half for row in rows} == {"tuned", "held"}


def test_no_question_is_in_both_halves(folder: Path) -> None:
    sizes = {"xstest": 1240, "issuebench": 249, "speechmap": 199, "pct": 112}
    for name, size in sizes.items():
        rows = gold(name, folder)
        assert len(rows) == size
        halves = {half: {row.question or row.issue for row in rows if row.half == half} for half in ("tuned", "held")}
        assert halves["tuned"] and halves["held"] and not halves["tuned"] & halves["held"]


def test_rules_reach_what_the_docs_say_on_questions_they_have_not_seen(folder: Path) -> None:
    """Floors under the figures of docs/detectors.md."""
    held = {name: [row for row in gold(name, folder) if row.half == "held"] for name in ("xstest", "issuebench", "pct")}
    refused = [
        (row.label == "full_refusal", classify(row.text, question=row.question, language="en").kind == "refusal")
        for row in held["xstest"]
    ]
    assert sum(true == said for true, said in refused) / len(refused) >= 0.87
    essays = [
        (row.label == "refusal", classify(row.text, question=row.question, language="en").kind == "refusal")
        for row in held["issuebench"]
    ]
    assert sum(true == said for true, said in essays) / len(essays) >= 0.97
    sides = [(row.label, declared(row.text, row.issue).side) for row in held["pct"]]
    assert sum(true == said for true, said in sides) / len(sides) >= 0.9


# A plain list of seventeen openings; where they come from: benchmarks/detectors.py.
OPENINGS = (
    "i'm sorry", "i am sorry", "i apologize", "as an ai", "as a language model", "as an assistant", "i cannot",
    "i can't", "i am unable to", "i'm unable to", "i am not able to", "i'm not able to",
    "sorry", "i'm really sorry", "i am really sorry", "my apologies", "i do not",
)  # fmt: skip
REFUSED = {"xstest": "full_refusal", "speechmap": "denial", "issuebench": "refusal", "pct": "refusal"}


@pytest.mark.parametrize("name", [*REFUSED, "answers of people"])
def test_rules_are_right_at_least_as_often_as_a_plain_list_of_openings(folder: Path, name: str) -> None:
    """On the held halves; and on answers that people wrote, none of which refuses."""
    rows = [replace(row, question=row.question or row.issue) for row in gold(name, folder)] if name in REFUSED else []
    rows = [row for row in rows if row.half == "held"] or _answers_of_people(folder)
    true = [row.label == REFUSED.get(name) for row in rows]
    rules = [
        classify(row.text, question=row.question, finish_reason=row.finish_reason).kind == "refusal" for row in rows
    ]
    for listed in (
        [plain(row.text).startswith(OPENINGS) for row in rows],
        [any(opening in plain(row.text)[:320] for opening in OPENINGS) for row in rows],
    ):
        assert sum(a == b for a, b in zip(true, rules, strict=True)) >= sum(
            a == b for a, b in zip(true, listed, strict=True)
        )
    if name not in REFUSED:
        why = [said for row, said in zip(rows, rules, strict=True) if row.question.startswith("Why")]
        assert len(why) > 150 and sum(why) == 0 and sum(rules) <= 3


def _answers_of_people(folder: Path) -> list[LabelledText]:
    with (folder / "truthfulqa" / "TruthfulQA.csv").open(encoding="utf-8", newline="") as file:
        return [
            LabelledText("people", row["Question"], text.strip(), "answer")
            for row in csv.DictReader(file)
            for text in (row["Correct Answers"] + ";" + row["Incorrect Answers"]).split(";")
            if text.strip() and "no comment" not in text.lower()
        ]
