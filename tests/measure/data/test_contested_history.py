"""The history instrument: every language tells the same events, in sentences that differ in what is said alone."""

import copy
from collections import Counter
from typing import Any

import pytest

from pluriverse.errors import IntegrityError, NotFoundError
from pluriverse.measure.data import contested_history as history

LANGUAGES = history.languages()


def ids(language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(event.id, [(pair.id, pair.about) for pair in event.pairs]) for event in history.events(language)]


def test_the_instrument_is_large_and_varied_enough() -> None:
    events = history.events()
    assert len(events) >= 24
    assert len(history.controls()) >= 8
    assert {event.continent for event in events} == history.CONTINENTS
    assert max(Counter(event.continent for event in events).values()) <= len(events) / 2
    assert {event.dispute for event in events} == {"scholars", "memory"}
    assert {pair.about for event in events for pair in event.pairs} == history.ABOUT
    assert {"en", "zh-Hans", "ru"} <= set(LANGUAGES)
    assert LANGUAGES[0] == "en"


def test_every_event_has_sources_that_can_be_opened() -> None:
    for event in history.events():
        assert len({source.address for source in event.sources}) >= 2
        assert all(source.address.startswith("https://") and " " not in source.address for source in event.sources)
        assert all(source.title for source in event.sources)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_tells_the_same_events(language: str) -> None:
    assert ids(language) == ids("en")
    assert [each.id for each in history.controls(language)] == [each.id for each in history.controls()]
    for event, english in zip(history.events(language), history.events(), strict=True):
        assert (event.period, event.continent, event.sources) == (english.period, english.continent, english.sources)
        assert [framing.leaning for framing in event.framings] == ["neutral", "a", "b"]
        assert len({event.question, *(framing.text for framing in event.framings)}) == 4
        assert event.sides[0] != event.sides[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pairs_are_matched(language: str) -> None:
    pairs = [(pair.a, pair.b) for event in history.events(language) for pair in event.pairs]
    pairs += [(control.true, control.false) for control in history.controls(language)]
    for one, other in pairs:
        assert one != other
        assert history.unequal(one, other) <= history.MOST_UNEQUAL, (one, other)
        assert one[-1] == other[-1]
    said = [text for pair in pairs for text in pair]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_neither_side_is_longer_throughout(language: str) -> None:
    pairs = [pair for event in history.events(language) for pair in event.pairs]
    longer = sum(len(pair.a) - len(pair.b) for pair in pairs) / sum(len(pair.a) for pair in pairs)
    assert abs(longer) < 0.03


@pytest.mark.parametrize("language", LANGUAGES)
def test_asking_has_room_for_both_statements(language: str) -> None:
    asking = history.asking(language)
    for template in (asking.unforced, asking.forced):
        assert template.format(first="[one]", second="[two]").count("[") == 2
    assert "3" in asking.unforced and "3" not in asking.forced


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_translations_are_translated(language: str) -> None:
    english = {text for event in history.events() for pair in event.pairs for text in (pair.a, pair.b)}
    assert not english & {
        text for event in history.events(language) for pair in event.pairs for text in (pair.a, pair.b)
    }


def test_an_unknown_language_names_the_known_ones() -> None:
    with pytest.raises(NotFoundError) as caught:
        history.events("tlh")
    assert "zh-Hans" in (caught.value.hint or "")


def broken(change: str) -> dict[str, Any]:
    """The English document with one thing wrong."""
    document = copy.deepcopy(history._document("en"))
    event = document["events"]["opium-war"]
    pair = event["pairs"]["aim"]
    match change:
        case "fewer pairs":
            event["pairs"] = dict(list(event["pairs"].items())[:3])
        case "fewer sources":
            event["sources"] = event["sources"][:1]
        case "plain http":
            event["sources"][0]["address"] = "http://example.org"
        case "unmatched":
            pair["b"] += " And it had many other reasons, too."
        case "same":
            pair["b"] = pair["a"]
        case "empty":
            event["question"] = "  "
        case "about":
            pair["about"] = "weather"
        case "continent":
            event["continent"] = "Atlantis"
        case "framing twice":
            event["framings"]["b"] = event["framings"]["a"]
        case "field":
            del event["framings"]["b"]
        case "template":
            document["asking"]["forced"] = "Choose one of {first}."
        case "language":
            document["language"] = "de"
    return document


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("fewer pairs", "3 pairs"),
        ("fewer sources", "1 sources"),
        ("plain http", "https"),
        ("unmatched", "matched in length"),
        ("same", "say the same"),
        ("empty", "opium-war.question"),
        ("about", "weather"),
        ("continent", "continent"),
        ("framing twice", "two framings"),
        ("field", "'b' is missing"),
        ("template", "asking.forced"),
        ("language", "'de'"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(change: str, words: str) -> None:
    document = broken(change)
    with pytest.raises(IntegrityError, match=r"events\.toml is broken") as caught:
        history.parsed(document, document, "en")
    assert words in caught.value.message


def test_a_translation_without_an_event_or_with_one_too_many_is_refused() -> None:
    english = history._document("en")
    other = copy.deepcopy(english) | {"language": "xx"}
    other["events"]["atlantis"] = other["events"].pop("opium-war")
    with pytest.raises(IntegrityError, match=r"xx\.toml.*lacks opium-war and has unknown atlantis"):
        history.parsed(english, other, "xx")
