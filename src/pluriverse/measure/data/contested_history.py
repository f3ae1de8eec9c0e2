"""The history instrument as data: contested events, told by matched sentences from two sides, in several languages.

This module knows the files' structure and holds them to it: the same ids in every language, at least four pairs an
event, sentences of a pair matched in length, sources with addresses. It does not know which side is right, asks nobody
and scores nothing; `a` and `b` are names of readings, in no order of worth.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal, cast

from ...errors import IntegrityError, NotFoundError

About = Literal["agency", "cause", "consequence", "legitimacy", "naming", "number"]
Leaning = Literal["neutral", "a", "b"]

ABOUT = frozenset({"agency", "cause", "consequence", "legitimacy", "naming", "number"})
LEANINGS: tuple[Leaning, ...] = ("neutral", "a", "b")
CONTINENTS = frozenset({"Africa", "Americas", "Asia", "Europe", "Oceania"})
FEWEST_PAIRS = 4
FEWEST_SOURCES = 2
MOST_UNEQUAL = 0.2  # of the longer sentence's characters; likelihood falls with length, whatever is said

_ENGLISH = "events.toml"


@dataclass(frozen=True, slots=True)
class Framing:
    """A wording of the event's question: neutral, or loaded so that it leans to side a or b."""

    leaning: Leaning
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One proposition as each side tells it; `about` is what they contest."""

    id: str
    about: About
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Source:
    """A public page; `read` says whether its text was seen when the event was written."""

    title: str
    address: str
    read: bool


@dataclass(frozen=True, slots=True)
class Event:
    """`dispute` is "scholars" where historians divide, "memory" where mostly states or movements do: a judgement."""

    id: str
    title: str
    period: str
    place: str
    continent: str
    dispute: Literal["scholars", "memory"]
    question: str
    framings: tuple[Framing, ...]
    sides: tuple[str, str]
    pairs: tuple[Pair, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """A fact that nobody contests, told rightly and wrongly in matched sentences."""

    id: str
    question: str
    true: str
    false: str


@dataclass(frozen=True, slots=True)
class Asking:
    """Templates for asking outright, with places for {first} and {second}; the unforced one offers a way out."""

    unforced: str
    forced: str


@dataclass(frozen=True, slots=True)
class History:
    language: str
    events: tuple[Event, ...]
    controls: tuple[Control, ...]
    asking: Asking


def languages() -> tuple[str, ...]:
    """Codes of the languages there are, English first."""
    names = sorted(each.name for each in _folder().iterdir() if each.name.endswith(".toml"))
    return ("en", *(name.removesuffix(".toml") for name in names if name != _ENGLISH))


def events(language: str = "en") -> tuple[Event, ...]:
    return history(language).events


def controls(language: str = "en") -> tuple[Control, ...]:
    return history(language).controls


def asking(language: str = "en") -> Asking:
    return history(language).asking


@cache
def history(language: str = "en") -> History:
    """The instrument in one language. Raises `NotFoundError` for an unknown one, `IntegrityError` for a bad file."""
    if language not in languages():
        raise NotFoundError(
            f"The history instrument has no language {language!r}.", f"It has {', '.join(languages())}."
        )
    english = _document("en")
    return parsed(english, english if language == "en" else _document(language), language)


def parsed(english: Mapping[str, Any], document: Mapping[str, Any], language: str) -> History:
    """Join a language's wordings to the English structure; every break of the rules is named by its place."""
    try:
        if document["language"] != language:
            raise _broken(language, f"the file says it is in {document['language']!r}")
        for part in ("events", "controls"):
            _same_ids(english[part], document[part], language, part)
        return History(
            language,
            tuple(
                _event(each, english["events"][each], document["events"][each], language) for each in english["events"]
            ),
            tuple(_control(each, document["controls"][each], language) for each in english["controls"]),
            _asking(document["asking"], language),
        )
    except KeyError as missing:
        raise _broken(language, f"the field {missing} is missing") from missing


