"""Which side a free text takes, by rules: what it declares, and for essays the balance of praise and blame.

`declared` reads "I disagree with ..." in many languages, and "I believe that ..." against the proposition's own words.
`leaning` counts words of praise and blame in English and says None where the balance decides nothing; it can never
say neutral, so that a judge must.
Knows texts and words; no models. Irony, reported speech and a side taken by example only, it does not see.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Literal

from .phrases import found, plain

Side = Literal["agree", "disagree", "other"]
Leaning = Literal["pro", "con"]

_PRAISED, _BLAMED = 0.55, -0.2  # balances from -1 to 1: even essays against something praise what they defend
_FEW = 6  # words of praise and blame; fewer decide nothing


@dataclass(frozen=True, slots=True)
class Declared:
    """`strong` where the text says so ("strongly"); `reason` holds the words that decided."""

    side: Side
    strong: bool = False
    reason: str = ""


@lru_cache(2**14)  # every metric of opinions asks it of the same texts
def declared(text: str, proposition: str = "") -> Declared:
    """Does the text agree with `proposition`? "other" where it takes no side, or none that rules can read."""
    said = plain(text)
    heard = _SUPPOSED.sub(" ", _QUOTED.sub(" ", said))
    sides = _declarations(heard)
    if not sides:
        return _echoed(_SPOKEN.sub(" ", said), plain(proposition))
    _, side, phrase = min(sides)
    named = [each for each in sides if _NAMED.match(heard[each[0] + len(each[2]) :])]
    if named:  # "while I agree that ..., I disagree with the proposition"
        _, side, phrase = min(named)
    return Declared(side, bool(_STRONG.search(phrase)), f"says {phrase!r}")


def leaning(text: str, about: str = "") -> Leaning | None:
    """Which side an English essay leans to, by its words of praise and blame. None: neutral, or unclear.

    Words of what it is `about` are left out: who writes of gun violence must say "violence" on either side.
    """
    named = _WORD.findall(plain(about))
    praise, blame = (
        tuple(stem for stem in stems if not any(word.startswith(stem) for word in named)) for stems in _valences()
    )
    words = _WORD.findall(plain(text))
    good = sum(word.startswith(praise) for word in words)
    bad = sum(word.startswith(blame) for word in words)
    if good + bad < _FEW:
        return None
    balance = (good - bad) / (good + bad)
    return "pro" if balance >= _PRAISED else "con" if balance <= _BLAMED else None


def _declarations(text: str) -> list[tuple[int, Side, str]]:
    """Place, side and words of each declaration."""
    sides: list[tuple[int, Side, str]] = []
    for against, agreed in _phrases():
        rest = text
        for phrase in against:
            while (place := found(rest, phrase)) >= 0:
                sides.append((place, "disagree", phrase))
                rest = rest[:place] + "·" * len(phrase) + rest[place + len(phrase) :]
        sides += [(place, "agree", phrase) for phrase in agreed if (place := found(rest, phrase)) >= 0]
    return sides


def _echoed(said: str, proposition: str) -> Declared:
    """A belief in the proposition's own words, or in its opposite."""
    wanted = _stems(proposition)
    for sentence in re.split(r"(?<=[.!?]) ", said):
        belief = _BELIEF.search(sentence)
        if not belief or not wanted:
            continue
        held = sentence[belief.end() :]
        if len(wanted & _stems(held)) < 0.6 * len(wanted):
            continue
        turned = bool(_NOT.search(held)) != bool(_NOT.search(proposition))
        return Declared(
            "disagree" if turned != _swapped(held, proposition) else "agree", reason=f"says {belief.group()!r}"
        )
    return Declared("other")


def _swapped(held: str, proposition: str) -> bool:
    """Does "a is more than b" come back as "b is more than a"?"""
    left, than, right = proposition.partition(" than ")
    return bool(than) and bool((_stems(right) - _stems(left)) & _stems(held.partition(" than ")[0]))


def _stems(text: str) -> set[str]:
    return {word[:6] for word in _WORD.findall(text) if len(word) > 3 or not word.isascii()} - _EMPTY


@cache
def _document() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(resources.files(__package__).joinpath("stances.toml").read_text("utf-8"))


@cache
def _phrases() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """By language: against, for."""
    return tuple(
        (_longest_first(each["against"]), _longest_first(each["for"]))
        for name, each in _document().items()
        if name != "words"
    )


@cache
def _valences() -> tuple[tuple[str, ...], tuple[str, ...]]:
    words = _document()["words"]
    return tuple(words["praise"]), tuple(words["blame"])


def _longest_first(phrases: list[str]) -> tuple[str, ...]:
    return tuple(sorted(phrases, key=len, reverse=True))


_QUOTED = re.compile(r'"[^"]{12,}"')
_SPOKEN = re.compile(r'"i [^"]*"')
_SUPPOSED = re.compile(
    r"\b(?:if|whether|those who|you|some people|people who) (?:you |i )?(?:strongly )?(?:dis)?agree\w*"
)
_NAMED = re.compile(r" (?:with|that)? ?(?:the|this|your) (?:proposition|statement|idea|claim|notion)")
_STRONG = re.compile(
    r"strongly|firmly|fully|completely|wholeheartedly|非常|强烈|強烈|totalmente|tout à fait|полностью|категорически"
)
_BELIEF = re.compile(
    r"\b(?:i (?:firmly |strongly |do |truly )?(?:believe|think|feel|hold)|in my (?:opinion|view)"
    r"|my (?:view|opinion) is)(?: that)?\b"
)
_NOT = re.compile(r"\bnot\b|n't\b|\bno\b|\bnever\b|\bcannot\b")
_WORD = re.compile(r"[^\W\d_][\w']*")
_EMPTY = {
    "should",
    "would",
    "could",
    "propos",
    "statem",
    "believ",
    "these",
    "those",
    "there",
    "their",
    "that",
    "with",
    "have",
    "from",
    "been",
    "being",
    "only",
    "must",
}
