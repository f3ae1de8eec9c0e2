"""The starter set: whole, balanced, short, and without a voice that lacks its other side."""

import pytest

from pluriverse.assistant import Assistant, Panel, Shelf
from pluriverse.settings import Settings

DIMENSIONS = {"expertise", "language", "culture", "values", "politics", "history"}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(Settings(home=tmp_path_factory.mktemp("home")))


def test_every_dimension_has_a_pair(shelf: Shelf) -> None:
    assistants = shelf.assistants()
    assert len(assistants) >= 12
    assert {assistant.outlook.dimension for assistant in assistants} == DIMENSIONS


def test_counterparts_are_mutual_and_of_one_dimension(shelf: Shelf) -> None:
    for assistant in shelf.assistants():
        assert assistant.counterpart
        other = shelf.assistant(assistant.counterpart)
        assert other.counterpart == assistant.name
        assert other.outlook.dimension == assistant.outlook.dimension
        assert other.outlook.position != assistant.outlook.position


def test_no_panel_has_one_side_only(shelf: Shelf) -> None:
    for panel in shelf.panels():
        members = [shelf.assistant(name) for name in panel.members]
        assert {member.counterpart for member in members} == set(panel.members), panel.name


def test_the_default_panel_has_six(shelf: Shelf) -> None:
    assert len(shelf.panel("starter").members) == 6


def test_prompts_are_short_fair_in_length_and_say_what_they_are(shelf: Shelf) -> None:
    for assistant in shelf.assistants():
        words = _words(assistant.system)
        other = _words(shelf.assistant(assistant.counterpart or "").system)
        assert (5 if assistant.works else 12) <= words <= 60, assistant.name  # what works say is not said twice
        assert abs(words - other) <= 15, "neither side is given more room"
        assert assistant.title and assistant.languages and assistant.outlook.summary
        assert assistant.base == "default" and assistant.builtin


def test_definitions_round_trip_through_their_files(shelf: Shelf) -> None:
    for assistant in shelf.assistants():
        assert Assistant.from_toml(assistant.to_toml(), assistant.name) == assistant
    for panel in shelf.panels():
        assert Panel.from_toml(panel.to_toml(), panel.name) == panel


def _words(text: str) -> int:
    """Two characters of Chinese count as a word."""
    chinese = sum("\u4e00" <= each <= "\u9fff" for each in text)
    return len(text.split()) + chinese // 2
