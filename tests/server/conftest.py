"""A house with the scripted engine, and a client inside the process: no socket, no model."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pluriverse.server.access import Address
from pluriverse.server.app import build
from pluriverse.server.house import House
from pluriverse.settings import Settings

ADDRESS = Address("127.0.0.1", 7070)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(Settings(home=tmp_path / "home", base="scripted", offline=True))


def inside(house: House, token: str | None = None) -> TestClient:
    """A client that shows the owner's token, or another; "" shows none."""
    app = build(house, ADDRESS)
    token = house.readers["owner"].token if token is None else token
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return TestClient(app, base_url=ADDRESS.url, headers=headers, follow_redirects=False, raise_server_exceptions=False)


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with inside(house) as client:
        yield client
        asyncio.run(house.aclose())
