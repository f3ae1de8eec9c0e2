"""What a file of the catalogue may say, and what is wrong with one that says something else.

Knows a document that has been read; no files.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..errors import PluriverseError
from ..values import Digest, HubSource
from .entry import TASKS, V1, Ancestor, Entry, Note, Score

Check = Callable[[Any], str | None]
"""What a value should be instead, in words; None where it is right."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one key. `nth`: which of several tables of that name it is in, from 0."""

    key: str
    message: str
    nth: int = 0


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() and len(value) <= 2_000 else "a text"


def _matching(pattern: str, words: str) -> Check:
    return lambda value: None if isinstance(value, str) and re.fullmatch(pattern, value) else words


def _number(value: Any) -> str | None:
    right = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e15
    return None if right else "a number above 0"


def _whole(value: Any) -> str | None:
    return None if isinstance(value, int) and _number(value) is None else "a whole number above 0"


def _any_number(value: Any) -> str | None:
    right = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return None if right else "a number"


def _list_of(check: Check, least: int = 0) -> Check:
    def checked(value: Any) -> str | None:
        if not isinstance(value, list) or len(value) < least:
            return "a list" + (" that is not empty" if least else "")
        return next((f"a list, each {wanted}" for each in value if (wanted := check(each))), None)

    return checked


def _table_of(*checks: Check) -> Check:
    def checked(value: Any) -> str | None:
        if not isinstance(value, dict):
            return "a table"
        for each in value.values():
            wanted = [check(each) for check in checks]
            if wanted and all(wanted):
                return f"a table, each value {' or '.join(filter(None, wanted))}"
        return None

    return checked


def _digest(value: Any) -> str | None:
    try:
        Digest(value)
    except (PluriverseError, TypeError):
        return "sha256: and 64 lower-case hex digits"
    return None


def _hub(value: Any) -> str | None:
    try:
        HubSource.parsed(f"hf:{value}")
    except PluriverseError:
        return "OWNER/REPO/FILE.gguf or OWNER/REPO:Q4_K_M"
    return None


def _truth(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


_ADDRESS = _matching(r"https?://[^\s/]+(?:/\S*)?", "an address, https://...")
_REPOSITORY = _matching(r"[\w.-]+/[\w.-]+", "OWNER/NAME")
_DATE = _matching(r"\d{4}(?:-\d{2}(?:-\d{2})?)?", "a date in quotation marks: year, month and day as far as known")
ENTRY: Mapping[str, Check] = {
    "id": _matching(r"[a-z0-9][a-z0-9._-]{0,99}", "small letters, digits, dots and dashes, at most 100"),
    "name": _text,
    "maker": _text,
    "country": _matching(r"[A-Z]{2}(?:/[A-Z]{2})*|international", "two capital letters, as in FR"),
    "kind": _text,
    "sources": _list_of(_ADDRESS, 1),
    "licence": _text,
    "licence_note": _text,
    "released": _DATE,
    "uploaded": _DATE,
    "repository": _REPOSITORY,
    "hub": _hub,
    "gguf": _list_of(_REPOSITORY),
    "url": _ADDRESS,
    "wheel": _matching(r"[\w.-]+==[\w.]+/\S+", "NAME==VERSION/FILE"),
    "size": _whole,
    "digest": _digest,
    "params_b": _number,
    "active_params_b": _number,
    "context_length": _whole,
    "languages": _list_of(_matching(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?", "a language code, as in fr")),
    "languages_count": _whole,
    "modalities": _list_of(_text),
    "training_tokens": _text,
    "knowledge_cutoff": _text,
    "chat_template": _text,
    "inferred": _list_of(_text),
    "notes": _text,
    "source_of": _table_of(_ADDRESS),
    "open": _table_of(_truth, _text),
    "architecture": _table_of(_number, _text),
}
_NEEDED = ("id", "name", "maker", "country", "kind", "sources")
_ANCESTOR: Mapping[str, Check] = {"parent": _text, "relation": _text}
_NOTE: Mapping[str, Check] = {"text": _text, "source": _ADDRESS}
_SCORE: Mapping[str, Check] = {
    "board": _text,
    "by": _matching("board|maker|others", '"board", "maker" or "others"'),
    "source": _ADDRESS,
    "values": _table_of(_any_number),
    "of": _text,
    "date": _DATE,
    "precision": _text,
    "revision": _text,
    "printed_average": _any_number,
    "flags": _list_of(_matching("trained-on-benchmark", '"trained-on-benchmark"')),
}
_TABLES = {"lineage": (_ANCESTOR, ("parent", "relation")), "scores": (_SCORE, ("board", "by", "source", "values"))}


def faults(given: Mapping[str, Any], *, ours: bool) -> list[Wrong]:
    """All that is wrong with a document. `ours`: a file of pluriverse itself, which alone may name a wheel."""
    return list(_faults(given, ours))


def _faults(given: Mapping[str, Any], ours: bool) -> Iterator[Wrong]:
    yield from _keys(given, {**ENTRY, **dict.fromkeys(_TABLES, _list_of(_table_of()))}, _NEEDED)
    if "wheel" in given and not ours:
        yield Wrong("wheel", "only the catalogue that comes with pluriverse may name a wheel; give hub or url")
    for name, (checks, needed) in _TABLES.items():
        tables = given.get(name, [])
        for nth, table in enumerate(tables if isinstance(tables, list) else []):
            if isinstance(table, dict):
                rest = {key: value for key, value in table.items() if key != "notes" or name != "scores"}
                yield from _keys(rest, checks, needed, nth)
                yield from _more(table, nth) if name == "scores" else ()


def _more(score: Mapping[str, Any], nth: int) -> Iterator[Wrong]:
    """What is special about a score: its notes, and that the average of v1 can be computed."""
    notes = score.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, dict) for note in notes):
        yield Wrong("notes", "notes must be a list of tables with text and source", nth)
    else:
        for note in notes:
            yield from _keys(note, _NOTE, tuple(_NOTE), nth)
    values = score.get("values", {})
    if score.get("board") == V1 and isinstance(values, dict) and (missing := [t for t in TASKS if t not in values]):
        yield Wrong("values", f"the average of {V1} needs all six; missing: {', '.join(missing)}", nth)


def _keys(
    given: Mapping[str, Any], checks: Mapping[str, Check], needed: tuple[str, ...], nth: int = 0
) -> Iterator[Wrong]:
    for key, value in given.items():
        if key not in checks:
            close = get_close_matches(key, checks, 1)
            yield Wrong(key, f"{key} is not known" + (f"; did you mean {close[0]}?" if close else ""), nth)
        elif wanted := checks[key](value):
            yield Wrong(key, f"{key} must be {wanted}", nth)
    for key in needed:
        if key not in given:
            yield Wrong(key, f"{key} is missing", nth)


def entry_of(given: Mapping[str, Any], file: str | None = None) -> Entry:
    """The entry that a document without faults describes."""
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    tables = {name: plain.pop(name, ()) for name in ("lineage", "scores")}
    if "digest" in plain:
        plain["digest"] = Digest(plain["digest"])
    for key in ("params_b", "active_params_b"):
        if key in plain:
            plain[key] = float(plain[key])
    lineage = tuple(Ancestor(**each) for each in tables["lineage"])
    return Entry(**plain, lineage=lineage, published=tuple(map(_score, tables["scores"])), file=file)


def _score(given: Mapping[str, Any]) -> Score:
    changed = {
        "flags": tuple(given.get("flags", ())),
        "notes": tuple(Note(**note) for note in given.get("notes", ())),
        "values": {name: float(value) for name, value in given["values"].items()},
    }
    return Score(**{**given, **changed})
