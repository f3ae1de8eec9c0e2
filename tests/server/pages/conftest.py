"""A house whose voices are scripted, pages of it as a reader sees them, and a real server for browsers."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient

from pluriverse.assistant import Assistant, Outlook, Panel
from pluriverse.server.access import Address
from pluriverse.server.app import build
from pluriverse.server.house import House
from pluriverse.server.tokens import Readers
from pluriverse.settings import Settings

from ...patience import PATIENCE_S
from ..conftest import inside

SCRIPT = """
pace = {pace}
[[rule]]
system = "green"
replies = ["Green says: keep the trees. You asked: {{question}}"]
[[rule]]
system = "red"
replies = ["Red says: build the road. You asked: {{question}}"]
[[rule]]
system = "broken"
replies = ["It began well and then"]
fail_after = 3
[[rule]]
replies = ["Somebody else speaks. You asked: {{question}}"]
"""
NAMES = ("green", "red", "blue", "grey", "pink")


def furnished(home: Path, pace: float = 0.0) -> Settings:
    """A data folder with five scripted voices, panels `two` and `five`, and one whose engine breaks."""
    home.mkdir(parents=True, exist_ok=True)
    script = home / "script.toml"
    script.write_text(SCRIPT.format(pace=pace), "utf-8")
    settings = Settings(home=home, base=f"scripted:{script}", offline=True, panel="two")
    shelf = House(settings).workspace.shelf
    for name in (*NAMES, "broken"):
        shelf.write(
            Assistant(name, name.title(), system=f"You are {name}.", outlook=Outlook("politics", f"the {name} side"))
        )
    shelf.write_panel(Panel("two", NAMES[:2], "Two of them"))
    shelf.write_panel(Panel("five", NAMES, "All five"))
    return settings


@pytest.fixture
def house(tmp_path: Path) -> House:
    settings = furnished(tmp_path / "home")
    return House(settings, readers=Readers(settings.home, ["pupil"]))


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with inside(house) as client:
        client.headers["accept"] = "text/html"
        yield client
        asyncio.run(house.aclose())


def text_of(html: str) -> str:
    """What a reader reads, white space folded."""
    body = html.partition("<main")[2].partition("</main>")[0] or html
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@dataclass(frozen=True, slots=True)
class Served:
    """A server on a port of this machine, as a browser meets it."""

    url: str
    link: str  # lets a browser in, once
    house: House


def served(settings: Settings) -> Iterator[Served]:
    """A real server in a thread, with its own event loop."""
    house = House(settings)
    config = uvicorn.Config(None, port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=1)  # type: ignore[arg-type]
    taken = config.bind_socket()
    address = Address("127.0.0.1", taken.getsockname()[1])
    app = config.app = build(house, address)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(_serve(server, house, taken)), daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE_S
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield Served(address.url, app.state.access.link(), house)
    server.should_exit = True
    thread.join(PATIENCE_S)


async def _serve(server: uvicorn.Server, house: House, taken: object) -> None:
    async with house:
        await server.serve([taken])  # type: ignore[list-item]
