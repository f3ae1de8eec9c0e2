"""Voices with works are measured: texts begin with what they quote, options are scored behind the passages."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pluriverse.assistant import Assistant
from pluriverse.measure.data.instruments import find
from pluriverse.measure.run.respondents import participant_of
from pluriverse.measure.run.session import own_words
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import Response
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from ...works.given import give

TEXT = "Society is a contract between those who live and those who are to be born. Bread was dear in that hard winter."
QUOTED = "“Society is a contract between those who live and those who are to be born.”"
ASKED = "Is society a contract?"
SILENT = "Which telephone takes good photographs?"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(Settings(home=tmp_path / "home", offline=True, base="scripted"))


def responses(workspace: Workspace, *items: Item) -> list[Response]:
    burke = Assistant("burke", base="scripted", works=(give(workspace, "reflections", TEXT),))

    async def asked() -> list[Response]:
        async with workspace:
            participant = await participant_of(workspace, burke, None, 1)
            cells = [(item, 0) for item in items]
            return [each async for part in participant.ask(find("propositions-free"), cells) for each in part]

    return asyncio.run(asked())


def test_a_text_begins_with_a_quotation_and_has_its_tokens_besides(workspace: Workspace) -> None:
    (response,) = responses(workspace, Item("one", ASKED, "chat", max_tokens=2))
    assert response.text.startswith(QUOTED) and response.completion_tokens > 2
    assert own_words(response.text)
    assert response.metadata["passages"] == [["reflections", 0, len(TEXT)]] and not response.metadata["declined"]


def test_where_the_works_do_not_speak_of_it_that_is_the_response(workspace: Workspace) -> None:
    silent, spoken = responses(workspace, Item("one", SILENT, "chat"), Item("two", ASKED, "chat"))
    assert silent.metadata["declined"] and silent.completion_tokens == 0 and "works" in silent.text
    assert spoken.text.startswith(QUOTED)


def test_options_are_scored_behind_the_passages(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from pluriverse.engines.scripted import ScriptedEngine

    prefixes: list[str] = []
    score = ScriptedEngine.score

    async def watched(self: ScriptedEngine, prefix: Any, *rest: Any, **more: Any) -> Any:
        prefixes.append(prefix[-1].content)
        return await score(self, prefix, *rest, **more)

    monkeypatch.setattr(ScriptedEngine, "score", watched)
    chat, silent = (Item(name, text, "chat", options=(" Yes", " No")) for name, text in (("a", ASKED), ("b", SILENT)))
    assert len(responses(workspace, chat, silent)) == 2
    assert TEXT in prefixes[0] and QUOTED not in prefixes[0]
    assert prefixes[1] == SILENT


def test_raw_items_are_the_bases_alone(workspace: Workspace) -> None:
    (response,) = responses(workspace, Item("one", ASKED, "raw", max_tokens=4))
    assert QUOTED not in response.text and "passages" not in response.metadata


@pytest.mark.parametrize(
    ("text", "own"),
    [("“A b c.” So it is.", "So it is."), ("He says “x” and « y » too", "He says  and  too"), ("none", "none")],
)
def test_own_words_are_those_outside_quotations(text: str, own: str) -> None:
    assert own_words(text) == own
