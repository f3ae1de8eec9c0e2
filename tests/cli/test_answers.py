"""What stays of an ask: the history, a file by its suffix; text piped in behind the question; empty replies."""

import json
import os
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pluriverse.chats.chat import EMPTY

from ..patience import PATIENCE_S
from .conftest import Call, Terminal, command

HOSTILE = '<script>alert(1)</script> ![x](http://127.0.0.1/x.png) & "quoted" \x1b[31mred\u202eback'
Script = Callable[..., None]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Let everybody say `text`."""

    def write(text: str) -> None:
        file = tmp_path / "script.toml"
        file.write_text(f"[[rule]]\nreplies = [{json.dumps(text)}]\n", "utf-8")
        monkeypatch.setenv("PLURIVERSE_BASE", f"scripted:{file}")

    return write


def test_an_ask_is_kept_like_a_chat(call: Call) -> None:
    document = call("ask", "What are tariffs?", "--with", "duty,outcomes", "--json").document
    [summary] = call("history", "--json").document["conversations"]
    assert summary["id"] == document["id"]
    assert (summary["title"], summary["turns"]) == ("What are tariffs?", 3)
    assert sorted(summary["assistants"]) == ["duty", "outcomes"]
    turns = call("history", "show", document["id"], "--json").document["turns"]
    assert [turn["speaker"] for turn in turns] == [None, "duty", "outcomes"]
    assert [turn["content"] for turn in turns[1:]] == [reply["text"] for reply in document["replies"]]
    assert turns[1]["record"] == document["replies"][0]
    assert call("history", "search", "tariffs", "--json").document["conversations"][0]["id"] == document["id"]
    resumed = call("chat", "--resume", document["id"], "--json", stdin="And why?\n").document
    assert [turn["speaker"] for turn in resumed["turns"]][-2:] == [None, "outcomes"]
    assert call("history", "rm", document["id"]).code == 0
    assert call("history", "--json").document["conversations"] == []


def test_nothing_is_kept_where_that_is_said(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("ask", "Hi", "--no-history", "--json").document["id"] is None
    monkeypatch.setenv("PLURIVERSE_HISTORY", "off")
    assert call("ask", "Hi", "--json").document["id"] is None
    monkeypatch.delenv("PLURIVERSE_HISTORY")
    assert call("ask", "Hi", "--base", "hf:owner/repository/file.gguf").code == 1  # nobody answered
    assert call("history", "--json").document["conversations"] == []


def test_a_history_that_cannot_be_written_costs_no_answer(call: Call, home: Path) -> None:
    home.mkdir()
    (home / "history.db").write_text("no database at all, but long enough to be taken for one " * 40)
    result = call("ask", "Hi", "--with", "duty", "--json")
    assert (result.code, result.document["id"]) == (0, None)
    assert "these answers are not kept" in result.err and "hint: " in result.err


def test_the_terminal_tells_what_is_kept(terminal: type[Terminal]) -> None:
    ask = terminal("ask", "Hi", "--with", "duty", width=80)
    assert ask.end() == 0
    assert re.search(r"kept: pluriverse history show [0-9a-f]{12}", ask.screen)


@pytest.mark.parametrize("suffix", ["md", "html", "json", "txt"])
def test_answers_as_a_file(call: Call, script: Script, tmp_path: Path, suffix: str) -> None:
    script(HOSTILE)
    file = tmp_path / "new" / f"answers.{suffix}"
    result = call("ask", "<b>Why?</b>", "--with", "duty,outcomes", "-o", str(file), "--json")
    assert (result.code, result.document["file"]) == (0, str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text("utf-8")
    assert "duty" in text and "outcomes" in text and "quoted" in text
    if suffix == "json":
        assert json.loads(text)["replies"] == result.document["replies"]
        return
    assert "\x1b" not in text and "\u202e" not in text
    if suffix == "html":
        assert "<script" not in text and "<b>" not in text and "&lt;script&gt;" in text
        assert "Content-Security-Policy" in text and " src=" not in text
    if suffix == "md":
        assert not re.search(r"(?<!\\)<script|(?<!\\)!\[|(?<!\\)<b>", text)


def test_a_file_that_says_nothing_is_told_before_anybody_is_asked(call: Call, tmp_path: Path) -> None:
    for file in (tmp_path / "answers.docx", tmp_path / "answers", tmp_path):
        result = call("ask", "Hi", "-o", str(file), "--json")
        assert result.code == 2 and ".html" in result.document["error"]["hint"]
    (tmp_path / "file").touch()
    assert call("ask", "Hi", "-o", str(tmp_path / "file" / "answers.md")).code == 1
    assert call("history", "--json").document["conversations"] == []


def test_the_history_is_exported_by_suffix_too(call: Call, script: Script, tmp_path: Path) -> None:
    script(HOSTILE)
    call("ask", "One", "--with", "duty")
    call("ask", "Two", "--with", "outcomes")
    for suffix, form in {"md": "markdown", "html": "html", "json": "json", "txt": "text"}.items():
        file = tmp_path / f"all.{suffix}"
        assert call("history", "export", "-o", str(file), "--json").document["format"] == form
        text = file.read_text("utf-8")
        assert "One" in text and "Two" in text
        assert form in {"json", "text"} or not re.search(r"(?<!\\)<script", text)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert call("history", "export", "-o", str(tmp_path / "all.pdf")).code == 2


def piped(text: bytes, *words: str) -> dict[str, object]:
    done = subprocess.run(command("ask", *words, "--json"), input=text, capture_output=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    document: dict[str, object] = json.loads(done.stdout)
    return document


def test_piped_text_stands_behind_the_question(tmp_path: Path) -> None:
    asked = piped(b"The first line.\nThe second.\n", "Summarise", "--with", "duty")
    assert asked["question"] == "Summarise\n\nThe first line.\nThe second."
    assert piped(b"", "Summarise", "--with", "duty")["question"] == "Summarise"
    assert piped(b"Alone\n", "-", "--with", "duty")["question"] == "Alone"
    notes = tmp_path / "notes.txt"
    notes.write_text("From a file.\n")
    with notes.open() as file:
        done = subprocess.run(
            command("ask", "Sum", "--json"), stdin=file, capture_output=True, text=True, timeout=PATIENCE_S
        )
    assert json.loads(done.stdout)["question"] == "Sum\n\nFrom a file."


def test_a_closed_or_empty_stdin_is_nothing() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command("ask", "Hi", "--with", "duty", "--json")],
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert (done.returncode, json.loads(done.stdout)["question"]) == (0, "Hi")


def test_a_pipe_that_stays_open_is_told() -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        command("ask", "Hi", "--with", "duty"), stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "waiting for the text at stdin" in process.stderr.readline()
    os.close(writer)
    os.close(reader)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0 and "duty" in out


@pytest.mark.parametrize("text", ["", " \n "])
def test_an_empty_reply_is_shown_as_one(call: Call, script: Script, text: str) -> None:
    script(text)
    result = call("ask", "Hi", "--with", "duty")
    assert (result.code, EMPTY in result.out, "duty" in result.out) == (0, True, True)
    assert call("ask", "Hi", "--with", "duty", "--json").document["replies"][0]["text"] == text
    assert EMPTY in call("chat", "duty", stdin="Hi\n").out
    assert EMPTY in call("history", "show", call("history", "--json").document["conversations"][0]["id"]).out


@pytest.mark.parametrize("width", [80, 160])
def test_empty_replies_on_a_terminal(terminal: type[Terminal], script: Script, width: int) -> None:
    script("")
    ask = terminal("ask", "Hi", "--with", "duty,outcomes", width=width)
    assert ask.end() == 0
    assert ask.screen.count(EMPTY) == 2


def test_from_python_nothing_is_kept_by_default(call: Call) -> None:
    import pluriverse

    with pluriverse.Pluriverse() as here:
        here.ask("One", "duty")
        here.ask("Two", "duty", keep=True)
        list(here.stream("Three", "duty", keep=True))
        for _ in here.stream("Four", "duty"):
            break
    titles = [each["title"] for each in call("history", "--json").document["conversations"]]
    assert titles == ["Three", "Two"]


def test_a_stopped_ask_is_kept_and_written_as_far_as_it_came(
    terminal: type[Terminal], call: Call, tmp_path: Path
) -> None:
    slow = tmp_path / "slow.toml"  # it has said a word when it is stopped, and is far from the last one
    slow.write_text(f"pace = 0.5\n[[rule]]\nreplies = ['Well, {'I could go on. ' * 60}']\n")
    ask = terminal("ask", "Hi", "--with", "duty", "--base", f"scripted:{slow}", "-o", str(tmp_path / "a.md"), width=80)
    ask.until("Well,")
    ask.type("\x03")
    assert ask.end() == 130
    [kept] = call("history", "--json").document["conversations"]
    assert call("history", "show", kept["id"], "--json").document["turns"][1]["state"] == "cancelled"
    assert "*(stopped)*" in (tmp_path / "a.md").read_text("utf-8")
