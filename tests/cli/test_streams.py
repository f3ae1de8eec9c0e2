"""Streams as shells hand them over: closed, full, gone, not UTF-8. Sentences and exit codes, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..patience import PATIENCE_S
from .conftest import Call, command

ASK = ("ask", "-", "--max-tokens", "3")


def shell(line: str, *words: str, stdin: bytes = b"", **environment: str) -> tuple[int, str, str]:
    """`line` with "$@" for the command; exit code, stdout, stderr."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line, "bash", *command(*words)],
        input=stdin, capture_output=True, timeout=PATIENCE_S, env=os.environ | environment,
    )  # fmt: skip
    said = done.stderr.decode()
    assert "Traceback" not in said and "unexpected" not in said, said
    return done.returncode, done.stdout.decode(), said


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("ls",), ("ls", "--json"), ("--help",)])
def test_a_full_disk_behind_stdout(words: tuple[str, ...], unbuffered: str) -> None:
    code, _, said = shell('"$@" > /dev/full', *words, PYTHONUNBUFFERED=unbuffered)
    assert (code, said.splitlines()[0]) == (1, "error: stdout cannot be written: No space left on device")


def test_a_full_disk_behind_stdout_while_a_reply_streams() -> None:
    code, _, said = shell('"$@" > /dev/full', "ask", "hi", "--max-tokens", "3")
    assert code == 1 and "stdout cannot be written" in said


@pytest.mark.parametrize("words", [("ls",), ("catalogue", "--json"), ("ask", "hi", "--max-tokens", "3")])
def test_a_reader_that_goes_away_is_no_failure(words: tuple[str, ...]) -> None:
    code, _, said = shell('"$@" | true', *words)
    assert code == 0 and "error" not in said


def test_a_closed_stdout() -> None:
    code, _, said = shell('"$@" >&-', "ls")
    assert code == 1 and said.startswith("error: stdout is closed")
    assert shell('"$@" <&- >&- 2>&-', "ls") == (1, "", "")


@pytest.mark.parametrize("place", ["2>&-", "2>/dev/full", "2> >(true)"])
def test_lost_words_stop_nothing(place: str) -> None:
    code, shown, _ = shell(f'"$@" {place}', "pull", "nothing", "--json")
    assert code == 2 and '"kind": "usage"' in shown
    code, shown, _ = shell(f'"$@" {place}', "ask", "hi", "--max-tokens", "3", "--json")
    assert code == 0 and '"replies"' in shown


@pytest.mark.parametrize("words", [ASK, ("new", "bob", "--system", "-")])
def test_a_closed_stdin_that_is_to_be_read(words: tuple[str, ...]) -> None:
    code, _, said = shell('"$@" <&-', *words)
    assert code == 2 and said.startswith("error: stdin is closed")


def test_a_closed_stdin_that_nobody_reads() -> None:
    assert shell('"$@" <&-', "ask", "hi", "--max-tokens", "3")[0] == 0


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("Où vas-tu ?".encode("latin-1"), "stdin is not UTF-8 (byte 0xf9)", "iconv -f LATIN1"),
        (b"\xff\xfe" + "Why?".encode("utf-16-le"), "stdin is UTF-16", "iconv -f UTF-16"),
        (b"\xfe\xff" + "Why?".encode("utf-16-be"), "stdin is UTF-16", "iconv -f UTF-16"),
        (b"Why\xe2\x82", "stdin is not UTF-8", "iconv"),
    ],
)
@pytest.mark.parametrize("words_typed", [ASK, ("chat", "progressive"), ("new", "bob", "--system", "-")])
def test_stdin_in_another_encoding(words_typed: tuple[str, ...], text: bytes, words: str, hint: str) -> None:
    code, _, said = shell('"$@"', *words_typed, stdin=text)
    assert code == 2 and words in said and hint in said


def test_a_byte_order_mark_is_no_part_of_the_question() -> None:
    code, shown, _ = shell('"$@"', *ASK, "--json", stdin=b"\xef\xbb\xbfWhy?")
    assert code == 0 and '"question": "Why?"' in shown


def test_a_locale_of_another_encoding_is_heeded() -> None:
    code, shown, _ = shell('"$@"', *ASK, "--json", stdin=b"caf\xe9", PYTHONIOENCODING="latin-1")
    assert code == 0 and '"question": "caf\\u00e9"' in shown


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (OSError(5, "Input/output error", "/mnt/stick/x"), "/mnt/stick/x: Input/output error"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (BrokenPipeError(32, "Broken pipe"), "Broken pipe"),
        (MemoryError(), "no memory left"),
        (UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "x"), "not UTF-8"),
        (UnicodeEncodeError("utf-8", "\udce9", 0, 1, "x"), "not UTF-8"),
    ],
)
def test_what_comes_from_outside_is_never_unexpected(
    call: Call, monkeypatch: pytest.MonkeyPatch, mistake: Exception, words: str
) -> None:
    def fails(*_: object) -> None:
        raise mistake

    monkeypatch.setattr("pluriverse.cli.commands.ls.run", fails)
    result = call("ls", "--json")
    assert words in result.document["error"]["message"] and "unexpected" not in result.err


def test_a_home_that_is_not_utf8(tmp_path: Path) -> None:
    """All of this machine's files may lie in it."""
    home = os.fsencode(tmp_path) + b"/caf\xe9"
    environment = {**os.environb, b"PLURIVERSE_HOME": home}
    for words in (["new", "bob", "--system", "You are Bob."], ["show", "bob"], ["ls"], ["chat", "bob"], ["verify"]):
        done = subprocess.run(
            [*map(os.fsencode, command(*words))],
            input=b"hi\n",
            env=environment,
            capture_output=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
    assert sys.platform != "linux" or os.path.exists(home + b"/history.db")
