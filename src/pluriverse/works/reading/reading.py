"""Files into documents, one after the other, each read in a process with limits (`process.py`).

The process is started for the first file, reads the others too, and is replaced when a file ends it.
"""

import json
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ... import children
from .process import SECONDS
from .schema import Document, Problem
from .walking import walk

_WALL = 600  # seconds a file may take by the clock on the wall: a disk may be slow, and a pipe may never speak


def read(paths: Iterable[Path]) -> Iterator[Document | Problem]:
    """Of every file one document, with the problems of its parts, or the problem for which it is none.

    `paths`: files and folders. Blocks while a file is read: seconds for a long book. Raises nothing for what is in the
    files; OSError where no process can be started.
    """
    reader = Reader()
    try:
        for each in walk(paths):
            yield each if isinstance(each, Problem) else reader.read(each)
    finally:
        reader.close()


class Reader:
    """The process, and what it says."""

    def __init__(self) -> None:
        self._process: children.Talk | None = None

    def read(self, path: Path) -> Document | Problem:
        if self._process is None:
            self._process = children.talk(children.python("pluriverse.works.reading.process"))
        late = threading.Timer(_WALL, self._process.kill)
        late.start()
        try:
            said = self._ask(path)
        finally:
            late.cancel()
        if said is None:
            return self._ended(path)
        header, text = said
        if error := header.get("error"):
            return Problem(error["reason"], path, f"{path} {error['message']}", error["hint"])
        parts = (Problem(each["reason"], path, f"{path} {each['message']}", each["hint"], each["count"])
                 for each in header["problems"])  # fmt: skip
        return Document(
            path=path, title=header["title"], text=text, author=header["author"], language=header["language"],
            edition=header["edition"], headings=tuple(header["headings"]), problems=tuple(parts),
        )  # fmt: skip

    def _ask(self, path: Path) -> tuple[dict[str, Any], str] | None:
        """Header and text; None where the process ended over it."""
        process = self._process
        assert process and process.stdin and process.stdout
        try:
            process.stdin.write(json.dumps({"path": str(path.absolute())}).encode() + b"\n")
            process.stdin.flush()
            header = json.loads(process.stdout.readline())
            data = process.stdout.read(header["bytes"])
        except (OSError, ValueError):
            return None
        return (header, data.decode("utf-8")) if len(data) == header["bytes"] else None

    def _ended(self, path: Path) -> Problem:
        code = self._process.wait() if self._process else 0
        self.close()
        if code in {-getattr(signal, "SIGPROF", 0), -getattr(signal, "SIGKILL", 0)} - {0}:
            return Problem("bomb", path, f"{path} takes more than {SECONDS:.0f} seconds to read", "cut it in pieces")
        return Problem("broken", path, f"{path} is broken: reading it ended the reader", "get it anew")

    def close(self) -> None:
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    if pipe:
                        pipe.close()
            self._process.kill()
            self._process.wait()
            self._process = None
