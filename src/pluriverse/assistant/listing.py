"""All assistants of a folder as a list shows them, without reading again the files that have not changed.

What files said is kept in one JSON file, `cache/assistants.json` of the data folder. An entry counts for as long as its
file's size, place on the disk and times are the same, and the rules by which files are read; whatever in the cache is
not of the shape that is written here counts for nothing, and then files are read. Only lists rely on it: who is asked
is always read from their own file. Knows files and what a list shows of them; nothing of what the keys mean.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from os import stat_result
from pathlib import Path
from typing import Any, NamedTuple

from .. import files
from ..errors import PluriverseError, UsageError
from . import assistant, checks, generation, guidance, names, reading, works
from .assistant import Assistant

_SETTLED_NS = 2 * 10**9  # younger files may change again without their times telling, on the coarsest file system
_READ_BY = (assistant, checks, generation, guidance, names, reading, works)


class Listed(NamedTuple):
    """What a list shows of an assistant; see `Assistant` for the words."""

    name: str
    title: str
    base: str
    languages: tuple[str, ...]
    dimension: str
    position: str
    summary: str
    counterpart: str | None
    guidance: tuple[str, float] | None  # against, strength
    digest: str
    builtin: bool = False
    shadows: bool = False


def listed(each: Assistant) -> Listed:
    against = None if each.guidance is None else (each.guidance.against, each.guidance.strength)
    outlook = each.outlook
    return Listed(
        each.name, each.title, each.base, each.languages, outlook.dimension, outlook.position, outlook.summary,
        each.counterpart, against, each.digest, each.builtin, each.shadows,
    )  # fmt: skip


class Trouble(NamedTuple):
    """Why a file cannot be used: a PluriverseError's words, and whether it is a UsageError."""

    message: str
    hint: str | None
    usage: bool

    def error(self) -> PluriverseError:
        return (UsageError if self.usage else PluriverseError)(self.message, self.hint)


Entry = Listed | Trouble


def read_all(
    states: Iterable[tuple[str, stat_result]], read: Callable[[str], Assistant], cache: Path
) -> dict[str, Entry]:
    """What the file of each name says; `read` is called for the names whose files are new or have changed."""
    known = _kept(cache)
    now = time.time_ns()
    found: dict[str, Entry] = {}
    fresh: dict[str, list[Any]] = {}
    changed = False
    for name, state in states:
        key = [state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino]
        row = known.get(name)
        entry = _entry(row, key, name) if row is not None else None
        if entry is None:
            changed = True
            try:
                entry = listed(read(name))
            except PluriverseError as error:
                entry = Trouble(error.message, error.hint, isinstance(error, UsageError))
        found[name] = entry
        if now - max(key[:2]) > _SETTLED_NS:
            fresh[name] = [key, *entry]
    if changed or len(fresh) != len(known):
        _keep(cache, fresh)
    return found


def _kept(cache: Path) -> Mapping[str, Any]:
    try:
        document = files.read_json(cache)
    except (OSError, ValueError):
        return {}
    if not isinstance(document, dict) or document.get("rules") != _rules():
        return {}
    entries = document.get("files")
    return entries if isinstance(entries, dict) else {}


def _keep(cache: Path, entries: Mapping[str, list[Any]]) -> None:
    try:
        files.make_folder(cache.parent)
        with files.replacing(cache) as fresh:
            text = json.dumps({"rules": _rules(), "files": entries}, ensure_ascii=False, separators=(",", ":"))
            files.fill(fresh, text.encode("utf-8", "surrogatepass"))
    except OSError:  # a home that cannot be written to is read each time
        return


def _rules() -> list[list[int]]:
    """By which files are read: another version of these modules may read them differently."""
    states = [Path(module.__file__ or "").stat() for module in _READ_BY]
    return [[state.st_mtime_ns, state.st_size] for state in states]


def _entry(row: object, key: list[int], name: str) -> Entry | None:
    """A row of the cache, if it is of this file as it is, and of the shape that was written."""
    if not isinstance(row, list) or not row or row[0] != key:
        return None
    shape = [type(each) for each in row[1:]]
    if shape in _TROUBLES:
        return Trouble(*row[1:])
    if shape not in _SHAPES or row[1] != name or not all(type(each) is str for each in row[4]):
        return None
    row[4] = tuple(row[4])
    if (guided := row[9]) is not None:
        if [type(each) for each in guided] != [str, float]:
            return None
        row[9] = tuple(guided)
    return Listed(*row[1:])


_NONE = type(None)
_TROUBLES = [[str, hint, bool] for hint in (str, _NONE)]
_SHAPES = [
    [str, str, str, list, str, str, str, counterpart, guided, str, bool, bool]
    for guided in (list, _NONE)
    for counterpart in (str, _NONE)
]
