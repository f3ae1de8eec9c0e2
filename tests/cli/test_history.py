"""`history` over what `chat` kept."""

import json
from pathlib import Path

import pytest

from .conftest import Call


@pytest.fixture
def talk(call: Call) -> str:
    """The id of a kept conversation about taxes."""
    name = call("ls", "--json").document["assistants"][0]["name"]
    document = call("chat", name, "--json", stdin="What are taxes?\nAnd \x1b[31mtariffs?\n").document
    identity = document["id"]
    assert isinstance(identity, str)
    return identity


def test_ls(call: Call, talk: str) -> None:
    [summary] = call("history", "--json").document["conversations"]
    assert summary["id"] == talk
    assert summary["turns"] == 4
    assert summary == call("history", "ls", "--json").document["conversations"][0]
    assert talk in call("history").out


def test_nothing_kept_yet(call: Call) -> None:
    result = call("history")
    assert (result.code, result.out) == (0, "")
    assert call("history", "--json").document == {"conversations": []}


def test_search(call: Call, talk: str) -> None:
    assert call("history", "search", "tariffs", "--json").document["conversations"][0]["id"] == talk
    assert talk in call("history", "search", "TAXES").out
    assert call("history", "search", "nothing-like-it", "--json").document["conversations"] == []


def test_show_is_harmless(call: Call, talk: str) -> None:
    result = call("history", "show", talk[:4])
    assert "What are taxes?" in result.out
    assert "And tariffs?" in result.out
    assert "\x1b" not in result.out
    turns = call("history", "show", talk, "--json").document["turns"]
    assert [turn["speaker"] is None for turn in turns] == [True, False, True, False]


def test_export(call: Call, talk: str, tmp_path: Path) -> None:
    assert "> What are taxes?" in call("history", "export", talk).out
    assert call("history", "export", talk, "--format", "json").document["conversations"][0]["id"] == talk
    file = tmp_path / "talk.json"
    document = call("history", "export", "-o", str(file), "--json").document
    assert document == {"file": str(file), "format": "json", "bytes": file.stat().st_size}
    assert json.loads(file.read_text("utf-8"))["conversations"][0]["id"] == talk
    assert call("history", "export", talk, "-o", str(file / "talk.md")).code == 1


def test_rm_and_clear(call: Call, talk: str) -> None:
    assert call("history", "rm", "zzzz", "--json").document["error"]["kind"] == "not_found"
    assert call("history", "rm", talk, "--json").document == {"deleted": [talk]}
    assert call("history", "clear").code == 2
    assert call("history", "clear", "--yes", "--json").document == {"deleted_count": 0}
