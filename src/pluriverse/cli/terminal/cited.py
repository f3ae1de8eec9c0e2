"""How a reply shows where it stands: the works below it, its passages in full, quotations in another colour than the
model's own words.

Knows citations and lines of text; a view puts them in their place.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...engines.quoting import MARKS
from ...runtime.grounds import source
from .output import Styled
from .text import clean, counted, one_line, wrap

if TYPE_CHECKING:
    from ...runtime.replies import Replies
    from ...works.schema import Citation
    from .output import Output

Part = str | Styled
_WIDEST = 100  # cells

OTHER_LANGUAGE = "the works are in English and the question is not: they were searched by words alone, not by meaning"


def from_works(count: int) -> str:
    """How a head tells that a voice answers from works; empty without any."""
    return f"from {counted(count, 'work')}" if count else ""


def sources(citations: "Sequence[Citation]", width: int) -> list[str]:
    """Lines that say where each quoted passage stands."""
    quoted = [each for each in citations if each.quotes]
    return [line for each in quoted for line in wrap(f"[{each.n}] {one_line(source(each.passage))}", width)]


class Colouring:
    """Lines of one reply, in which quotations are told from what stands around them."""

    def __init__(self) -> None:
        self._until = ""  # the marks that close the quotation that is open

    def line(self, text: str) -> list[Part]:
        """The line in parts; a quotation may begin on one line and end on another."""
        parts: list[Part] = []
        start = 0
        for place, sign in enumerate(text):
            if self._until and sign in self._until:
                parts.append(Styled(text[start : place + 1], "cyan"))
                self._until, start = "", place + 1
            elif not self._until and sign in MARKS:
                parts.append(text[start:place])
                self._until, start = MARKS[sign][0], place
        rest = text[start:]
        parts.append(Styled(rest, "cyan") if self._until else rest)
        return [each for each in parts if each != ""]


def show_passages(out: "Output", replies: "Replies") -> None:
    """Every passage that a reply answers from, in full."""
    for reply in replies:
        for citation in reply.citations:
            out.line()
            out.line(Styled(f"{reply.assistant} [{citation.n}]", "bold"), f"  {one_line(source(citation.passage))}")
            _show(out, wrap(clean(citation.passage.text), min(out.width - 1, _WIDEST)))


def _show(out: "Output", lines: Iterable[str]) -> None:
    for line in lines:
        out.line(line)
