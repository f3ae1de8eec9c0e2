"""Reading catalogues from disk: ours from its index, those of users and organisations from folders of files.

A file that cannot be understood is a `Problem`; all others count. Knows no terminal and no network.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from .. import toml
from .entry import Entry
from .ladder import rungs
from .lineage import Family, circles
from .schema import entry_of, faults

MOST_BYTES = 256 * 1024  # of a file
MOST_FILES = 20_000  # of a folder
_SHOWN = 6  # of a circle
_RESERVED = {"default", "scripted", "local", *(each.name for each in rungs())}
_PLACE = re.compile(r"\s*\(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something of a catalogue does not count. `line` from 1; None where it is the file as a whole."""

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        return f"{self.file}{f':{self.line}' if self.line else ''}: {self.message}"

    def as_dict(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "message": self.message}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Entries by id, in the order of their ids, and what could not be read."""

    entries: dict[str, Entry]
    problems: tuple[Problem, ...] = ()


@cache
def ours() -> dict[str, Entry]:
    """The entries that come with pluriverse. Their files are checked when the index is made of them."""
    index = (files(__package__) / "data" / "index.json").read_text("utf-8")
    return {given["id"]: entry_of(given) for given in json.loads(index)}


def read(folders: Sequence[Path], known: dict[str, Entry] | None = None) -> Catalogue:
    """All catalogues together. Of two entries with one id ours counts, else the first; one whose lineage ends in itself
    does not count. `known`: what stands before the folders (default: ours)."""
    entries = dict(ours() if known is None else known)
    problems: list[Problem] = []
    for folder in folders:
        for path in _files(folder, problems):
            found, wrong = read_file(path)
            problems += wrong
            if found is None:
                continue
            if found.id in _RESERVED:
                why = f"{found.id} means something else wherever a model is named; take another id"
                problems.append(Problem(str(path), 1, why))
            elif (other := entries.get(found.id)) is not None:
                where = f"also in {other.file}" if other.file else "taken: an entry that ships has it; choose another"
                problems.append(Problem(str(path), 1, f"the id {found.id} is {where}"))
            else:
                entries[found.id] = found
    for ids in circles(Family(entries.values())):
        added = [name for name in ids if name in entries and entries[name].file]  # of a circle before, it is gone
        between = (*ids[:_SHOWN], f"{len(ids) - _SHOWN:,} more") if len(ids) > _SHOWN + 1 else ids
        told = " -> ".join((*between, ids[0]))
        problems += [Problem(entries[name].file or "", None, f"its lineage is a circle: {told}") for name in added]
        for name in added:
            del entries[name]
    return Catalogue(dict(sorted(entries.items())), tuple(problems))


def _files(folder: Path, problems: list[Problem]) -> Iterable[Path]:
    if not folder.is_dir():
        problems.append(Problem(str(folder), None, "there is no such folder"))
        return []
    try:
        found = sorted(folder.rglob("*.toml"))
    except OSError as error:
        problems.append(Problem(str(folder), None, f"the folder cannot be read: {error.strerror}"))
        return []
    if len(found) > MOST_FILES:
        problems.append(Problem(str(folder), None, f"only the first {MOST_FILES:,} of {len(found):,} files are read"))
    return found[:MOST_FILES]


def read_file(path: Path) -> tuple[Entry | None, list[Problem]]:
    """The entry of one file, or all that is wrong with it."""
    name = str(path)
    if not path.is_file():  # a pipe would be waited for
        return None, [Problem(name, None, "it cannot be read: it is no file")]
    try:
        with path.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        return None, [Problem(name, None, f"it cannot be read: {error.strerror}")]
    if len(data) > MOST_BYTES:
        return None, [
            Problem(name, None, f"it is longer than {MOST_BYTES:,} bytes, and one entry needs a few thousand")
        ]
    try:
        text = data.decode("utf-8-sig")  # some editors put a mark in front
        given = toml.parse(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return None, [Problem(name, line, "it is not UTF-8; save it as UTF-8")]
    except ValueError as error:
        place = _PLACE.search(str(error))
        why = _PLACE.sub("", str(error))
        return None, [Problem(name, int(place[1]) if place else None, f"it is no TOML: {why}")]
    if wrong := faults(given, ours=False):
        return None, [Problem(name, _line(text, each.key, each.nth), each.message) for each in wrong]
    return entry_of(given, name), []


def _line(text: str, key: str, nth: int) -> int | None:
    """Where a key stands: its `nth` line, or the last there is of it."""
    first = re.compile(rf"[ \t]*(?:\[+[\w.]*\b)?[\"']?{re.escape(key)}[\"']?[ \t]*(?:=|\.|\])")
    inside = re.compile(rf"\b{re.escape(key)}[ \t]*=")
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        _, brace, table = line.partition("#")[0].partition("{")
        if first.match(line) or (brace and inside.search(table)):
            found.append(number)
    return found[min(nth, len(found) - 1)] if found else None
