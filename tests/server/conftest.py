"""A house with the scripted engine, and a client inside the process: no socket, no model."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pluriverse.server.access import Address
from pluriverse.server.app import build
from pluriverse.server.house import House
from pluriverse.settings import Settings

from ..patience import PATIENCE_S

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


@dataclass(frozen=True)
class Served:
    """A server in a process of its own."""

    url: str
    token: str
    process: subprocess.Popen[str]


@contextmanager
def serving(home: Path, *words: str, **environment: str) -> Iterator[Served]:
    """`pluriverse serve --json` until the end of the block."""
    given = {**os.environ, "PLURIVERSE_HOME": str(home), "PLURIVERSE_OFFLINE": "1", **environment}
    command = [sys.executable, "-m", "pluriverse", "serve", "--port", "0", "--json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=given) as process:
        assert process.stdout
        first = process.stdout.readline()
        ready = json.loads(first if first.startswith('{"') else pytest.fail(first + process.stdout.read()))
        try:
            yield Served(ready["url"], ready["token"], process)
        finally:
            process.terminate()
            assert process.wait(timeout=PATIENCE_S) == 0


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests of this session, with the scripted engine."""
    with serving(tmp_path_factory.mktemp("served"), PLURIVERSE_BASE="scripted") as served:
        yield served


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, model_home: Path, embedding_model: Path) -> Iterator[Served]:
    """One for all tests of this session, with the real model `small`."""
    home = tmp_path_factory.mktemp("served")
    with serving(home, PLURIVERSE_BASE="small", PLURIVERSE_STORES=str(model_home / "store")) as served:
        yield served
