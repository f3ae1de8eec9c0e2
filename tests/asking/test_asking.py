"""Asking several at once: order, times, the error of one beside the others, and a prompt end when it is stopped."""

import asyncio
import gc
from typing import Any

import pytest

from pluriverse.asking.asking import ask
from pluriverse.assistant.bases import Base, NotPulled
from pluriverse.errors import EngineCrashedError, EngineError, NotFoundError, UnreachableError, UsageError
from pluriverse.runtime.events import AskFinished, Fetching, Loading, ReplyChunk, ReplyFinished, ReplyStarted
from pluriverse.runtime.requests import AskOptions
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import DEFAULT_MODEL
from pluriverse.values import Message, Pullable

from .stepped import WEIGHTS, Places, SteppedEngine, assistant, collect

Engines = dict[str, SteppedEngine]


def test_two_on_one_base_are_generated_in_one_call(workspace: Workspace, engines: Engines, run: Any) -> None:
    green, red = assistant("green", system="Be green."), assistant("red", system="Be red.", temperature=0.2)
    events = run(collect(ask(workspace, "who are you", [green, red])))
    (call,) = engines["one"].calls
    assert [request.messages for request in call] == [
        (Message("system", f"Be {name}."), Message("user", "who are you")) for name in ("green", "red")
    ]
    assert [request.sampling.temperature for request in call] == [0.7, 0.2]
    assert events[0] == Loading("one")
    assert events[1:3] == [ReplyStarted(0, "green", 10, 4), ReplyStarted(1, "red", 11, 4)]
    last = events[-1]
    assert isinstance(last, AskFinished) and last.failure is None
    assert [(reply.assistant, reply.text) for reply in last.replies] == [
        ("green", "who are you "),
        ("red", "who are you "),
    ]


def test_a_reply_says_how_it_came_about(workspace: Workspace, run: Any) -> None:
    green = assistant("green")
    events = run(collect(ask(workspace, "one two", [green], AskOptions(seed=42))))
    reply = events[-1].replies[0]
    assert (reply.base, reply.digest, reply.definition) == ("one", WEIGHTS, green.digest)
    assert (reply.seed, reply.finish_reason, reply.prompt_tokens, reply.completion_tokens) == (42, "stop", 10, 3)
    chunks = [event for event in events if isinstance(event, ReplyChunk)]
    assert 0 < reply.first_token_s == chunks[0].at_s <= chunks[-1].at_s <= reply.total_s <= events[-1].total_s
    document = events[-1].replies.as_dict()
    assert list(document) == ["question", "replies", "total_s"]
    contract = [
        "assistant",
        "base",
        "digest",
        "text",
        "finish_reason",
        "prompt_tokens",
        "completion_tokens",
        "first_token_s",
        "total_s",
    ]
    assert list(document["replies"][0])[:9] == contract
    assert "error" not in document["replies"][0] and document["replies"][0]["seed"] == 42


def test_times_count_from_the_call_not_from_the_first_look(workspace: Workspace, run: Any) -> None:
    async def late() -> float:
        asking = ask(workspace, "hello", [assistant("green")])
        await asyncio.sleep(0.05)
        return (await collect(asking))[-1].replies[0].first_token_s

    assert run(late()) >= 0.05


def test_bases_answer_at_the_same_time(workspace: Workspace, engines: Engines, run: Any) -> None:
    engines["one"].hold = 0

    async def listen() -> list[Any]:
        events = []
        async for event in ask(workspace, "a b", [assistant("slow", "one"), assistant("fast", "two")]):
            events.append(event)
            if isinstance(event, ReplyFinished) and event.index == 1:
                engines["one"].release.set()
        return events

    finished = [event.reply.assistant for event in run(listen()) if isinstance(event, ReplyFinished)]
    assert finished == ["fast", "slow"]


def test_two_names_of_one_model_share_a_call(workspace: Workspace, places: Places, engines: Engines, run: Any) -> None:
    places["default"] = places["one"]
    run(collect(ask(workspace, "a", [assistant("x", "default"), assistant("y", "one")])))
    assert [len(call) for call in engines["one"].calls] == [2]


