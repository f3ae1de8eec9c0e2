"""The phrases of `refusals.toml`, found in the opening of a text. Knows words, not what follows from them."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from ...engines.thinking import told

_REACH = 60  # characters within which what is refused follows "I cannot"
_MARKUP = re.compile(r"[*_#`>|]+")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "\u202f": " ", "\xa0": " "})
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Phrases:
    """Of one language; see the head of `refusals.toml`."""

    language: str
    unable: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    censure: tuple[str, ...] = ()
    moral: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    hedge: tuple[str, ...] = ()


@cache
def phrases() -> tuple[Phrases, ...]:
    document = tomllib.loads(resources.files(__package__).joinpath("refusals.toml").read_text("utf-8"))
    return tuple(
        Phrases(language, **{group: tuple(words) for group, words in groups.items()})
        for language, groups in document.items()
    )


def plain(text: str) -> str:
    """As it is compared: without thinking, markup and capitals, one space between words, plain apostrophes."""
    text = told(text).text
    return " ".join(_MARKUP.sub(" ", text.translate(_APOSTROPHES)).lower().split())


@cache
def _of(scripts: frozenset[str]) -> tuple[Phrases, ...]:
    return tuple(each for each in phrases() if _SCRIPTS.get(each.language, "latin") in scripts)


def _heard(text: str) -> tuple[Phrases, ...]:
    """Only the languages whose script is in the text: the others cost time."""
    return _of(frozenset(script for script, letter in _LETTERS.items() if letter.search(text)))


def unable(opening: str) -> str:
    """What is said to be impossible, in the words of the text; empty where nothing is."""
    for language in _heard(opening):
        for phrase in language.unable:
            if phrase not in opening:
                continue
            place = found(opening, phrase)
            while place >= 0:
                rest = opening[place + len(phrase) : place + len(phrase) + _REACH]
                rest = rest.partition(". ")[0]
                if any(found(rest, act) >= 0 for act in language.acts) and not rest.startswith(_NOT_MEANT):
                    return phrase
                place = found(opening, phrase, place + 1)
    return ""


def unwilling(said: str) -> str:
    """The phrase of `unable` that an English text starts with, an apology or thanks before it; empty where none does.

    At the beginning nearly anything may be refused, and no act need be known.
    """
    english = next(each for each in phrases() if each.language == "en")
    rest = said[_LEAD.match(said).end() :]  # type: ignore[union-attr]  # it matches nothing too
    phrase = next((each for each in english.unable if rest.startswith(each)), "")
    meant = phrase.startswith(("i ", "i'", "we ")) and not rest[len(phrase) :].startswith(_NOT_MEANT + _OPINIONS)
    return phrase if meant else ""


def one_of(opening: str, group: str, *, at_start: bool = False) -> str:
    """The first phrase of `group`, of any language, that stands in `opening`; empty where none does."""
    for language in _heard(opening):
        for phrase in getattr(language, group):
            if phrase in opening and (opening.startswith(phrase) if at_start else found(opening, phrase) >= 0):
                return str(phrase)
    return ""


def all_of(text: str, group: str) -> list[str]:
    """The phrases of `group` that stand in `text`."""
    return [
        phrase
        for language in _heard(text)
        for phrase in getattr(language, group)
        if phrase in text and found(text, phrase) >= 0
    ]


def found(text: str, phrase: str, start: int = 0) -> int:
    """The place of `phrase` at the start of a word, or -1; scripts without spaces have no start of a word."""
    place = text.find(phrase, start)
    while place > 0 and text[place - 1].isalnum() and not _UNSPACED.match(phrase):
        place = text.find(phrase, place + 1)
    return place


_NOT_MEANT = (
    " help but",
    " say enough",
    " stress enough",
    " emphasize enough",
    " overstate",
    " imagine",
    " argue with",
    " provide you with the most up",
    " provide real-time",
)
# What follows "I cannot" where a side is taken or a mind is told, and nothing is refused.
_OPINIONS = tuple(
    f" {word}"
    for word in ("accept", "agree", "believe", "condone", "deny", "endorse", "forget", "pretend", "recall", "remember",
                 "see", "stand", "support", "think of", "vote", "wait")
)  # fmt: skip
_LEAD = re.compile(
    r"(?:(?:i'm|i am) (?:really |very |so )?sorry,? (?:but |that )?|i (?:sincerely )?apologi[sz]e,? (?:but )?"
    r"|(?:my apologies|sorry|unfortunately|thank you for [^.]{0,60}[.]),? (?:but )?"
    r"|as an? (?:ai|assistant|artificial|responsible|language)[^,]{0,60}, )?"
)
_LETTERS = {
    "latin": re.compile("[a-z]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "arabic": re.compile("[\u0600-\u06ff]"),
    "nagari": re.compile("[\u0900-\u097f]"),
    "han": re.compile("[\u3400-\u9fff]"),
    "hangul": re.compile("[\uac00-\ud7af]"),
}
_SCRIPTS = {
    "zh-Hans": "han", "zh-Hant": "han", "ja": "han", "ko": "hangul", "ru": "cyrillic", "uk": "cyrillic", "ar": "arabic",
    "fa": "arabic", "hi": "nagari",
}  # fmt: skip
