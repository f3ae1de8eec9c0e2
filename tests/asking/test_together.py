"""Several in one conversation at once: each with its own memory, each stopped alone."""

import asyncio
from typing import Any

import pytest

from pluriverse.asking.conversation import Conversation
from pluriverse.errors import UsageError
from pluriverse.runtime.events import AskFinished, Loading, ReplyChunk, ReplyFinished
from pluriverse.runtime.workspace import Workspace

from .stepped import assistant, collect
from .test_conversation import Engines, kept

GREEN, BLUE = assistant("green"), assistant("blue")


def test_each_hears_its_own_words_and_they_are_kept_in_the_order_of_asking(
    workspace: Workspace, engines: Engines, run: Any
) -> None:
    conversation = Conversation(workspace, GREEN)
    first = run(collect(conversation.say_to([GREEN, BLUE], "one two")))
    assert sum(isinstance(each, Loading) for each in first) == 1
    assert isinstance(first[-1], AskFinished) and first[-1].replies.names == ("green", "blue")
    run(collect(conversation.say_to([BLUE, GREEN], "three")))
    said = {each[0].messages[0].content: each[0].messages for each in engines["one"].calls[-2:]}
    for voice in (GREEN, BLUE):
        assert [each.content.strip() for each in said[voice.system][1:]] == ["one two", "one two", "three"]
    assert [speaker for speaker, *_ in kept(workspace, conversation)] == [None, "green", "blue", None, "blue", "green"]


def test_one_is_stopped_and_the_other_goes_on(workspace: Workspace, engines: Engines, run: Any) -> None:
    engines["one"].hold = 1
    conversation = Conversation(workspace, GREEN)
    ended = {}

    async def listen() -> None:
        async for event in conversation.say_to([GREEN, BLUE], "one two three"):
            if isinstance(event, ReplyChunk) and event.index == 1:
                conversation.stop(0)
            if isinstance(event, ReplyFinished):
                ended[event.index] = event.reply
                engines["one"].release.set()

    run(asyncio.wait_for(listen(), 10))
    assert (ended[0].finish_reason, ended[1].finish_reason) == ("cancelled", "stop")
    assert ended[1].text.split() == ["one", "two", "three"]
    assert engines["one"].running == 0
    assert [state for *_, state in kept(workspace, conversation)] == ["said", "cancelled", "stop"]


def test_an_answer_that_is_asked_for_again_is_what_is_heard_from_then_on(
    workspace: Workspace, engines: Engines, run: Any
) -> None:
    engines["one"].hold = 0
    conversation = Conversation(workspace, GREEN)

    async def stopped() -> None:
        async for _ in conversation.say_to([GREEN], "one"):
            conversation.stop()

    run(stopped())
    engines["one"].release.set()
    run(collect(conversation.again([GREEN])))
    assert [each.content.strip() for each in conversation.turns if each.speaker] == ["", "one"]


def test_nobody_is_asked_and_nothing_is_kept(workspace: Workspace, run: Any) -> None:
    conversation = Conversation(workspace, GREEN)
    for nobody in ([], [GREEN, GREEN]):
        with pytest.raises(UsageError):
            run(collect(conversation.say_to(nobody, "one")))
    assert conversation.id is None
    assert run(collect(conversation.again([GREEN]))) == []
