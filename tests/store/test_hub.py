"""The hub, played by a local server, through the real huggingface_hub.

In a process of its own, because that library reads HF_ENDPOINT once.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Server, gguf

_PULL = """
import asyncio, json, sys
from pathlib import Path
from pluriverse import catalogue
from pluriverse.errors import PluriverseError
from pluriverse.settings import Settings
from pluriverse.store import Pulled, Store, pull
home, ref, mirror = sys.argv[1:]
settings = Settings(home=Path(home), mirrors=(mirror,) if mirror else ())
async def main():
    try:
        async for event in pull(Store.at(settings), catalogue.parse(ref), settings):
            if isinstance(event, Pulled):
                print(json.dumps({"name": event.name, "digest": event.digest, "source": str(event.source)}))
    except PluriverseError as error:
        print(json.dumps({"error": error.as_dict()}))
asyncio.run(main())
"""

PATH = "/someone/tiny-GGUF/resolve/main/tiny.Q4_0.gguf"


def pulled(tmp_path: Path, endpoint: str, ref: str, mirror: str = "", **environment: str) -> Any:
    changes = {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-c", _PULL, str(tmp_path / "home"), ref, mirror],
        env=os.environ | changes,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout, done.stderr
    assert done.stderr == "", "nothing but our own words reaches the terminal"
    return json.loads(done.stdout)


@pytest.fixture
def hub(server: Server) -> Server:
    data = server.files[PATH] = gguf(30_000)
    server.headers[PATH] = {
        "x-repo-commit": "a" * 40,
        "x-linked-etag": f'"{hashlib.sha256(data).hexdigest()}"',
        "x-linked-size": str(len(data)),
    }
    names = ("README.md", "tiny.Q4_0.gguf", "tiny.Q8_0.gguf", "tiny-Q4_0_8.txt")
    listing = [{"type": "file", "path": name, "size": 1, "oid": "0" * 40} for name in names]
    server.files["/api/models/someone/tiny-GGUF/tree/main?recursive=true&expand=false"] = json.dumps(listing).encode()
    return server


def test_a_file_of_the_hub_is_checked_against_its_digest(tmp_path: Path, hub: Server) -> None:
    answer = pulled(tmp_path, hub.url, "hf:someone/tiny-GGUF/tiny.Q4_0.gguf", HF_TOKEN="hf_secret")
    assert answer["digest"] == "sha256:" + hashlib.sha256(hub.files[PATH]).hexdigest()
    assert answer["name"] == "tiny.q4-0"
    assert "Bearer hf_secret" in hub.authorization


def test_a_hub_that_gives_other_bytes_than_it_promised(tmp_path: Path, hub: Server) -> None:
    hub.files[PATH] = gguf(30_000, metadata={"changed": (0, b"\1")})
    hub.headers[PATH]["x-linked-size"] = str(len(hub.files[PATH]))
    assert pulled(tmp_path, hub.url, "hf:someone/tiny-GGUF/tiny.Q4_0.gguf")["error"]["kind"] == "integrity"


def test_by_quantization(tmp_path: Path, hub: Server) -> None:
    answer = pulled(tmp_path, hub.url, "hf:someone/tiny-GGUF:Q4_0")
    assert answer.get("name") == "tiny-gguf-q4-0", answer
    refused = pulled(tmp_path, hub.url, "hf:someone/tiny-GGUF:Q5_K_M")["error"]
    assert "tiny.Q8_0.gguf" in refused["message"]


def test_a_mirror_when_the_hub_is_away(tmp_path: Path, hub: Server) -> None:
    answer = pulled(tmp_path, "http://127.0.0.1:9", "hf:someone/tiny-GGUF/tiny.Q4_0.gguf", mirror=hub.url)
    assert answer.get("source", "").startswith(hub.url), answer
    assert all(token is None for token in hub.authorization)


def test_a_hub_that_is_away_is_told_in_words(tmp_path: Path) -> None:
    error = pulled(tmp_path, "http://127.0.0.1:9", "hf:someone/tiny-GGUF/tiny.Q4_0.gguf")["error"]
    assert error["kind"] == "unreachable" and "the hub" in error["message"]


def test_the_hubs_own_cache_is_used(tmp_path: Path, hub: Server) -> None:
    folder = tmp_path / "hf" / "hub" / "models--someone--tiny-GGUF"
    snapshot = folder / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "tiny.Q4_0.gguf").write_bytes(hub.files[PATH])
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("a" * 40)
    answer = pulled(tmp_path, "http://127.0.0.1:9", "hf:someone/tiny-GGUF/tiny.Q4_0.gguf")
    assert answer.get("digest") == "sha256:" + hashlib.sha256(hub.files[PATH]).hexdigest(), answer
