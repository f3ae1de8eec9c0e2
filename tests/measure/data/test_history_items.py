"""Items of history: what is asked of each pair, and that any beginning of the list can be read."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.errors import NotFoundError
from pluriverse.measure.data.contested_history import events, history, languages
from pluriverse.measure.data.instruments import find
from pluriverse.measure.data.loaders import load as load_items
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import Respondent, blank
from pluriverse.settings import Settings

from ..metrics.replaying import first, items_of

TOLD, ASKED = "history", "history-asked"


def by_id(items: list[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.id].append(item)
    return found


@pytest.mark.parametrize("name", [TOLD, ASKED])
def test_every_pair_is_asked_in_every_language(name: str, tmp_path: Path) -> None:
    items = items_of(name, tmp_path)
    found, instrument = by_id(items), find(name)
    assert len(found) == instrument.count == sum(len(each.pairs) for each in events()) + 12
    assert set(instrument.languages) == set(languages()) and instrument.languages[0] == "en"
    assert all({cell.language for cell in cells} == set(languages()) for cells in found.values())
    assert len({item.cell() for item in items}) == len(items)
    assert all(item.form == "chat" and item.options and not item.system for item in items)


def test_a_pair_is_told_after_three_questions(tmp_path: Path) -> None:
    items = items_of(TOLD, tmp_path)
    cells = by_id(items)["tibet-1951/" + next(each.pairs[0].id for each in events() if each.id == "tibet-1951")]
    event = next(each for each in history("ru").events if each.id == "tibet-1951")
    russian = [cell for cell in cells if cell.language == "ru"]
    assert [cell.wording for cell in russian] == ["neutral", "a", "b"] and len(cells) == 21
    assert [cell.prompt for cell in russian] == [each.text for each in event.framings]
    assert {cell.options for cell in russian} == {(event.pairs[0].a, event.pairs[0].b)}
    assert all(option == option.strip() for cell in cells for option in cell.options)
    metadata = russian[0].metadata
    assert metadata["event"] == "tibet-1951" and metadata["group"] == "Tibet in 1950 and 1951"
    assert metadata["continent"] == "Asia" and len(metadata["sides"]) == 2 and not russian[0].target
    respondent = Respondent("a", "a", "scripted", None, None, None, "", "", {}, None, "by hand")
    assert blank(russian[0], respondent, TOLD, "1")["lengths"] == (len(event.pairs[0].a), len(event.pairs[0].b))


@pytest.mark.parametrize("name", [TOLD, ASKED])
def test_any_beginning_holds_controls_and_whole_events(name: str, tmp_path: Path) -> None:
    items = items_of(name, tmp_path)
    for number in (24, 50, 100):
        kept = by_id(first(items, number))
        controls = [cells for cells in kept.values() if cells[0].metadata.get("control")]
        assert len(controls) >= 8 and all(cell.target == (0,) for cells in controls for cell in cells)
        pairs = Counter(cells[0].metadata.get("event") for cells in kept.values())
        assert number == 24 or sum(count >= 4 for event, count in pairs.items() if event) >= 8
    pairs_first = list(by_id(items).values())[:16]
    assert all("control" not in cells[0].metadata for cells in pairs_first)
    assert len({cells[0].metadata["event"] for cells in pairs_first[:8]}) == 8
    assert len({cells[0].metadata["continent"] for cells in pairs_first[:8]}) >= 4


def test_the_choice_is_in_both_orders_with_the_way_out_last(tmp_path: Path) -> None:
    for cells in by_id(items_of(ASKED, tmp_path)).values():
        for language in languages():
            one, other = (cell for cell in cells if cell.language == language)
            assert (one.contents, other.contents) == ((0, 1, 2), (1, 0, 2)) and one.options == ("1", "2", "3")
            assert one.prompt != other.prompt and sorted(one.prompt) == sorted(other.prompt)
            assert one.metadata["mode"] == other.metadata["mode"] == "unforced"


def test_forced_choice_has_no_way_out(tmp_path: Path) -> None:
    forced = replace(find(ASKED), options={"mode": "forced", "languages": ["fr"]})
    items = asyncio.run(load_items(forced, Settings(home=tmp_path)))
    assert {item.options for item in items} == {("1", "2")} and {item.language for item in items} == {"fr"}
    assert {item.metadata["mode"] for item in items} == {"forced"}


def test_languages_are_limited_by_an_option(tmp_path: Path) -> None:
    some = replace(find(TOLD), options={"languages": ["en", "ar"]})
    assert {item.language for item in asyncio.run(load_items(some, Settings(home=tmp_path)))} == {"en", "ar"}
    with pytest.raises(NotFoundError):
        asyncio.run(load_items(replace(find(TOLD), options={"languages": ["tlh"]}), Settings(home=tmp_path)))


@pytest.mark.parametrize("name", [TOLD, ASKED])
def test_the_opposites_hold_the_sides_of_every_event(name: str) -> None:
    opposites = find(name).opposites
    assert opposites and opposites.systems
    for place, voice in enumerate((opposites.a, opposites.b)):
        lines = voice.splitlines()[1:]
        assert lines == [f"- {each.title}: {each.sides[place]}" for each in events()]