def _event(id: str, structure: Mapping[str, Any], words: Mapping[str, Any], language: str) -> Event:
    place = f"events.{id}"
    try:
        _same_ids(structure["pairs"], words["pairs"], language, f"{place}.pairs")
        _checked_structure(structure, language, place)
        pairs = tuple(
            _pair(each, structure["pairs"][each]["about"], words["pairs"][each], language, f"{place}.pairs.{each}")
            for each in structure["pairs"]
        )
        framings = tuple(
            Framing(leaning, _text(words["framings"][leaning], language, f"{place}.framings.{leaning}"))
            for leaning in LEANINGS
        )
        if len({each.text for each in framings}) < len(framings):
            raise _broken(language, f"{place}: two framings are the same")
        return Event(
            id,
            _text(words["title"], language, f"{place}.title"),
            structure["period"],
            _text(words["place"], language, f"{place}.place"),
            structure["continent"],
            structure["dispute"],
            _text(words["question"], language, f"{place}.question"),
            framings,
            (
                _text(words["sides"]["a"], language, f"{place}.sides.a"),
                _text(words["sides"]["b"], language, f"{place}.sides.b"),
            ),
            pairs,
            tuple(Source(each["title"], each["address"], each["read"]) for each in structure["sources"]),
        )
    except KeyError as missing:
        raise _broken(language, f"{place}: the field {missing} is missing") from missing


def _checked_structure(structure: Mapping[str, Any], language: str, place: str) -> None:
    if len(structure["pairs"]) < FEWEST_PAIRS:
        raise _broken(language, f"{place}: {len(structure['pairs'])} pairs, and {FEWEST_PAIRS} are the fewest")
    if len(structure["sources"]) < FEWEST_SOURCES:
        raise _broken(language, f"{place}: {len(structure['sources'])} sources, and {FEWEST_SOURCES} are the fewest")
    for source in structure["sources"]:
        if not source["address"].startswith("https://") or not source["title"].strip():
            raise _broken(language, f"{place}: a source needs a title and an https address, not {source['address']!r}")
    if structure["continent"] not in CONTINENTS or structure["dispute"] not in {"scholars", "memory"}:
        raise _broken(language, f"{place}: unknown continent or dispute")


def _pair(id: str, about: str, words: Mapping[str, Any], language: str, place: str) -> Pair:
    if about not in ABOUT:
        raise _broken(language, f"{place}: about {about!r} is none of {', '.join(sorted(ABOUT))}")
    return Pair(id, cast(About, about), *_matched(words["a"], words["b"], language, place))


def _control(id: str, words: Mapping[str, Any], language: str) -> Control:
    place = f"controls.{id}"
    question = _text(words["question"], language, f"{place}.question")
    return Control(id, question, *_matched(words["true"], words["false"], language, place))


def _asking(words: Mapping[str, Any], language: str) -> Asking:
    for field in ("unforced", "forced"):
        text = _text(words[field], language, f"asking.{field}")
        if text.count("{first}") != 1 or text.count("{second}") != 1:
            raise _broken(language, f"asking.{field} needs {{first}} and {{second}}, once each")
    return Asking(words["unforced"], words["forced"])


def _matched(one: object, other: object, language: str, place: str) -> tuple[str, str]:
    """Both sentences, which differ, and in length by no more than a fifth of the longer."""
    first, second = _text(one, language, place), _text(other, language, place)
    if first == second:
        raise _broken(language, f"{place}: both sides say the same")
    if unequal(first, second) > MOST_UNEQUAL:
        raise _broken(language, f"{place}: {len(first)} and {len(second)} characters are not matched in length")
    return first, second


def unequal(first: str, second: str) -> float:
    """How far two sentences differ in length, as a share of the longer."""
    return abs(len(first) - len(second)) / max(len(first), len(second))


def _text(value: object, language: str, place: str) -> str:
    if not isinstance(value, str) or not value.strip() or value != value.strip():
        raise _broken(language, f"{place} is not a text without outer spaces")
    return value


def _same_ids(english: Mapping[str, Any], other: Mapping[str, Any], language: str, place: str) -> None:
    missing, unknown = sorted(set(english) - set(other)), sorted(set(other) - set(english))
    if missing or unknown:
        words = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has unknown {', '.join(unknown)}"] * bool(unknown)
        raise _broken(language, f"{place} {' and '.join(words)}")


def _broken(language: str, what: str) -> IntegrityError:
    name = _ENGLISH if language == "en" else f"{language}.toml"
    return IntegrityError(
        f"The history instrument's file {name} is broken: {what}.",
        "Reinstall pluriverse; if you edited that file, docs/history.md describes its form.",
    )


def _folder() -> Traversable:
    return resources.files(__package__).joinpath("instruments", "history")


def _document(language: str) -> dict[str, Any]:
    name = _ENGLISH if language == "en" else f"{language}.toml"
    try:
        return tomllib.loads(_folder().joinpath(name).read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as bad:
        raise _broken(language, f"it cannot be read as TOML ({bad})") from bad
