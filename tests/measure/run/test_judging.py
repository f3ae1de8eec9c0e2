"""Judge panels in a measurement: verdicts beside responses, asked once, checked on known labels, and only then
counted."""

import asyncio
import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse import settings as settings_module
from pluriverse.assistant import Assistant
from pluriverse.assistant.bases import Base
from pluriverse.engines.scripted import ScriptedEngine
from pluriverse.errors import NotFoundError, UsageError
from pluriverse.measure.classify.labelled import confusion, gold
from pluriverse.measure.classify.rules import classify
from pluriverse.measure.classify.stance import declared
from pluriverse.measure.data.instruments import find
from pluriverse.measure.judges.correction import RULES, RULES_BY_ASSISTANT, with_corrections
from pluriverse.measure.judges.panel import Case, Judge, Vote
from pluriverse.measure.judges.prompts import JudgePrompt
from pluriverse.measure.judges.validation import (
    ITEMS,
    Answer,
    JudgeIdentity,
    JudgeValidation,
    JudgeValidations,
    reliability,
    sample,
    validation_of,
)
from pluriverse.measure.judges.verdicts import VerdictRow, about, digest, judged, marks
from pluriverse.measure.measuring import Measured, MeasureOptions, measure
from pluriverse.measure.metrics.by_name import figures_of
from pluriverse.measure.results.assemble import figures as latest_figures
from pluriverse.measure.results.detectors import panels
from pluriverse.measure.results.for_report import report
from pluriverse.measure.results.result_set import latest
from pluriverse.measure.run.judging import _split, family_of, questions
from pluriverse.measure.run.record import Run
from pluriverse.measure.schema.figure import Figure
from pluriverse.measure.schema.instrument import Instrument
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import Response
from pluriverse.measure.schema.words import UNCHECKED, judges
from pluriverse.measure.stats.misclassification import corrected_elsewhere, together
from pluriverse.measure.stats.rates import corrected
from pluriverse.report.page import render
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from ..handmade import recorded, requests, respondent, written

DATA = settings_module.load().data  # before each test gets an environment of its own
VIEWS = replace(find("propositions-free"), name="views", measures=("agreement", "shares"), opposites=None)
ABOUT = {"side": 1, "group": "", "mode": "free"}
ITEMS_OF = [
    Item(f"v/{n}", f"What do you say to number {n}?", "chat", max_tokens=40,
         metadata={**ABOUT, "polarity": 1 if n % 2 else -1, "proposition": f"Thing {n}."})
    for n in range(16)
]  # fmt: skip
# What rules cannot read: a side taken in words of its own. Odd numbers are praised, even ones are not.
VOICE = """
[[rule]]
question = "[13579]\\\\?$"
replies = ["That is a splendid thought, and high time that somebody said it."]
[[rule]]
replies = ["What a dreadful thought, and shame on whoever had it."]
"""
READER = """
[[rule]]
question = "splendid"
replies = ["A"]
[[rule]]
question = "dreadful"
replies = ["B"]
[[rule]]
replies = ["C"]
"""
ALWAYS = '[[rule]]\nreplies = ["A"]\n'


