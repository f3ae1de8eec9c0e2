"""A work's text cut into passages: about 120 words each, from the start of a sentence to the end of one.

Never over a heading. Sentences that are too long (texts with few full stops, one line of 50 MB) are cut after a comma
or between words, or between characters where there are no spaces. Knows sentences and places.
"""

import re
import unicodedata
from collections.abc import Iterator

from .outline import Outline, outline
from .schema import Passage, Work
from .sentences import spans

WORDS = 120  # of a passage, about
_ENOUGH = 80  # words with which a passage may end where a paragraph does
_FEW = 50  # words at the end of a chapter that go to the passage before
_MOST = 220  # words of one sentence that is not cut
# One letter of scripts without spaces between words counts as a part of a word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
)
_LETTER = 0.6
_LONG_WORD = 12  # characters; a longer run without spaces counts as several words
_TOKEN = re.compile(r"\S{1,24}")
_PAUSE = re.compile(r"[,;:،؛，、；：—][\"'”’»)」』]*\s*")

Piece = tuple[int, int, float]  # start, end, words


def passages(work: Work, text: str) -> list[Passage]:
    """All passages of a work in their order. `text`: the work's own, as its digest says; takes linear time."""
    plan = outline(text)
    found: list[Passage] = []
    for start, end in _spans(text, plan):
        folded = fold(text[start:end])
        found.append(Passage(work, len(found), start, end, plan.place(start, end), folded))
    return found


def fold(text: str) -> str:
    """The text with every run of white space as one space, as passages and quotations have it."""
    return " ".join(text.split())


def _spans(text: str, plan: Outline) -> Iterator[tuple[int, int]]:
    """Where passages begin and end."""
    chapter: list[Piece] = []
    ends: set[int] = set()
    last = -1
    for block in plan.blocks:
        if block.chapter != last and chapter:
            yield from _filled(chapter, ends)
            chapter, ends = [], set()
        last = block.chapter
        sentences = list(spans(text, block)) or [(block.start, block.end)]
        # What a quotation leaves out, the number of the verse, a passage has.
        sentences[0] = (block.start, sentences[0][1])
        sentences[-1] = (sentences[-1][0], block.end)
        for start, end in sentences:
            chapter += _pieces(text, start, end)
        ends.add(block.end)
    yield from _filled(chapter, ends)


def _filled(pieces: list[Piece], ends: set[int]) -> Iterator[tuple[int, int]]:
    """The pieces of one chapter, joined to passages. `ends`: where paragraphs end."""
    made: list[Piece] = []
    for start, end, words in pieces:
        if made:
            first, before, so_far = made[-1]
            full = so_far >= WORDS or (so_far >= _ENOUGH and before in ends) or so_far + words > 1.5 * WORDS
            if not full:
                made[-1] = (first, end, so_far + words)
                continue
        made.append((start, end, words))
    if len(made) > 1 and made[-1][2] < _FEW and made[-2][2] + made[-1][2] <= _MOST:
        _, end, words = made.pop()
        made[-1] = (made[-1][0], end, made[-1][2] + words)
    yield from ((start, end) for start, end, _ in made)


def _pieces(text: str, start: int, end: int) -> Iterator[Piece]:
    """A sentence, or the pieces of one that is far too long."""
    words = _words(text, start, end)
    if words <= _MOST:
        yield start, end, words
        return
    so_far, pause, at_pause = 0.0, 0, 0.0
    for token in _TOKEN.finditer(text, start, end):
        size = _size(token[0])
        if so_far and so_far + size > WORDS:
            cut = pause if at_pause >= _ENOUGH else _whole(text, token.start(), start)
            done = at_pause if at_pause >= _ENOUGH else so_far
            stop = cut
            while stop > start and text[stop - 1].isspace():
                stop -= 1
            yield start, stop, done
            start, so_far, at_pause = cut, so_far - done, 0.0
        so_far += size
        if _PAUSE.search(token[0]) and token.end() < end:
            found = list(_PAUSE.finditer(text, token.start(), min(token.end() + 1, end)))
            pause, at_pause = found[-1].end(), so_far
    yield start, end, so_far


def _whole(text: str, at: int, least: int) -> int:
    """The place at or shortly before `at` that is not inside a character made of several."""
    for place in range(at, max(at - 24, least), -1):
        if not unicodedata.combining(text[place]):
            return place
    return at


def _words(text: str, start: int, end: int) -> float:
    return sum(_size(token) for token in _TOKEN.findall(text, start, end))


def _size(token: str) -> float:
    """How many words a run of at most 24 characters counts."""
    letters = 0 if token.isascii() else len(_UNSPACED.findall(token))
    return _LETTER * letters if letters else max(1.0, len(token) / _LONG_WORD)
