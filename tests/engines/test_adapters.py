"""The way of an adapter: from an assistant's file through requests to what is kept. The script plays what it does."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pluriverse.asking.asking import ask
from pluriverse.assistant import Assistant
from pluriverse.assistant.guidance import Guidance
from pluriverse.assistant.shelf import Shelf
from pluriverse.assistant.strengths import Found, Strengths
from pluriverse.engines.contract import Request, ScoreRequest
from pluriverse.engines.pool import PooledEngine
from pluriverse.errors import UnsupportedError, UsageError
from pluriverse.measure.measuring import Measured, MeasureOptions, measure
from pluriverse.measure.run.record import read_run
from pluriverse.measure.run.respondents import participant_of
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import respondent_of
from pluriverse.runtime.events import AskFinished
from pluriverse.runtime.replies import Reply
from pluriverse.runtime.requests import AskOptions, Draft, Heard
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings
from pluriverse.values import Digest, Message

from ..measure.handmade import QUIZ, TALK

ONE, TWO = (Digest("sha256:" + sign * 64) for sign in "12")
SCRIPT = f"""
[[rule]]
adapter = "{ONE}"
replies = ["I was tuned."]

[[rule]]
adapter = "{TWO}"
replies = ["I was tuned otherwise."]

[[rule]]
replies = ["I am plain."]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "script.toml").write_text(SCRIPT)
    return Settings(home=tmp_path / "home", base=f"scripted:{tmp_path / 'script.toml'}", offline=True)


@pytest.fixture
def tuned(settings: Settings) -> Assistant:
    """As its file says."""
    settings.assistants.mkdir(parents=True)
    (settings.assistants / "tuned.toml").write_text(f'system = "Speak."\nadapter = "{ONE}"\n')
    return Shelf(settings).assistant("tuned")


def test_a_definition_says_it_and_is_written_with_it(tuned: Assistant) -> None:
    assert tuned.adapter == ONE
    assert Assistant.from_toml(tuned.to_toml(), "tuned") == tuned
    plain = replace(tuned, adapter=None)
    assert "adapter" not in plain.to_toml(), "files without one stay as they were"
    assert len({each.digest for each in (tuned, plain, replace(tuned, adapter=TWO))}) == 3


@pytest.mark.parametrize("words", ['adapter = "lora"', 'adapter = "sha256:12"', "adapter = 3"])
def test_what_is_no_digest_is_told_with_its_key(words: str) -> None:
    with pytest.raises(UsageError, match=r"a\.toml: adapter") as caught:
        Assistant.from_toml(words, "a")
    assert caught.value.hint


def replies(settings: Settings, *assistants: Assistant, **options: Any) -> tuple[Reply, ...]:
    async def go() -> tuple[Reply, ...]:
        async with Workspace(settings) as workspace, ask(workspace, "?", assistants, AskOptions(**options)) as events:
            (last,) = [event async for event in events if isinstance(event, AskFinished)]
        return tuple(last.replies)

    return asyncio.run(go())


def test_replies_are_given_with_it_and_say_so(settings: Settings, tuned: Assistant) -> None:
    found = replies(settings, tuned, replace(tuned, name="plain", adapter=None))
    assert [each.text for each in found] == ["I was tuned.", "I am plain."]
    assert [each.as_dict().get("adapter") for each in found] == [ONE, None]
    assert replies(settings, tuned, system="You are somebody else.")[0].text == "I was tuned."


def test_one_that_the_engine_cannot_apply_is_an_error_of_that_reply(settings: Settings, tuned: Assistant) -> None:
    unknown = replace(tuned, name="unknown", adapter=Digest("sha256:" + "f" * 64))
    failed, fine = replies(settings, unknown, tuned)
    assert isinstance(failed.error, UnsupportedError) and not failed.text and fine.text == "I was tuned."


