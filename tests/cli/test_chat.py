"""`chat` through a pipe: every line is a turn, commands begin with a slash, one document at the end with --json."""

import re

import pytest

from .conftest import Call


@pytest.fixture
def names(call: Call) -> list[str]:
    return [each["name"] for each in call("ls", "--json").document["assistants"]]


def test_each_line_is_a_turn(call: Call, names: list[str]) -> None:
    result = call("chat", names[0], stdin="Hello\n\nAnd now?\n")
    assert result.code == 0
    assert len(re.findall(rf"^{names[0]}(?: \(guided .*\))?\n-+\n", result.out, re.MULTILINE)) == 2


def test_json_is_one_document(call: Call, names: list[str]) -> None:
    document = call("chat", names[0], "--json", stdin="Hello\nAnd now?\n").document
    assert document["assistant"] == names[0]
    assert [turn["speaker"] for turn in document["turns"]] == [None, names[0], None, names[0]]
    assert [turn["content"] for turn in document["turns"]][::2] == ["Hello", "And now?"]
    assert document["turns"][1]["record"]["finish_reason"] == document["turns"][1]["state"]


def test_another_is_heard_on_the_same_conversation(call: Call, names: list[str]) -> None:
    document = call("chat", names[0], "--json", stdin=f"Hello\n/with {names[1]}\nAnd now?\n").document
    assert [turn["speaker"] for turn in document["turns"]] == [None, names[0], names[1], None, names[1]]
    assert document["assistant"] == names[1]


def test_others_reply_to_each_message_too(call: Call, names: list[str]) -> None:
    document = call("chat", names[0], "--with", ",".join(names[1:3]), "--json", stdin="Hello\nBye\n").document
    assert [turn["speaker"] for turn in document["turns"]] == [None, *names[:3]] * 2
    assert document["assistant"] == names[0]


def test_kept_resumed_and_not_kept(call: Call, names: list[str]) -> None:
    kept = call("chat", names[0], "--json", stdin="Hello\n").document["id"]
    more = call("chat", "--resume", kept, "--json", stdin="And now?\n").document
    assert more["id"] == kept
    assert [turn["content"] for turn in more["turns"] if turn["speaker"] is None] == ["Hello", "And now?"]
    assert call("chat", names[0], "--no-history", "--json", stdin="Secret\n").document["id"] is None
    assert call("history", "search", "Secret", "--json").document["conversations"] == []
    assert call("chat", "--resume", kept, "--no-history").code == 2


def test_commands_speak_on_stderr(call: Call, names: list[str]) -> None:
    result = call("chat", names[0], stdin="/help\n/who\n/system\n/forget 1\n/quit\nnever said\n")
    assert (result.code, result.out) == (0, "")
    assert "/with NAME" in result.err
    assert names[1] in result.err


@pytest.mark.parametrize(
    ("line", "hint"), [("/wiht x", "/with"), ("/forget x", "/forget 2"), ("/with nobody-here", "ls")]
)
def test_a_wrong_command_ends_a_script(call: Call, names: list[str], line: str, hint: str) -> None:
    result = call("chat", names[0], "--json", stdin=f"{line}\n")
    assert result.code in {1, 2}
    assert hint in result.document["error"]["hint"]


def test_unknown_assistant(call: Call) -> None:
    assert call("chat", "nobody-here", "--json").document["error"]["kind"] == "not_found"
