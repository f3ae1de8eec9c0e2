"""What is the scripted engine's alone: scripts, their faults, their pace."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pluriverse.engines.contract import Chunk, Failed, Finished, Request
from pluriverse.engines.script import Script
from pluriverse.engines.scripted import ScriptedEngine
from pluriverse.errors import EngineCrashedError, NotFoundError, UsageError
from pluriverse.values import Message, Sampling


def spoken(script: str, question: str = "Why?", system: str = "You are Ada. More.", **sampling: Any) -> list[Any]:
    async def work() -> list[Any]:
        engine = ScriptedEngine("scripted", Script.parse(script))
        messages = (Message("system", system), Message("user", question))
        request = Request(messages, Sampling(**{"temperature": 0.0, **sampling}))
        return [event async for event in engine.generate([request])]

    return asyncio.run(work())


def text(events: list[Any]) -> str:
    return "".join(event.text for event in events if isinstance(event, Chunk))


def test_the_first_fitting_rule_speaks() -> None:
    script = """
    [[rule]]
    system = "Bob"
    replies = ["I am Bob."]
    [[rule]]
    question = "(?i)^why"
    replies = ["{voice} Because: {question}"]
    """
    assert text(spoken(script)) == "You are Ada. Because: Why?"
    assert text(spoken(script, system="You are Bob.")) == "I am Bob."
    assert "no line" in text(spoken(script, question="How?"))


def test_a_scripted_fault_ends_the_reply_with_its_kind() -> None:
    events = spoken('[[rule]]\nreplies = ["a b c d e"]\nfail_after = 3\nerror = "engine_crashed"')
    assert text(events) == "a b c"
    assert isinstance(events[-1], Failed) and isinstance(events[-1].error, EngineCrashedError)


def test_a_hanging_reply_ends_when_it_is_cancelled() -> None:
    async def work() -> None:
        engine = ScriptedEngine("scripted", Script.parse('[[rule]]\nreplies = ["x"]\nhang = true'))
        stream = engine.generate([Request((Message("user", "x"),))])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                async for _ in stream:
                    pass

    asyncio.run(work())


def test_the_window_ends_a_reply() -> None:
    events = spoken('context_length = 20\n[[rule]]\nreplies = ["a b c d e f g h i j k l m n o p q r s t u v"]')
    assert isinstance(events[-1], Finished) and events[-1].reason == "context"
    assert events[-1].prompt_tokens + events[-1].completion_tokens == 20


@pytest.mark.parametrize("name", ["plain", "demo", "slow"])
def test_shipped_scripts_say_that_no_model_has_spoken(name: str) -> None:
    for rule in Script.load(name).rules:
        assert all("no model has spoken" in reply.lower() for reply in rule.replies)


def test_scripts_that_cannot_be_used_are_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        Script.load("nobody")
    broken = tmp_path / "broken.toml"
    for content in ("[[rule", "rules = 1", '[[rule]]\nreply = "x"', '[[rule]]\nreplies = ["x"]\nsystem = "("'):
        broken.write_text(content)
        with pytest.raises(UsageError):
            Script.load(str(broken))


@pytest.mark.parametrize("text", [b"x = " + b"9" * 5000, b".".join([b"a"] * 50_000) + b" = 1", b"\xff", b"a = ["])
def test_a_script_that_is_none_is_told_so(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "s.toml").write_bytes(text)
    with pytest.raises(UsageError, match="cannot be read"):
        Script.load(str(tmp_path / "s.toml"))
