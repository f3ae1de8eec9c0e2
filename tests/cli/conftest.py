"""A home of its own for every test, the scripted base, and ways to run the command: in this process, in another one,
and in another one on a pseudo-terminal."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pluriverse.cli import main

from ..patience import PATIENCE_S


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; fails when there is anything else."""
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document


Call = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("PLURIVERSE_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("PLURIVERSE_HOME", str(home))
    monkeypatch.setenv("PLURIVERSE_BASE", "scripted")
    monkeypatch.setenv("PLURIVERSE_PANEL", "starter")
    monkeypatch.setenv("PLURIVERSE_OFFLINE", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run `pluriverse WORDS` in this process; `stdin` is what it can read."""

    def run(*words: str, stdin: str = "") -> Result:
        import io

        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capfd.readouterr()
        code = main(list(words))
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return run


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pluriverse", *words]


@pytest.fixture
def process() -> Call:
    """Run it in a process of its own."""

    def run(*words: str, stdin: str = "", **environment: str) -> Result:
        done = subprocess.run(
            command(*words),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            env=os.environ | environment,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


class Terminal:
    """`pluriverse WORDS` on a pseudo-terminal; `screen` is all that it wrote, escape sequences included."""

    def __init__(self, *words: str, width: int, height: int = 40) -> None:
        self.screen = ""
        self._raw = b""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

        def take_terminal() -> None:
            os.setsid()
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a run in the background ignores it
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            command(*words),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=take_terminal,
            env=dict(os.environ),  # readline sets COLUMNS behind Python's back
        )
        os.close(theirs)
        self._ours = ours

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, text: str, *, timeout_s: float = PATIENCE_S) -> None:
        """Read until `text` is on the screen."""
        deadline = time.monotonic() + timeout_s
        while text not in self.screen:
            assert time.monotonic() < deadline, f"{text!r} never came; there was:\n{self.screen}"
            if not self._read(0.2):
                assert text in self.screen, f"it ended without {text!r}:\n{self.screen}"

    def end(self, timeout_s: float = PATIENCE_S) -> int:
        """Read to its end; the exit code."""
        deadline = time.monotonic() + timeout_s
        while self._read(0.2):
            assert time.monotonic() < deadline, f"it does not end; there was:\n{self.screen}"
        os.close(self._ours)
        return self.process.wait(timeout=PATIENCE_S)

    def _read(self, patience_s: float) -> bool:
        if not select.select([self._ours], [], [], patience_s)[0]:
            return True
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # what Linux says when the other end is closed
            return False
        self._raw += data
        self.screen = self._raw.decode(errors="replace")
        return bool(data)


@pytest.fixture
def terminal() -> type[Terminal]:
    return Terminal
