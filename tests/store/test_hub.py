"""The hub, played by a local server, through the real huggingface_hub.

In a process of its own, because that library reads HF_ENDPOINT once.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pluriverse.store.sources import hub as hub_module

from .. import forked
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
    words = (str(tmp_path / "home"), ref, mirror)
    done = forked.run(*words, code=_PULL, environment=os.environ | changes)
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


LISTINGS = {
    "unsloth": ["m-UD-Q4_K_XL.gguf", "m-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m-BF16.gguf", "m-F16.gguf", "m-Q8_0.gguf"],
    "mixed": ["m-UD-Q4_K_M.gguf", "m-Q4_K_M.gguf", "m.i1-Q4_K_M.gguf"],
    "under": ["model_Q4_K_M.gguf", "model_q8_0.gguf"],
    "own": ["model.i1-Q4_K_M.gguf", "sakura-14b-iq4xs.gguf", "m-q4-k-m-v2.GGUF"],
    "folders": ["BF16/model.gguf", "Q8_0/model.gguf", "Q4_K_M/m-00001-of-00002.gguf", "Q4_K_M/m-00002-of-00002.gguf"],
    "two": ["a-Q8_0.gguf", "b-Q8_0.gguf"],
}


@pytest.mark.parametrize(
    ("listing", "wanted", "found"),
    [
        ("unsloth", "UD-Q4_K_XL", ["m-UD-Q4_K_XL.gguf"]),
        ("unsloth", "Q4_K_XL", ["m-UD-Q4_K_XL.gguf"]),
        ("unsloth", "q4_k_m", ["m-Q4_K_M.gguf"]),
        ("unsloth", "Q4KM", ["m-Q4_K_M.gguf"]),
        ("unsloth", "F16", ["m-F16.gguf"]),
        ("unsloth", "Q4_K", []),
        ("unsloth", "K_M", []),
        ("unsloth", "Q8", []),
        ("mixed", "Q4_K_M", ["m-Q4_K_M.gguf"]),
        ("mixed", "UD-Q4_K_M", ["m-UD-Q4_K_M.gguf"]),
        ("mixed", "i1-Q4_K_M", ["m.i1-Q4_K_M.gguf"]),
        ("under", "Q4_K_M", ["model_Q4_K_M.gguf"]),
        ("under", "Q8_0", ["model_q8_0.gguf"]),
        ("own", "Q4_K_M", ["model.i1-Q4_K_M.gguf"]),
        ("own", "IQ4_XS", ["sakura-14b-iq4xs.gguf"]),
        ("own", "Q4_K", []),
        ("folders", "BF16", ["BF16/model.gguf"]),
        ("folders", "Q4_K_M", LISTINGS["folders"][2:]),
        ("two", "Q8_0", LISTINGS["two"]),
    ],
)
def test_a_format_stands_for_the_file_of_that_format(listing: str, wanted: str, found: list[str]) -> None:
    assert hub_module._fitting(LISTINGS[listing], wanted) == found


def listed(hub: Server, *names: str, revision: str = "main") -> None:
    listing = [{"type": "directory", "path": "folder.gguf"}, *({"type": "file", "path": name} for name in names)]
    path = f"/api/models/someone/tiny-GGUF/tree/{revision}?recursive=true&expand=false"
    hub.files[path] = json.dumps(listing).encode()


def test_a_projector_is_never_taken_for_the_model(tmp_path: Path, hub: Server) -> None:
    listed(hub, "mmproj-tiny-Q4_0.gguf", "tiny.Q4_0.gguf", "tiny.Q4_0.imatrix.gguf", "mmproj-tiny-F16.gguf")
    answer = pulled(tmp_path, hub.url, "hf:someone/tiny-GGUF:Q4_0")
    assert answer.get("digest") == "sha256:" + hashlib.sha256(hub.files[PATH]).hexdigest(), answer
    refused = pulled(tmp_path, hub.url, "hf:someone/tiny-GGUF:F16")["error"]
    assert refused["message"].endswith("no files of F16; files of weights there: tiny.Q4_0.gguf")
    assert refused["hint"] == "name the file: pluriverse pull hf:someone/tiny-GGUF/tiny.Q4_0.gguf"


@pytest.mark.parametrize("listing", [b"[" * 100_000, b'{"error": "x"}', b'[{"path": "x.gguf"}]', b"<html>", b"[1]"])
def test_a_listing_of_something_else_is_told(tmp_path: Path, hub: Server, listing: bytes) -> None:
    hub.files["/api/models/someone/tiny-GGUF/tree/main?recursive=true&expand=false"] = listing
    error = pulled(tmp_path, hub.url, "hf:someone/tiny-GGUF:Q4_0")["error"]
    assert error["kind"] == "unreachable" and "the hub" in error["message"]


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


@pytest.mark.parametrize("ref", ["hf:someone/tiny-GGUF/tiny.Q4_0.gguf", "hf:someone/tiny-GGUF:Q4_0"])
@pytest.mark.parametrize(
    ("variable", "value"), [("all_proxy", "socks://user:secret@127.0.0.1:1"), ("SSL_CERT_FILE", "/none/ca.pem")]
)
def test_what_the_environment_asks_for_is_told(
    tmp_path: Path, hub: Server, ref: str, variable: str, value: str
) -> None:
    error = pulled(tmp_path, hub.url, ref, **{variable: value})["error"]
    assert error["kind"] == "unreachable" and variable in error["message"] and variable in error["hint"]
    assert "secret" not in json.dumps(error)
