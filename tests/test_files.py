"""What is a user's is its owner's alone, whatever the umask says, and appears whole or not at all."""

import ast
import multiprocessing
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pluriverse
from pluriverse import files
from pluriverse.assistant import Assistant, Shelf
from pluriverse.chats.chat import Turn
from pluriverse.chats.shelf import ChatShelf
from pluriverse.cli import main
from pluriverse.errors import PluriverseError, UsageError
from pluriverse.settings import Settings

ROOT = Path(pluriverse.__file__).parent


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_all_that_is_a_users_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("PLURIVERSE_BASE", "scripted")
    monkeypatch.chdir(tmp_path)
    assert main(["new", "ada", "--system", "You are Ada; nobody else may know."]) == 0
    assert main(["panel", "new", "mine", "ada,duty"]) == 0
    assert main(["measure", "propositions-free", "--with", "ada,duty", "--limit", "2"]) == 0
    assert main(["report", "-o", "report.html"]) == 0
    assert main(["card", "ada", "--html", "card.html"]) == 0
    history = ChatShelf(home / "history.db")
    history.add(history.begin("a talk"), Turn(None, "Hello.", "said"))
    assert main(["history", "export", "-o", "talk.md"]) == 0
    for path in (*home.rglob("*"), home, *tmp_path.glob("*.*")):
        if path.is_dir():
            assert not mode(path) & 0o022, path
        elif "store" not in path.relative_to(tmp_path).parts:
            assert mode(path) == 0o600, f"{path}: {mode(path):o}"
        if path.is_file() and b"nobody else may know" in path.read_bytes():
            assert mode(path) == 0o600, path
    for name in ("assistants", "panels", "runs"):
        assert mode(home / name) == 0o700


def test_what_was_opened_to_others_stays_open(tmp_path: Path) -> None:
    page = tmp_path / "deep" / "report.html"
    files.write_out(page, "one")
    assert mode(page) == 0o600
    page.chmod(0o644)
    (tmp_path / "link.html").symlink_to(page)
    files.write_out(tmp_path / "link.html", "two")
    assert page.read_text() == "two" and mode(page) == 0o644 and (tmp_path / "link.html").is_symlink()
    files.write(page, "three")
    assert mode(page) == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_device_or_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE)
    files.write_out(tmp_path / "pipe", "through")
    assert reader.communicate()[0] == b"through"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    with pytest.raises(PluriverseError, match="cannot be written"):
        files.write_out(tmp_path, "a folder")
    assert os.listdir(tmp_path) == ["pipe"]


def test_nothing_is_left_of_what_fails(tmp_path: Path) -> None:
    place = tmp_path / "it"
    files.write(place, "whole")
    with pytest.raises(UsageError):
        files.write(place, "other", overwrite=False)
    with pytest.raises(ZeroDivisionError), files.replacing(place) as fresh:
        fresh.write_text("half")
        1 / 0  # noqa: B018
    assert place.read_text() == "whole" and os.listdir(tmp_path) == ["it"]


def _write_often(home: Path, letter: str) -> None:
    shelf = Shelf(Settings(home=home))
    for _ in range(40):
        shelf.write(Assistant("ada", system=letter * 20_000), overwrite=True)


def test_two_processes_write_one_file_and_it_is_always_whole(tmp_path: Path) -> None:
    how = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    writers = [how.Process(target=_write_often, args=(tmp_path, letter)) for letter in "ab"]
    for each in writers:
        each.start()
    seen = set()
    shelf = Shelf(Settings(home=tmp_path))
    while any(each.is_alive() for each in writers):
        if (tmp_path / "assistants" / "ada.toml").exists():
            system = shelf.assistant("ada").system
            assert system in {"a" * 20_000, "b" * 20_000}
            seen.add(system[0])
    assert seen and all(each.exitcode == 0 for each in writers)
    assert os.listdir(tmp_path / "assistants") == ["ada.toml"]


def test_a_kill_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pluriverse import files\n"
        "files.write(Path(sys.argv[1]), 'old'); print('go', flush=True)\n"
        "while True: files.write(Path(sys.argv[1]), 'new' * 100_000)"
    )
    for round_ in range(4):
        place = tmp_path / f"{round_}" / "it"
        child = subprocess.Popen([sys.executable, "-c", code, str(place)], stdout=subprocess.PIPE)
        assert child.stdout and child.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.02 * (round_ + 1))
        child.kill()
        child.communicate()
        assert place.read_text() in {"old", "new" * 100_000}


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    left, young, other = (tmp_path / "home" / "assistants" / name for name in (".a.0123abcd", ".b.0123abcd", ".c.toml"))
    for path in (left, young, other):
        files.write(path, "four")
    os.utime(left, (0, 0))
    os.utime(other, (0, 0))
    assert main(["gc"]) == 0
    assert not left.exists() and young.exists() and other.exists()


def test_only_what_is_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(b"12345")
    assert files.read(tmp_path / "it", 3) == b"1234"
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "nothing"):
        with pytest.raises(OSError, match=r".*"):
            files.read(tmp_path / name, 3)
    with pytest.raises(OSError, match="no file"):
        files.read(Path("/dev/zero"), 3)


WRITES = {"write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "mkdir", "makedirs"}
OF_BUILDS = {"engines/native/compiling.py", "engines/native/additions.py", "engines/native/obtaining.py"}
OTHERS = OF_BUILDS | {
    "files.py",
    "engines/local/turns.py",
    "store/sources/wheel.py",
    "store/encoder.py",
    "store/sources/encoder.py",
    "store/pulling.py",
    "engines/requantising.py",
}


@pytest.mark.parametrize("module", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_else_makes_files_and_folders(module: Path) -> None:
    """Scratch of a build, of a download and the folder of turns aside: they are inside folders made here."""
    if str(module.relative_to(ROOT)) in OTHERS:
        return
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            where = f"{module}:{node.lineno}"
            assert node.func.attr not in WRITES, where
            if node.func.attr == "open" and ast.unparse(node.func.value) != "os":
                modes = [each.value for each in node.args if isinstance(each, ast.Constant)]
                assert not any(set(str(each)) & set("wax") for each in modes), where


def test_links_in_a_circle_are_told_and_stay(tmp_path: Path) -> None:
    circle = tmp_path / "circle.md"
    circle.symlink_to(tmp_path / "other.md")
    (tmp_path / "other.md").symlink_to(circle)
    with pytest.raises(PluriverseError, match="cannot be written"):
        files.write_out(circle, "text")
    assert circle.is_symlink() and len(list(tmp_path.iterdir())) == 2
