"""Quotations: where a text quotes, and whether what it quotes stands letter by letter in given texts.

A quotation stands between marks (`MARKS`); the same marks inside it must pair. Its words are a text's own with white
space folded, from the beginning of a word to an end; an ellipsis (… or ...) skips forward within that text, or says
that the text goes on before or behind. Punctuation inside the marks is the text's: a comma or full stop that typography
would put there stands behind them. A quotation that nothing closes ends with the text. Marks of thinking are never
quoted: what reads a reply would take its beginning for thinking (`engines.thinking`).

Knows texts. Does not know tokens; `engines.local.holding` keeps a model to these rules while it speaks.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..errors import UsageError
from .thinking import HARMONY, SPELLED

# What opens a quotation: the marks that close it, and whether pairs of the same two stand inside.
MARKS: dict[str, tuple[str, bool]] = {
    "\u201c": ("\u201d", True),
    "\u201d": ("\u201d", False),  # Swedish, Finnish
    "\u201e": ("\u201c\u201d", False),
    "\u201f": ("\u201d", False),
    "\u00ab": ("\u00bb", True),
    "\u00bb": ("\u00ab\u00bb", False),  # German, Danish
    "\u300c": ("\u300d", True),
    "\u300e": ("\u300f", True),
    "\u301d": ("\u301e\u301f", False),
    '"': ('"', False),
    "\uff02": ("\uff02", False),
}
CLOSING = frozenset("".join(closes for closes, _ in MARKS.values())) - set(MARKS)
"""Marks that open nothing: outside a quotation they mean nothing."""
LONGEST = 200_000  # characters of all texts that one reply may quote
ELLIPSES = ("\u2026", "...")

UNQUOTED = re.compile("|".join(map(re.escape, sorted(SPELLED | HARMONY, reverse=True))), re.I)
_ELLIPSIS = re.compile(r"\u2026|\.{3}(?!\.)")
# Scripts without spaces between words, where a word may begin at any letter.
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
# By kinds of characters (`_kind`): a hyphen, an apostrophe or a point may stand inside a word.
_WORD = re.compile("SM*|(?:[LD]M*(?:[AH](?=[LD])|(?<=D)P(?=D))?)+")
_SIGN = re.compile("(?:^|(?<= ))(?=[xH])")  # a dash or "&" that stands for itself
_ELIDED = re.compile("A(?=(?:LM*){3})")  # l'homme: a word begins behind it; don't: none does


@dataclass(frozen=True, slots=True)
class Quotation:
    """One of a text. `start`, `end`: its characters with the marks. `said`: what stands between, white space folded."""

    start: int
    end: int
    said: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a quotation stands: in which of the texts, and its pieces between ellipses."""

    text: int
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Borders:
    """Where quotations of a text may begin and end, as places between its characters."""

    starts: frozenset[int]
    ends: frozenset[int]


def folded(text: str) -> str:
    """`text` with each run of white space as one space."""
    return " ".join(text.split())


def quotations(text: str) -> list[Quotation]:
    """Every quotation of `text`, in order; none of them lies in another."""
    found: list[Quotation] = []
    place = 0
    while place < len(text):
        if text[place] in MARKS:
            found.append(_quotation(text, place))
            place = found[-1].end
        else:
            place += 1
    return found


def held(text: str, texts: Sequence[str]) -> list[bool]:
    """For each of its quotations whether it stands in one of `texts`; one that is not closed may break off anywhere."""
    return [standing(each, texts) is not None for each in quotations(text)]


def standing(quotation: Quotation, texts: Sequence[str]) -> Standing | None:
    """The first of `texts` that it stands in; None where none has it."""
    if UNQUOTED.search(quotation.said):
        return None
    pieces = [each.strip() for each in _ELLIPSIS.split(quotation.said)]
    if not any(pieces):
        return None if quotation.closed else Standing(0, ())
    cut = not quotation.closed and bool(pieces[-1])
    for number, text in enumerate(texts):
        if (found := _follow(quotation.said, folded(text), cut)) is not None:
            return Standing(number, found)
    return None


def check_lead(lead: str, texts: Sequence[str]) -> None:
    """UsageError for the lead of a reply that quotes what stands in none of its `texts`, or for texts too long."""
    if (length := sum(map(len, texts))) > LONGEST:
        raise UsageError(f"the texts to quote have {length:,} characters; at most {LONGEST:,} are read")
    for each in quotations(lead):
        if standing(each, texts) is None:
            raise UsageError(
                f"the reply is led by a quotation that stands in none of its texts: {each.said[:60]!r}",
                "quote them letter by letter, from the beginning of a word to an end",
            )


