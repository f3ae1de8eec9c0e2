"""Where a text has its blocks, its chapters and its numbers: what a place such as "Chapter III, 12" is made of.

A text is blocks with an empty line between them; a line that begins with `# ` is a heading. Blocks of verse keep their
line breaks. Knows nothing of sentences.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

_PARTS = re.compile(r"^(?P<heading>#[^\S\n]+\S[^\n]*)|\S[^\n]*(?:\n(?!#[^\S\n])[^\S\n]*+\S[^\n]*)*", re.MULTILINE)
# Numbers that a text itself gives its verses: "12. ", "(12) ", "IV. ", "3:16 ", "Chap. II. 1. ", "40. 1. ", "(2:255)".
_CHAPTER = (
    r"(?P<chapter>(?i:chap(?:ter)?|ch|sect?)\.?\s{1,3}(?:\d{1,4}|[IVXLC]{1,8})"
    r"|\d{1,4}(?=\.\s{1,3}\d{1,4}\.(?:\s|$)))\.\s{1,3}"
)
_NUMBER = (
    r"[(\[]?(?:(?P<verse>\d{1,4}:\d{1,4})[.\])]?|(?P<number>\d{1,4}|[IVXLC]{1,8}(?=\.))[.)\]]{1,2})(?=\s|$)\s{0,3}"
)
_OPENING = re.compile(rf"(?:{_CHAPTER})?(?:{_NUMBER})?")
_CLOSING = re.compile(r"\s{0,3}[(\[](\d{1,4}:\d{1,4})[)\]]$")
_ONLY_NUMBER = re.compile(r"(?:§\s*)?(?:\d{1,4}|[ivxlc]{1,8})\.?", re.IGNORECASE)
_LONGEST = 70  # characters of a heading in a place
_NUMBERED = 0.6  # share of a chapter's blocks that have a number where numbers count instead of paragraphs


class Block(NamedTuple):
    """One paragraph, verse or stanza: `text[start:end]`. `inner`, `rest`: the same without the number that it bears."""

    start: int
    end: int
    inner: int
    rest: int
    chapter: int  # of the outline's `chapters`; -1: before the first
    number: str  # as the text has it, with its own chapter if it names one: "12", "3:16", "Chap. II, 1"; "": none


@dataclass(frozen=True)
class Outline:
    """The blocks of a text in their order, and the titles of its chapters."""

    blocks: tuple[Block, ...]
    chapters: tuple[str, ...]  # whole titles; headings without text between them are one

    def place(self, start: int, end: int) -> str:
        """Where `text[start:end]` stands: "Chapter III, 12", or 12–14 where it begins and ends in different blocks."""
        if not self.blocks:
            return ""
        first = max(bisect_right(self._starts, start) - 1, 0)
        last = max(bisect_right(self._starts, max(end - 1, start)) - 1, first)
        while self.blocks[last].chapter != self.blocks[first].chapter:
            last -= 1
        chapter = self.blocks[first].chapter
        numbers = (self._numbers[first], self._numbers[last])
        if chapter < 0:
            return f"{'paragraphs' if numbers[0] != numbers[1] else 'paragraph'} {_range(*numbers)}"
        title = short_title(self.chapters[chapter])
        stem, _, tail = title.rpartition(" ")
        if stem and tail.isdigit() and all(number.startswith(f"{tail}:") for number in numbers):
            title, whole = stem, True  # "Job 1" and "1:5" are Job 1:5
        else:
            whole = False
        return f"{title}{' ' if whole else ', '}{_range(*numbers)}"

    @cached_property
    def _starts(self) -> list[int]:
        return [block.start for block in self.blocks]

    @cached_property
    def _numbers(self) -> list[str]:
        """Of each block what a place calls it."""
        found: list[str] = []
        here: list[Block] = []
        for block in self.blocks:
            if here and here[0].chapter != block.chapter:
                found += _called(here)
                here = []
            here.append(block)
        return found + _called(here)


class _Numbers:
    """The numbers of one chapter's blocks, which may name chapters of their own: "CHAP. II. 1.", "2.", or "40. 1."."""

    def __init__(self) -> None:
        self._own = ""
        self._verse = 0

    def of(self, opening: "re.Match[str] | None", closing: "re.Match[str] | None") -> str:
        named, number = "", closing[1] if closing else ""
        if opening:
            named, number = opening["chapter"] or "", opening["verse"] or opening["number"] or number
        plain = not named and number.isdigit() and self._own.isdigit()
        if plain and int(number) == int(self._own) + 1 != self._verse + 1:
            named, number = number, ""  # a chapter of one verse, which bears the chapter's number alone
        if named:
            self._own = " ".join(named.split())
            self._verse = 0
        if number.isdigit():
            self._verse = int(number)
        if self._own and number:
            return f"{self._own}, {number}"
        return self._own if named else number


def outline(text: str) -> Outline:
    """Of a work's text, in linear time whatever is in it."""
    blocks: list[Block] = []
    chapters: list[str] = []
    titles: list[str] = []  # headings since the last block
    named = ""  # the last title with words, to which "II" belongs
    numbers = _Numbers()
    for part in _PARTS.finditer(text):
        if part["heading"]:
            titles.append(" ".join(part["heading"][1:].split()))
            continue
        if titles:
            if all(_ONLY_NUMBER.fullmatch(title) for title in titles):
                titles.insert(0, named)
            else:
                named = _joined([title for title in titles if not _ONLY_NUMBER.fullmatch(title)])
            chapters.append(_joined(titles))
            titles, numbers = [], _Numbers()
        start = part.start()
        end = start + len(part[0].rstrip())
        opening = _OPENING.match(text, start, end)
        inner = opening.end() if opening else start
        closing = _CLOSING.search(text, max(end - 20, inner), end)
        number = numbers.of(opening, closing)
        rest = closing.start() if closing and closing.start() > inner else end
        blocks.append(Block(start, end, inner, rest, len(chapters) - 1, number))
    return Outline(tuple(blocks), tuple(chapters))


def short_title(title: str) -> str:
    """A chapter's title as a place has it."""
    title = title.rstrip(" .:;,—")
    if len(title) <= _LONGEST:
        return title
    cut = title[: _LONGEST - 1]
    return f"{(cut.rpartition(' ')[0] or cut).rstrip(' .:;,—')}…"


def _joined(titles: list[str]) -> str:
    return ", ".join(title.rstrip(" .:;,—") for title in titles if title)


def _called(blocks: list[Block]) -> list[str]:
    """The numbers that the text has, or the count of blocks from 1 where most of them have none."""
    numbers = [block.number for block in blocks]
    if sum(map(bool, numbers)) < _NUMBERED * len(numbers):
        return [str(count) for count in range(1, len(numbers) + 1)]
    called, last = [], next(filter(None, numbers))
    for number in numbers:
        last = number or last
        called.append(last)
    return called


def _range(first: str, last: str) -> str:
    if first == last:
        return first
    chapter, _, _ = first.rpartition(", ") if ", " in first else first.rpartition(":")
    shared = len(first) - len(first.removeprefix(chapter).lstrip(", :"))
    if last.startswith(first[:shared]) and ", " not in last[shared:]:
        return f"{first}–{last[shared:]}"
    return f"{first} – {last}"
