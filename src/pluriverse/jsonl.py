"""Files of one JSON document a line, appended and never rewritten; a line that a kill has cut is left out.

Knows bytes and lines; what a line means is told by whoever reads it.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Generic, Self, TypeVar

from .errors import IntegrityError, NoSpaceError, PluriverseError
from .files import appending, make_folder, read

K = TypeVar("K")
T = TypeVar("T")
V = TypeVar("V")
_DEEPEST = 64
_MOST = 2**40  # bytes: any file, but nothing that has no end
MISREAD = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What a document raises that is JSON, but not what it should be: null, a list, numbers for texts, nested too deep."""


class Found(Generic[K, V]):
    """What long work has found so far, by key, so that it goes on where it was stopped. A context manager.

    Nothing hangs on the file: one that cannot be understood is begun anew, and what was in it is found again.
    """

    def __init__(self, path: Path, parse: Callable[[Mapping[str, Any]], tuple[K, V]]) -> None:
        """`parse` makes key and value of a line, and raises as `whole_lines` says."""
        self.path = path
        self._parse = parse
        self._values: dict[K, V] = {}
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """PluriverseError where the folder cannot be written."""
        try:
            make_folder(self.path.parent)
            cut_torn_line(self.path)
            try:
                self._values = dict(whole_lines(self.path, self._parse, "row", "it will be found again"))
            except IntegrityError:
                self.path.unlink()
            self._file = appending(self.path)
        except OSError as error:
            raise PluriverseError(f"{self.path} cannot be written: {error.strerror}", "set PLURIVERSE_HOME") from error
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def get(self, key: K) -> V | None:
        return self._values.get(key)

    def keep(self, found: Mapping[K, V], documents: Iterable[Mapping[str, Any]]) -> None:
        """Bring it to the disk, as lines that `parse` understands. NoSpaceError leaves what was there before."""
        if self._file:  # else somebody else writes it, and this is known here only
            append(self._file, self.path, documents)
        self._values |= found


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