def truthful(text: str, texts: Sequence[str]) -> str:
    """`text` without the marks around what stands in none of `texts`: that is then said, not quoted."""
    while false := next((each for each in quotations(text) if standing(each, texts) is None), None):
        inner = text[false.start + 1 : false.end - false.closed]
        text = text[: false.start] + inner + text[false.end :]
    return text


@lru_cache(maxsize=256)
def borders(text: str) -> Borders:
    """Of a text with folded white space."""
    kinds = "".join(map(_kind, text))
    words = [found.span() for found in _WORD.finditer(kinds)]
    opening = _opening(kinds)
    no_end = {place for start, end in words for place in range(start + 1, end)} | {place + 1 for place in opening}
    starts = {start for start, _ in words} | opening
    starts |= {found.end() for pattern in (_ELIDED, _SIGN) for found in pattern.finditer(kinds)}
    no_end |= {place for place, kind in enumerate(f"{kinds} ") if kind == "M" or kinds[place - 1 : place] == " "}
    ends = set(range(1, len(text) + 1)) - no_end
    return Borders(frozenset(starts), frozenset(ends))


def _quotation(text: str, start: int) -> Quotation:
    mark = text[start]
    closes, pairs = MARKS[mark]
    depth = 0
    for place in range(start + 1, len(text)):
        if text[place] in closes:
            if not depth:
                return Quotation(start, place + 1, folded(text[start + 1 : place]), True)
            depth -= 1
        elif pairs and text[place] == mark:
            depth += 1
    return Quotation(start, len(text), folded(text[start + 1 :]), False)


def _follow(said: str, text: str, cut: bool) -> tuple[str, ...] | None:
    """The pieces of `said` as they stand in `text` one after another; None where they do not. An ellipsis that is the
    text's own may be inside a piece. `cut`: the last one may break off inside a word."""
    gaps = [(0, 0), *(each.span() for each in _ELLIPSIS.finditer(said)), (len(said), len(said))]
    last = len(gaps) - 1
    ways: dict[int, tuple[int, tuple[str, ...]]] = {0: (0, ())}  # how early in the text each gap can be reached
    for gap in range(last):
        if gap not in ways:
            continue
        place, before = ways[gap]
        for after in range(gap + 1, last + 1):
            piece = said[gaps[gap][1] : gaps[after][0]].strip()
            if piece not in text:
                break
            end = _next(piece, text, place, cut and after == last) if piece else place
            if end >= 0 and (after not in ways or end <= ways[after][0]):
                ways[after] = end, (*before, piece) if piece else before
    return ways[last][1] if last in ways else None


def _next(piece: str, text: str, place: int, loose: bool) -> int:
    """The end of the first such piece at or behind `place`, from the beginning of a word to an end; -1 without one."""
    edges = borders(text)
    start = text.find(piece, place)
    while start >= 0:
        end = start + len(piece)
        if start in edges.starts and (loose or end in edges.ends):
            return end
        start = text.find(piece, start + 1)
    return -1


def _opening(kinds: str) -> set[int]:
    """Places of punctuation that a quotation may begin with, and none may end with."""
    found: set[int] = set()
    for place, kind in enumerate(kinds):
        begins = place == 0 or kinds[place - 1] == " " or place - 1 in found
        spaced = kinds[place + 1 : place + 2] in ("", " ")
        quote = kind in "IFQA" and begins and not spaced
        if kind == "O" or quote or (kind == "I" and begins and spaced):
            found.add(place)
    return found


@lru_cache(maxsize=4096)
def _kind(sign: str) -> str:
    """One letter: S of a script without spaces, L letter, D digit, M what belongs to the letter before it,
    A apostrophe, H hyphen, P point or comma, T other ends of sentences, O what opens, I, F and Q marks of quotations
    that open, close or do both, x any other."""
    category = unicodedata.category(sign)
    if category[0] == "M" or category == "Cf":
        return "M"
    if category[0] in "LN":
        return "S" if _SPACELESS.match(sign) else "D" if category == "Nd" else "L"
    known = {"'": "A", "\u2019": "A", "\u02bc": "A", "-": "H", "\u2010": "H", "\u2011": "H", ".": "P", ",": "P"}
    known |= dict.fromkeys(";:!?\u2026%", "T")
    known |= {"\u00bf": "O", "\u00a1": "O", '"': "Q", " ": " "}
    return known.get(sign) or {"Ps": "O", "Pi": "I", "Pf": "F"}.get(category, "x")
