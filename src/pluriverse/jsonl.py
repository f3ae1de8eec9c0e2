"""Files of one JSON document a line, appended and never rewritten; a line that a kill has cut is left out.

Knows bytes and lines; what a line means is told by whoever reads it.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

from .errors import IntegrityError, NoSpaceError
from .files import read

T = TypeVar("T")
_DEEPEST = 64
_MOST = 2**40  # bytes: any file, but nothing that has no end
MISREAD = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What a document raises that is JSON, but not what it should be: null, a list, numbers for texts, nested too deep."""


def cut_torn_line(path: Path) -> None:
    """A kill may have cut the last line; what comes now must not be glued to it. IntegrityError for no file."""
    content = _content(path)
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)


def append(file: IO[bytes], path: Path, documents: Iterable[Mapping[str, Any]]) -> None:
    """Add them and bring them to the disk. NoSpaceError leaves what was there before."""
    lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in documents)
    start = path.stat().st_size
    try:
        file.write(lines.encode("utf-8", "surrogatepass"))
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        os.truncate(path, start)
        raise NoSpaceError(
            f"{path} cannot be written: {error.strerror}", "free some disk, then call again: it goes on"
        ) from error


def whole_lines(path: Path, parse: Callable[[Mapping[str, Any]], T], what: str, again: str) -> Iterator[T]:
    """What the whole lines say; a last one that a kill has cut is left out. `what`: no line is, in words; `again`: what
    happens to a line that is taken out. IntegrityError names the line that cannot be understood, or the file."""
    content = _content(path)
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].split(b"\n")[:-1], start=1):
        try:
            document: Mapping[str, Any] = json.loads(line)
            if line.count(b"[") + line.count(b"{") > _DEEPEST:  # seldom: a walk costs more than the reading
                shallow(document)
            yield parse(document)
        except MISREAD as error:
            raise IntegrityError(
                f"line {number} of {path} is no {what}: {error}", f"take the line out; {again}"
            ) from error


def shallow(value: Any, left: int = _DEEPEST) -> None:
    """ValueError for lists and objects nested deeper than what is done with them can follow."""
    if left < 0:
        raise ValueError(f"it is nested more than {_DEEPEST} deep")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        shallow(each, left - 1)


def _content(path: Path) -> bytes:
    """Empty where there is nothing; IntegrityError for a folder in its place, or what may not be read."""
    try:
        return read(path, _MOST) if path.exists() else b""
    except OSError as error:
        raise IntegrityError(f"{path} cannot be read: {error.strerror}", "move it away, then call again") from error