def test_options_change_all_assistants_for_this_question(workspace: Workspace, engines: Engines, run: Any) -> None:
    green = assistant("green", "one", max_tokens=50, temperature=1.5)
    options = AskOptions(max_tokens=9, temperature=0.0, system="Be brief.", base="two")
    events = run(collect(ask(workspace, "hm", [green], options)))
    (request,) = engines["two"].calls[0]
    assert request.messages[0] == Message("system", "Be brief.")
    assert (request.sampling.max_tokens, request.sampling.temperature) == (9, 0.0)
    reply = events[-1].replies[0]
    assert reply.base == "two" and reply.definition != green.digest


def test_an_empty_system_prompt_is_left_out(workspace: Workspace, engines: Engines, run: Any) -> None:
    run(collect(ask(workspace, "hm", [assistant("green")], AskOptions(system=""))))
    assert engines["one"].calls[0][0].messages == (Message("user", "hm"),)


@pytest.mark.parametrize(
    ("question", "names", "said"),
    [(" \n", ["a"], "empty"), ("hm", [], "nobody"), ("hm", ["a", "b", "a"], "a is asked twice")],
)
def test_wrong_use_is_refused_before_anything_starts(
    workspace: Workspace, question: str, names: list[str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        ask(workspace, question, [assistant(name) for name in names])


def test_a_value_out_of_range_is_refused(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="temperature"):
        ask(workspace, "hm", [assistant("a")], AskOptions(temperature=9.0))


def test_one_missing_base_does_not_stop_the_others(workspace: Workspace, run: Any) -> None:
    last = run(collect(ask(workspace, "hm", [assistant("lost", "nowhere"), assistant("here")])))[-1]
    lost, here = last.replies
    assert (lost.finish_reason, lost.text, lost.digest) == ("error", "", None)
    assert isinstance(lost.error, NotFoundError) and lost.as_dict()["error"]["kind"] == "not_found"
    assert here.finish_reason == "stop" and last.failure is None


def test_an_engine_that_dies_half_way_leaves_its_text(workspace: Workspace, engines: Engines, run: Any) -> None:
    engines["one"].error, engines["one"].error_after = EngineCrashedError("its process ended"), 1
    last = run(collect(ask(workspace, "a b c", [assistant("x"), assistant("y"), assistant("z", "two")])))[-1]
    x, y, z = last.replies
    assert (x.text, x.finish_reason, x.completion_tokens) == ("a ", "error", None)
    assert isinstance(x.error, EngineCrashedError) and last.failure is None
    assert (y.text, z.text) == ("a b c ", "a b c ")


def test_when_all_fail_alike_that_error_is_the_failure(workspace: Workspace, run: Any) -> None:
    last = run(collect(ask(workspace, "hm", [assistant("a", "nowhere"), assistant("b", "nowhere")])))[-1]
    assert isinstance(last.failure, NotFoundError)


def test_when_all_fail_differently_the_failure_names_each(workspace: Workspace, run: Any) -> None:
    last = run(collect(ask(workspace, "hm", [assistant("a", "nowhere"), assistant("b", "elsewhere")])))[-1]
    assert last.failure and "a: no model 'nowhere'; b: no model 'elsewhere'" in last.failure.message


def test_an_engine_that_forgets_a_reply_is_an_error(
    workspace: Workspace, engines: Engines, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(requests: Any) -> Any:
        return
        yield

    monkeypatch.setattr(engines["one"], "generate", nothing)
    last = run(collect(ask(workspace, "hm", [assistant("a")])))[-1]
    assert isinstance(last.failure, EngineError)


def test_a_programming_error_reaches_the_caller(workspace: Workspace, engines: Engines, run: Any) -> None:
    engines["one"].bug = ZeroDivisionError("oh")
    engines["two"].hold = 0
    with pytest.raises(ZeroDivisionError):
        run(collect(ask(workspace, "hm", [assistant("a"), assistant("b", "two")])))
    assert engines["two"].running == 0


@pytest.mark.parametrize("how", ["close", "cancel", "drop"])
def test_stopping_half_way_stops_every_engine(workspace: Workspace, engines: Engines, run: Any, how: str) -> None:
    for engine in engines.values():
        engine.hold = 1

    async def stop() -> Any:
        asking = ask(workspace, "a b c", [assistant("x"), assistant("y", "two")])
        replies = None
        chunks = 0

        async def listen() -> None:
            nonlocal chunks
            async for event in asking:
                chunks += isinstance(event, ReplyChunk)
                if chunks == 2 and how != "cancel":
                    return

        task = asyncio.create_task(listen())
        if how == "cancel":
            while chunks < 2:
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if how == "close":
            await asking.aclose()
        if how == "drop":
            del asking, listen, task
            gc.collect()
            await asyncio.sleep(0.01)
        else:
            replies = asking.replies
        assert [engine.running for engine in engines.values()] == [0, 0]
        return replies

    replies = run(stop())
    if replies is not None:
        assert [(reply.text, reply.finish_reason) for reply in replies] == [("a ", "cancelled")] * 2
        assert replies[0].total_s == replies[0].total_s and replies.failure is None


def test_a_slow_listener_makes_the_engine_wait(workspace: Workspace, engines: Engines, run: Any) -> None:
    async def doze() -> int:
        asking = ask(workspace, "word " * 2000, [assistant("x")])
        await anext(asking)
        await asyncio.sleep(0.05)
        waiting = asking._work.queue.qsize()
        await asking.aclose()
        return waiting

    assert run(doze()) <= 256


def test_long_talk_asks_for_more_context(workspace: Workspace, engines: Engines, run: Any) -> None:
    run(collect(ask(workspace, "short", [assistant("x")])))
    assert engines["one"].context == 2048
    run(collect(ask(workspace, "word " * 2000, [assistant("x")])))
    assert engines["one"].context == 8192


class _Missing:
    """The default model is not here until it has been pulled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, places: Places, name: str, error: Exception | None = None):
        pullable = Pullable(ref=name, name=name, sources=())
        places["default"] = NotPulled(pullable)
        self.pulls = 0

        async def pull(store: object, wanted: Pullable, settings: object) -> Any:
            assert wanted is pullable
            self.pulls += 1
            yield "half"
            if error:
                raise error
            places["default"] = Base("one", WEIGHTS, None, "local")
            yield "whole"

        monkeypatch.setattr("pluriverse.store.pull", pull)


def test_the_default_model_is_fetched_once_when_missing(
    workspace: Workspace, places: Places, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = _Missing(monkeypatch, places, DEFAULT_MODEL)
    asked = [assistant("x", "default"), assistant("y", "default"), assistant("z", "two")]
    events = run(collect(ask(workspace, "hm", asked)))
    assert [event for event in events if isinstance(event, Fetching)] == [
        Fetching(DEFAULT_MODEL, "half"),  # type: ignore[arg-type]
        Fetching(DEFAULT_MODEL, "whole"),  # type: ignore[arg-type]
    ]
    assert missing.pulls == 1 and [reply.finish_reason for reply in events[-1].replies] == ["stop"] * 3


def test_a_fetch_that_fails_is_the_error_of_those_who_needed_it(
    workspace: Workspace, places: Places, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _Missing(monkeypatch, places, DEFAULT_MODEL, UnreachableError("no source of it could be reached"))
    last = run(collect(ask(workspace, "hm", [assistant("x", "default"), assistant("z", "two")])))[-1]
    assert isinstance(last.replies["x"].error, UnreachableError) and last.replies["z"].error is None


def test_another_missing_model_is_not_fetched_unasked(
    workspace: Workspace, places: Places, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = _Missing(monkeypatch, places, "a-forty-gigabyte-model")
    last = run(collect(ask(workspace, "hm", [assistant("x", "default")])))[-1]
    assert missing.pulls == 0 and isinstance(last.failure, NotPulled)
