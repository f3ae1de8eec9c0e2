"""Thinking: what a model writes for itself before it answers, told apart from the answer in texts and in streams.

Knows text: the marks below, and where a mark is one and where an answer only speaks of it. Nothing of tokens, engines
or assistants. The marks are those that vLLM's reasoning parsers look for (github.com/vllm-project/vllm,
vllm/reasoning) and the tags that people ask models for.

A block opens at the beginning of a reply or of a line, or in the prompt, whose template may write the mark. A closing
mark without an opening one ends thinking that began with the reply. Marks in code or in quotes are the answer's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from .text import TextStream

_TAGS = ("think", "thinking", "thought", "reasoning", "seed:think")
# What opens thinking, and what closes it.
_PAIRS = {
    **{f"<{tag}>": f"</{tag}>" for tag in _TAGS},
    "[think]": "[/think]",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|channel>thought": "<channel|>",
}
_CLOSING = "|".join(map(re.escape, _PAIRS.values()))
# A harmony message: the channel "final" is the answer, every other one is not.
_BODY = r"(?:<\|constrain\|>[^<\n]{0,60})?<\|message\|>"
_HEADER = rf"(?:<\|start\|>assistant[^<\n]{{0,60}})?<\|channel\|>(?!final)[^<\n]{{1,60}}{_BODY}"
_FINAL = rf"(?:<\|start\|>assistant)?<\|channel\|>final{_BODY}"
_OPENS = re.compile(f"(?P<mark>{'|'.join(map(re.escape, _PAIRS))})|(?P<header>{_HEADER})|(?P<final>{_FINAL})", re.I)
_MESSAGE_CLOSES = rf"{_FINAL}|<\|(?:end|call|return)\|>"
_AT_END = re.compile(f"(?:(?P<mark>{'|'.join(map(re.escape, _PAIRS))})|(?P<header>{_HEADER}))\\s*$", re.I)
_ORPHAN = re.compile(f"(?<![`'\"\u201c\u2018])(?:{_CLOSING})", re.I)
_FRAME = re.compile(r"<\|(?:end|return|call|(?:start|end)_response)\|>", re.I)
_BEGINNINGS = (*_PAIRS, "<|start|>assistant", "<|channel|>")
_FRAMES = ("<|end|>", "<|return|>", "<|call|>", "<|start_response|>", "<|end_response|>")
_ENDS = (*_PAIRS.values(), *_FRAMES, "<|start|>assistant", "<|channel|>final")
_FINAL_CHANNEL = "<|end|><|start|>assistant<|channel|>final<|message|>"
_LONGEST = 160  # characters of a header

# Marks that may be control tokens, which else add nothing to a text. In lower case; HARMONY where there are channels.
SPELLED = frozenset({*_PAIRS, *_PAIRS.values(), "<|channel>", "<|start_response|>", "<|end_response|>"})
CHANNEL = "<|channel|>"
HARMONY = frozenset({CHANNEL, "<|start|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>", "<|return|>"})


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text, and whether it is thinking."""

    text: str
    thinking: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A reply told apart. `thinking` None: there was none; `unfinished`: it ended before the thinking did."""

    text: str
    thinking: str | None = None
    unfinished: bool = False


def opens(prompt: str) -> bool:
    """Whether a prompt ends with a mark that opens thinking, so that the reply begins inside it."""
    return _AT_END.search(prompt[-_LONGEST:]) is not None


def closing(prompt: str) -> str:
    """What ends the thinking that a prompt opened, so that what follows it is an answer; empty where none is open."""
    if not (found := _AT_END.search(prompt[-_LONGEST:])):
        return ""
    if found["header"]:
        return _FINAL_CHANNEL
    closes = _PAIRS[found["mark"].lower()]
    return f"\n{closes.upper() if found['mark'].isupper() else closes}\n"


def marks_of(template: str) -> tuple[str, str] | None:
    """What opens thinking and what closes it in prompts of this chat template; None where it speaks of no thinking."""
    if CHANNEL in template:
        return f"{CHANNEL}analysis<|message|>", _FINAL_CHANNEL
    for opening, closes in _PAIRS.items():
        for mark in (opening, closes):
            if (place := template.lower().find(mark)) >= 0:
                written = template[place : place + len(mark)]
                return (opening.upper(), closes.upper()) if written.isupper() else (opening, closes)
    return None


def beginning(marks: tuple[str, str]) -> str:
    """What is put behind a prompt so that thinking follows, in a template without a switch for it."""
    return marks[0] if marks[0].startswith(CHANNEL) else f"{marks[0]}\n"


def answering(prompt: str, marks: tuple[str, str]) -> str:
    """What is put behind a prompt so that an answer follows without thinking, in a template without a switch for it."""
    if opened := closing(prompt):
        return opened
    opening, closes = marks
    if opening.startswith(CHANNEL):
        return f"{CHANNEL}final<|message|>"
    return f"{opening}\n\n{closes}\n\n"


def told(text: str, opened: bool = False) -> Told:
    """A whole reply. `opened`: its prompt ended inside thinking (`opens`)."""
    if not opened and "<" not in text and "[" not in text:
        return Told(text)
    stream = _Split(opened)
    return joined([*stream.push(text), *stream.finish()], stream.unfinished)


def joined(pieces: "Sequence[Piece]", unfinished: bool = False) -> Told:
    """The pieces of one reply: an answer that holds a closing mark alone was thinking up to there."""
    text = "".join(each.text for each in pieces if not each.thinking)
    thoughts = [each.text for each in pieces if each.thinking]
    if place := _orphan(text):
        before, after = text[: place[0]], text[place[1] :].lstrip()
        if after.strip() or not thoughts:
            thoughts, text = [*thoughts, "\n", before], after
        else:  # the mark once more behind an answer
            text = before.rstrip()
    return Told(text, "".join(thoughts).strip() or None, unfinished)


def _orphan(text: str) -> tuple[int, int] | None:
    """Where the last closing mark stands that nothing opened, and that no answer speaks of."""
    if "<" not in text and "[" not in text:
        return None
    found = None
    for mark in _ORPHAN.finditer(text):
        opened = next(opens for opens, closes in _PAIRS.items() if closes == mark.group().lower())
        before = text[: mark.start()].lower()
        if opened not in before and before.count("```") % 2 == 0:
            found = mark.span()
    return found


@cache
def _closes(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)


class _Split:
    """Takes text as it comes; gives it back as soon as it is known what it is."""

    def __init__(self, opened: bool = False) -> None:
        self._closes: re.Pattern[str] | None = (
            _closes(f"{_CLOSING}|{_MESSAGE_CLOSES}") if opened else None
        )  # inside thinking: what ends it
        self._mark = ""  # that opened the thinking which is going on, where the reply wrote it
        self._held = ""
        self._line = ""  # what stands in this line of the answer
        self._fences = 0
        self._ticks = ""  # that may become a fence
        self._begun = False  # a word of this stretch has come: white space before it is the frame's
        self._thought = opened
        self._fresh = opened  # some models write once more the mark that the template wrote

    @property
    def unfinished(self) -> bool:
        """Once it is finished: whether that was inside thinking."""
        return self._closes is not None

    @property
    def mark(self) -> str:
        """What opened the thinking; empty where the prompt did."""
        return self._mark

    def push(self, text: str) -> list[Piece]:
        if not self._held and self._closes is None and self._begun and "<" not in text and "[" not in text:
            self._passed(text)
            return [Piece(text)] if text else []
        self._held += text
        found: list[Piece] = []
        while self._step(found):
            pass
        return found

    def finish(self) -> list[Piece]:
        """What was held back."""
        held, self._held = self._held, ""
        if self._closes is not None:
            return [Piece(held, thinking=True)] if held else []
        if held.lstrip().lower().startswith(("<|channel|>", "<|start|>assistant")):  # a header that was cut
            self._closes = _closes(_MESSAGE_CLOSES)
            return []
        held = _FRAME.sub("", held) if self._thought else held
        return [Piece(held)] if held and (held.strip() or not self._thought) else []

    def _step(self, found: list[Piece]) -> bool:
        """Deal with one stretch of what is held; whether there may be more."""
        return self._inside(found) if self._closes is not None else self._outside(found)

    def _inside(self, found: list[Piece]) -> bool:
        assert self._closes is not None
        if self._fresh and not self._entered():
            return False
        if mark := self._closes.search(self._held):
            if before := self._held[: mark.start()]:
                found.append(Piece(before, thinking=True))
            self._held = self._held[mark.end() :]
            self._closes, self._begun, self._line = None, False, ""
            return True
        keep = _unsure(self._held, _ENDS)
        if self._held and (shown := self._held[: len(self._held) - keep]):
            found.append(Piece(shown, thinking=True))
            self._held = self._held[len(shown) :]
        return False

    def _entered(self) -> bool:
        """Leave out a mark that opens what the prompt opened already; False while it may still become one."""
        bare = self._held.lstrip()
        if _unsure(bare, _BEGINNINGS) == len(bare):
            return False
        if (mark := _OPENS.match(bare)) and not mark["final"]:
            self._held = bare[mark.end() :]
        self._fresh = False
        return True

    def _outside(self, found: list[Piece]) -> bool:
        if not self._begun:
            bare = self._held.lstrip()
            if not bare:
                return False
            if self._thought:
                self._held = bare
        for mark in _OPENS.finditer(self._held):
            if not mark["final"] and not self._opens_here(mark.start()):
                continue
            self._give(found, self._held[: mark.start()])
            self._held = self._held[mark.end() :]
            self._thought, self._begun = True, False
            if not mark["final"]:
                self._mark = mark.group()
                self._closes = _closes(re.escape(_PAIRS[mark["mark"].lower()]) if mark["mark"] else _MESSAGE_CLOSES)
            return True
        keep = _unsure(self._held, _BEGINNINGS)
        if keep and not self._opens_here(len(self._held) - keep):
            keep = 0
        if self._thought and not keep:
            keep = _unsure(self._held, _FRAMES)
            if (framed := _FRAME.sub("", self._held)) != self._held:
                self._held = framed
                return True
        shown = self._held[: len(self._held) - keep]
        if self._begun or shown.strip():
            self._held = self._held[len(shown) :]
            self._give(found, shown)
        return False

    def _give(self, found: list[Piece], text: str) -> None:
        if text and (self._begun or text.strip()):
            self._begun = True
            self._passed(text)
            found.append(Piece(text))

    def _passed(self, text: str) -> None:
        ticked = self._ticks + text
        self._fences += ticked.count("```")
        self._ticks = "`" * ((len(ticked) - len(ticked.rstrip("`"))) % 3)
        self._line = (self._line + text).rpartition("\n")[2][-40:]

    def _opens_here(self, place: int) -> bool:
        """Whether what is held may open thinking at `place`: at the beginning of a line, and not in code."""
        before = self._held[:place]
        line = (self._line + before).rpartition("\n")[2]
        return not line.strip() and (self._fences + (self._ticks + before).count("```")) % 2 == 0


def _unsure(text: str, marks: tuple[str, ...]) -> int:
    """Length of the longest end of `text` that may become one of the marks, or of a harmony header that is not over."""
    low = text.lower()
    place = max(low.rfind("<"), low.rfind("["))
    if place < 0:
        return 0
    best = 0
    while place >= 0 and len(text) - place <= _LONGEST:
        end = low[place:]
        header = end.startswith(("<|channel|>", "<|start|>assistant")) and "<|message|>" not in end and "\n" not in end
        if header or any(mark.startswith(end) for mark in marks):
            best = len(text) - place
        place = max(low.rfind("<", 0, place), low.rfind("[", 0, place))
    return best


class ReplyStream:
    """From the bytes of tokens to pieces that may be shown: whole characters, thinking apart, and nothing of a stop
    string, which ends the answer and never the thinking."""

    def __init__(self, stop: tuple[str, ...] = (), prompt: str = "") -> None:
        """`prompt`: its end, which may open thinking."""
        self._bytes = TextStream()
        self._split = _Split(opens(prompt))
        self._prompt = prompt
        self._answer = TextStream(stop)

    @property
    def stopped(self) -> bool:
        return self._answer.stopped

    @property
    def unfinished(self) -> bool:
        """Whether it is inside thinking now; once it is finished: whether it ended there."""
        return self._split.unfinished

    @property
    def closing(self) -> str:
        """What ends the thinking that is going on, so that an answer follows."""
        return closing(self._split.mark or self._prompt)

    def push(self, data: bytes) -> list[Piece]:
        """What may be shown now; nothing once a stop string has been met."""
        return self._stop(self._split.push(self._bytes.push(data)))

    def cut(self) -> None:
        """Forget the first bytes of an unfinished character, which no more bytes will finish."""
        self._bytes.cut()

    def finish(self) -> list[Piece]:
        """What was held back, when no more bytes will come."""
        if self.stopped:
            return []
        found = self._stop(self._split.push(self._bytes.finish())) + self._stop(self._split.finish())
        rest = self._answer.finish()
        return [*found, Piece(rest)] if rest else found

    def _stop(self, pieces: list[Piece]) -> list[Piece]:
        found = []
        for each in pieces:
            if each.thinking:
                found.append(each)
            elif text := self._answer.take(each.text):
                found.append(Piece(text))
        return found
