"""Conversations: who hears what, what is kept of it, and what happens when a reply is cut or the window is full."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pluriverse.asking.conversation import Conversation
from pluriverse.chats.chat import Turn
from pluriverse.chats.shelf import chats_of
from pluriverse.errors import ContextOverflowError, EngineCrashedError, NotFoundError, UsageError
from pluriverse.runtime.events import AskFinished, ReplyChunk, ReplyThought
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings
from pluriverse.values import Message

from .stepped import SteppedEngine, assistant, collect

Engines = dict[str, SteppedEngine]
GREEN, RED = assistant("green"), assistant("red", "two")


def heard(engine: SteppedEngine) -> list[str]:
    """What the engine was given last, system prompt left out, as `u: text` and `a: text`."""
    return [f"{each.role[0]}: {each.content.strip()}" for each in engine.calls[-1][0].messages if each.role != "system"]


def kept(workspace: Workspace, conversation: Conversation) -> list[tuple[str | None, str, str]]:
    assert chats_of(workspace.settings) is not None and conversation.id is not None
    turns = chats_of(workspace.settings).get(conversation.id).turns
    return [(turn.speaker, turn.content.strip(), turn.state) for turn in turns]


def test_the_assistant_hears_the_whole_conversation(workspace: Workspace, engines: Engines, run: Any) -> None:
    conversation = Conversation(workspace, GREEN)
    run(collect(conversation.say("one")))
    run(collect(conversation.say("two")))
    assert heard(engines["one"]) == ["u: one", "a: one", "u: two"]
    assert engines["one"].calls[-1][0].messages[0] == Message("system", GREEN.system)


def test_another_replies_to_the_last_message_without_the_first_ones_answer(
    workspace: Workspace, engines: Engines, run: Any
) -> None:
    conversation = Conversation(workspace, GREEN)
    run(collect(conversation.say("one")))
    run(collect(conversation.say("two")))
    events = run(collect(conversation.with_(RED)))
    assert heard(engines["two"]) == ["u: one", "a: one", "u: two"]
    assert engines["two"].calls[-1][0].messages[0] == Message("system", RED.system)
    assert isinstance(events[-1], AskFinished) and events[-1].replies.names == ("red",)
    assert [turn.speaker for turn in conversation.turns] == [None, "green", None, "green", "red"]


def test_each_hears_its_own_words_where_it_has_spoken(workspace: Workspace, run: Any) -> None:
    conversation = Conversation(workspace, GREEN)
    run(collect(conversation.say("one")))
    run(collect(conversation.with_(replace(RED, base="one"))))
    conversation._rounds[0].replies[1] = replace(conversation._rounds[0].replies[1], content="red's own")
    run(collect(conversation.say("two")))  # red speaks now
    contents = {each.name: [m.content.strip() for m in conversation.heard_by(each)] for each in (GREEN, RED)}
    assert contents == {"green": ["one", "one", "two"], "red": ["one", "red's own", "two"]}


def test_switching_back_gives_no_second_reply(workspace: Workspace, engines: Engines, run: Any) -> None:
    conversation = Conversation(workspace, GREEN)
    assert run(collect(conversation.with_(RED))) == []  # nothing was said yet
    run(collect(conversation.say("one")))
    run(collect(conversation.with_(GREEN)))
    assert run(collect(conversation.with_(RED))) == []
    assert conversation.assistant == RED and len(engines["two"].calls) == 1


def test_all_is_kept_with_who_said_it(workspace: Workspace, run: Any) -> None:
    conversation = Conversation(workspace, GREEN)
    run(collect(conversation.say("one two")))
    run(collect(conversation.with_(RED)))
    assert kept(workspace, conversation) == [
        (None, "one two", "said"),
        ("green", "one two", "stop"),
        ("red", "one two", "stop"),
    ]
    assert chats_of(workspace.settings) is not None and conversation.id is not None
    record = chats_of(workspace.settings).get(conversation.id).turns[1].record
    assert record and record["definition"] == GREEN.digest and record["seed"] == 7


@pytest.mark.parametrize("how", ["close", "cancel"])
def test_a_reply_that_is_cut_is_kept_as_it_was(workspace: Workspace, engines: Engines, run: Any, how: str) -> None:
    engines["one"].hold = 1
    conversation = Conversation(workspace, GREEN)

    async def cut() -> None:
        events = conversation.say("one two")

        async def listen() -> None:
            async for event in events:
                if isinstance(event, ReplyChunk) and how == "close":
                    return

        task = asyncio.create_task(listen())
        while how == "cancel" and not (conversation._rounds and engines["one"].running):
            await asyncio.sleep(0.001)
        if how == "cancel":
            await asyncio.sleep(0.01)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await events.aclose()

    run(cut())
    assert kept(workspace, conversation)[-1] == ("green", "one", "cancelled")
    engines["one"].hold = None
    run(collect(conversation.say("three")))
    assert heard(engines["one"]) == ["u: one two", "a: one", "u: three"]


def test_a_failed_round_is_kept_but_not_heard_and_can_be_tried_again(
    workspace: Workspace, engines: Engines, run: Any
) -> None:
    conversation = Conversation(workspace, GREEN)
    engines["one"].error = EngineCrashedError("its process ended")
    assert run(collect(conversation.say("one")))[-1].failure is not None
    assert kept(workspace, conversation) == [(None, "one", "said"), ("green", "", "error")]
    engines["one"].error = None
    run(collect(conversation.with_(GREEN)))
    assert kept(workspace, conversation)[-1] == ("green", "one", "stop")
    engines["one"].error = EngineCrashedError("again")
    run(collect(conversation.say("lost")))
    engines["one"].error = None
    run(collect(conversation.say("two")))
    assert heard(engines["one"]) == ["u: one", "a: one", "u: two"]


def test_a_full_window_is_told_and_the_oldest_can_be_forgotten(
    workspace: Workspace, engines: Engines, run: Any
) -> None:
    conversation = Conversation(workspace, GREEN)
    for text in ("one", "two", "three"):
        run(collect(conversation.say(text)))
    engines["one"].error = ContextOverflowError("the prompt has 5,000 tokens, the model reads 4,096")
    failure = run(collect(conversation.say("four")))[-1].failure
    assert isinstance(failure, ContextOverflowError) and failure.hint and "/forget" in failure.hint
    engines["one"].error = None
    assert conversation.forget_oldest(2) == 2
    run(collect(conversation.with_(GREEN)))
    assert heard(engines["one"]) == ["u: three", "a: three", "u: four"]
    assert len(kept(workspace, conversation)) == 9
    assert conversation.forget_oldest(9) == 2 and conversation.forget_oldest() == 0


@pytest.mark.parametrize("switch", ["keep", "settings"])
def test_nothing_is_kept_when_switched_off(workspace: Workspace, run: Any, switch: str) -> None:
    if switch == "settings":
        workspace.settings = replace(workspace.settings, history=False)
    conversation = Conversation(workspace, GREEN, keep=switch != "keep")
    run(collect(conversation.say("secret")))
    assert conversation.id is None and not workspace.settings.history_file.parent.exists()


def test_deleting_it_elsewhere_ends_the_keeping_and_not_the_talk(workspace: Workspace, run: Any) -> None:
    conversation = Conversation(workspace, GREEN)
    run(collect(conversation.say("one")))
    assert chats_of(workspace.settings) is not None
    chats_of(workspace.settings).clear()
    assert run(collect(conversation.say("two")))[-1].failure is None
    assert conversation.id is None and chats_of(workspace.settings).list() == []


def test_an_empty_message_is_refused_and_not_kept(workspace: Workspace, run: Any) -> None:
    conversation = Conversation(workspace, GREEN)
    with pytest.raises(UsageError):
        run(collect(conversation.say(" ")))
    assert conversation.turns == () and conversation.id is None


def test_a_kept_conversation_goes_on(workspace: Workspace, engines: Engines, run: Any) -> None:
    conversation = Conversation(workspace, GREEN)
    run(collect(conversation.say("one")))
    run(collect(conversation.with_(RED)))
    assert conversation.id is not None
    again = Conversation.resumed(workspace, conversation.id[:6], GREEN)
    assert again.id == conversation.id and [turn.speaker for turn in again.turns] == [None, "green", "red"]
    run(collect(again.say("two")))
    assert heard(engines["one"]) == ["u: one", "a: one", "u: two"]
    assert [speaker for speaker, *_ in kept(workspace, again)] == [None, "green", "red", None, "green"]


def test_what_was_never_kept_cannot_go_on(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError):
        Conversation.resumed(workspace, "abcdef", GREEN)
    workspace.settings = replace(workspace.settings, history=False)
    with pytest.raises(NotFoundError, match="switched off"):
        Conversation.resumed(workspace, "abcdef", GREEN)


def test_thinking_is_kept_beside_the_text_and_never_said_again(tmp_path: Path) -> None:
    script = tmp_path / "thinks.toml"
    script.write_text('[[rule]]\nreplies = ["<think>\\nHm, {question}\\n</think>\\n\\nYou asked: {question}"]\n')
    thinker = assistant("thinker", f"scripted:{script}")

    async def work() -> None:
        async with Workspace(Settings(home=tmp_path / "home", offline=True)) as workspace:
            conversation = Conversation(workspace, thinker)
            events = await collect(conversation.say("one"))
            chunks = ["".join(e.text for e in events if isinstance(e, kind)) for kind in (ReplyChunk, ReplyThought)]
            reply = events[-1].replies[0]
            assert chunks == [reply.text, "\nHm, one\n"] and reply.text == "You asked: one"
            assert (reply.thinking, reply.unfinished) == ("Hm, one", False)
            assert chats_of(workspace.settings) is not None and conversation.id is not None
            kept = chats_of(workspace.settings).get(conversation.id).turns[-1]
            assert kept.content == reply.text and kept.record and kept.record["thinking"] == "Hm, one"
            assert await collect(conversation.say("two"))
            assert [each.content for each in conversation.heard_by(thinker)][:2] == ["one", "You asked: one"]
            # What was kept with its thinking in the text is heard without it.
            chats_of(workspace.settings).add(conversation.id, Turn(None, "three"))
            chats_of(workspace.settings).add(conversation.id, Turn("thinker", "<think>Hm.</think>Three it is.", "stop"))
            resumed = Conversation.resumed(workspace, conversation.id, thinker)
            assert await collect(resumed.say("four"))
            assert [each.content for each in resumed.heard_by(thinker)][-2:] == ["Three it is.", "four"]

    asyncio.run(work())


def test_a_reply_that_only_thought_is_unfinished_and_not_heard(tmp_path: Path) -> None:
    script = tmp_path / "thinks.toml"
    script.write_text('[[rule]]\nthinks = true\nreplies = ["I cannot say, or can I?"]\n')
    thinker = assistant("thinker", f"scripted:{script}")

    async def work() -> None:
        async with Workspace(Settings(home=tmp_path / "home", offline=True)) as workspace:
            conversation = Conversation(workspace, thinker)
            reply = (await collect(conversation.say("one")))[-1].replies[0]
            document = reply.as_dict()
            assert (document["text"], document["unfinished"], document["thinking"]) == (
                "",
                True,
                "I cannot say, or can I?",
            )
            await collect(conversation.say("two"))
            assert [each.content for each in conversation.heard_by(thinker)] == ["two"]

    asyncio.run(work())
