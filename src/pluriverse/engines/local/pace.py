"""How many threads to compute with while other programs want the processor too.

Engine threads wait for each other at spinning barriers: where the system takes the core away from one, all lose their
time, and with fewer threads the same step is sooner done. The number of threads never changes a result, bit for bit
(tests/engines/local/test_pace.py). Knows times of steps; computes nothing.
"""

import statistics
import time
from collections.abc import Callable

WINDOW = 8  # steps that are judged together
SLOW = 2.0  # times the usual: then somebody else is computing here
DRIFT = 1.002  # a step's usual time grows with the text in memory
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 60.0  # before it is tried again with all threads


class Pace:
    """Full threads until steps take twice their usual time; then as many as measured faster, with trials in between."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.threads = self.most = most
        self._clock = clock
        self._usual: dict[int, float] = {}  # rows of a step: seconds with all threads when nobody disturbs
        self._seen: list[float] = []  # the last steps of `_rows` rows with `threads` threads
        self._rows = 0
        self._before: tuple[int, float] | None = None  # a trial is on: threads before it, and what a step took then
        self._wait = FIRST_WAIT_S
        self._again = 0.0

    def after(self, rows: int, seconds: float) -> int:
        """A step of `rows` rows took `seconds`: the threads for the next one."""
        if self.most == 1:
            return 1
        if rows != self._rows:
            self._rows, self._seen = rows, []
        self._seen.append(seconds)
        if self.threads == self.most:
            self._usual[rows] = min(seconds, self._usual.get(rows, seconds) * DRIFT)
        if len(self._seen) >= WINDOW:
            self._judge(statistics.median(self._seen))
        return self.threads

    def _judge(self, step: float) -> None:
        self._seen = []
        if self._before is not None:
            self._end_trial(step)
        elif self.threads == self.most:
            if step > SLOW * self._usual.get(self._rows, step) and self._clock() >= self._again:
                self._try(max(1, self.most * 3 // 4), step)
        elif self._clock() >= self._again:
            self._try(self.most, step)

    def _try(self, threads: int, step: float) -> None:
        self._before, self.threads = (self.threads, step), threads

    def _end_trial(self, step: float) -> None:
        """Keep what was tried if it is faster; the less it helps, the later the next trial."""
        assert self._before
        threads, before = self._before
        self._before = None
        if step < before:
            self._wait = FIRST_WAIT_S
        else:
            self.threads, self._wait = threads, min(2 * self._wait, LONGEST_WAIT_S)
        self._again = self._clock() + self._wait
