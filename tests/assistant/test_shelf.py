"""The user's own files beside the starter set: written whole, read strictly, never trusted with a path."""

from pathlib import Path

import pytest

from pluriverse.assistant import Assistant, Panel, Shelf
from pluriverse.errors import NotFoundError, PluriverseError, UsageError
from pluriverse.settings import Settings


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(Settings(home=tmp_path / "home"))


def test_written_read_and_removed(shelf: Shelf) -> None:
    ada = Assistant("ada", title="Ada", system="You are Ada.\nBe exact.", sampling={"temperature": 0.2})
    path = shelf.write(ada)
    assert shelf.assistant("ada") == ada
    assert "#" in path.read_text(), "the file explains itself"
    with pytest.raises(PluriverseError):
        shelf.write(ada)
    shelf.write(Assistant("ada", system="Other."), overwrite=True)
    assert shelf.assistant("ada").system == "Other."
    shelf.remove("ada")
    with pytest.raises(NotFoundError):
        shelf.assistant("ada")


def test_ones_own_file_takes_the_place_of_a_starter_assistant(shelf: Shelf) -> None:
    shelf.write(Assistant("duty", system="Mine."), overwrite=True)
    mine = shelf.assistant("duty")
    assert mine.system == "Mine." and mine.shadows and not mine.builtin
    shelf.remove("duty")
    assert shelf.assistant("duty").builtin


def test_a_broken_file_is_a_problem_not_the_end(shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "assistants"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text("system = ")
    assert len(shelf.assistants()) >= 12
    (problem,) = shelf.problems()
    assert "broken.toml" in problem.message
    with pytest.raises(UsageError):
        shelf.assistant("broken")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('sytem = "x"', "system"),
        ("title = 3", "title"),
        ("[generation]\ntemperature = 99", "temperature"),
        ("[generation]\ntemprature = 1", "temperature"),
        ('[outlook]\ndimension = "politic"', "politics"),
        ('languages = ["english language"]', "language"),
        ('system = "a\\u0007b"', "control"),
        ("guidance = 1", "guidance"),
    ],
)
def test_what_does_not_fit_is_named(text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        Assistant.from_toml(text, "x")
    assert words in f"{error.value.message} {error.value.hint}"
    assert "x.toml" in error.value.message


@pytest.mark.parametrize("name", ["", "../x", "A", "a b", "a/b", ".x", "x" * 65, "\u00e9"])
def test_names_are_names(shelf: Shelf, name: str) -> None:
    with pytest.raises(PluriverseError):
        Assistant(name)
    with pytest.raises(NotFoundError):
        shelf.assistant(name)
    with pytest.raises(PluriverseError):
        shelf.remove(name)


def test_the_digest_is_of_what_shapes_the_reply() -> None:
    one = Assistant("a", title="A", system="Hello.", base="default")
    assert one.digest == Assistant("b", title="B", system="Hello.").digest
    assert one.digest != Assistant("a", system="Hello!").digest
    assert one.digest != Assistant("a", system="Hello.", sampling={"temperature": 0.1}).digest


def test_panels(shelf: Shelf) -> None:
    shelf.write_panel(Panel("mine", ("duty", "outcomes")))
    assert shelf.panel("mine").members == ("duty", "outcomes")
    with pytest.raises(UsageError, match="twice"):
        Panel("mine", ("duty", "duty"))
    with pytest.raises(NotFoundError):
        shelf.panel("nobody")
