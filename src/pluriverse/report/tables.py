"""Tables and figures as blocks of the page: a caption, the plot, and right after it the table with the same numbers.

Knows elements; what the numbers mean is `sections`' affair.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .markup import Child, Html, Numeric, el, joined

_NUMERIC = re.compile(r"[−-]?[\d,.]+%?( to [−-]?[\d,.]+%?)?|–|")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Counter:
    """Numbers the page's figures; a plot's ids are made of its number."""

    def __init__(self, prefix: str = "figure") -> None:
        self._prefix = prefix
        self._last = 0

    def next(self) -> tuple[int, str]:
        self._last += 1
        return self._last, f"{self._prefix}-{self._last}"


class Footnotes:
    """Sentences that must be shown with numbers, each once, by letters."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def letter(self, note: str) -> str:
        """Empty for no note."""
        if not note:
            return ""
        place = len(self._letters)
        name = _LETTERS[place % 26] * (1 + place // 26)
        return self._letters.setdefault(note, name)

    def mark(self, note: str) -> Html | None:
        letter = self.letter(note)
        return el("sup", letter, class_="mark") if letter else None

    def listed(self) -> Html | None:
        if not self._letters:
            return None
        lines = (el("li", el("sup", letter), " ", note) for note, letter in self._letters.items())
        return el("ul", *lines, class_="footnotes")


def table(
    caption: str, head: Sequence[Child], *bodies: Iterable[Sequence[Child]], foot: Child = None, named: bool = False
) -> Html:
    """The first cell of each row is its heading. It scrolls sideways by itself where the page is narrower. The caption
    is for those who do not see the page, unless it is `named` for all."""
    rows = [[list(row) for row in body] for body in bodies]
    numeric = [all(_is_number(row[column]) for body in rows for row in body) for column in range(len(head))]
    top = el("tr", *(el("th", cell, scope="col", class_="n" if numeric[i] else None) for i, cell in enumerate(head)))
    inner = el(
        "table",
        el("caption", caption, class_="named" if named else None),
        el("thead", top),
        *(el("tbody", *(_row(row, numeric) for row in body)) for body in rows),
    )
    return joined([el("div", inner, class_="scroll", role="region", aria_label=caption, tabindex=0), foot])


def _row(cells: Sequence[Child], numeric: Sequence[bool]) -> Html:
    first = el("th", cells[0], scope="row")
    rest = (el("td", cell, class_="n" if numeric[i] else None) for i, cell in enumerate(cells[1:], 1))
    return el("tr", first, *rest)


def _is_number(cell: Child) -> bool:
    if cell is None or isinstance(cell, Html):
        return isinstance(cell, Numeric)
    return bool(_NUMERIC.fullmatch(cell.strip()))


def figure(number: int, title: str, about: Child, plot: Html, numbers: Html, wide: bool = False) -> Html:
    """`wide`: the table stands below the plot, where it has too many columns for a place beside it."""
    caption = el("figcaption", el("strong", f"Figure {number}. {title}."), " ", about)
    return el(
        "figure",
        caption,
        el("div", plot, class_="plot"),
        folded(f"Numbers of figure {number}", numbers, opened=True),
        class_="wide" if wide else "pair",
    )


def folded(summary: str, *children: Child, opened: bool = False) -> Html:
    """Something long behind its heading; on paper it is always open."""
    return el("details", el("summary", summary), *children, open=opened)


@dataclass(frozen=True, slots=True)
class Section:
    """`key`: its id on the page."""

    key: str
    title: str
    html: Html


def section(key: str, title: str, *children: Child, lead: Child = None) -> Section:
    head = el("h2", title, id=f"{key}-heading")
    words = el("p", lead, class_="lead") if lead else None
    return Section(key, title, el("section", head, words, *children, id=key, aria_labelledby=f"{key}-heading"))
