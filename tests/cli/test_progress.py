"""Steps count down by themselves: on a terminal in place, elsewhere as a line now and then."""

import io
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from pluriverse.cli.terminal import progress
from pluriverse.cli.terminal.progress import Progress
from pluriverse.cli.terminal.replies import WAITING, show_waiting
from pluriverse.runtime.events import Loading, ReplyStarted, ReplyWaits, Studying
from pluriverse.values import Digest, Work

from ..patience import PATIENCE_S


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._is = terminal

    def isatty(self) -> bool:
        return self._is


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("_TICK_S", 0.02), ("_REDRAW_S", 0.01), ("_PLAIN_S", 0.05)):
        monkeypatch.setattr(progress, name, seconds)


def lefts(screen: Screen) -> list[str]:
    return [part.split(", ")[1].split(" left")[0] for part in screen.getvalue().split("\r\x1b[K") if " left" in part]


def test_time_left_moves_while_nothing_comes() -> None:
    shown = Progress(screen := Screen(True))
    shown.steps("checking", 1, 10, "xstest on small", left_s=9.0)
    deadline = time.monotonic() + PATIENCE_S
    while (len(lefts(screen)) < 4 or float(lefts(screen)[-1].split()[0]) > 8.8) and time.monotonic() < deadline:
        time.sleep(0.02)
    shown.clear()
    found = lefts(screen)
    assert found[0] == "9.0 s" and float(found[-1].split()[0]) <= 8.8
    assert "checking: 1 of 10, 9.0 s left (xstest on small)" in screen.getvalue()


def test_it_follows_from_the_steps_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "_TICK_S", 60)
    shown = Progress(screen := Screen(True))
    for done in (20, 30, 50):  # 20 were known before
        shown.steps("checking", done, 60)
        now[0] += 10
    shown.clear()
    assert lefts(screen) == ["30 s", "6.7 s"]


def test_nothing_is_drawn_over_what_comes_after() -> None:
    shown = Progress(screen := Screen(True))
    shown.steps("measuring", 1, 10, left_s=9.0)
    shown.clear()
    before = screen.getvalue()
    time.sleep(0.1)
    assert screen.getvalue() == before and not [each for each in threading.enumerate() if "_ticking" in each.name]


def test_where_lines_stay_there_are_few() -> None:
    shown = Progress(screen := Screen(False))
    shown.steps("measuring", 1, 10, left_s=9.0)
    assert screen.getvalue() == ""
    began = time.monotonic()
    while not screen.getvalue() and time.monotonic() < began + PATIENCE_S:
        time.sleep(0.2)
    shown.clear()
    lines = screen.getvalue().splitlines()
    most = (time.monotonic() - began) / progress._PLAIN_S
    assert 1 <= len(lines) <= most and all(line.startswith("measuring: 1 of 10, ") for line in lines)
    Progress(quiet := Screen(True), silent=True).steps("measuring", 1, 10)
    assert quiet.getvalue() == ""


def test_waiting_for_the_turn_is_said_in_one_line() -> None:
    said: list[str] = []
    out: Any = SimpleNamespace(progress=SimpleNamespace(status=said.append, clear=said.clear))
    show_waiting(out, Loading("small"))
    show_waiting(out, ReplyWaits(0))
    assert said[-1] == WAITING and len(WAITING) < 80 and "other engines of this user" in WAITING
    show_waiting(out, ReplyStarted(0, "duty", 10, 0))
    assert not said


def test_a_work_that_is_read_for_the_first_time_tells_how_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    shown = Progress(screen := Screen(True))
    out: Any = SimpleNamespace(progress=shown)
    work = Work("liberty", "On Liberty", Digest(f"sha256:{'0' * 64}"))
    for done in (0, 32, 64):
        show_waiting(out, Studying(work, done, 320))
        now[0] += 10
    shown.clear()
    assert "reading On Liberty for the first time: 64 of 320, 1 min 20 s left" in screen.getvalue()
    lines = Progress(pipe := Screen(False))
    out = SimpleNamespace(progress=lines)
    for done in range(0, 320, 32):
        show_waiting(out, Studying(work, done, 320))
    lines.clear()
    assert not pipe.getvalue()  # where lines stay, one comes every ten seconds


def test_the_first_of_many_says_nothing_of_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    shown = Progress(screen := Screen(True))
    for done in (0, 1, 4):
        shown.steps("checking", done, 72)
        now[0] += 200
    shown.clear()
    lines = [line for line in screen.getvalue().split("\r\x1b[K") if line]
    assert "1 of 72, 3 min 20 s so far" in lines[1]
    assert "4 of 72, 1 h 53 min left" in lines[2]


def test_each_of_several_is_counted_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "_TICK_S", 60)
    shown = Progress(screen := Screen(True))
    for done, total, title in (
        (0, 800, "Leviathan"),
        (400, 800, "Leviathan"),
        (0, 200, "Prince"),
        (100, 200, "Prince"),
    ):
        shown.steps("indexing", done, total, title)
        now[0] += 60
    shown.clear()
    assert lefts(screen) == ["1 min 0 s", "1 min 0 s"]
    assert "so far (Prince)" not in screen.getvalue()
