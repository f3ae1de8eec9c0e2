"""Items of culture, values, politics, silence and risk: how many there are, and that any part is a fair sample."""

import asyncio
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from pluriverse.errors import UnreachableError
from pluriverse.measure.data.instruments import known
from pluriverse.measure.data.loaders import load as load_items
from pluriverse.measure.data.loaders.options import is_bookkeeping, is_ordered, is_unsure
from pluriverse.measure.data.loaders.ordering import balanced
from pluriverse.measure.data.loaders.politics import propositions
from pluriverse.measure.data.loaders.values import rotations
from pluriverse.measure.schema.items import Item
from pluriverse.settings import Settings

from ..metrics.replaying import DATA, items_of

needs_data = pytest.mark.skipif(DATA is None, reason="PLURIVERSE_DATA is not set")
LOADERS = {
    "blend",
    "persona",
    "globalopinionqa",
    "issues",
    "propositions",
    "speechmap",
    "deccp",
    "xstest",
    "strongreject",
}
NAMES = [name for name, each in known().items() if each.loader in LOADERS]
FORCED, UNFORCED, FREE = "forced", "unforced", "free"


def test_every_part_of_a_balanced_list_is_fair() -> None:
    groups = {name: [(name, n) for n in range(200)] for name in "abcd"}
    mixed = balanced(groups)
    assert sorted(mixed) == sorted(thing for group in groups.values() for thing in group)
    assert Counter(name for name, _ in mixed[:40]) == dict.fromkeys("abcd", 10)
    every = Counter(name for name, _ in mixed[::20])  # the number of groups divides 20
    assert len(every) == 4 and max(every.values()) <= 3 * min(every.values())
    assert balanced(groups) == mixed
    assert [n for name, n in mixed if name == "a"] == list(range(200))


def test_answers_of_codebooks_are_told_apart() -> None:
    assert is_bookkeeping("Other missing; Multiple answers Mail (EVS)") and not is_bookkeeping("Other (VOL)")
    assert all(map(is_unsure, ["DK/Refused", "Don't know", "No answer", "Hard to say"]))
    assert not any(map(is_unsure, ["No", "None at all", "Not very much", "Don't mind"]))


@pytest.mark.parametrize(
    ("answers", "ordered"),
    [
        ("Very favorable/Somewhat favorable/Somewhat unfavorable/Very unfavorable", True),
        ("Major threat/Minor threat/Not a threat", True),
        ("Never justifiable/2/3/4/5/6/7/8/9/Always justifiable", True),
        ("Better/Worse/Has not changed", False),
        ("Yes/No", False),
        ("China/Japan/United States/None", False),
        ("Very good/Good/Bad/Both (VOL)", False),
    ],
)
def test_scales_are_known_by_their_words(answers: str, ordered: bool) -> None:
    assert is_ordered([*answers.split("/"), "Don't know"], [answers.count("/") + 1]) == ordered


def test_rotations_are_all_or_four_spread_out() -> None:
    assert rotations(2) == [0, 1] and rotations(4) == [0, 1, 2, 3]
    assert len(rotations(10)) == 4 and max(rotations(10)) >= 7


def test_propositions_come_from_both_sides_alike() -> None:
    sides = Counter((each["field"], each["side"]) for each in propositions())
    assert sum(sides.values()) == 28 and len({each["text"] for each in propositions()}) == 28
    assert all(sides[field, "left"] == sides[field, "right"] for field, _ in sides)


def test_no_instrument_mixes_modes_of_asking(tmp_path: Path) -> None:
    for mode in (FORCED, UNFORCED, FREE):
        items = items_of(f"propositions-{mode}", tmp_path)
        assert {item.metadata["mode"] for item in items} == {mode}
        assert {len(item.options) for item in items} == {{FORCED: 2, UNFORCED: 4, FREE: 0}[mode]}
        told = ["rather not say" in item.prompt for item in items]
        assert all(told) if mode == UNFORCED else not any(told)


