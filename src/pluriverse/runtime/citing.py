"""Where a reply stands in works: its quotations looked up in the passages, and numbered as readers see them.

Values and pure functions; knows replies' texts and passages, no engine. A passage's number is its place among those
that the reply answers from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..engines.quoting import Quotation, quotations, standing
from ..values import Digest
from ..works.schema import Citation, Why
from .grounds import Grounds, source

NOT_FOUND = "not found in the works"


@dataclass(frozen=True, slots=True)
class Cited:
    """`citations`: the passages, with what is quoted of each; the nearest one where the reply `declined`.
    `beyond`: the works do not speak of the question, and the model answered all the same.
    `unfound`: what stands between quotation marks and in no passage, of an engine that cannot be held to them."""

    citations: tuple[Citation, ...]
    declined: bool
    beyond: bool
    unfound: tuple[str, ...]
    quoted_s: float | None  # from the moment of asking until the first quotation could be shown
    works: tuple[Digest, ...]  # of the texts that were searched
    words_alone: Why | None = None  # why they were not searched by meaning
    lacking: str | None = None  # what embeds them, where it was not to be had

    def as_dict(self) -> dict[str, Any]:
        """The contract's JSON form, with `beyond_works`, `not_found`, `quoted_s`, `works` and `words_alone` added."""
        return {
            "citations": [as_dict(each) for each in self.citations],
            "declined": self.declined,
            "beyond_works": self.beyond,
            "not_found": list(self.unfound),
            "quoted_s": None if self.quoted_s is None else round(self.quoted_s, 6),
            "works": list(self.works),
            "words_alone": self.words_alone,
        }


def cited(text: str, grounds: Grounds, quoted_s: float | None) -> Cited:
    """Where `text`, which was said on these grounds, stands in them. What declines quotes nothing: marks are those of a
    title."""
    quotes: list[list[str]] = [[] for _ in grounds.passages]
    unfound = []
    for each in quotations(text) if not grounds.declined else ():
        found = standing(each, grounds.quotable)
        if found is None:
            unfound.append(each.said)
            continue
        quotes[found.text] += [piece for piece in found.pieces if piece not in quotes[found.text]]
    citations = grounds.citations(quotes)
    if grounds.beyond and not any(map(any, quotes)):
        citations = ()
    return Cited(
        citations=citations,
        declined=grounds.declined,
        beyond=grounds.beyond,
        unfound=tuple(unfound),
        quoted_s=quoted_s,
        works=grounds.works,
        words_alone=grounds.words_alone,
        lacking=grounds.lacking,
    )


def as_dict(citation: Citation) -> dict[str, Any]:
    passage = citation.passage
    return {
        "n": citation.n,
        "work": passage.work.id,
        "place": passage.place,
        "passage": passage.text,
        "quotes": list(citation.quotes),
        "score": round(citation.score, 4),
        "source": source(passage),
        "start": passage.start,
        "end": passage.end,
        "digest": passage.work.digest,
    }


class Numbering:
    """Puts the number of its passage behind each quotation of a text that comes in pieces."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._passages = passages
        self._text = ""  # since the last quotation that was closed

    def feed(self, chunk: str) -> str:
        """The chunk as it is shown."""
        self._text += chunk
        shown, rest = "", chunk
        for each in list(quotations(self._text)):
            if not each.closed:
                break
            behind = len(self._text) - each.end
            cut = len(rest) - behind
            shown += rest[:cut] + self._number(each)
            rest = rest[cut:]
        if shown:
            self._text = rest
        return shown + rest

    def _number(self, quotation: Quotation) -> str:
        found = standing(quotation, self._passages)
        return f" [{NOT_FOUND}]" if found is None else f" [{found.text + 1}]"


def numbered(text: str, passages: Sequence[str]) -> str:
    """A whole text with the numbers of its quotations; as it is without passages."""
    return Numbering(passages).feed(text) if passages else text
