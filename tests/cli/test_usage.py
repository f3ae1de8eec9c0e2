"""Wrong words get exit code 2, the near name and, with --json, one document; help and welcome are fast and complete."""

import argparse
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pluriverse import __version__
from pluriverse.assistant.shelf import Shelf
from pluriverse.cli import _parser

from ..patience import PATIENCE_S
from .conftest import Call

COMMANDS = [
    *(
        "ask",
        "chat",
        "history",
        "ls",
        "show",
        "new",
        "edit",
        "copy",
        "panel",
        "pull",
        "catalogue",
        "rm",
        "verify",
        "gc",
    ),
    *("history ls", "history search", "history show", "history export", "history rm", "history clear"),
    *("panel ls", "panel show", "panel new", "catalogue ls", "catalogue search", "catalogue show"),
    *("catalogue graph", "catalogue check"),
]


def test_welcome_names_three_commands(call: Call) -> None:
    result = call()
    assert result.code == 0
    assert result.out.count("\n  pluriverse ") == 3


def test_version(call: Call) -> None:
    assert call("--version").out == f"pluriverse {__version__}\n"
    assert call("--version", "--json").document == {"version": __version__}


def test_help_lists_every_command(call: Call) -> None:
    text = call("--help").out
    for name in COMMANDS:
        if " " not in name:
            assert f"\n  {name} " in text


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_has_an_example(call: Call, name: str) -> None:
    result = call(*name.split(), "--help")
    assert result.code == 0
    assert "example:\n  pluriverse " in result.out
    assert "--json" in result.out
    assert call(*name.split(), "--help", "--json").document["help"] == result.out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["aks", "hi"], "pluriverse ask"),
        (["What is fair?"], "pluriverse ask 'What is fair?'"),
        (["panel", "shwo"], "pluriverse panel show"),
        (["ask", "hi", "--max-token", "3"], "--max-tokens"),
        (["ask"], "pluriverse ask --help"),
        (["ask", "hi", "--seed", "x"], "pluriverse ask --help"),
        (["gc", "now"], "quotation marks"),
        (["ask", "hi", "--temperature", "9"], None),
        (["ask", "hi", "--with", "a,,b"], "A,B,C"),
        (["ask", " "], "pluriverse ask"),
        (["history", "clear"], "--yes"),
        (["chat"], "pluriverse ls"),
    ],
)
def test_wrong_usage(call: Call, words: list[str], hint: str | None) -> None:
    plain = call(*words)
    assert (plain.code, plain.out) == (2, "")
    assert plain.err.startswith("error: ")
    assert "Traceback" not in plain.err
    for given in ([*words, "--json"], ["--json", *words]):
        result = call(*given)
        error = result.document["error"]
        assert result.code == 2
        assert error["kind"] == "usage"
        assert error["message"]
        assert hint is None or hint in error["hint"]


def test_bad_setting_is_told_in_words(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLURIVERSE_THREADS", "many")
    assert call("ls", "--json").document["error"]["kind"] == "usage"


@pytest.mark.parametrize("name", ["PLURIVERSE_HOME", "PLURIVERSE_DATA", "PLURIVERSE_STORES", "PLURIVERSE_FOLDERS"])
def test_a_folder_of_nobody_is_told_by_its_variable(name: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "~nobody-of-that-name/x")
    error = call("ls", "--json").document["error"]
    assert error["kind"] == "usage" and name in error["message"]


@pytest.mark.parametrize("name", ["PLURIVERSE_THREADS", "PLURIVERSE_MEMORY"])
def test_a_number_of_thousands_of_digits_is_told(name: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1" * 5000)
    assert call("ls", "--json").document["error"]["kind"] == "usage"


def test_a_script_of_nobody_is_told(call: Call) -> None:
    result = call("ask", "Hello?", "--with", "duty", "--base", "scripted:~nobody-of-that-name/a.toml", "--json")
    assert "unexpected" not in result.err and "cannot be read" in result.err


def test_unexpected_mistake_is_a_sentence(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by 0")

    monkeypatch.setattr(Shelf, "listing", broken)
    result = call("ls")
    assert result.code == 1
    assert "ZeroDivisionError: by 0" in result.err
    assert "Traceback" not in result.err
    assert "--debug" in result.err
    assert "Traceback" in call("ls", "--debug").err
    assert call("ls", "--json", "--debug").document["error"]["kind"] == "error"


HEAVY = (
    "numpy",
    "rich",
    "asyncio",
    "httpx2",
    "huggingface_hub",
    "jinja2",
    "sqlite3",
    "tomli_w",
    "xllamacpp",
    "platformdirs",
)


@pytest.mark.parametrize("words", [["--help"], ["ask", "--help"], [], ["--version"]])
def test_nothing_heavy_is_imported_for_help(words: list[str]) -> None:
    code = f"""
import sys
from pluriverse.cli import main
main({words!r})
print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.stderr == "[]\n"


def test_a_reader_that_goes_away_is_no_failure() -> None:
    shell = f"set -o pipefail; {sys.executable} -m pluriverse ls | head -1"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, "")


def actions(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.Action]]:
    """Every option and argument of every command, with the command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from actions(child)
        else:
            yield parser.prog, action


def test_every_option_says_what_it_does() -> None:
    mute = [f"{prog} {action.dest}" for prog, action in actions(_parser()[0]) if not action.help]
    assert not [each for each in mute if each not in {"pluriverse version", "pluriverse catalogue show id"}], mute


@pytest.mark.parametrize("words", [*COMMANDS, "measure", "card", "compare", "leaderboard", "report", "engine build"])
def test_help_fits_80_columns(call: Call, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = [line for line in call(*words.split(), "--help").out.splitlines() if len(line) > 80]
    assert not long
