"""Voices with works: what they quote is there before an engine is, and where their works are silent none is."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pluriverse.asking.asking import ask
from pluriverse.asking.conversation import Conversation
from pluriverse.assistant import Assistant
from pluriverse.runtime.events import AskFinished, Fetching, Loading, ReplyChunk, ReplyQuoted
from pluriverse.runtime.requests import AskOptions
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from ..works.given import give

BURKE = """\
# Of society

Society is a contract between those who live and those who are to be born. No man may tear it up for a whim of his own.

Bread was dear in the towns in that hard winter. The poor stood before the bakers from the first light of the morning.
"""
PAINE = """\
Every age must be as free to act for itself as the ages that went before.
No contract of the dead has power over a society of the living.
"""
QUESTION = "Is society a contract between the living and the dead?"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(Settings(home=tmp_path / "home", offline=True, base="scripted"))


def voice(workspace: Workspace, name: str, *texts: str, **about: Any) -> Assistant:
    return Assistant(
        name,
        base="scripted",
        works=tuple(give(workspace, f"{name}-{n}", text) for n, text in enumerate(texts)),
        **about,
    )


def events_of(workspace: Workspace, *assistants: Assistant, question: str = QUESTION, **options: Any) -> list[Any]:
    async def heard() -> list[Any]:
        async with workspace, ask(workspace, question, assistants, AskOptions(**options)) as events:
            return [event async for event in events]

    return asyncio.run(heard())


def test_quotations_come_before_any_engine_is_loaded(workspace: Workspace) -> None:
    events = events_of(workspace, voice(workspace, "burke", BURKE), voice(workspace, "paine", PAINE))
    events = [event for event in events if not isinstance(event, Fetching)]
    kinds = [type(event) for event in events]
    assert kinds[:3] == [ReplyQuoted, ReplyQuoted, Loading]
    burke, paine = events[0], events[1]
    assert burke.text == "“Society is a contract between those who live and those who are to be born.”"
    assert paine.text == "“No contract of the dead has power over a society of the living.”"
    shown = burke.text + "".join(each.text for each in events if isinstance(each, ReplyChunk) and each.index == 0)
    assert shown == events[-1].replies["burke"].text


def test_a_reply_says_where_it_stands(workspace: Workspace) -> None:
    (reply,) = events_of(workspace, voice(workspace, "burke", BURKE))[-1].replies
    (citation,) = reply.as_dict()["citations"]
    assert citation["n"] == 1 and citation["work"] == "burke-0" and "Of society" in citation["place"]
    assert citation["quotes"][0] in citation["passage"] and citation["passage"] in " ".join(BURKE.split())
    assert 0 < reply.as_dict()["quoted_s"] <= reply.total_s
    assert not reply.declined and reply.numbered.startswith(f"“{citation['quotes'][0]}” [1]")


def test_where_the_works_do_not_speak_of_it_no_engine_is_loaded(workspace: Workspace) -> None:
    events = events_of(workspace, voice(workspace, "burke", BURKE), question="Which telephone takes good photographs?")
    assert not [event for event in events if isinstance(event, Loading | ReplyQuoted)]
    (reply,) = events[-1].replies
    assert reply.declined and reply.finish_reason == "stop" and not any(each.quotes for each in reply.citations)
    assert isinstance(events[-1], AskFinished) and events[-1].failure is None


def test_beyond_the_works_a_model_answers(workspace: Workspace) -> None:
    question = "Which telephone takes good photographs?"
    events = events_of(workspace, voice(workspace, "burke", BURKE), question=question, beyond_works=True)
    (reply,) = events[-1].replies
    assert not reply.declined and reply.as_dict()["beyond_works"] and question in reply.text


def test_voices_with_and_without_works_are_asked_together(workspace: Workspace) -> None:
    plain = Assistant("plain", base="scripted")
    replies = events_of(workspace, plain, voice(workspace, "burke", BURKE))[-1].replies
    assert replies["plain"].cited is None and "citations" not in replies["plain"].as_dict()
    assert replies["burke"].citations


def test_max_tokens_cut_the_quotation_too(workspace: Workspace) -> None:
    (reply,) = events_of(workspace, voice(workspace, "burke", BURKE), max_tokens=4)[-1].replies
    assert reply.finish_reason == "length" and reply.completion_tokens == 4
    assert "“Society is a contract between".startswith(reply.text)


@pytest.mark.parametrize(
    ("language", "first"),
    [
        ("en", "Bread is old, and the baker wrote </think> on the wall of his house that morning."),
        ("en", "Bread is old, and the baker says <think> to his flour, and turns it over."),
        ("fr", "Bread is old, says »one« of them, and the bakers of the town say «so» and »so« too."),
        ("fr", "Bread is old, they say..... and the bakers of the town say so .... too, all of them."),
        ("sv", "Bread is old, they say, and the bakers of the town call it ”old”, all of them."),
    ],
)
def test_what_cannot_stand_between_marks_is_not_quoted_first(workspace: Workspace, language: str, first: str) -> None:
    text = f"{first} Bread is made of flour and of water by all the bakers here."
    replies = events_of(workspace, voice(workspace, "baker", text, languages=(language,)), question="Is bread old?")
    (reply,) = replies[-1].replies
    assert reply.error is None and not reply.declined
    (citation,) = reply.citations
    assert citation.quotes and not reply.as_dict()["not_found"]


def test_a_conversation_finds_passages_anew_and_keeps_what_was_cited(workspace: Workspace) -> None:
    burke = voice(workspace, "burke", BURKE)

    async def talked() -> Conversation:
        async with workspace:
            conversation = Conversation(workspace, burke)
            for said in (QUESTION, "Was bread dear in the winter?"):
                assert [event async for event in conversation.say(said)]
            return conversation

    conversation = asyncio.run(talked())
    first, second = (turn.record for turn in conversation.turns if turn.record)
    assert first["citations"][0]["quotes"] != second["citations"][0]["quotes"]
    assert "Bread was dear" in second["citations"][0]["quotes"][0]
    heard = conversation.heard_by(burke)
    assert heard[1].content == first["text"] and "Of society" not in heard[0].content
