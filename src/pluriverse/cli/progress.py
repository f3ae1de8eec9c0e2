"""What is going on, as one line of stderr: a word on what is being waited for, or a bar with speed and time left.

On a terminal the line is redrawn in place and vanishes when it is done; elsewhere a plain line comes now and then.
"""

import shutil
import time
from typing import TextIO

from .text import duration, fit, one_line, size

_REDRAW_S = 0.125
_PLAIN_S = 10.0
_BAR = 24


class Progress:
    def __init__(self, stream: TextIO, *, silent: bool = False, redraws: bool = True) -> None:
        self._stream = stream
        self._silent = silent
        self._terminal = redraws and stream.isatty()
        self._shown = False
        self._said = ""
        self._label = ""
        self._began = (0.0, 0)
        self._drawn = 0.0

    def status(self, text: str) -> None:
        """Something without a measure is going on, such as loading. Said once where it cannot be redrawn."""
        if self._silent or (text == self._said and not self._terminal):
            return
        self._said = text
        self._draw(text)

    def bar(self, label: str, done: int, total: int | None) -> None:
        """`done` of `total` bytes; speed and time left follow from the calls with the same label."""
        if self._silent:
            return
        now = time.monotonic()
        if label != self._label:
            self._label, self._began, self._drawn = label, (now, done), 0.0 if self._terminal else now
        if now - self._drawn < (_REDRAW_S if self._terminal else _PLAIN_S) and done != total:
            return
        if self._terminal or done != total:
            self._drawn = now
            self._draw(bar_line(label, done, total, done - self._began[1], now - self._began[0], bar=self._terminal))

    def steps(self, label: str, done: int, total: int) -> None:
        """`done` of `total` steps of about the same length, with the time left."""
        if self._silent:
            return
        now = time.monotonic()
        if label != self._label:
            self._label, self._began, self._drawn = label, (now, done), now
        if now - self._drawn < (_REDRAW_S if self._terminal else _PLAIN_S):
            return
        self._drawn = now
        moved = done - self._began[1]
        left_s = (total - done) * (now - self._began[0]) / moved if moved > 0 else 0
        left = f", {duration(left_s)} left" if left_s >= 1 else ""
        self._draw(f"{label}: {done} of {total}{left}")

    def clear(self) -> None:
        """Take the line away, so that words or data can be written."""
        if self._shown:
            self._write("\r\x1b[K")
            self._shown = False

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
