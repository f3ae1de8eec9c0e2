"""What a voice with works says of one question: the passages that stand before the model, the words that it begins
with, or that its works do not speak of the question.

Knows prompts and replies' words; nothing of indexes, engines or how passages were found (`grounding`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..values import Digest, Message
from ..works.nearness import Evidence
from ..works.quoting import Quotable
from ..works.schema import Citation, Found, Passage, Why
from ..works.wording import wording

_TOLD = "From a book, not said to you:"  # short, as all that a model reads before it speaks
_MARK = "~~~"
_QUOTED = "[…]"  # stands for the words that a reply begins with
_NEAR = 160  # characters of what stands next to them and is told


@dataclass(frozen=True, slots=True)
class Grounds:
    """`quotation`: what the reply begins with; None where the works do not speak of the question, and then `passages`
    are only the nearest. Best first."""

    works: tuple[Digest, ...]  # of the texts that were searched, sorted
    language: str  # that the assistant answers in
    passages: tuple[Found, ...]
    evidence: Evidence  # that the works speak of the question
    quotation: Quotable | None
    beyond: bool = False  # where the works do not speak of it, the model answers all the same
    words_alone: Why | None = None  # why nothing was found by meaning
    lacking: str | None = None  # the model that embeds these works, where it was not to be had

    @property
    def declined(self) -> bool:
        return self.quotation is None and not self.beyond

    @property
    def opening(self) -> str:
        """The quotation as the reply begins with it, between its marks; empty without one."""
        return "" if self.quotation is None else wording(self.language).quoted(self.quotation.shown)

    @property
    def lead(self) -> str:
        """The reply's first words: the quotation, and what leads from it to the model's own words."""
        return self.opening and self.opening + wording(self.language).bridge

    @property
    def quotable(self) -> tuple[str, ...]:
        """What may stand between quotation marks."""
        return tuple(each.passage.text for each in self.passages)

    def heard(self, turns: tuple[Message, ...], led: bool = False) -> tuple[Message, ...]:
        """The turns with the passages before the last question, as data between marks that no passage spells.

        `led`: the reply begins with the quotation, so that only what stands around it is told, since each word costs
        time; and the model is asked to explain it, since small ones answer the question from what they know.
        """
        if self.quotation is None or not turns:
            return turns
        mark = self.mark
        passages = "\n\n".join(self._told(each.passage, led) for each in self.passages)
        task = f"\n\n{wording(self.language).task}" if led else ""
        asked = f"{_TOLD}\n{mark}\n{passages}\n{mark}\n\n{turns[-1].content}{task}"
        return (*turns[:-1], replace(turns[-1], content=asked))

    @property
    def mark(self) -> str:
        """What the passages stand between. It is nothing that a reply should say."""
        return _mark([self._told(each.passage) for each in self.passages])

    def _told(self, passage: Passage, led: bool = False) -> str:
        """A passage as the model reads it: what is quoted with its neighbours."""
        text = passage.text
        if self.quotation is not None and self.quotation.passage == passage:
            text = self.quotation.excerpt
            if led:
                before, _, behind = (each.strip() for each in text.partition(self.quotation.text))
                near = (each for each in (before, _QUOTED, behind) if 0 < len(each) <= _NEAR)
                text = " ".join(near)
        named = ", ".join(filter(None, (passage.work.author, passage.work.title)))
        return named if text == _QUOTED else f"{named}:\n{text}"

    @property
    def refusal(self) -> str:
        """What is said where the works do not speak of the question."""
        words = wording(self.language)
        if not self.passages:
            return words.silent
        return f"{words.silent} {words.nearest.format(place=source(self.passages[0].passage))}"

    def citations(self, quotes: Sequence[Sequence[str]]) -> tuple[Citation, ...]:
        """The passages, numbered in their order, each with what is quoted of it."""
        pairs = zip(self.passages, quotes, strict=True)
        return tuple(Citation(n, each.passage, tuple(said), each.score) for n, (each, said) in enumerate(pairs, 1))


def source(passage: Passage) -> str:
    """Author, title, edition and place in one line."""
    work = passage.work
    edition = f" ({work.edition})" if work.edition else ""
    return ", ".join(filter(None, (work.author, f"{work.title}{edition}", passage.place)))


def _mark(texts: list[str]) -> str:
    """What none of the texts holds, and most often one token; the same texts have the same."""
    mark = _MARK
    while any(mark in text for text in texts):
        mark += _MARK[0]
    return mark
