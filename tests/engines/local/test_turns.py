"""Two engines of one user alternate; a dead one holds nobody up."""

import itertools
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pluriverse.engines.local import turns as module
from pluriverse.engines.local.turns import SLICE, Turns

from ...patience import PATIENCE_S

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="engines do not take turns on Windows")

_GREEDY = """
import sys, time
from pathlib import Path
from pluriverse.engines.local.turns import Turns
turns, log = Turns(Path(sys.argv[1])), open(sys.argv[1] + "/log", "a")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(60):
    with turns.taken():
        log.write(sys.argv[2]); log.flush()
        time.sleep(0.02)
"""


def start(folder: Path, name: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _GREEDY, str(folder), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    return process


def test_turns_alternate_by_slices(tmp_path: Path) -> None:
    processes = [start(tmp_path, name) for name in "ab"]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=PATIENCE_S)
    order = (tmp_path / "log").read_text()
    both_at_work = order[order.index("b" if order[0] == "a" else "a") : min(order.rindex("a"), order.rindex("b"))]
    slices = [len(list(steps)) for _, steps in itertools.groupby(both_at_work)]
    assert len(both_at_work) > 60 and len(slices) >= 4
    assert max(slices) <= 1 + SLICE / 0.02  # nobody has more than a slice while the other waits
    assert sum(slices) / len(slices) > 2  # and a slice is several steps


def test_who_goes_idle_gives_the_turn_up(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    mine = Turns(tmp_path)
    other = start(tmp_path, "b")
    with mine.taken():
        assert other.stdin
        other.stdin.write("go\n")
        other.stdin.flush()
        time.sleep(0.1)  # it waits now, so that this turn is kept
    other.communicate(timeout=PATIENCE_S)  # though nobody comes back here
    assert (tmp_path / "log").read_text() == "b" * 60
    with mine.taken() as waited:
        assert waited < 1


def test_who_waits_long_says_so_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG", 0.15)
    said: list[int] = []
    other = start(tmp_path, "b")
    mine = Turns(tmp_path, lambda: said.append(1))
    with mine.taken():
        pass
    assert not said  # nobody was in the way
    assert other.stdin
    other.stdin.write("go\n")
    other.stdin.flush()
    while not (tmp_path / "log").read_text():
        time.sleep(0.01)
    while other.poll() is None:  # it works for 1.2 seconds, in slices
        with mine.taken():
            time.sleep(0.01)
    assert said == [1]


def test_a_killed_holder_frees_the_turn(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from pluriverse.engines.local.turns import Turns\n"
            "with Turns(Path(sys.argv[1])).taken(): print('held', flush=True); time.sleep(60)",
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout and holder.stdout.readline() == "held\n"
    holder.kill()
    with Turns(tmp_path).taken() as waited:
        assert waited < 30  # and not the minute that it would have held it
    holder.wait()


def test_without_a_folder_nobody_waits() -> None:
    with Turns(None).taken(), Turns(None).taken():
        pass