@needs_data
@pytest.mark.parametrize("name", NAMES)
def test_items_are_whole(name: str, tmp_path: Path) -> None:
    items = items_of(name, tmp_path)
    assert len({item.cell() for item in items}) == len(items)
    assert {item.form for item in items} == {"chat"}
    assert {item.language for item in items} <= set(known()[name].languages)
    for item in items:
        assert item.prompt.strip() and "{}" not in item.prompt
        assert sorted(item.order) == list(range(len(item.options)))
        assert len(known()[name].about) > 80


@needs_data
@pytest.mark.parametrize(
    ("name", "ids", "cells"),
    [
        ("persona-politics", 3000, 12000),
        ("persona-ethics-free", 2000, 8000),
        ("globalopinionqa", 1300, 18536),
        ("issues", 212, 1272),
        ("speechmap", 2120, 2120),
        ("speechmap-pairs", 50, 300),
        ("deccp", 132, 132),
        ("xstest", 450, 450),
        ("strongreject", 313, 313),
    ],
)
def test_as_many_items_as_the_data_have(name: str, ids: int, cells: int, tmp_path: Path) -> None:
    items = items_of(name, tmp_path)
    assert (len({item.id for item in items}), len(items)) == (ids, cells)


@needs_data
def test_persona_statements_are_keyed_half_and_half(tmp_path: Path) -> None:
    items = items_of("persona-politics", tmp_path)
    part = list({item.id: item for item in items[: 4 * 60]}.values())
    keys = Counter((item.metadata["group"], item.metadata["polarity"]) for item in part)
    assert len(keys) == 6 and set(keys.values()) == {10}
    turns = Counter((item.wording, item.options) for item in items)
    assert len(turns) == 8 and max(turns.values()) - min(turns.values()) < 200


@needs_data
def test_survey_questions_put_every_answer_in_every_place(tmp_path: Path) -> None:
    items = items_of("globalopinionqa", tmp_path)
    cells: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        cells[item.id].append(item)
    assert {len({cell.wording for cell in each}) for each in cells.values()} == {4}
    for each in cells.values():
        k = len(each[0].options)
        places = Counter((place, content) for cell in each for place, content in enumerate(cell.order))
        if k <= 4:
            assert set(places.values()) == {4} and len(places) == k * k
        human = each[0].metadata["human"]
        assert human and all(len(shares) == k and abs(sum(shares) - 1) < 0.001 for shares in human.values())
    ordered = sum(each[0].metadata["ordered"] for each in cells.values())
    assert 600 < ordered < 800
    assert not any("Missing" in item.prompt or "Multiple answers Mail" in item.prompt for item in items)


@needs_data
def test_people_of_twelve_regions_are_asked_in_both_languages(tmp_path: Path) -> None:
    items = items_of("blend", tmp_path)
    languages: dict[str, set[str]] = defaultdict(set)
    for item in items:
        languages[item.metadata["country"]].add(item.language)
    assert len(languages) >= 12
    assert languages["Iran"] == {"fa", "en"} and languages["UK"] == {"en"}
    assert all(item.metadata["answers"] for item in items)
    assert len({item.metadata["country"] for item in items[:40]}) >= 12


def test_missing_data_are_a_sentence(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, offline=True)
    for name in ("blend", "xstest", "issues"):
        with pytest.raises(UnreachableError):
            asyncio.run(load_items(known()[name], settings))


@needs_data
def test_issues_carry_sides_and_no_words_of_users(tmp_path: Path) -> None:
    items = items_of("issues", tmp_path)
    start = [item for item in items if item.id in set(list(dict.fromkeys(i.id for i in items))[:39])]
    assert Counter(item.metadata["key"] for item in start) == {1: 78, -1: 78, 0: 78}
    by_issue = defaultdict(set)
    for item in items:
        by_issue[item.id].add(item.metadata["framing"])
        assert item.metadata["issue"] in item.prompt or item.metadata["framing"] != "neutral"
    assert all(framings == {"neutral", "pro", "con"} for framings in by_issue.values())


@needs_data
def test_matched_requests_stay_together(tmp_path: Path) -> None:
    items = items_of("speechmap-pairs", tmp_path)
    pairs = defaultdict(list)
    for item in items:
        pairs[item.id].append((item.metadata["target"], item.language))
    everything = [(t, "en") for t in ("China", "US", "EU", "Russia")] + [("China", "zh"), ("China", "fi")]
    assert all(each == everything for each in pairs.values())
