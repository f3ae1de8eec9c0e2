"""Texts that do not ship are made of their public files: the very text, or none."""

import asyncio
import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pluriverse.errors import IntegrityError, NotFoundError, UnreachableError
from pluriverse.runtime.events import FetchingWork
from pluriverse.runtime.studying import search_works, study
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings
from pluriverse.values import Digest
from pluriverse.works import fetching
from pluriverse.works.fetching import fetch_text, has_home
from pluriverse.works.library import digest_of, entries, remaking
from pluriverse.works.library.remaking import cooked, plain, recipe, remade

ENTRY = entries()["daodejing-zh"]
ORIGINAL = Path(__file__).parent / "originals" / "dao-de-jing.md"  # ancient text, as its repository has it


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the work's public home has its file; others can be put there."""
    root = tmp_path / "web"
    file = root / "ifcalm/chinese-classics" / ENTRY.origin.commit / ENTRY.origin.paths[0]
    file.parent.mkdir(parents=True)
    file.write_bytes(ORIGINAL.read_bytes())
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=root))
    threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.setattr(fetching, "HOME", f"http://127.0.0.1:{web.server_address[1]}")
    yield file
    web.shutdown()
    web.server_close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", base="scripted")


def test_every_work_that_does_not_ship_has_a_recipe() -> None:
    missing = [name for name, entry in entries().items() if not entry.shipped and not has_home(entry.work)]
    assert missing == []
    folder = Path(str(recipe("daodejing-zh"))).parent
    assert sum(path.stat().st_size for path in folder.iterdir()) < 500_000


def test_a_text_is_fetched_and_is_what_its_digest_says(home: Path, settings: Settings) -> None:
    text = asyncio.run(fetch_text(ENTRY.work, settings))
    assert digest_of(text) == ENTRY.work.digest
    assert text.decode().startswith("# 道德经 第1章")


def test_a_search_fetches_once_and_keeps_what_it_fetched(home: Path, settings: Settings) -> None:
    async def search() -> list[str]:
        async with Workspace(settings) as workspace:
            found, _ = await search_works(workspace, [ENTRY.work], "上善若水", 3)
            return [each.passage.text for each in found]

    found = asyncio.run(search())
    assert "上善若水" in "".join(found)
    home.unlink()
    assert asyncio.run(search()) == found


def test_what_is_fetched_is_told(home: Path, settings: Settings) -> None:
    async def first() -> Any:
        async with Workspace(settings) as workspace:
            return [step async for step in study(workspace, [ENTRY.work])]

    settings = replace(settings, folders=(), mirrors=())
    assert isinstance(asyncio.run(first())[0], FetchingWork)
    assert not any(isinstance(step, FetchingWork) for step in asyncio.run(first()))


def test_without_a_network_it_is_said_what_to_do(settings: Settings) -> None:
    with pytest.raises(UnreachableError, match="PLURIVERSE_OFFLINE") as caught:
        asyncio.run(fetch_text(ENTRY.work, replace(settings, offline=True)))
    assert "works/daodejing-zh.txt" in str(caught.value.hint)


def test_another_file_is_not_used(home: Path, settings: Settings) -> None:
    home.write_bytes(ORIGINAL.read_bytes().replace("道".encode(), "德".encode(), 1))
    with pytest.raises(IntegrityError, match="digest"):
        asyncio.run(fetch_text(ENTRY.work, settings))
    assert not (settings.home / "store").exists()


def test_a_file_that_is_gone_is_said_to_be_unreachable(home: Path, settings: Settings) -> None:
    home.unlink()
    with pytest.raises(UnreachableError, match="404"):
        asyncio.run(fetch_text(ENTRY.work, settings))


def test_works_of_strangers_have_no_home(settings: Settings) -> None:
    mine = replace(ENTRY.work, digest=Digest("sha256:" + "0" * 64))
    assert not has_home(mine)
    with pytest.raises(NotFoundError):
        asyncio.run(fetch_text(mine, settings))


@pytest.mark.parametrize("packed", [b"", b"no archive", b'{"lines": 1}'])
def test_a_recipe_that_was_changed_makes_nothing(
    packed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "daodejing-zh.json.xz").write_bytes(packed)
    monkeypatch.setattr(remaking, "files", lambda _: tmp_path)
    with pytest.raises(IntegrityError, match="recipe"):
        remade("daodejing-zh", ORIGINAL.read_bytes(), ENTRY.origin.digest.hex)


def test_white_space_italics_and_dashes_are_folded() -> None:
    original = b"A _line_\r\nand--so  on.\r\n\r\n\r\nNext\n"
    assert plain(original, lines=False) == "A line and—so on.\n\nNext "
    assert plain(original, lines=True) == "A line\nand—so on.\n\nNext\n"
    assert plain(b"caf\xe9", lines=False) == "café"
    assert cooked("0123456789", [("a", 2, 2), ("b", -1, 3), ("c", 0, 0)]) == "a23b345c"
