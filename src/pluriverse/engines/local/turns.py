"""Engines of one user take turns at decoding, step by step, across processes.

Engine threads spin while they wait for each other; two engines computing at once on the same cores slow each other down
several times over (docs/decisions/0001-engine.md). Knows two lock files; the kernel frees them when a process dies.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: engines there do not take turns
    fcntl = None  # type: ignore[assignment]


class Turns:
    """A fair lock. Whoever waits for the turn holds the queue, so the one that just had its turn cannot overtake."""

    def __init__(self, folder: Path | None) -> None:
        self._queue: IO[bytes] | None = None
        self._turn: IO[bytes] | None = None
        if folder is None or fcntl is None:
            return
        with contextlib.suppress(OSError):  # a place that cannot be written: no turns, but answers
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_uid != os.getuid():
                return  # somebody else's folder: they could make us wait for ever
            self._queue = (folder / "engine.queue").open("ab")
            self._turn = (folder / "engine.turn").open("ab")

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        if self._queue is None or self._turn is None:
            yield
            return
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        fcntl.flock(self._queue, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
