"""`ask` in one process: who is asked, what comes out on which stream, how it fails."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from pluriverse.assistant import Shelf
from pluriverse.engines.contract import EngineEvent, Failed, Request, Started
from pluriverse.engines.scripted import ScriptedEngine
from pluriverse.errors import EngineCrashedError, EngineError
from pluriverse.settings import Settings

from .conftest import Call

FIELDS = {
    *("assistant", "base", "digest", "text", "finish_reason", "prompt_tokens", "completion_tokens"),
    *("first_token_s", "total_s"),
}


@pytest.fixture
def names(home: Path) -> list[str]:
    return list(Shelf(Settings(home)).panel("starter").members)


def test_json_is_the_contract(call: Call, names: list[str]) -> None:
    result = call("ask", "What is fair?", "--json")
    document = result.document
    assert result.code == 0
    assert set(document) == {"question", "replies", "total_s", "id"}
    assert document["question"] == "What is fair?"
    assert [reply["assistant"] for reply in document["replies"]] == names
    for reply in document["replies"]:
        assert set(reply) >= FIELDS
        assert "error" not in reply
        assert reply["text"]
        assert reply["base"] == "scripted"
        assert 0 <= reply["first_token_s"] <= reply["total_s"] <= document["total_s"]


def test_plain_has_every_reply_under_its_name_in_order(call: Call, names: list[str]) -> None:
    result = call("ask", "What is fair?", "--seed", "1")
    asked = call("ask", "What is fair?", "--seed", "1", "--json").document["replies"]
    assert re.findall(r"^(\S+)(?: \(guided .*\))?\n-+\n", result.out, re.MULTILINE) == names
    for reply in asked:
        assert reply["text"].strip() in result.out
    assert "\x1b" not in result.out


def test_with_names_and_panels(call: Call, names: list[str]) -> None:
    two = f"{names[3]},{names[1]}"
    replies = call("ask", "Hi", "--with", two, "--json").document["replies"]
    assert [reply["assistant"] for reply in replies] == [names[3], names[1]]
    assert call("panel", "new", "two", two).code == 0
    replies = call("ask", "Hi", "--panel", "two", "--json").document["replies"]
    assert [reply["assistant"] for reply in replies] == [names[3], names[1]]
    assert call("ask", "Hi", "--panel", "two", "--with", two).code == 2


def test_question_from_stdin_and_from_several_words(call: Call, names: list[str]) -> None:
    one = ("--with", names[0], "--json")
    assert call("ask", "-", *one, stdin="What\nis fair?\n").document["question"] == "What\nis fair?"
    assert call("ask", "What", "is", "fair?", *one).document["question"] == "What is fair?"
    assert call("ask", "-", *one, stdin=" \n").code == 2
    assert call("ask", *one, "--", "--json").document["question"] == "--json"


def test_options_reach_the_engine(call: Call, names: list[str]) -> None:
    words = ("--max-tokens", "3", "--seed", "7", "--temperature", "0", "--with", names[0], "--json")
    reply = call("ask", "Hi", *words).document["replies"][0]
    assert reply["seed"] == 7
    assert reply["completion_tokens"] <= 3
    assert reply["sampling"]["temperature"] == 0
    assert reply["sampling"]["max_tokens"] == 3
    changed = call("ask", "Hi", "--system", "You count.", *words).document["replies"][0]
    assert changed["definition"] != reply["definition"]


def test_a_cut_reply_says_so(call: Call, names: list[str]) -> None:
    result = call("ask", "Tell me all", "--max-tokens", "1", "--with", names[0])
    assert "[cut at 1 token, " in result.out


def test_quiet_says_nothing_on_stderr(call: Call) -> None:
    assert call("ask", "Hi", "--quiet").err == ""


def test_unknown_names_get_the_near_one(call: Call, names: list[str]) -> None:
    wrong = names[0][:-1] + "q"
    result = call("ask", "Hi", "--with", wrong)
    assert result.code == 1
    assert names[0] in result.err.splitlines()[1]
    assert call("ask", "Hi", "--with", wrong, "--json").document["error"]["kind"] == "not_found"


def test_a_model_that_is_not_here_names_the_next_command(call: Call) -> None:
    result = call("ask", "Hi", "--base", "hf:owner/repository/file.gguf", "--json")
    assert result.code == 1
    assert result.document["error"]["hint"].startswith("pluriverse pull hf:owner/repository/file.gguf")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Indices of the replies that fail instead."""
    indices: set[int] = set()
    generate = ScriptedEngine.generate

    async def broken(engine: ScriptedEngine, requests: Sequence[Request]) -> AsyncIterator[EngineEvent]:
        async for event in generate(engine, requests):
            if event.index not in indices:
                yield event
            elif isinstance(event, Started):
                yield Failed(event.index, EngineCrashedError("the engine\x1b[2J ended", "ask again"))

    monkeypatch.setattr(ScriptedEngine, "generate", broken)
    return indices


def test_one_failure_leaves_the_others(call: Call, failing: set[int], names: list[str]) -> None:
    failing.add(1)
    result = call("ask", "Hi")
    assert result.code == 0
    assert re.search(rf"^{names[1]}(?: \(guided .*\))?\n-+\n\[no reply: the engine ended\]", result.out, re.MULTILINE)
    assert f"no whole reply from {names[1]}: the engine ended\nhint: ask again" in result.err
    replies = call("ask", "Hi", "--json").document["replies"]
    assert [reply["finish_reason"] for reply in replies].count("error") == 1
    assert replies[1]["error"]["kind"] == "engine_crashed"


def test_when_all_fail_the_error_is_the_answer(call: Call, failing: set[int]) -> None:
    failing.update(range(20))
    result = call("ask", "Hi")
    assert (result.code, result.out) == (1, "")
    assert result.err.endswith("error: the engine ended\nhint: ask again\n")
    assert call("ask", "Hi", "--json").document["error"]["kind"] == "engine_crashed"


def test_a_damaged_model_is_exit_code_3(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from pluriverse.errors import IntegrityError

    async def damaged(*_: object, **__: object) -> None:
        raise IntegrityError("the file is not what its digest says", "pluriverse verify")

    monkeypatch.setattr("pluriverse.engines.pool.EnginePool.engine", damaged)
    assert call("ask", "Hi").code == 3
    assert call("ask", "Hi", "--json").document["error"]["kind"] == "integrity"


def test_an_engine_that_only_fails_is_told_once(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: object, **__: object) -> None:
        raise EngineError("no engine today")

    monkeypatch.setattr("pluriverse.engines.pool.EnginePool.engine", none)
    assert call("ask", "Hi").err.count("no engine today") == 1