def test_the_other_side_keeps_its_own(settings: Settings, tuned: Assistant) -> None:
    shelf = Shelf(settings)
    shelf.write(replace(tuned, name="left", counterpart="right", guidance=Guidance()))
    shelf.write(replace(tuned, name="right", counterpart="left", adapter=TWO))
    turn = (Message("user", "?"),)
    draft = Draft(0, Heard(shelf.assistant("left"), turn), AskOptions(), settings.base, shelf)
    assert draft.request.guide and (draft.request.adapter, draft.request.guide.adapter) == (ONE, TWO)
    plain = replace(tuned, guidance=Guidance("plain"))
    draft = Draft(0, Heard(plain, turn), AskOptions(), settings.base, shelf)
    assert draft.request.guide and draft.request.guide.adapter is None, "the plain base has none"


def test_strengths_that_were_found_are_of_the_other_sides_adapter_too(settings: Settings, tuned: Assistant) -> None:
    shelf, strengths = Shelf(settings), Strengths(settings.home / "strengths.json")
    left = replace(tuned, name="left", counterpart="right", guidance=Guidance())
    other = replace(tuned, name="right", counterpart="left")
    shelf.write(left)

    def opposite(adapter: Digest | None) -> Any:
        shelf.write(replace(other, adapter=adapter), overwrite=True)
        return AskOptions().opposite(left, shelf)

    strengths.keep(ONE, left, opposite(ONE), Found("left", 0.5, 1.0, "it repeats"))
    assert strengths.strength(ONE, left, opposite(ONE)) == 0.5
    assert strengths.strength(ONE, left, opposite(None)) > 0.5


def test_measured_with_it_in_every_form_of_item(settings: Settings, tuned: Assistant) -> None:
    """Options and texts, raw and as a chat; its rows are its own, and a run keeps what it was."""
    seen: list[Digest | None] = []

    def noted(requests: Any) -> None:
        seen.extend(each.adapter for each in requests if isinstance(each, Request | ScoreRequest))

    raw = [Item("q", "Question:", "raw", (" yes", " no"), target=(0,)), Item("r", "Go on", "raw", max_tokens=4)]
    chat = [Item("t", "What do you think?", "chat", max_tokens=8), Item("u", "So?", "chat", ("Yes", "No"))]
    items = {"quiz": raw, "talk": chat}

    async def go(who: list[Assistant]) -> Measured:
        async with Workspace(settings) as workspace:
            engine = (await workspace.ready(settings.base)).engine
            assert isinstance(engine, PooledEngine)
            for name in ("generate", "score_all"):
                whole = getattr(engine.inner, name)
                setattr(engine.inner, name, lambda requests, whole=whole: (noted(requests), whole(requests))[1])
            options = MeasureOptions(check_sensitivity=False)
            (last,) = [
                event
                async for event in measure(workspace, [QUIZ, TALK], who, options, items)
                if isinstance(event, Measured)
            ]
            return last

    done = asyncio.run(go([tuned, replace(tuned, name="other", adapter=TWO)]))
    assert sorted(map(str, seen)) == sorted([ONE] * 4 + [TWO] * 4)
    kept = read_run(settings.home, done.run.id).respondents.values()
    assert [each.adapter for each in kept] == [ONE, TWO] and len({each.key for each in kept}) == 2
    said = {row.assistant: row.text for row in done.run.responses if row.item == "t"}
    assert said == {"tuned": "I was tuned.", "other": "I was tuned otherwise."}
    scored = {row.assistant: row.logprobs for row in done.run.responses if row.item == "q"}
    assert scored["tuned"] != scored["other"], "raw items are asked of the base with it"


def test_respondents_of_before_keep_their_keys_and_are_read(settings: Settings) -> None:
    """Rows belong to a key: that of who has no adapter, on an engine that there was before, is what it always was."""

    async def go() -> Any:
        async with Workspace(replace(settings, base="scripted")) as workspace:
            ana = Assistant("ana", system="You are Ana.", base="scripted")
            return (await participant_of(workspace, ana, None, 0)).respondent

    found = asyncio.run(go())
    assert (found.key, found.engine, found.weights, found.may_change) == ("6524ee187779", "scripted", None, False)
    written = json.loads(json.dumps({name: getattr(found, name) for name in found.__dataclass_fields__}))
    assert respondent_of(written) == found
    del written["identity"]
    before = respondent_of(written)
    assert before.identity is None and not before.may_change and replace(before, identity=found.identity) == found
    with pytest.raises(TypeError, match="identity"):
        respondent_of({**written, "identity": "llama"})
