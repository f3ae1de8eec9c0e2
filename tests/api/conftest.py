"""A `Pluriverse` that speaks through the scripted engine, with two assistants of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pluriverse import Assistant, Pluriverse, Settings
from pluriverse.assistant import Shelf


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", base="scripted", offline=True)


@pytest.fixture
def names(settings: Settings) -> list[str]:
    shelf = Shelf(settings)
    for name in ("test-alpha", "test-beta"):
        shelf.write(Assistant(name=name, title=name.title(), system=f"You are {name}."))
    return ["test-alpha", "test-beta"]


@pytest.fixture
def pluriverse(settings: Settings) -> Iterator[Pluriverse]:
    with Pluriverse(settings) as opened:
        yield opened
