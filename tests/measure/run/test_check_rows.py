"""A sensitivity check says what it takes, keeps every response as it comes, and goes on after a kill."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.assistant import Assistant
from pluriverse.cli.commands.measure import show
from pluriverse.cli.terminal.output import Output
from pluriverse.measure.measuring import MeasureOptions, measure
from pluriverse.measure.run.asking import Participant
from pluriverse.measure.run.check_rows import CheckRows
from pluriverse.measure.run.events import MeasureAhead, Measured, MeasureStarted, MeasureStep
from pluriverse.measure.schema.figure import Figure
from pluriverse.measure.schema.instrument import Opposites
from pluriverse.measure.schema.items import Item
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from ...patience import PATIENCE_S
from ..handmade import TALK

ANA = Assistant("ana", system="You are Ana.", base="scripted")
ITEMS = [Item(f"t{n}", f"What of {n}?", "chat", max_tokens=12) for n in range(12)]
CHECKED = replace(TALK, opposites=Opposites("You are open.", "You are silent.", systems=True))


def run(settings: Settings, limit: int | None = None) -> list:
    async def go() -> list:
        async with Workspace(settings) as workspace:
            events = measure(workspace, [CHECKED], [ANA], MeasureOptions(limit=limit), {"talk": ITEMS})
            return [event async for event in events]

    return asyncio.run(go())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", base="scripted", offline=True)


def rows(home: Path) -> list[dict]:
    (place,) = (home / "checks").glob("*/responses.jsonl")
    return [json.loads(line) for line in place.read_text("utf-8").splitlines()]


def test_what_it_takes_is_said_before_anything_is_asked(settings: Settings) -> None:
    first, *others = run(settings, limit=4)
    assert first == MeasureAhead((("talk", "scripted"),), 36, 0, 4, 0)
    steps = [event for event in others if isinstance(event, MeasureStep) and event.phase == "checking"]
    assert [each.done for each in steps] == sorted(each.done for each in steps)
    assert steps[0].done == 0 and {each.total for each in steps} == {36} and "talk on scripted" in steps[0].words
    assert not any(isinstance(event, MeasureAhead) for event in run(settings, limit=4))  # it is known now


def test_every_response_is_kept_and_nothing_is_asked_twice(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped anywhere: in the first voice, in the second, after it."""
    asked: list[tuple[str, str]] = []
    texts = Participant._texts

    async def counted(self, instrument, cells):  # type: ignore[no-untyped-def]
        async for place, response in texts(self, instrument, cells):
            if len(asked) in stops:
                stops.remove(len(asked))
                raise KeyboardInterrupt
            asked.append((response.respondent, response.item))
            yield place, response

    stops = [3, 12, 17]
    monkeypatch.setattr(Participant, "_texts", counted)
    for done in (3, 12, 17):
        with pytest.raises(KeyboardInterrupt):
            run(settings)
        assert len(rows(settings.home)) == done
    ahead, *_ = run(settings)
    assert isinstance(ahead, MeasureAhead) and ahead.check_kept == 17
    checks = [each for each in asked if each[0] in {"a", "b", "again"}]
    assert len(checks) == len(set(checks)) == len(rows(settings.home)) == 24


def test_the_verdict_is_the_same_as_without_an_interruption(settings: Settings, tmp_path: Path) -> None:
    whole = run(replace(settings, home=tmp_path / "other"))[-1].checks
    run(settings)
    (place,) = (settings.home / "checks").glob("*/responses.jsonl")
    lines = place.read_bytes().splitlines(keepends=True)
    place.write_bytes(b"".join(reversed(lines[5:])) + lines[0][:40])  # out of order, and a torn end
    (settings.home / "proofs.json").unlink()
    assert run(settings)[-1].checks == whole


def test_what_the_control_was_told_changes_nothing_of_the_opposites(settings: Settings, tmp_path: Path) -> None:
    """Words of prompts do not count: those of the voice asked last are not known before it is asked."""
    script = tmp_path / "sides.toml"
    script.write_text('[[rule]]\nsystem = "open"\nreplies = ["Would."]\n[[rule]]\nreplies = ["Tradition."]\n')
    vocabulary = replace(CHECKED, measures=("vocabulary",), options={"scale": "politics"})
    settings = replace(settings, base=f"scripted:{script}")

    def checks() -> tuple:
        async def go() -> tuple:
            async with Workspace(settings) as workspace:
                ana = replace(ANA, base=settings.base)
                events = measure(workspace, [vocabulary], [ana], MeasureOptions(), {"talk": ITEMS})
                return [event async for event in events][-1].checks

        return asyncio.run(go())

    whole = checks()
    assert whole[0].control is not None and {each["respondent"] for each in rows(settings.home)} == {"a", "b", "again"}
    (settings.home / "proofs.json").unlink()
    assert checks() == whole


