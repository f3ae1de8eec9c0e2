"""Engines of one user take turns at decoding, step by step, across processes.

Engine threads spin while they wait for each other; two engines computing at once on the same cores slow each other down
several times over (docs/decisions/0001-engine.md). Knows two lock files; the kernel frees them when a process dies.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: engines there do not take turns
    fcntl = None  # type: ignore[assignment]


SLICE = 0.2  # seconds that a turn lasts where somebody waits: weights stay in the caches from step to step
PATIENCE = 0.02  # seconds between two steps after which a kept turn is given up: the engine has gone idle
LONG = 4.0  # seconds of waiting, taken together, after which it is said


class Turns:
    """A fair lock. Whoever waits for the turn holds the queue, so the one that just had its turn cannot overtake.

    Taken around each step. Where nobody waits it is free between steps; where somebody does, it is kept for a slice, so
    that choosing words does not compete with the other engine's spinning threads either.
    """

    def __init__(self, folder: Path | None, say: Callable[[], None] | None = None) -> None:
        self._say = say  # called once, from another thread, when LONG has been waited since `rest`
        self._waited = 0.0
        self._queue: IO[bytes] | None = None
        self._turn: IO[bytes] | None = None
        self._guard = threading.Lock()
        self._kept = False  # between two steps of one slice
        self._since = self._left = 0.0
        self._watch: threading.Thread | None = None
        self._wake = threading.Event()
        if folder is None or fcntl is None:
            return
        with contextlib.suppress(OSError):  # a place that cannot be written: no turns, but answers
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_uid != os.getuid():
                return  # somebody else's folder: they could make us wait for ever
            self._queue = (folder / "engine.queue").open("ab")
            self._turn = (folder / "engine.turn").open("ab")

    @contextlib.contextmanager
    def taken(self) -> Iterator[float]:
        """Gives the seconds that the turn was waited for."""
        if self._queue is None or self._turn is None:
            yield 0.0
            return
        began = time.perf_counter()
        if not self._goes_on():
            self._lock(self._queue)
            self._lock(self._turn)
            fcntl.flock(self._queue, fcntl.LOCK_UN)
            self._since = time.perf_counter()
        try:
            yield time.perf_counter() - began
        finally:
            if time.perf_counter() - self._since < SLICE and self._awaited(self._queue):
                self._keep()
            else:
                fcntl.flock(self._turn, fcntl.LOCK_UN)

    def rest(self) -> None:
        """There is nothing to do: what is waited for later is counted anew."""
        self._waited = 0.0

    def _lock(self, file: IO[bytes]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            began = time.perf_counter()
        timer = None
        if self._say is not None and self._waited < LONG:
            timer = threading.Timer(LONG - self._waited, self._say)
            timer.daemon = True
            timer.start()
        fcntl.flock(file, fcntl.LOCK_EX)
        if timer is not None:
            timer.cancel()
        self._waited += time.perf_counter() - began

    def _goes_on(self) -> bool:
        """Whether the turn was kept since the last step, and its slice is not over."""
        with self._guard:
            kept, self._kept = self._kept, False
        if kept and time.perf_counter() - self._since >= SLICE:
            assert self._turn
            fcntl.flock(self._turn, fcntl.LOCK_UN)
            return False
        return kept

    @staticmethod
    def _awaited(queue: IO[bytes]) -> bool:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(queue, fcntl.LOCK_UN)
        return False

    def _keep(self) -> None:
        with self._guard:
            self._kept, self._left = True, time.perf_counter()
        if self._watch is None:
            self._watch = threading.Thread(target=self._give_up, name="turns", daemon=True)
            self._watch.start()
        self._wake.set()

    def _give_up(self) -> None:
        """Free a kept turn whose engine does not come back."""
        assert self._turn
        while self._wake.wait():
            self._wake.clear()
            waiting = True
            while waiting:
                time.sleep(PATIENCE)
                with self._guard:
                    if self._kept and time.perf_counter() - self._left >= PATIENCE:
                        self._kept = False
                        fcntl.flock(self._turn, fcntl.LOCK_UN)
                    waiting = self._kept
