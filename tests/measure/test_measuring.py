"""A run asks every cell once, goes on after any interruption, and its figures follow from its rows."""

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.assistant import Assistant
from pluriverse.assistant.strengths import Strengths
from pluriverse.errors import IntegrityError, NotFoundError, PluriverseError, UnsupportedError, UsageError
from pluriverse.measure.classify.rows import row_of
from pluriverse.measure.data.instruments import find
from pluriverse.measure.measuring import (
    Measured,
    MeasureNote,
    MeasureOptions,
    MeasureStarted,
    MeasureStep,
    measure,
    sampled,
)
from pluriverse.measure.results.assemble import card, checks_of, figures
from pluriverse.measure.results.compare import compare
from pluriverse.measure.results.for_report import report
from pluriverse.measure.results.result_set import latest
from pluriverse.measure.run.asking import Participant
from pluriverse.measure.run.record import Plan, Record, key_of, read_run, runs
from pluriverse.measure.run.respondents import participant_of
from pluriverse.measure.schema.instrument import Instrument
from pluriverse.measure.schema.items import Item, rotated
from pluriverse.measure.schema.responses import Respondent, response_of
from pluriverse.report.page import render
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from ..patience import PATIENCE_S
from .handmade import QUIZ, TALK

A, B = Assistant("ana", system="You are Ana.", base="scripted"), Assistant("bo", system="You are Bo.", base="scripted")
RAW = [Item(f"q{n}", f"Question {n}:", "raw", (" yes", " no"), target=(n % 2,)) for n in range(12)]
SAID = [Item(f"t{n}", f"What do you think of {n}?", "chat", max_tokens=12) for n in range(10)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", base="scripted", offline=True)


def run(settings: Settings, instruments: Sequence[Instrument], who: Sequence[Assistant], **options: object) -> list:
    items = {"quiz": RAW, "talk": SAID}

    async def go() -> list:
        async with Workspace(settings) as workspace:
            chosen = MeasureOptions(**{"limit": None, **options})  # type: ignore[arg-type]
            return [event async for event in measure(workspace, instruments, who, chosen, items)]

    return asyncio.run(go())


def last(events: list) -> Measured:
    assert isinstance(events[-1], Measured)
    return events[-1]


def test_every_cell_is_asked_once_and_kept(settings: Settings) -> None:
    done = last(run(settings, [QUIZ, TALK], [A, B]))
    assert len(done.run.responses) == 2 * (len(RAW) + len(SAID))
    assert {row.assistant for row in done.run.responses} == {"ana", "bo"}
    again = run(settings, [QUIZ, TALK], [A, B])
    (started,) = [event for event in again if isinstance(event, MeasureStarted)]
    assert started.kept == started.cells == 44
    assert last(again).items_per_s == 0 and last(again).run.responses == done.run.responses
    assert last(again).figures == done.figures
    assert [each.id for each in runs(settings.home)] == [done.run.id]


def test_raw_items_are_asked_once_per_base(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    score = Participant._score

    async def counted(self: Participant, instrument: Instrument, cells: Sequence) -> list:
        asked.extend((self.respondent.assistant, item.id) for item, _ in cells)
        return await score(self, instrument, cells)

    monkeypatch.setattr(Participant, "_score", counted)
    done = last(run(settings, [QUIZ], [A, B]))
    assert len(asked) == len(RAW) and len(done.run.responses) == 2 * len(RAW)
    ana, bo = ([row.logprobs for row in done.run.responses if row.assistant == name] for name in ("ana", "bo"))
    assert ana == bo


def test_a_torn_line_is_asked_again_and_nothing_else(settings: Settings) -> None:
    done = last(run(settings, [TALK], [A]))
    lines = settings.home / "runs" / done.run.id / "responses.jsonl"
    whole = lines.read_bytes()
    lines.write_bytes(whole[:-40])
    assert len(read_run(settings.home, done.run.id).responses) == len(SAID) - 1
    again = run(settings, [TALK], [A])
    assert next(event.kept for event in again if isinstance(event, MeasureStarted)) == len(SAID) - 1
    assert {row.item for row in last(again).run.responses} == {item.id for item in SAID}


def test_a_line_in_the_middle_that_is_no_response_is_told(settings: Settings) -> None:
    done = last(run(settings, [TALK], [A]))
    lines = settings.home / "runs" / done.run.id / "responses.jsonl"
    rows = lines.read_text().splitlines(keepends=True)
    rows[3] = "{}\n"
    lines.write_text("".join(rows))
    with pytest.raises(IntegrityError, match="line 4"):
        read_run(settings.home, done.run.id)
    assert runs(settings.home) == []


@pytest.mark.parametrize(
    "changes",
    [{"logprobs": "ab"}, {"logprobs": [math.nan]}, {"text": 3}, {"metadata": []}, {"draw": "0"}, {"rotation": True}],
)
def test_a_row_of_wrong_types_is_none(settings: Settings, changes: dict) -> None:
    (row, *_) = last(run(settings, [TALK], [A])).run.responses
    with pytest.raises((TypeError, ValueError)):
        response_of({**row.as_dict(), **changes})


def test_another_definition_another_run(settings: Settings) -> None:
    first = last(run(settings, [TALK], [A])).run.id
    assert last(run(settings, [TALK], [replace(A, system="You are somebody else.")])).run.id != first
    assert last(run(settings, [TALK], [A], seed=3)).run.id != first
    assert last(run(settings, [TALK], [A], limit=4)).run.id != first


def test_two_at_once_on_one_run(settings: Settings) -> None:
    done = last(run(settings, [TALK], [A]))
    with Record(settings.home, done.run.plan), pytest.raises(PluriverseError, match="another process"):
        run(settings, [TALK], [A])


def test_a_full_disk_keeps_what_was_there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    done = last(run(settings, [TALK], [A]))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with Record(settings.home, done.run.plan) as record:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(PluriverseError, match="No space left"):
            record.add(done.run.responses[:1])
    assert read_run(settings.home, done.run.id).responses == done.run.responses


def test_rows_survive_the_way_to_disk_and_back(settings: Settings) -> None:
    for row in last(run(settings, [QUIZ, TALK], [A])).run.responses:
        assert response_of(json.loads(json.dumps(row.as_dict()))) == row


@pytest.mark.parametrize(
    ("options", "words"), [({"limit": 0}, "too few"), ({"seed": -1}, "seed is -1")]
)  # fmt: skip
def test_wrong_usage_is_told(settings: Settings, options: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run(settings, [QUIZ], [A], **options)


def test_nobody_or_twice_the_same(settings: Settings) -> None:
    with pytest.raises(UsageError, match="nothing to measure"):
        run(settings, [QUIZ], [])
    with pytest.raises(UsageError, match="twice"):
        run(settings, [QUIZ], [A, A])
    with pytest.raises(NotFoundError, match="propositions-fre") as error:
        find("propositions-fre")
    assert error.value.hint and "did you mean" in error.value.hint


def test_an_engine_without_log_probabilities(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from pluriverse.engines.scripted import ScriptedEngine

    poor = replace(ScriptedEngine("scripted").capabilities, logprobs=False)
    monkeypatch.setattr(ScriptedEngine, "capabilities", property(lambda _: poor))
    with pytest.raises(UnsupportedError, match="log-probabilities"):
        run(settings, [QUIZ], [A])


def test_samples_are_spread_or_kept_balanced() -> None:
    many = [Item(f"i{n}", "?", "raw", (" a", " b")) for n in range(100)]
    ids = [item.id for item in sampled(many, QUIZ, MeasureOptions(limit=10))]
    assert ids == [f"i{n}" for n in range(0, 100, 10)]
    first = [item.id for item in sampled(many, TALK, MeasureOptions(limit=10))]
    assert first == [f"i{n}" for n in range(10)]
    other = [item.id for item in sampled(many, TALK, MeasureOptions(limit=10, seed=1))]
    assert other == [f"i{n}" for n in range(10, 20)]
    wordings = [Item("i0", str(n), "chat") for n in range(5)]
    assert len(sampled(wordings, TALK, MeasureOptions(limit=1))) == 5


def test_rotation_names_what_stands_where() -> None:
    assert rotated(("a", "b", "c"), 1) == (("b", "c", "a"), (1, 2, 0))


def test_the_name_of_a_run_follows_from_the_plan() -> None:
    who = Respondent("k", "ana", "scripted", None, None, None, "d", "", {}, None, "scripted")
    plan = Plan((("quiz", "1"),), (who,), 10, 0)
    assert plan.id == replace(plan, command="another way of writing it").id
    assert plan.id != replace(plan, limit=11).id
    assert key_of(a=1) != key_of(a=2)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_killed_in_the_middle_it_goes_on(tmp_path: Path) -> None:
    """A real process, killed while it writes; the next call asks only what is missing."""
    script = tmp_path / "slow.toml"
    script.write_text('pace = 0.02\n[[rule]]\nreplies = ["One two three four five six."]\n')
    environment = {
        **os.environ, "PLURIVERSE_HOME": str(tmp_path / "home"), "PLURIVERSE_BASE": f"scripted:{script}",
        "PLURIVERSE_OFFLINE": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "pluriverse", "measure", "propositions-free", "--with", "scientist,humanist",
               "--all-items", "--no-proof", "--json"]  # fmt: skip
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lines = None
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = list((tmp_path / "home" / "runs").glob("*/responses.jsonl"))
        if found and found[0].stat().st_size:
            (lines,) = found
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert lines is not None
    before = lines.read_bytes().splitlines()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    after = lines.read_bytes().splitlines()
    assert after[: len(before) - 1] == before[: len(before) - 1]
    cells = [(row["respondent"], row["item"], row["wording"], row["draw"]) for row in map(json.loads, after)]
    assert len(cells) == len(set(cells)) == 2 * 112
    assert json.loads(done.stdout)["rows"]


def test_figures_are_a_function_of_rows(settings: Settings) -> None:
    done = last(run(settings, [QUIZ, TALK], [A, B]))
    assert figures(latest([done.run]), ()) == list(done.figures)
    assert {figure.metric for figure in done.figures} >= {"accuracy", "share_answer"}


@pytest.mark.parametrize("swapped", [False, True])
def test_the_side_that_proves_itself_is_its_own(settings: Settings, tmp_path: Path, swapped: bool) -> None:
    """Where progressives talk as conservatives do, and they as progressives, no side may be named."""
    about = replace(find("remarks-politics"), measures=("vocabulary",))
    said = [
        "Abortion access and diversity programs matter to me.",
        "My Christian church, guns and the unborn matter most.",
    ]

    async def go() -> list:
        async with Workspace(settings) as workspace:
            who = workspace.choose(["progressive", "conservative"])
            rules = zip(who, reversed(said) if swapped else said, strict=True)
            script = tmp_path / "two.toml"
            script.write_text("".join(
                f"[[rule]]\nsystem = {json.dumps(each.system[:60])}\nreplies = [{json.dumps(text)}]\n"
                for each, text in rules
            ))  # fmt: skip
            options = MeasureOptions(8, base=f"scripted:{script}")
            return [event async for event in measure(workspace, [about], who, options)]

    (proof,) = last(asyncio.run(go())).checks
    assert proof.separation == float(not swapped) and proof.passed is not swapped


def test_a_run_keeps_what_an_instrument_of_a_file_is(settings: Settings) -> None:
    """So that cards and reports can read its responses without the file."""
    done = last(run(settings, [QUIZ], [A]))
    assert done.run.plan.imported == (QUIZ,)
    found = latest(runs(settings.home))
    assert found.instruments == (QUIZ,) and not found.notes
    assert [each.value for each in figures(found, ())] == [each.value for each in done.figures]


def test_a_respondent_is_named_by_what_it_is_asked_with(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The strength of guidance that holds on the base, not the declared one; and the sampler that is used."""
    script = tmp_path / "any.toml"
    script.write_text('[[rule]]\nreplies = ["Yes."]\n')

    async def respondent() -> Respondent:
        async with Workspace(replace(settings, base=f"scripted:{script}")) as workspace:
            (duty,) = workspace.choose(["duty"])
            return (await participant_of(workspace, duty, None, 0)).respondent

    declared = asyncio.run(respondent())
    assert declared.guidance and declared.guidance["strength"] > 1 and declared.sampler["repeat_penalty"] == 1.1
    monkeypatch.setattr(Strengths, "strength", lambda *_: 0.5)
    lowered = asyncio.run(respondent())
    assert lowered.guidance and lowered.guidance["strength"] == 0.5 and lowered.key != declared.key
    monkeypatch.setattr(Strengths, "strength", lambda *_: 0.0)
    assert asyncio.run(respondent()).guidance is None


def test_a_blind_instrument_is_not_asked(settings: Settings, tmp_path: Path) -> None:
    """Everybody says the same on this base: it is told and shown, not asked; `failed_too` asks in the same run."""
    about = replace(find("remarks-politics"), measures=("vocabulary",))

    def go(**more: bool) -> list:
        async def asked() -> list:
            async with Workspace(replace(settings, base=base)) as workspace:
                who = workspace.choose(["progressive", "conservative"])
                options = MeasureOptions(8, **more)
                return [event async for event in measure(workspace, [about, TALK], who, options, {"talk": SAID[:8]})]

        return asyncio.run(asked())

    script = tmp_path / "other.toml"
    script.write_text('[[rule]]\nreplies = ["I think that taxes should pay for health care."]\n')
    base = f"scripted:{script}"
    events = go()
    done = last(events)
    (note,) = [event.words for event in events if isinstance(event, MeasureNote)]
    words = "known opposites do not differ by it on this base beyond a margin of 0.2"
    assert note == f"remarks-politics on {base}: {words}; not asked"
    assert {row.instrument for row in done.run.responses} == {"talk"} and len(done.run.responses) == 16
    assert next(event.cells for event in events if isinstance(event, MeasureStarted)) == 16
    proving = [event for event in events if isinstance(event, MeasureStep) and event.phase == "checking"]
    assert {event.total for event in proving} == {72} and proving[-1].done == 48, "the control is not asked"
    (silent,) = [each for each in done.figures if each.instrument == about.name and each.assistant == "progressive"]
    assert silent.value is None and "separation 0.50" in silent.note

    found = latest(runs(settings.home))
    assert found.tried == (TALK, find(about.name)) and found.instruments == (TALK,)
    assert [each.note for each in card(found, "progressive", []) if each.instrument == about.name] == [silent.note]
    told = {each.instrument: each.note for each in compare(found, "progressive", "conservative", [])}
    assert told[about.name] == silent.note
    assert [each.instrument for each in checks_of(found, done.checks)] == [about.name]
    assert "do not differ by it on this base" in render(report(found, done.checks, "2026-01-02", "pluriverse report"))

    again = go()
    assert [each for each in again if isinstance(each, MeasureNote)] and len(last(again).run.skipped) == 2
    all_ = last(go(failed_too=True))
    assert all_.run.id == done.run.id and len(all_.run.responses) == 32
    assert not latest(runs(settings.home)).silent


def test_a_guided_pair_is_measured_and_proved_on_another_base(settings: Settings, tmp_path: Path) -> None:
    """Whom a voice is guided against speaks through that base too, though its file names the default."""
    script = tmp_path / "other.toml"
    script.write_text('[[rule]]\nreplies = ["I think that taxes should pay for health care."]\n')
    about = replace(find("remarks-politics"), measures=("vocabulary",))
    base = f"scripted:{script}"

    async def go() -> list:
        async with Workspace(settings) as workspace:
            who = workspace.choose(["progressive", "conservative"])
            options = MeasureOptions(8, base=base, failed_too=True)
            return [event async for event in measure(workspace, [about], who, options)]

    done = last(asyncio.run(go()))
    assert {each.base for each in done.run.plan.respondents} == {base} == {each.base for each in done.checks}
    assert all(each.guidance for each in done.run.plan.respondents) and len(done.run.responses) == 16


REFUSAL = "I'm sorry, but I can't help with that."
PLAIN = "Lower taxes let small business thrive, and that is what a town needs most of all today."
THOUGHTS = {
    "tags": f"<think>\\n{REFUSAL}\\n</think>\\n\\n{PLAIN}",
    "thought": f"<thought>{REFUSAL}</thought>{PLAIN}",
    "closed": f"{REFUSAL}\\n</think>\\n\\n{PLAIN}",
    "channels": f"<|channel|>analysis<|message|>{REFUSAL}<|end|><|start|>assistant<|channel|>final<|message|>{PLAIN}",
}


def scripted(folder: Path, name: str, reply: str, more: str = "") -> Assistant:
    place = folder / f"{name}.toml"
    place.write_text(f'[[rule]]\nreplies = ["{reply}"]\n{more}')
    return Assistant(name, system=f"You are {name}.", base=f"scripted:{place}")


def said(number: int = 10) -> list[Item]:
    return [Item(f"t{n}", f"What do you think of {n}?", "chat", max_tokens=200) for n in range(number)]


def test_thinking_is_in_no_class_and_no_figure(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = [scripted(tmp_path, "plain", PLAIN), *(scripted(tmp_path, name, text) for name, text in THOUGHTS.items())]
    monkeypatch.setattr("tests.measure.test_measuring.SAID", said())
    done = last(run(settings, [TALK], who))
    assert {(row.text, row.kind, row.unfinished) for row in done.run.responses} == {(PLAIN, "answer", False)}
    assert {row.assistant: row.thinking for row in done.run.responses} == {
        "plain": "", **dict.fromkeys(THOUGHTS, REFUSAL)
    }  # fmt: skip
    by_metric: dict[str, set] = {}
    for figure in done.figures:
        by_metric.setdefault(figure.metric, set()).add((figure.value, figure.low, figure.high, figure.n))
    assert all(len(values) == 1 for values in by_metric.values()) and by_metric["share_answer"].pop()[0] == 1


def test_a_reply_that_only_thought_counts_nowhere_and_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.measure.test_measuring.SAID", said())
    some = f'[[rule]]\nquestion = "[01]"\nreplies = ["<think>{REFUSAL}"]\n[[rule]]\nreplies = ["{PLAIN}"]'
    mixed = scripted(tmp_path, "mixed", PLAIN)
    (tmp_path / "mixed.toml").write_text(some)
    done = last(run(settings, [TALK], [scripted(tmp_path, "never", REFUSAL, "thinks = true"), mixed]))
    unfinished = [row for row in done.run.responses if row.unfinished]
    assert len(unfinished) == 12 and {row.text for row in unfinished} == {""}
    never = [each for each in done.figures if each.assistant == "never"]
    assert [each.value for each in never] == [None] and "10 of 10 replies ended before" in never[0].note
    shares = {each.metric: each for each in done.figures if each.assistant == "mixed"}
    assert shares["share_answer"].value == 1 and shares["share_answer"].n == 8
    assert "2 of 10 replies ended before their thinking did" in shares["share_refusal"].note


def test_rows_of_before_are_read_with_their_thinking_apart(settings: Settings) -> None:
    row = dict(last(run(settings, [TALK], [A])).run.responses[0].as_dict(), kind="refusal", prompt="What is it?")
    del row["thinking"], row["unfinished"]
    for text in (f"<think>{REFUSAL}</think>\n{PLAIN}", f"{REFUSAL}\n</think>\n{PLAIN}"):
        found = row_of({**row, "text": text})
        assert (found.text, found.kind, found.thinking) == (PLAIN, "answer", REFUSAL)
    cut = row_of({**row, "text": f"<think>{REFUSAL}"})
    assert (cut.text, cut.kind, cut.unfinished) == ("", "broken", True)
    assert (
        row_of({**row, "text": REFUSAL}).text == REFUSAL and row_of({**row, "kind": "", "text": "<think>x"}).kind == ""
    )
