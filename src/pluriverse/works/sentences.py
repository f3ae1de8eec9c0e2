"""Where sentences begin and end, in any script, without a model of the language.

A full stop ends a sentence unless what stands before it is an abbreviation, an initial or a mere number, or what comes
after it goes on in small letters. The end of a block ends a sentence too; headings are none.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .outline import Block, outline

_CLOSERS = "\"'”’»)\\]）」』》】›*_"
_FULL = "。！？｡؟۔।॥።፧"
# Marks of scripts that put no space after a sentence, and those that need one.
_ENDS = re.compile(
    rf"(?<![{_FULL}])[{_FULL}]++[{_CLOSERS}]*+(?![，、；：,;])|(?<![.!?…])[.!?…]++[{_CLOSERS}]*+(?=\s|[⺀-鿿豈-﫿])"
)
_OPENERS = re.compile(r"[\s\"'“”‘’«»(\[（「『《【‹*_—–-]{0,12}")
_WORD = re.compile(r"[\w.]{1,24}$")
_NO_WORDS = re.compile(r"[\W_]{0,12}(?:\d{1,6}|[IVXLC]{1,8})?[\W_]{0,12}$")
_INITIAL = re.compile(r"(?:\w\.)*\w")
_ABBREVIATIONS = frozenset(
    """
    mr mrs ms dr st ste prof rev hon gen col capt lieut lt sr jr messrs mme mlle esq vs viz cf ibid op
    cit vol vols chap chaps ch sect sec nos pp fig figs lib bk pt edd trans ver cor gal rom matt tim
    thess isa jer ps prov eccles sra srta ud uds ee.uu pág págs núm hr fr nr bzw usw abs inc ltd co dept
    univ approx
    """.split()  # noqa: SIM905
)
_BEFORE_NUMBER = frozenset(("no", "art", "num", "page", "tom", "liv", "ver", "n", "p"))


class Sentence(NamedTuple):
    """`text[start:end]`, without white space at its ends and without the number of its verse."""

    start: int
    end: int
    block: int  # the how-many-eth block of the text, from 0


def sentences(text: str) -> list[Sentence]:
    """All sentences of a text in their order, in linear time."""
    found = []
    for number, block in enumerate(outline(text).blocks):
        found += [Sentence(start, end, number) for start, end in spans(text, block)]
    return found


def spans(text: str, block: Block) -> Iterator[tuple[int, int]]:
    """The sentences of one block; none where it has only its number, or a row of stars."""
    start = block.inner
    for mark in _ENDS.finditer(text, block.inner, block.rest):
        if mark.end() < block.rest and _ends(text, start, mark, block.rest):
            yield start, mark.end()
            start = mark.end()
            while start < block.rest and text[start].isspace():
                start += 1
    if start < block.rest and not _NO_WORDS.match(text, start, block.rest):
        yield start, block.rest


def _ends(text: str, start: int, mark: "re.Match[str]", limit: int) -> bool:
    """Whether the mark ends a sentence that began at `start`."""
    after = _OPENERS.match(text, mark.end(), limit)
    at = after.end() if after else mark.end()
    follows = text[at] if at < limit else ""
    if follows.islower():
        return False
    if mark.start() - start < 24 and _NO_WORDS.match(text, start, mark.start()):
        return False
    if text[mark.start() : mark.end()] != ".":
        return True
    word = _WORD.search(text, max(mark.start() - 24, start), mark.start())
    if word is None:
        return True
    said = word[0].lower()
    if said in _ABBREVIATIONS or (follows.isdigit() and said in _BEFORE_NUMBER):
        return False
    initials = _INITIAL.fullmatch(said) and said[-1].isalpha() and ("." in said or word[0].isupper())
    return not initials or word[0] == "I"
