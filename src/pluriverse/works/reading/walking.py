"""Which files are meant by the paths that somebody gives: files, and folders with all that is in them.

A link that somebody names is followed; inside a folder none is, and one that leads out of it is told. Hidden files and
folders are passed over. Knows paths, not what is in files.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from .schema import Problem

_NO_PROSE = {
    ".c", ".cfg", ".cpp", ".css", ".csv", ".go", ".h", ".ini", ".ipynb", ".java", ".js", ".json", ".jsonl", ".log",
    ".py", ".rs", ".sh", ".sql", ".toml", ".ts", ".tsv", ".xml", ".yaml", ".yml",
}  # fmt: skip


def walk(paths: Iterable[Path]) -> Iterator[Path | Problem]:
    """Files in the order of their names, each once, and what cannot be read before it is opened."""
    seen: set[tuple[int, int]] = set()
    for path in paths:
        found = _folder(path, path) if path.is_dir() else iter((path,))
        for each in found:
            if isinstance(each, Problem):
                yield each
                continue
            try:
                state = each.stat()
            except FileNotFoundError:
                yield Problem("vanished", each, f"{each} is not there")
                continue
            except OSError as error:
                yield _unreadable(each, error)
                continue
            if not stat.S_ISREG(state.st_mode):
                yield Problem("wrong_kind", each, f"{each} is no file")
            elif (state.st_dev, state.st_ino) not in seen or not state.st_ino:
                seen.add((state.st_dev, state.st_ino))
                yield each


def _folder(folder: Path, root: Path) -> Iterator[Path | Problem]:
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            yield _unreadable(here, error)
            continue
        inner = []
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                if not _inside(path, root):
                    yield Problem("outside", path, f"{path} is a link that leads out of the folder", f"name it: {path}")
            elif entry.is_dir(follow_symlinks=False):
                inner.append(path)
            elif path.suffix.lower() in _NO_PROSE:
                yield Problem(
                    "wrong_kind",
                    path,
                    f"{path} is data or a program, not prose",
                    f"name it to take it all the same: {path}",
                )
            else:
                yield path
        waiting += reversed(inner)


def _inside(link: Path, root: Path) -> bool:
    """Whether what it leads to is in the folder, and so is met there; what leads nowhere is."""
    try:
        return Path(os.path.realpath(link)).is_relative_to(os.path.realpath(root))
    except OSError:
        return False


def _unreadable(path: Path, error: OSError) -> Problem:
    return Problem("unreadable", path, f"{path} cannot be read: {error.strerror or error}", "check who may read it")
