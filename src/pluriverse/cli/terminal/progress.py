"""What is going on, as one line of stderr: a word on what is being waited for, or a bar with speed and time left.

On a terminal the line is redrawn in place and vanishes when it is done; elsewhere a plain line comes now and then.
"""

import shutil
import threading
import time
from dataclasses import dataclass
from typing import TextIO

from .text import duration, fit, one_line, size

_REDRAW_S = 0.125
_PLAIN_S = 10.0
_TICK_S = 1.0
_SOON = 20  # a part of so many must be done before a time is told: of those who answer together, the first says nothing
_BAR = 24


@dataclass(slots=True)
class _Steps:
    """What `steps` was told last; `left_s` as it was at the time `at`, None where nothing is known of it."""

    label: str
    about: str
    done: int
    total: int
    left_s: float | None
    began: float
    at: float

    def line(self, now: float) -> str:
        left = max(self.left_s - (now - self.at), 0.0) if self.left_s is not None else None
        if left is not None and left >= 1:
            time_ = f", {duration(left)} left"
        elif left is None and now - self.began >= 3:
            time_ = f", {duration(now - self.began)} so far"
        else:
            time_ = ""
        about = f" ({self.about})" if self.about else ""
        return f"{self.label}: {self.done:,} of {self.total:,}{time_}{about}"


class Progress:
    """Steps count down by themselves while nothing comes: a thread of its own draws their line anew."""

    def __init__(self, stream: TextIO, *, silent: bool = False, redraws: bool = True) -> None:
        self._stream = stream
        self._silent = silent
        self._terminal = redraws and stream.isatty()
        self._shown = False
        self._said = ""
        self._label = ""
        self._began = (0.0, 0)
        self._done = 0
        self._drawn = 0.0
        self._steps: _Steps | None = None
        self._lock = threading.RLock()
        self._stop: threading.Event | None = None

    def status(self, text: str) -> None:
        """Something without a measure is going on, such as loading. Said once where it cannot be redrawn."""
        if self._silent or (text == self._said and not self._terminal):
            return
        with self._lock:
            self._rest()
            self._said = text
            self._draw(text)

    def bar(self, label: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes; speed and time left follow from the calls with the same label."""
        if self._silent:
            return
        now = time.monotonic()
        with self._lock:
            self._rest()
            if label != self._label:
                self._label, self._began, self._drawn = label, (now, done), 0.0 if self._terminal else now
            if now - self._drawn < (_REDRAW_S if self._terminal else _PLAIN_S) and done != total:
                return
            if self._terminal or done != total:
                self._drawn = now
                line = bar_line(label, done, total, done - self._began[1], now - self._began[0], bar=self._terminal)
                self._draw(line)

    def steps(self, label: str, done: int, total: int, about: str = "", left_s: float | None = None) -> None:
        """`done` of `total` steps with this label, now at `about`, with the time left: as given, else as the steps so
        far took."""
        if self._silent:
            return
        now = time.monotonic()
        with self._lock:
            if label != self._label:
                self._label, self._began, self._drawn = label, (now, done), now if not self._terminal else 0.0
            elif done < self._done:  # the next of several that are counted each for itself
                self._began = (now, done)
            self._done = done
            moved = done - self._began[1]
            if left_s is None and moved > 0 and moved * _SOON >= total - self._began[1]:
                left_s = (total - done) * (now - self._began[0]) / moved
            self._steps = _Steps(label, about, done, total, left_s, self._began[0], now)
            self._tick()
            if self._stop is None and done < total:
                self._stop = threading.Event()
                threading.Thread(target=self._ticking, args=(self._stop,), daemon=True).start()

    def clear(self) -> None:
        """Take the line away, so that words or data can be written."""
        with self._lock:
            self._rest()
            if self._shown:
                self._write("\r\x1b[K")
                self._shown = False

    def _rest(self) -> None:
        """Nothing is counted down any more."""
        self._steps = None
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    def _ticking(self, stop: threading.Event) -> None:
        while not stop.wait(_TICK_S):
            with self._lock:
                if not stop.is_set():
                    self._tick()

    def _tick(self) -> None:
        now = time.monotonic()
        if self._steps is None or now - self._drawn < (_REDRAW_S if self._terminal else _PLAIN_S):
            return
        self._drawn = now
        self._draw(self._steps.line(now))

    def _draw(self, text: str) -> None:
        text = one_line(text)
        if self._terminal:
            width = shutil.get_terminal_size((80, 24)).columns - 1
            self._write("\r\x1b[K" + fit(text, width).rstrip())
            self._shown = True
        else:
            self._write(text + "\n")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:  # what is lost here is said nowhere else, and needed by nobody
            self._silent = True


def bar_line(label: str, done: int, total: int | None, moved: int, elapsed_s: float, *, bar: bool = True) -> str:
    """`label [####....] 45.2 MB of 98.4 MB, 12.3 MB/s, 4 s left`; `moved` bytes took `elapsed_s` seconds."""
    speed = moved / elapsed_s if elapsed_s > 0.2 and moved > 0 else None
    if not total:
        words = [f"{label}  {size(done)}"]
    else:
        filled = min(_BAR, _BAR * done // total)
        drawn = f"  [{'#' * filled}{'.' * (_BAR - filled)}]" if bar else ""
        words = [f"{label}{drawn}  {size(done)} of {size(total)}"]
    if speed:
        words.append(f"{size(speed)}/s")
        if total and total > done:
            words.append(f"{duration((total - done) / speed)} left")
    return ", ".join(words)