@pytest.fixture(autouse=True)
def _writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts say what a judge writes: play an engine without log-probabilities."""
    whole = ScriptedEngine.capabilities
    monkeypatch.setattr(
        ScriptedEngine, "capabilities", property(lambda self: replace(whole.fget(self), logprobs=False))
    )


@pytest.fixture
def scripts(tmp_path: Path) -> dict[str, str]:
    found = {}
    for name, text in (("voice", VOICE), ("reader", READER), ("second", READER), ("always", ALWAYS)):
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
        found[name] = f"scripted:{tmp_path / name}.toml"
    return found


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With labelled texts on propositions, as in their public file."""
    place = tmp_path / "data" / "gold" / "pct"
    place.mkdir(parents=True)
    words = {"agree": "A splendid idea.", "disagree": "A dreadful idea.", "other": "There are ideas."}
    with (place / "human_agreement_labels.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["model", "completion", "pct_prompt", "decision", "annot1_label"])
        for n in range(120):
            for label, text in words.items():
                out.writerow(["abc"[n % 3], f"{text} ({n})", f"Proposition {n}", label, ""])
    return Settings(home=tmp_path / "home", base="scripted", offline=True, data=tmp_path / "data")


def run(settings: Settings, bases: dict[str, str], judges: Sequence[str], instrument: Instrument = VIEWS) -> Measured:
    async def go() -> Measured:
        who = [Assistant(name, base=base) for name, base in bases.items()]
        async with Workspace(settings) as workspace:
            options = MeasureOptions(limit=None, judges=tuple(judges))
            events = [e async for e in measure(workspace, [instrument], who, options, {instrument.name: ITEMS_OF})]
        assert isinstance(events[-1], Measured)
        return events[-1]

    return asyncio.run(go())


def one(figures: Sequence[Figure], metric: str, assistant: str = "ana") -> Figure:
    (found,) = [each for each in figures if (each.metric, each.assistant, each.group) == (metric, assistant, "")]
    return found


@pytest.fixture
def votes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was asked for a vote, as often as that."""
    asked: list[str] = []
    read = Judge.votes

    async def counted(self: Judge, prompt: JudgePrompt, cases: Sequence[Case]) -> list[Vote]:
        asked.extend([self.name] * len(cases))
        return await read(self, prompt, cases)

    monkeypatch.setattr(Judge, "votes", counted)
    return asked


def test_juries_read_what_rules_cannot_and_rows_stay_as_they_were(settings: Settings, scripts: dict[str, str]) -> None:
    plain = run(settings, {"ana": scripts["voice"]}, [])
    folder = settings.home / "runs" / plain.run.id
    rows = (folder / "responses.jsonl").read_bytes()
    assert one(plain.figures, "neither").value == 1 and not (folder / "verdicts.jsonl").exists()
    done = run(settings, {"ana": scripts["voice"]}, [scripts["reader"], scripts["second"]])
    assert done.run.id == plain.run.id and (folder / "responses.jsonl").read_bytes() == rows
    assert one(done.figures, "neither").value == 0
    agreement = one(done.figures, "agreement")
    assert agreement.value == 1 and "read by judges" in agreement.note
    assert "proposition of 16 texts by" in agreement.note and "all alike on 100%" in agreement.note
    freed = one(done.figures, "neither_corrected")
    assert freed.value == 0 and freed.high and "known errors" in freed.note
    verdicts = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text("utf-8").splitlines()]
    assert len(verdicts) == 16 and all(each["unanimous"] and len(each["votes"]) == 2 for each in verdicts)
    assert {each["prompt"] for each in verdicts} == {"proposition"} and verdicts[0]["prompt_version"] == 1
    assert {each["label"] for each in verdicts} == {"agree", "disagree"}


def test_nothing_is_judged_twice(settings: Settings, scripts: dict[str, str], votes: list[str]) -> None:
    first = run(settings, {"ana": scripts["voice"]}, [scripts["reader"]])
    assert len(votes) == ITEMS + 16
    path = settings.home / "runs" / first.run.id / "verdicts.jsonl"
    whole = path.read_bytes()
    votes.clear()
    again = run(settings, {"ana": scripts["voice"]}, [scripts["reader"]])
    assert not votes and path.read_bytes() == whole and again.figures == first.figures
    path.write_bytes(whole[:-30])  # as a kill leaves it
    resumed = run(settings, {"ana": scripts["voice"]}, [scripts["reader"]])
    assert len(votes) == 1 and path.read_bytes() == whole and resumed.figures == first.figures
    votes.clear()
    run(settings, {"ana": scripts["voice"]}, [scripts["reader"], scripts["second"]])
    assert len(votes) == ITEMS + 2 * 16, "the second judge is checked, and both read as a judge panel"


def test_nobody_judges_itself(settings: Settings, scripts: dict[str, str], votes: list[str]) -> None:
    with pytest.raises(UsageError, match="would judge itself") as error:
        run(settings, {"ana": scripts["voice"]}, [scripts["voice"]])
    assert error.value.hint and "other weights" in error.value.hint and not votes
    done = run(settings, {"ana": scripts["voice"], "bo": scripts["reader"]}, [scripts["reader"], scripts["second"]])
    (note,) = (each for each in done.notes if "does not judge" in each)
    assert "does not judge bo" in note and "the others judge without it" in note
    assert any("checked on labelled answers to propositions (CC-BY-4.0" in each for each in done.notes)
    by_who = {row.respondent: row.assistant for row in done.run.responses}
    for each in done.run.verdict_rows:
        assert len(each.judges) == (2 if by_who[each.respondent] == "ana" else 1)
    alone = run(settings, {"ana": scripts["voice"], "bo": scripts["second"]}, [scripts["second"]])
    assert "rules alone read it" in alone.notes[0]
    assert {row.assistant for row in alone.run.judged if marks(row)} == {"ana"}


def test_a_judge_that_is_not_good_enough_gives_a_sentence(settings: Settings, scripts: dict[str, str]) -> None:
    done = run(settings, {"ana": scripts["voice"]}, [scripts["always"]])
    for metric in ("agreement", "acquiescence", "neither"):
        figure = one(done.figures, metric)
        assert figure.value is None and figure.low is None
        assert (
            figure.note.startswith("this judge is not good enough here:") and "guessing is right on 33%" in figure.note
        )
    assert one(done.figures, "share_answer").value == 1, "classes that no judge panel was asked for stay"
    better = run(settings, {"ana": scripts["voice"]}, [scripts["reader"]])
    assert one(better.figures, "agreement").value == 1
    worse = run(settings, {"ana": scripts["voice"]}, [scripts["always"]])
    assert one(worse.figures, "agreement").value == 1, "a judge panel that is good enough stands"


def test_without_labels_it_is_said(settings: Settings, scripts: dict[str, str]) -> None:
    done = run(replace(settings, data=None), {"ana": scripts["voice"]}, [scripts["reader"]])
    assert UNCHECKED in done.notes[0] and "PLURIVERSE_DATA" in done.notes[0]
    assert UNCHECKED in one(done.figures, "agreement").note


def test_wrong_juries_are_told_before_anything_is_asked(settings: Settings, scripts: dict[str, str]) -> None:
    voice, reader, second = (scripts[name] for name in ("voice", "reader", "second"))
    with pytest.raises(UsageError, match="family 'kin'"):
        run(settings, {"ana": voice}, [f"{reader}=kin", f"{second}=kin"])
    with pytest.raises(UsageError, match="4 judges"):
        run(settings, {"ana": voice}, [reader, second, scripts["always"], "scripted"])
    with pytest.raises(NotFoundError):
        run(settings, {"ana": voice}, ["no-such-model"])
    assert not (settings.home / "runs").exists()


def test_families() -> None:
    def family(name: str) -> str:
        return family_of(Base(name, None, None, "local"))

    assert family("qwen2.5-1.5b-instruct") == family("qwen1.5-7b-chat") != family("llama-2-7b-chat")
    assert family("mistral-7b-instruct-v0.2") == family("mistral-7b-instruct-v0.3")
    assert _split("hf:a/b:Q4_K_M=Qwen") == ("hf:a/b:Q4_K_M", "qwen")
    address = "https://example.org/m.gguf#sha256=abc"
    assert _split(address) == (address, "") and _split("default") == ("default", "")


def test_what_is_asked_of_which_response() -> None:
    (row,) = written(respondent("a"), "xstest", requests(1), ["hedge"])
    assert questions(find("xstest"), row) == ("class",)
    assert questions(find("xstest"), replace(row, kind="answer")) == ()
    assert questions(find("strongreject"), replace(row, kind="answer")) == ("refused", "convincing", "specific")
    assert questions(find("issues"), replace(row, kind="answer", metadata={"issue": "trams"})) == ("stance",)
    assert questions(find("issues"), replace(row, kind="refusal", metadata={"issue": "trams"})) == ()
    assert questions(find("xstest"), replace(row, kind="broken")) == questions(find("xcopa"), row) == ()


# --- from rows and verdicts to figures --------------------------------------------------------------------------------

GOOD, POOR = JudgeIdentity("good", "g", "sha256:" + "1" * 64), JudgeIdentity("poor", "p", "sha256:" + "2" * 64)


def verdict_row(row: Response, prompt: str, label: str | None, identity: JudgeIdentity = GOOD) -> VerdictRow:
    return VerdictRow(
        row.respondent,
        row.instrument,
        row.version,
        row.cell,
        digest(row.text),
        prompt,
        1,
        (identity,),
        (label,),
        label,
        False,
    )


def validation(
    identity: JudgeIdentity, prompt: str, right: int, wrong: int, labels: tuple[str, str]
) -> JudgeValidation:
    """As many of either label."""
    answers = []
    for truth, other in (labels, labels[::-1]):
        answers += [
            Answer(f"{truth}{n}", truth, truth if n < right else other, assistant="xyz"[n % 3])
            for n in range(right + wrong)
        ]
    return JudgeValidation(identity, prompt, 1, tuple(answers))


def xstest(kinds: Sequence[str]) -> list[Response]:
    return written(respondent("a"), "xstest", requests(len(kinds)), kinds)


def test_classes_that_rules_leave_open_are_the_jurys(tmp_path: Path) -> None:
    rows = xstest(["refusal"] * 8 + ["hedge"] * 8 + ["answer"] * 8)
    said = [verdict_row(row, "class", "refusal") for row in rows if row.kind == "hedge"]
    known = (validation(GOOD, "class", 28, 2, ("refusal", "no refusal")),)
    joined = judged(rows, said, known)
    assert [row.kind for row in joined] == ["refusal"] * 16 + ["answer"] * 8
    assert joined[8].metadata["class_by_rules"] == "hedge" and rows[8].kind == "hedge"
    shown = with_corrections(find("xstest"), joined, figures_of(find("xstest"), joined), known)
    counted, freed = one(shown, "overrefusal", "a"), one(shown, "overrefusal_corrected", "a")
    known_errors = reliability(known, [GOOD], "class", 1)
    assert known_errors and known_errors.good
    true = corrected_elsewhere(16, 24, [each.against_rest("refusal") for each in known_errors.detectors])
    assert true and counted.value == pytest.approx(2 / 3)
    assert (freed.value, freed.low, freed.high) == (true.value, true.low, true.high)
    plain = corrected(16, 24, known_errors.detector.against_rest("refusal"))
    assert true.value == plain.value and (true.low < plain.low or true.high > plain.high)
    unknown = (replace(known[0], answers=tuple(replace(each, assistant="") for each in known[0].answers)),)
    shown = with_corrections(find("xstest"), joined, figures_of(find("xstest"), joined), unknown)
    assert not [each for each in shown if each.metric.endswith("_corrected")], "how much errors vary is not known"
    assert "class of 8 texts by good" in counted.note


def test_a_poor_jury_leaves_classes_to_the_rules_and_their_errors() -> None:
    rows = xstest(["refusal"] * 8 + ["hedge"] * 8)
    said = [verdict_row(row, "class", "refusal", POOR) for row in rows if row.kind == "hedge"]
    known = (validation(POOR, "class", 18, 12, ("refusal", "no refusal")),)
    joined = judged(rows, said, known)
    shown = with_corrections(find("xstest"), joined, figures_of(find("xstest"), joined), known)
    assert one(shown, "overrefusal", "a").value == 0.5
    assert "not good enough here" in one(shown, "overrefusal", "a").note
    assert not [each for each in shown if each.metric == "overrefusal_corrected"], "of 16 texts nothing would be known"


def test_strongreject_counts_refusals_of_rules_and_of_judges() -> None:
    instrument = find("strongreject")
    rows = written(respondent("a"), "strongreject", requests(16), ["refusal"] * 8 + ["answer"] * 8)
    said = [
        verdict_row(row, prompt, label)
        for n, row in enumerate(rows)
        if row.kind == "answer"
        for prompt, label in (("refused", "1" if n % 2 else "0"), ("convincing", "5"), ("specific", "5"))
    ]
    joined = judged(rows, said, ())
    shown = with_corrections(instrument, joined, figures_of(instrument, joined), ())
    assert one(shown, "strongreject", "a").value == pytest.approx(0.25), "4 of 16"
    assert UNCHECKED in one(shown, "strongreject", "a").note
    poor = (validation(GOOD, "refused", 16, 14, ("1", "0")),)
    joined = judged(rows, said, poor)
    shown = with_corrections(instrument, joined, figures_of(instrument, joined), poor)
    assert one(shown, "strongreject", "a").value is None and one(shown, "compliance", "a").value == 0.5


def test_a_verdict_is_on_one_text() -> None:
    (row,) = xstest(["hedge"])
    other = replace(row, text="something else")
    assert about(row, "class") != about(other, "class")
    assert judged([other], [verdict_row(row, "class", "refusal")], ()) == [other]
    (kept,) = judged([row], [verdict_row(row, "class", None)], ())
    assert kept.kind == "hedge" and not marks(kept)["class"].unanimous


def test_majorities_are_counted_from_the_votes_of_each() -> None:
    labels = ("refusal", "no refusal")
    three = [JudgeIdentity(name, name, None) for name in "xyz"]
    validations = []
    for place, identity in enumerate(three):  # each errs on a third of its own
        answers = [
            Answer(f"{truth}{n}", truth, truth if n % 3 != place else other)
            for truth, other in (labels, labels[::-1])
            for n in range(30)
        ]
        validations.append(JudgeValidation(identity, "class", 1, tuple(answers)))
    alone, together = (reliability(tuple(validations), some, "class", 1) for some in (three[:1], three))
    assert alone and together and alone.balanced.value == pytest.approx(2 / 3) and together.balanced.value == 1
    assert not alone.good and together.good and judges(together.outcome).startswith("these judges are good enough here")
    assert reliability(tuple(validations[:2]), three, "class", 1) is None


def test_the_report_shows_the_judge_panels(settings: Settings, scripts: dict[str, str], tmp_path: Path) -> None:
    rows = xstest(["hedge"] * 24)
    run_of: Run = recorded(settings.home, rows, [respondent("a")], "2026-01-01")
    known = validation(GOOD, "class", 28, 2, ("refusal", "no refusal"))
    JudgeValidations(settings.home).keep(known)
    assert JudgeValidations(settings.home).all() == (known,)
    found = latest(
        [replace(run_of, verdict_rows=tuple(verdict_row(r, "class", "refusal") for r in rows), validations=(known,))]
    )
    (table,) = panels(found, latest_figures(found, []))
    assert table.counts == ((28, 2), (2, 28)) and table.judge.startswith("good") and "is good enough" in table.verdict
    assert {rate.observed for rate in table.corrected} == {1.0}
    page = render(report(found, [], "2026-01-02", "pluriverse report"))
    assert "Judge panels: refusals" in page and "over-refusal, corrected" in page


# --- people's labels --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(DATA is None or not (DATA / "gold").is_dir(), reason="PLURIVERSE_DATA has no gold labels")
def test_known_errors_of_rules_are_those_of_the_held_halves() -> None:
    labels = {"xstest": "full_refusal", "speechmap": "denial", "issuebench": "refusal"}
    for name, refused in labels.items():
        pairs = []
        for row in (row for row in gold(name, DATA) if row.half == "held"):
            told = classify(row.text, question=row.question, language="en", finish_reason=row.finish_reason)
            pairs.append((_refusal(row.label == refused), _refusal(told.kind == "refusal")))
        assert confusion(pairs, RULES[name].labels) == RULES[name]
        counts = {}
        for (truth, told_), row in zip(pairs, (row for row in gold(name, DATA) if row.half == "held"), strict=True):
            counts.setdefault(row.assistant, []).append((truth, told_))
        each = [confusion(part, RULES[name].labels).against_rest("refusal") for _, part in sorted(counts.items())]
        assert name not in RULES_BY_ASSISTANT or tuple(each) == RULES_BY_ASSISTANT[name]
    held = [row for row in gold("pct", DATA) if row.half == "held"]
    sides = [(row.label, declared(row.text, row.issue).side) for row in held]
    assert confusion(sides, RULES["pct"].labels) == RULES["pct"]


@pytest.mark.parametrize("name", RULES_BY_ASSISTANT)
def test_errors_by_assistant_sum_to_those_of_all(name: str) -> None:
    assert together(RULES_BY_ASSISTANT[name]) == RULES[name].against_rest("refusal")


def test_rates_are_corrected_only_where_labels_show_how_errors_vary() -> None:
    for name, shown in (("xstest", True), ("speechmap-pairs", False), ("issues", True), ("deccp", False)):
        figure = Figure("a", name, "share_refusal", 0.05, 0.03, 0.08, 240)
        found = [each for each in with_corrections(find(name), [], [figure], ()) if each.metric.endswith("_corrected")]
        assert bool(found) is shown and all("the rules' known errors" in each.note for each in found)
    half = Figure("a", "xstest", "share_refusal", 0.5, 0.4, 0.6, 96)
    assert len(with_corrections(find("xstest"), [], [half], ())) == 1, "from 0 to 1 is no news"


def _refusal(refused: bool) -> str:
    return "refusal" if refused else "no refusal"


@pytest.mark.skipif(DATA is None or not (DATA / "gold").is_dir(), reason="PLURIVERSE_DATA has no gold labels")
@pytest.mark.parametrize("prompt", ["stance", "proposition", "class", "refused"])
def test_samples_are_balanced_and_always_the_same(prompt: str) -> None:
    rows = sample(prompt, DATA)
    assert len(rows) == ITEMS and rows == sample(prompt, DATA) and all(row.half == "held" for row in rows)
    perfect = validation_of(GOOD, prompt, 1, rows, [None] * ITEMS)
    truths = [answer.truth for answer in perfect.answers]
    assert min(map(truths.count, set(truths))) >= 3
    known = reliability((perfect,), [GOOD], prompt, 1)
    assert known and known.balanced.value == 0 and not known.good, "who abstains is not right"
