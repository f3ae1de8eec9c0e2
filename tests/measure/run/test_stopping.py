"""An instrument stops when its interval is narrow enough for everybody, goes on where it was, and says so."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.assistant import Assistant
from pluriverse.cli import main
from pluriverse.errors import UsageError
from pluriverse.measure.data.instruments import find
from pluriverse.measure.measuring import Measured, MeasureOptions, MeasureStarted, measure
from pluriverse.measure.results.assemble import figures
from pluriverse.measure.results.result_set import latest
from pluriverse.measure.run.asking import Participant
from pluriverse.measure.run.record import Plan, Run, read_run
from pluriverse.measure.run.stopping import FIRST, batches, enough, half_width, looks, stopped
from pluriverse.measure.schema.figure import Figure
from pluriverse.measure.schema.instrument import Instrument
from pluriverse.measure.schema.items import Item
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from ..handmade import recorded, respondent, scored, sums

QUIZ = Instrument(
    "quiz", "A quiz", "expertise", "1", "none", (), ("en",), "Apache-2.0", "us", ("accuracy",), "nothing"
)  # fmt: skip
TALK = replace(QUIZ, name="talk", dimension="silence", measures=("shares",))
ITEMS = {
    "quiz": [Item(f"q{n}", f"Question {n}:", "raw", (" yes", " no"), target=(n % 2,)) for n in range(150)],
    "talk": [Item(f"t{n}", f"What of {n}?", "chat", max_tokens=8, wording=w) for n in range(90) for w in ("x", "y")],
}
A, B = Assistant("ana", system="You are Ana.", base="scripted"), Assistant("bo", system="You are Bo.", base="scripted")
SAID = "items when the interval was narrow enough: intervals from stopping early are slightly too narrow"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", base="scripted", offline=True)


def run(settings: Settings, *instruments: Instrument, until: float | None = None, limit: int | None = None) -> list:
    async def go() -> list:
        async with Workspace(settings) as workspace:
            options = MeasureOptions(limit=limit, until=until)
            return [event async for event in measure(workspace, instruments, [A, B], options, ITEMS)]

    return asyncio.run(go())


def last(events: list) -> Measured:
    assert isinstance(events[-1], Measured)
    return events[-1]


def items_of(done: Measured, name: str) -> dict[str, int]:
    found: dict[str, set[str]] = {}
    for row in done.run.responses:
        if row.instrument == name:
            found.setdefault(row.assistant, set()).add(row.item)
    return {assistant: len(items) for assistant, items in found.items()}


def test_it_stops_at_a_look_and_says_so(settings: Settings) -> None:
    done = last(run(settings, QUIZ, TALK, until=0.2))
    assert items_of(done, "quiz") == items_of(done, "talk") == {"ana": FIRST, "bo": FIRST}
    assert len([row for row in done.run.responses if row.instrument == "talk"]) == 2 * 2 * FIRST  # whole items
    for each in done.figures:
        assert each.value is None or f"stopped after 40 {SAID}" in each.note
    assert done.run.plan.until == read_run(settings.home, done.run.id).plan.until == 0.2


def test_items_run_out_without_a_word(settings: Settings) -> None:
    done = last(run(settings, QUIZ, until=0.01))
    assert items_of(done, "quiz") == {"ana": 150, "bo": 150} and stopped(done.run, QUIZ) is None
    assert not [each for each in done.figures if SAID in each.note]
    few = last(run(settings, QUIZ, until=0.2, limit=40))
    assert items_of(few, "quiz") == {"ana": 40, "bo": 40} and stopped(few.run, QUIZ) is None


def test_another_width_is_another_run_and_without_one_runs_keep_their_names(settings: Settings) -> None:
    ids = {last(run(settings, QUIZ, until=until)).run.id for until in (None, 0.15, 0.2)}
    assert len(ids) == 3
    plan = Plan((("quiz", "1"),), (respondent("a"),), 10, 0)
    assert plan.id == replace(plan, until=None).id != replace(plan, until=0.1).id


def test_a_stopped_run_asks_nothing_again_and_a_cut_one_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = last(run(settings, TALK, until=0.2))
    again = run(settings, TALK, until=0.2)
    assert last(again).run.responses == done.run.responses and last(again).items_per_s == 0
    assert last(again).figures == done.figures
    lines = settings.home / "runs" / done.run.id / "responses.jsonl"
    rows = lines.read_text().splitlines(keepends=True)
    lines.write_text("".join(rows[:50]))
    assert stopped(read_run(settings.home, done.run.id), TALK) is None  # interrupted is not stopped
    asked: list[str] = []
    ask = Participant._speak

    async def counted(self: Participant, instrument: Instrument, cells: Sequence) -> list:
        asked.extend(item.id for item, _ in cells)
        return await ask(self, instrument, cells)

    monkeypatch.setattr(Participant, "_speak", counted)
    resumed = run(settings, TALK, until=0.2)
    assert next(each.kept for each in resumed if isinstance(each, MeasureStarted)) == 50
    assert len(asked) == len(rows) - 50
    assert {row.cell for row in last(resumed).run.responses} == {row.cell for row in done.run.responses}
    assert last(resumed).figures == done.figures


def test_looks_are_few_and_batches_grow_by_whole_items() -> None:
    assert list(looks(500)) == [40, 80, 160, 320, 500] and list(looks(30)) == [30] and list(looks(40)) == [40]
    assert list(batches(ITEMS["talk"], TALK, None, 0)) == [ITEMS["talk"]]
    first, second, whole = batches(ITEMS["talk"], TALK, 0.1, 0)
    assert first == ITEMS["talk"][:80] and second == ITEMS["talk"][:160] and whole == ITEMS["talk"]
    sorted_by_topic = next(batches(ITEMS["quiz"], QUIZ, 0.1, 0))
    places = [int(item.id[1:]) for item in sorted_by_topic]
    assert len(places) == 40 and max(places) > 100 and min(places) < 30
    assert places != [int(item.id[1:]) for item in next(batches(ITEMS["quiz"], QUIZ, 0.1, 1))]
    control = Item("c", "?", "chat", metadata={"control": True})
    assert control in next(batches([*ITEMS["talk"], control], TALK, 0.1, 0))


def test_everybody_must_be_narrow_and_the_rule_is_stricter_than_the_width() -> None:
    xcopa, a, b = find("xcopa"), respondent("a"), respondent("b")
    items = sums(80)
    sure, unsure = scored(a, "xcopa", items, [0.9] * 80), scored(b, "xcopa", items, [0.9, 0.1] * 40)
    assert enough(xcopa, sure, items, 0.06) and not enough(xcopa, sure + unsure, items, 0.06)
    assert enough(xcopa, sure + unsure, items, 0.12) and not enough(xcopa, sure, items, None)
    wide = Figure("a", "xcopa", "accuracy", 0.5, 0.4, 0.6, 40)
    assert half_width(wide) > 0.1 > half_width(replace(wide, low=0.45, high=0.55, n=80))
    assert half_width(replace(wide, value=None, low=None, high=None)) == float("inf")


def test_an_instrument_without_one_main_figure_asks_all() -> None:
    rows = scored(respondent("a"), "xcopa", sums(80), [0.9] * 80)
    assert not enough(replace(find("xcopa"), measures=("by_group",)), rows, sums(80), 0.4)


def stopped_run(home: Path, number: int) -> Run:
    who = respondent("a")
    found = recorded(home, scored(who, "xcopa", sums(number), [0.9] * number), [who], "2026-01-01")
    return replace(found, plan=replace(found.plan, until=0.1, limit=200))


def test_reports_say_it_unless_more_was_asked(tmp_path: Path) -> None:
    early = stopped_run(tmp_path, 40)
    found = latest([early])
    assert found.early == {"xcopa": 40}
    assert all(SAID in each.note for each in figures(found, []) if each.value is not None)
    assert stopped(stopped_run(tmp_path, 41), find("xcopa")) is None
    more = recorded(tmp_path, scored(respondent("a"), "xcopa", sums(60), [0.9] * 60), [respondent("a")], "2026-01-02")
    assert latest([early, more]).early == {}


def test_the_command_keeps_the_width(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLURIVERSE_HOME", str(tmp_path))
    monkeypatch.setenv("PLURIVERSE_BASE", "scripted")
    words = ["measure", "propositions-free", "--with", "scientist", "--no-proof", "--until", "0.2", "--json"]
    assert main(words) == 0
    plan = read_run(tmp_path, json.loads(capsys.readouterr().out)["run"]).plan
    assert (plan.until, plan.limit) == (0.2, None) and plan.command.endswith("--all-items --until 0.2 --no-proof")
    assert main([*words, "--limit", "9"]) == 0
    assert read_run(tmp_path, json.loads(capsys.readouterr().out)["run"]).plan.limit == 9
    assert main([*words[:-2], "2", "--json"]) == 2


@pytest.mark.parametrize("until", [0.0, -0.1, 0.5, float("nan")])
def test_what_is_no_half_width(until: float) -> None:
    with pytest.raises(UsageError, match="half-width"):
        MeasureOptions(until=until)
