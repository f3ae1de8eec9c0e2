"""Works, their passages, what a search found, and what a reply cites. Values only."""

from dataclasses import dataclass, field
from typing import Literal

from ..values import Work

__all__ = ["Citation", "Found", "Means", "Passage", "Why", "Work"]

Means = Literal["words", "meaning"]
"""By what a passage was found."""

Why = Literal["offline", "unreachable", "engine", "language"]
"""Why words alone find passages. offline: the user allows no network; unreachable: no source gives the model that
embeds, or the disk is full; engine: it cannot be loaded; language: the question is in another language than the works,
and their model knows only that one."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A contiguous piece of a work's text that begins and ends where sentences do.

    `start`, `end`: characters of the work's text. `text`: that piece, white space folded.
    """

    work: Work
    number: int  # from 0, in the order of the work
    start: int
    end: int
    place: str  # "Chapter III, 12": the chapter where the work has them and the paragraph in it; else "paragraph 214"
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that a search found, best first by `score` (of this search alone; higher is better).

    Neighbours that were both found are one passage; `parts` are they, in the order of the work. One alone is its only
    part.
    """

    passage: Passage
    score: float
    by: tuple[Means, ...]
    words: float = 0.0  # BM25 over the works searched; 0: not found by words
    meaning: float = 0.0  # cosine with the question, the highest of the parts; 0: not found by meaning
    parts: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """What a reply took from one passage. `quotes`: verbatim pieces of it, white space folded."""

    n: int  # the number that the reply shows
    passage: Passage
    quotes: tuple[str, ...] = field(default=())
    score: float = 0.0