def test_what_a_check_found_holds_where_nothing_is_checked(settings: Settings) -> None:
    """`--no-proof` asks no opposites; figures are withheld by what was found of them before, as on a card."""
    (check,) = run(settings)[-1].checks
    assert not check.passed

    async def go() -> Measured:
        async with Workspace(settings) as workspace:
            options = MeasureOptions(check_sensitivity=False)
            events = [event async for event in measure(workspace, [CHECKED], [ANA], options, {"talk": ITEMS})]
            assert isinstance(events[-1], Measured)
            return events[-1]

    measured = asyncio.run(go())
    assert measured.run.responses and measured.checks == (check,)
    assert measured.figures and all(each.value is None for each in measured.figures)


@pytest.mark.parametrize("both", [True, False])
def test_blind_on_one_base_hides_nothing_of_the_other(
    settings: Settings, capsys: pytest.CaptureFixture[str], both: bool
) -> None:
    measured = run(settings)[-1]
    (why_none,) = measured.checks
    other = replace(
        why_none, base="other", separation=0.9, low=0.8, high=1.0, control=0.5, control_low=0.4, control_high=0.6
    )
    assert other.passed and not why_none.passed
    shown = [
        Figure("ana", "talk", "share_answer", 0.25, 0.1, 0.5, 12),
        Figure("bo", "talk", "share_answer", None, None, None, 12),
    ]
    checks = (why_none, why_none if both else other)
    show(replace(measured, figures=tuple(shown), checks=checks), [CHECKED], Output())
    said = capsys.readouterr().out
    assert ("0.250" in said) is not both and ("no figures here" in said) is both


def test_rows_that_cannot_be_read_are_asked_again(settings: Settings) -> None:
    run(settings)
    (place,) = (settings.home / "checks").glob("*/responses.jsonl")
    place.write_text("{}\n" + place.read_text("utf-8"), "utf-8")
    (settings.home / "proofs.json").unlink()
    assert next(each for each in run(settings) if isinstance(each, MeasureAhead)).check_kept == 0
    assert len(rows(settings.home)) == 24


def test_two_at_once_do_not_wait_for_one_another(tmp_path: Path) -> None:
    with CheckRows(tmp_path, "talk", {}, seed=0) as first, CheckRows(tmp_path, "talk", {}, seed=0) as second:
        assert first.folder == second.folder
        second.add([])
    assert first.path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_killed_in_the_middle_it_goes_on(tmp_path: Path) -> None:
    """A real process."""
    script = tmp_path / "slow.toml"
    replies = json.dumps([" ".join(["word"] * number) for number in range(2, 24, 4)])
    script.write_text(f"pace = 0.03\n[[rule]]\nreplies = {replies}\n")
    environment = {
        **os.environ, "PLURIVERSE_HOME": str(tmp_path / "home"), "PLURIVERSE_BASE": f"scripted:{script}",
        "PLURIVERSE_OFFLINE": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "pluriverse", "measure", "propositions-free", "--with", "scientist", "--limit",
               "2", "--json"]  # fmt: skip
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + PATIENCE_S
    before: list[dict] = []
    while time.monotonic() < deadline and not before:
        time.sleep(0.02)
        if list((tmp_path / "home" / "checks").glob("*/responses.jsonl")):
            before = [each for each in rows(tmp_path / "home") if each]
    process.send_signal(signal.SIGKILL)
    _, said = process.communicate()
    assert b"first a sensitivity check of propositions-free: at most 144 questions; then at most " in said
    before = rows(tmp_path / "home")
    assert 0 < len(before) < 144
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"{len(before)} of them answered already" in done.stderr
    after = rows(tmp_path / "home")
    assert after[: len(before)] == before
    assert len({(each["respondent"], each["item"], each["wording"]) for each in after}) == len(after)
    assert next(iter(json.loads(done.stdout)["proofs"]))["asked"] > 0


def test_the_run_begins_where_it_was_said(settings: Settings) -> None:
    events = run(settings, limit=4)
    (ahead,) = [each for each in events if isinstance(each, MeasureAhead)]
    (started,) = [each for each in events if isinstance(each, MeasureStarted)]
    assert started.cells <= ahead.cells and started.kept == ahead.kept == 0
