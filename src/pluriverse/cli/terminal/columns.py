"""Replies side by side on a wide terminal, redrawn in place while they stream and printed in full when they end.

A row of columns that is finished is printed for good and scrolls up; of the others the latest lines are shown, as many
as the terminal has room for. Text is wrapped once, as it comes; a frame is drawn a few times a second, after a change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

from ...chats.chat import EMPTY
from ...runtime.citing import Numbering
from ...runtime.events import (
    AskEvent,
    AskFinished,
    Fetching,
    FetchingWork,
    Loading,
    ReplyChunk,
    ReplyFinished,
    ReplyQuoted,
    ReplyStarted,
    ReplyThought,
    ReplyWaits,
    Studying,
)
from .cited import Colouring, sources
from .output import Styled, bold, dim
from .replies import WAITING, fetching_work, foot, guided, heading, show_waiting, studying, thinking
from .text import Cleaner, Wrapper, cells, fit, wrap

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.live import Live
    from rich.segment import Segment

    from ...assistant import Assistant
    from ...runtime.replies import Replies, Reply
    from ...works.schema import Citation
    from .output import Output

NARROWEST = 34  # cells; a column with less is tiring to read
WIDEST = 80
_GAP = 3
_AROUND = 5  # lines of a row besides its text: name, title, rule, foot, an empty one
_FEWEST = 3  # lines of text that make a row worth showing

Line = list[str | Styled]


def per_row(width: int, count: int) -> int:
    """How many columns stand side by side, so that the rows are evenly filled."""
    most = max(1, (width + _GAP) // (NARROWEST + _GAP))
    return ceil(count / ceil(count / most)) if count else most


def fits_columns(out: "Output", count: int) -> bool:
    """Whether columns read better than sections: at least two side by side, on a terminal that can be redrawn."""
    return out.redrawable and per_row(out.width, count) > 1


@dataclass
class _Column:
    name: str
    title: str
    wrapper: Wrapper
    cleaner: Cleaner = field(default_factory=Cleaner)
    text: list[str] = field(default_factory=list)  # clean; kept to wrap again when the terminal is resized
    reply: "Reply | None" = None
    thought: int = 0  # characters of thinking, which is folded away
    citations: "tuple[Citation, ...]" = ()
    numbering: Numbering = field(default_factory=lambda: Numbering(()))

    def quote(self, event: ReplyQuoted) -> None:
        """What the reply begins with; from now on its quotations are numbered."""
        self.citations = event.citations
        self.numbering = Numbering([each.passage.text for each in event.citations])
        self.hear(event.text)

    def hear(self, chunk: str) -> None:
        text = self.cleaner.feed(chunk)
        self.feed(self.numbering.feed(text) if self.citations else text)

    def feed(self, text: str) -> None:
        if not self.text:  # models like to begin with a line's end
            text = text.lstrip()
        if text:
            self.text.append(text)
            self.wrapper.feed(text)

    def finish(self, reply: "Reply") -> None:
        self.reply = reply
        self.citations = reply.citations
        self.feed(self.cleaner.end())
        self.wrapper.end()

    def rewrap(self, width: int) -> None:
        self.wrapper = Wrapper(width)
        self.wrapper.feed("".join(self.text))
        if self.reply is not None:
            self.wrapper.end()

    def lines(self) -> list[str]:
        lines = self.wrapper.all()
        while lines and not lines[-1].strip():
            lines.pop()
        if self.empty:
            lines = [EMPTY]
        elif self.thought and not self.text and self.reply is None:
            lines = [thinking(self.thought)]
        if self.reply is not None and self.reply.error is not None:
            lines += wrap(foot(self.reply), self.wrapper.width)
        return lines

    def cells(self, width: int) -> list[Line]:
        """Each line in exactly `width` cells, with where its quotations stand below the text."""
        colouring = Colouring() if self.citations else None
        made = [_padded(colouring.line(line) if colouring else [line], width) for line in self.lines()]
        below: list[Line] = [[dim(fit(line, width))] for line in sources(self.citations, width)]
        return [*made, *([_padded([], width)] if below else []), *below]

    @property
    def empty(self) -> bool:
        """Whether it is a whole reply without text."""
        return self.reply is not None and self.reply.answered and not self.text

    def foot(self) -> str:
        if self.reply is None:
            return ""
        return "stopped by an error" if self.reply.error is not None else foot(self.reply)


class Columns:
    def __init__(self, out: "Output", assistants: Sequence["Assistant"]) -> None:
        self._out = out
        self._width = out.width
        self._per_row = per_row(self._width, len(assistants))
        self._assistants = assistants
        self._columns = [_Column(*heading(each), Wrapper(self._column_width)) for each in assistants]
        self._printed = 0  # columns that are on the screen for good
        self._status = ""
        self._changed = False
        self._live: Live | None = None

    @property
    def _column_width(self) -> int:
        return min(WIDEST, (self._width - _GAP * (self._per_row - 1)) // self._per_row)

    def take(self, event: AskEvent) -> None:
        if self._live is None:
            show_waiting(self._out, event)
        match event:
            case Fetching(base):
                self._status = f"fetching {base} ..."
            case FetchingWork(work):
                self._status = fetching_work(work)
            case Studying():
                self._status = studying(event)
            case Loading(base):
                self._status = f"loading {base} ..."
            case ReplyWaits():
                self._status = WAITING
            case ReplyStarted(index, guidance=guidance):
                self._status = ""
                _, self._columns[index].title = heading(self._assistants[index], guided(guidance))
                self._start()
            case ReplyQuoted(index):
                self._columns[index].quote(event)
                self._start()
            case ReplyChunk(index, text):
                self._columns[index].hear(text)
            case ReplyThought(index, text):
                self._columns[index].thought += len(text)
            case ReplyFinished(index, reply):
                self._columns[index].finish(reply)
            case AskFinished(replies):
                self.end(replies)
            case _:
                return
        self._changed = True

    def tick(self) -> None:
        if self._live is None or not self._changed:
            return
        self._changed = False
        self._resize(self._live.console.width)
        while (row := next(self._rows(), None)) and all(column.reply for column in row):
            self._live.console.print(_Frame(self._row_lines(row), self._out.colour), end="")
            self._printed += len(row)
        self._live.update(_Frame(self._frame(self._live.console.height), self._out.colour), refresh=True)

    def end(self, replies: "Replies") -> None:
        self.close()
        for column, reply in zip(self._columns, replies, strict=True):
            if column.reply is None:
                column.finish(reply)
        if not any(column.text or column.empty for column in self._columns):
            return
        self._resize(self._out.width)
        for row in self._rows():
            for line in self._row_lines(row):
                self._out.line(*line)
        self._printed = len(self._columns)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _start(self) -> None:
        if self._live is not None:
            return
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._out.stdout, force_terminal=True, highlight=False, markup=False, emoji=False)
        live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
        live.start()
        self._live = live

    def _resize(self, width: int) -> None:
        if width == self._width:
            return
        self._width = width
        self._per_row = per_row(width, len(self._columns) - self._printed)
        for column in self._columns:
            column.rewrap(self._column_width)

    def _rows(self) -> Iterator[list[_Column]]:
        """The columns that are not printed for good, a row at a time."""
        for first in range(self._printed, len(self._columns), self._per_row):
            yield self._columns[first : first + self._per_row]

    def _frame(self, height: int) -> list[Line]:
        """The rows that are still being written, cut to the terminal's height."""
        waiting = list(self._rows())
        room = height - 2  # the line of words at the foot, and the cursor's
        shown = waiting[: max(1, room // (_AROUND + _FEWEST))]
        limit = max(1, room // max(1, len(shown)) - _AROUND)
        lines = [line for row in shown for line in self._row_lines(row, limit)]
        more = sum(map(len, waiting[len(shown) :]))
        words = self._status or (f"and {more} more below" if more else "")
        return [*lines, [dim(words)]] if words else lines

    def _row_lines(self, columns: Sequence[_Column], limit: int | None = None) -> Iterator[Line]:
        """A row of columns, line by line; with a `limit` only that many of the latest lines of text."""
        width = self._column_width
        texts = [column.cells(width) for column in columns]
        if limit is not None:
            texts = [lines[-limit:] for lines in texts]
        yield self._joined([[bold(fit(column.name, width))] for column in columns])
        yield self._joined([[dim(fit(column.title, width))] for column in columns])
        rule = self._out.rule
        yield [dim((rule + self._out.cross + rule).join([rule * self._column_width] * len(columns)))]
        for place in range(max(map(len, texts))):
            yield self._joined([lines[place] if place < len(lines) else [" " * width] for lines in texts])
        yield self._joined([[dim(fit(column.foot(), width))] for column in columns])
        yield []

    def _joined(self, cells: Sequence[Line]) -> Line:
        line: Line = []
        for cell in cells:
            line += [dim(f" {self._out.bar} "), *cell] if line else cell
        return line


def _padded(parts: Line, width: int) -> Line:
    """A wrapped line, filled up to `width` cells."""
    used = sum(cells(part.text if isinstance(part, Styled) else part) for part in parts)
    return [*parts, " " * (width - used)]


class _Frame:
    """Lines for rich, already cut and padded: rich measures, wraps and interprets nothing."""

    def __init__(self, lines: "Sequence[Line] | Iterator[Line]", colour: bool) -> None:
        self._lines = list(lines)
        self._colour = colour

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterator[Segment]":
        from rich.segment import Segment
        from rich.style import Style

        for line in self._lines:
            for part in line:
                text, style = (part.text, part.style) if isinstance(part, Styled) else (part, "")
                yield Segment(text, Style.parse(style) if style and self._colour else None)
            yield Segment.line()
