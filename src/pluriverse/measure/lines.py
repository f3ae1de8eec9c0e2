"""Files of one JSON document a line, appended and never rewritten; a line that a kill has cut is left out.

Knows bytes and lines; what a line means is told by whoever reads it.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

from ..errors import IntegrityError, NoSpaceError

T = TypeVar("T")


def cut_torn_line(path: Path) -> None:
    """A kill may have cut the last line; what comes now must not be glued to it."""
    content = path.read_bytes() if path.exists() else b""
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
    happens to a line that is taken out. IntegrityError names the line that cannot be understood."""
    content = path.read_bytes() if path.exists() else b""
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].split(b"\n")[:-1], start=1):
        try:
            document: Mapping[str, Any] = json.loads(line)
            yield parse(document)
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"line {number} of {path} is no {what}: {error}", f"take the line out; {again}"
            ) from error
