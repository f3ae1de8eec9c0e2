"""Replies one under another: streaming on a narrow terminal, complete where stdout is no terminal.

Both keep the order in which the assistants were named. The first one streams; what the others say meanwhile is held and
comes when their turn does. As long as nobody has answered nothing is written: then the failure itself is the answer.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...chats.chat import EMPTY
from ...runtime.citing import Numbering
from ...runtime.events import AskEvent, AskFinished, ReplyChunk, ReplyFinished, ReplyQuoted, ReplyStarted, ReplyThought
from .cited import Colouring, from_works, sources
from .output import Styled, bold, dim
from .replies import foot, guided, heading, show_waiting, thinking
from .text import Cleaner, Wrapper, cells, clean

if TYPE_CHECKING:
    from ...assistant import Assistant
    from ...runtime.replies import Replies, Reply
    from .output import Output

_WIDEST = 100  # cells; longer lines are hard to read


class Plain:
    """Complete replies under underlined names (which Markdown reads as headings), each as soon as its turn comes."""

    def __init__(self, out: "Output", assistants: Sequence["Assistant"]) -> None:
        self._out = out
        self._count = len(assistants)
        self._works = [from_works(len(each.works)) for each in assistants]
        self._finished: dict[int, Reply] = {}
        self._next = 0

    def take(self, event: AskEvent) -> None:
        show_waiting(self._out, event)
        if isinstance(event, ReplyFinished):
            self._finished[event.index] = event.reply
            self._show()
        elif isinstance(event, AskFinished):
            self.end(event.replies)

    def tick(self) -> None: ...

    def end(self, replies: "Replies") -> None:
        self._finished = dict(enumerate(replies))
        self._show()

    def close(self) -> None: ...

    def _show(self) -> None:
        if not any(reply.answered for reply in self._finished.values()):
            return
        out = self._out
        while self._next < self._count and (reply := self._finished.get(self._next)) is not None:
            if self._next:
                out.line()
            beyond = "beyond its works" if reply.cited and reply.cited.beyond else ""
            told = ", ".join(filter(None, (guided(reply.guidance), self._works[self._next], beyond)))
            name = clean(reply.assistant) + (f" ({told})" if told else "")
            out.line(name)
            out.line("-" * cells(name))
            if reply.answered:
                out.line(reply.numbered.strip() or EMPTY)
            for line in sources(reply.citations, _WIDEST):
                out.line(line)
            if reply.finish_reason != "stop" or reply.unfinished:
                out.line(f"[{foot(reply)}]")
            self._next += 1
        self._out.stdout.flush()


class _Section:
    """One reply as wrapped lines, and how much of them is written."""

    def __init__(self, assistant: "Assistant", width: int) -> None:
        self.assistant = assistant
        self.reply: Reply | None = None
        self.guided = ""
        self.told = False  # that it is guided, in its head
        self.any = False
        self.thought = 0  # characters of thinking, which is folded away
        self.width = width
        self._colouring: Colouring | None = None  # once it quotes
        self._numbering = Numbering(())
        self._cleaner = Cleaner()
        self._wrapper = Wrapper(width)
        self._lines = 0
        self._characters = 0  # of the line that is being filled

    def quote(self, event: ReplyQuoted) -> None:
        """What the reply begins with; from now on its quotations are numbered."""
        self._colouring = Colouring()
        self._numbering = Numbering([each.passage.text for each in event.citations])
        self.feed(event.text)

    def feed(self, chunk: str) -> None:
        text = self._cleaner.feed(chunk)
        if self._colouring is not None:
            text = self._numbering.feed(text)
        if not self.any:  # models like to begin with a line's end
            text = text.lstrip()
        self.any = self.any or bool(text)
        self._wrapper.feed(text)

    def finish(self, reply: "Reply") -> None:
        self.reply = reply
        self._wrapper.feed(self._cleaner.end())
        self._wrapper.end()

    def news(self) -> list[str | Styled]:
        """What has come since the last call, line ends included."""
        text = self._news()
        return self._colouring.line(text) if self._colouring is not None else [text] if text else []

    def _news(self) -> str:
        wrapper = self._wrapper
        parts = []
        for line in wrapper.lines[self._lines :]:
            parts.append(line[self._characters :] + "\n")
            self._characters = 0
        self._lines = len(wrapper.lines)
        parts.append(wrapper.line[self._characters :])
        self._characters = len(wrapper.line)
        return "".join(parts)

    def cut(self) -> list[str | Styled]:
        """What is left to write when no more will come, the unfinished word too."""
        self._wrapper.end()
        return self.news()

    @property
    def in_line(self) -> bool:
        return self._characters > 0


class Sections:
    """Streaming sections on a terminal; one that is being written is open."""

    def __init__(self, out: "Output", assistants: Sequence["Assistant"], *, titles: bool = True) -> None:
        self._out = out
        self._titles = titles
        width = min(out.width - 1, _WIDEST)
        self._sections = [_Section(assistant, width) for assistant in assistants]
        self._next = 0
        self._opened = -1

    def take(self, event: AskEvent) -> None:
        if self._opened < 0:
            show_waiting(self._out, event)
        match event:
            case ReplyStarted(index, guidance=guidance):
                self._sections[index].guided = guided(guidance)
                return
            case ReplyQuoted(index):
                self._sections[index].quote(event)
            case ReplyChunk(index, text):
                self._sections[index].feed(text)
            case ReplyThought(index, text):
                self._think(index, text)
                return
            case ReplyFinished(index, reply):
                self._sections[index].finish(reply)
            case AskFinished(replies):
                self.end(replies)
            case _:
                return
        self._show()

    def tick(self) -> None: ...

    def end(self, replies: "Replies") -> None:
        for section, reply in zip(self._sections, replies, strict=True):
            if section.reply is None:
                section.finish(reply)
        self._show()

    def close(self) -> None:
        if self._opened == self._next and self._next < len(self._sections):
            section = self._sections[self._next]
            rest = section.cut()
            self._out.stream(*rest, "\n" if section.in_line or not rest else "")
            self._next = len(self._sections)

    def _think(self, index: int, text: str) -> None:
        """Tell how far the thinking is of who is heard next, until there is something to hear."""
        section = self._sections[index]
        section.thought += len(text)
        if index == self._next and not section.any:
            self._out.progress.status(f"{section.assistant.name}: {thinking(section.thought)}")

    def _show(self) -> None:
        """Write on at the open section, and go to the next ones as far as they are finished."""
        if not any(each.any or (each.reply and each.reply.answered) for each in self._sections):
            return
        while self._next < len(self._sections):
            section = self._sections[self._next]
            if self._opened < self._next:
                self._open(section)
            if news := section.news():
                self._out.progress.clear()
                self._out.stream(*news)
            if section.reply is None:
                return
            self._close(section, section.reply)
            self._next += 1

    def _open(self, section: _Section) -> None:
        section.told = bool(section.guided)
        if self._next:
            self._out.line()
        name, title = heading(section.assistant, section.guided)
        if self._titles:
            self._out.line(bold(name), f"  {title}")
            self._out.line(dim(self._out.rule * min(self._out.width - 1, cells(name) + cells(title) + 2)))
        else:
            self._out.line(bold(f"{name}>"), f" ({section.guided})" if section.guided else "")
        self._opened = self._next

    def _close(self, section: _Section, reply: "Reply") -> None:
        self._out.progress.clear()
        if section.in_line:
            self._out.stream("\n")
        if not section.any and reply.answered:
            self._out.line(dim(EMPTY))
        for line in sources(reply.citations, section.width):
            self._out.line(dim(line))
        if section.guided and not section.told:
            self._out.line(dim(section.guided))
        if self._titles or reply.finish_reason != "stop" or reply.unfinished:
            self._out.line(dim(foot(reply)))
        self._out.stdout.flush()
