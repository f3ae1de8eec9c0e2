"""Which sentences of a passage may be quoted, and which of them answer a question.

True words can have a false meaning. What the next sentence turns round ("but", "however"), what others say before they
are answered, questions, and sentences that begin with "this" or "he" are never quotable alone: their neighbours come
along, or they are left out. A sentence that is very long may end at a semicolon, and is marked as cut. Knows texts
and passages; nothing of prompts, and it asks no model: how near in meaning a sentence is to a question, it is told.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from .passages import fold
from .schema import Passage
from .sentences import sentences
from .wording import Wording, beginning, wording

CUT = " …"  # ends a quotation that the sentence goes on from
_LONG = 55  # words of a sentence from which on it may be cut at a semicolon
_MOST = 80  # words of a quotation
_STEM = 5  # letters by which a word is known again
_ANSWER = 6  # words of a sentence that is nothing without the question before it
_FEWEST, _USUAL = 8, 35  # words below and above which a quotation is worth less
_NEIGHBOUR = 240  # characters of a sentence that is read with the quotation next to it
_BEFORE, _AFTER = 2500, 1500  # characters that are read around a passage
_FARTHEST = 20_000  # the same before it where no paragraph begins: a whole book may be one line
_PAUSE = re.compile(r"[;；؛][\"'”’»)]*\s+")
_MARK = re.compile(r"[\s*†‡§¶]*")  # of a note
_ASKS = re.compile(r"[?？؟][\"'”’»)」』\s]*$")
_ENDS = re.compile(
    r"[^\w\s,:،：—–-]$"
)  # a heading that nobody marked ends without a stop, a list's beginning with a colon
_WORD = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]|[^\W\d_]+(?:['’][^\W\d_]+)?|\d+")
_OPENING, _CLOSING = "“«「『", "”»」』"


@dataclass(frozen=True, slots=True)
class Quotable:
    """Words of a passage that may stand alone. `text`: verbatim, white space folded; where it is `cut`, the sentence
    goes on. `worth`: 1 for what reads well alone, less where it is long, short, or goes on from what stands before.
    `pieces`: the sentences that it is, or parts of long ones; `around`: they with the one before and the one behind."""

    passage: Passage
    text: str
    cut: bool
    worth: float
    pieces: tuple[str, ...] = ()
    around: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The words as a quotation has them between its marks."""
        return self.text.rstrip(",;:；： ") + CUT if self.cut else self.text

    @property
    def excerpt(self) -> str:
        """The words with the sentence before and the one behind, where these are short."""
        text = self.passage.text
        start = text.index(self.text)
        end = start + len(self.text)
        for each in sentences(text):
            if each.end < start and start - each.start <= _NEIGHBOUR and text[each.end : start].isspace():
                start = each.start
            elif each.start > end and each.end - end <= _NEIGHBOUR and text[end : each.start].isspace():
                return text[start : each.end]
        return text[start:end]


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near words are to a question, by `words` it shares (0 to 1, rare ones count more) and by meaning (cosines of
    vectors; None where nothing embeds): of the words alone, and with what stands `around` them."""

    words: float
    meaning: float | None = None
    around: float | None = None

    def value(self, worth: float, rank: int) -> float:
        """How well it answers: near to the question, readable alone (`worth`), of a passage that was found early
        (`rank`, from 0). The numbers are fitted to `benchmarks/sentences.py`."""
        if self.meaning is None or self.around is None:
            return self.words + 0.6 * worth + 0.2 / (1 + rank)
        return self.meaning + self.around + 0.2 * self.words + 0.6 * worth


Candidate = tuple[Quotable, Nearness]


def best(candidates: Sequence[Candidate], ranks: Mapping[Passage, int]) -> Quotable | None:
    """What answers the question best. `ranks`: of passages, from 0."""

    def value(pair: Candidate) -> float:
        quotable, nearness = pair
        return nearness.value(quotable.worth, ranks[quotable.passage])

    return max(candidates, key=value)[0] if candidates else None


def quotables(passage: Passage, text: str) -> list[Quotable]:
    """All that may be quoted of a passage, in its order. `text`: the work's, of which what stands around the passage
    is read too."""
    window = _Window(passage, text)
    found: dict[tuple[int, int], Quotable] = {}
    for place in window.own:
        extent = window.extent(place)
        if extent is not None and extent not in found and (made := window.quotable(*extent)) is not None:
            found[extent] = made
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _Sentence:
    start: int  # of the work's text
    end: int
    block: int
    text: str  # white space folded
    turns: bool = False
    hangs: bool = False
    joins: bool = False
    leans: bool = False
    told: bool = False
    open: bool = False  # asks, or grants what the next one may take back
    cut: bool = False  # a piece that another follows


class _Window:
    """The sentences of a passage among those around it."""

    def __init__(self, passage: Passage, text: str) -> None:
        self._passage, self._text = passage, text
        self._words = wording(passage.work.language)
        first = max(text.rfind("\n\n", 0, max(passage.start - _BEFORE, 0)), passage.start - _FARTHEST, 0)
        last = text.find("\n\n", min(passage.end + _AFTER, len(text)))
        last = min(len(text) if last < 0 else last, passage.end + 4 * _AFTER)
        self._all = [
            piece
            for start, end, block in sentences(text[first:last])
            for piece in _pieces(text, first + start, first + end, block, self._words)
        ]
        self.own = [
            place
            for place, each in enumerate(self._all)
            if passage.start <= each.start and each.end <= passage.end and "\n" * 2 not in text[each.start : each.end]
        ]

    @cached_property
    def _answered(self) -> dict[int, tuple[int, int]]:
        """Of each sentence that others say: where they begin to, and where that is turned round."""
        found: dict[int, tuple[int, int]] = {}
        for first, each in enumerate(self._all):
            if not each.told or first in found:
                continue
            for last in range(first + 1, len(self._all)):
                if self._all[last].block > each.block + 1 or (self._all[last].block > each.block and last > first + 8):
                    break
                if self._all[last].turns:
                    found |= dict.fromkeys(range(first, last), (first, last))
                    break
        return found

    def extent(self, place: int) -> tuple[int, int] | None:
        """The sentences that have to be quoted for this one; None where they are not all in the passage."""
        first = last = place
        while True:
            before = first, last
            if self._all[first].hangs or self._all[first].turns or self._answers(first):
                first -= 1
            if first < 0 or not self._inside(first, last):
                return None
            for each in range(first, last + 1):
                if each in self._answered:
                    first, last = min(first, self._answered[each][0]), max(last, self._answered[each][1])
            follows = self._all[last + 1] if last + 1 < len(self._all) else None
            if follows is not None and (self._all[last].open or follows.turns) and not self._apart(last):
                last += 1
            last = self._turned(last)
            if not self._inside(first, last):
                return None
            if (first, last) == before:
                return first, last

    def _answers(self, place: int) -> bool:
        """Whether it is a few words in answer to the question before."""
        asked, said = self._all[place - 1], self._all[place]
        few = len(_WORD.findall(said.text)) <= _ANSWER
        return place > 0 and few and asked.block == said.block and bool(_ASKS.search(asked.text))

    def _turned(self, place: int) -> int:
        """What turns the sentence round that is cut here, a later piece of it or what follows it; else this one."""
        later = place
        while later + 1 < len(self._all) and self._all[later].cut:
            later += 1
            if self._all[later].turns:
                return later
        ends = later == place or later + 1 == len(self._all) or self._apart(later)
        return place if ends or not self._all[later + 1].turns else later + 1

    def _inside(self, first: int, last: int) -> bool:
        return bool(self.own) and self.own[0] <= first and last <= self.own[-1]

    def _apart(self, place: int) -> bool:
        """Whether the sentence ends a chapter, so that the next one answers nothing of it: a heading is between."""
        return self._all[place + 1].block > self._all[place].block + 1

    def quotable(self, first: int, last: int) -> Quotable | None:
        """These sentences together; None where they had better not be quoted."""
        inside = self._all[first : last + 1]
        text = fold(self._text[inside[0].start : inside[-1].end])
        if len(text) > sum(len(each.text) + 1 for each in inside):
            return None  # the number of a verse stands among them
        words = len(_WORD.findall(text)) * (0.6 if "\u2e80" <= text[0] <= "\u9fff" else 1.0)
        unanswered = any(each.told for place, each in enumerate(inside, first) if place not in self._answered)
        broken = inside[-1].open or unanswered or _unbalanced(text) or not (inside[-1].cut or _ENDS.search(text))
        if broken or not 4 <= words <= _MOST or text not in self._passage.text:
            return None
        around = self._all[max(first - 1, self.own[0]) : min(last + 1, self.own[-1]) + 1]
        return Quotable(
            passage=self._passage,
            text=text,
            cut=inside[-1].cut,
            worth=self._worth(inside, text, words),
            pieces=tuple(each.text for each in inside),
            around=tuple(each.text for each in around),
        )

    def _worth(self, inside: Sequence[_Sentence], text: str, words: float) -> float:
        """How well these sentences read alone, from 1 down."""
        first = inside[0]
        pointing = (
            0.35 * (first.leans or self._points_out(inside)) + 0.1 * first.joins + 0.2 * self._spoken(first.start)
        )
        length = 0.1 * (words < _FEWEST) + max(0.0, (words - _USUAL) / 150) + 0.05 * inside[-1].cut
        return 1.0 - pointing - length - 0.1 * any(mark in text for mark in _OPENING + '"')

    def _points_out(self, inside: Sequence[_Sentence]) -> bool:
        """Whether a later sentence points to something that none before it names."""
        said = ""
        for each in inside:
            for mark in self._words.points.finditer(each.text) if said else ():
                if mark[1][:_STEM].lower() not in said + each.text[: mark.start()].lower():
                    return True
            said += each.text.lower()
        return False

    def _spoken(self, place: int) -> bool:
        """Whether somebody speaks there whose words began before: they may be another's than the author's."""
        before = self._text[max(self._text.rfind("\n\n", 0, place), place - _BEFORE, 0) : place]
        return before.count('"') % 2 > 0 or sum(map(before.count, _OPENING)) > sum(map(before.count, _CLOSING))


def _pieces(text: str, start: int, end: int, block: int, words: Wording) -> list[_Sentence]:
    """A sentence; one that is very long in the pieces that semicolons make of it."""
    folded = fold(text[start:end])
    whole = _Sentence(start, end, block, folded)
    starts = [start]
    if len(folded.split()) > _LONG:
        starts += [mark.end() for mark in _PAUSE.finditer(text, start, end) if mark.end() < end]
        if words.starts.match(beginning(folded)):
            starts = starts[:1]  # what begins so is none without its end
    found = []
    for place, (low, high) in enumerate(zip(starts, [*starts[1:], end], strict=True)):
        if place == 0:
            low += len(_MARK.match(text, low, end)[0])  # type: ignore[index]
        piece = fold(text[low:high])
        begins = beginning(piece)
        found.append(
            replace(
                whole,
                start=low,
                end=low + len(text[low:high].rstrip()),
                text=piece,
                turns=bool(words.turns.match(begins)),
                hangs=place > 0 or begins[:1].islower() or bool(words.hangs.match(begins)),
                joins=bool(words.joins.match(begins)),
                leans=bool(words.leans.search(piece)),
                told=bool(words.told.search(piece)),
                open=bool(_ASKS.search(piece) or words.grants.search(piece)),
                cut=high < end,
            )
        )
    return found


def _unbalanced(text: str) -> bool:
    """Whether it opens or closes a speech whose other end it leaves out."""
    opened = sum(map(text.count, _OPENING))
    return opened != sum(map(text.count, _CLOSING)) or text.count('"') % 2 > 0
