"""Assistants with works, in Python: made from files, searched."""

import asyncio
from pathlib import Path

import pytest

from pluriverse import NotFoundError, Pluriverse, Settings, UsageError, aio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "notes"
    place.mkdir()
    (place / "roses.txt").write_text("Roses are pruned in March. " * 12 + "\n", "utf-8")
    (place / "tulips.md").write_text("# Tulips\n\n" + "Tulips are planted in autumn, before the frost. " * 12, "utf-8")
    return place


def test_an_assistant_is_made_from_files(pluriverse: Pluriverse, folder: Path) -> None:
    made = pluriverse.new("gardener", works=[folder], title="Gardener")
    assert [work.id for work in made.works] == ["roses", "tulips"] and made.languages == ("en",)
    assert "gardener" in {each.name for each in pluriverse.assistants()}
    found = pluriverse.search_works("gardener", "When do I prune roses?")
    assert found[0].passage.work.id == "roses" and "pruned in March" in found[0].passage.text
    assert pluriverse.search_works(made, "zebra") == []
    with pytest.raises(UsageError, match="gardener already"):
        pluriverse.new("gardener", works=[folder])
    again = pluriverse.new("gardener", works=[folder / "tulips.md"], replace=True, words_now=True)
    assert len(again.works) == 1
    with pytest.raises(NotFoundError):
        pluriverse.search_works("nobody", "roses")
    with pytest.raises(UsageError, match="is not there"):
        pluriverse.new("other", works=[folder / "missing.txt"])
    assert "other" not in {each.name for each in pluriverse.assistants()}


def test_one_without_works(pluriverse: Pluriverse) -> None:
    made = pluriverse.new("plain-one", system="You answer briefly.")
    assert made.system == "You answer briefly." and not made.works
    assert pluriverse.search_works(made, "anything") == []


def test_async_too(settings: Settings, folder: Path) -> None:
    async def run() -> None:
        async with aio.Pluriverse(settings) as opened:
            await opened.new("gardener", works=[folder], words_now=True)
            assert await opened.search_works("gardener", "tulips")

    asyncio.run(run())
