"""Small but real GGUF files, and an HTTP server that can resume, break off, crawl and lie."""

import asyncio
import contextlib
import hashlib
import http.server
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pluriverse.settings import Settings
from pluriverse.store import Pulled, Store, pull
from pluriverse.values import Digest, Pullable, Source


def string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def gguf(
    values: int = 4096,
    *,
    metadata: dict[str, tuple[int, bytes]] | None = None,
    version: int = 3,
    counts: Any = None,
    tensor: str | None = "weight",
) -> bytes:
    """A GGUF file of one F32 tensor, or none. `metadata`: key -> (type, encoded value); `counts`: (tensors, pairs) to
    claim."""
    pairs = {
        "general.architecture": (8, string("llama")),
        "general.name": (8, string("tiny")),
        "llama.context_length": (4, struct.pack("<I", 2048)),
        "tokenizer.ggml.tokens": (9, struct.pack("<IQ", 8, 3) + string("a") + string("b") + string("c")),
        "tokenizer.ggml.scores": (9, struct.pack("<IQ", 6, 3) + struct.pack("<3f", 1, 2, 3)),
        **(metadata or {}),
    }
    claimed = counts or (0 if tensor is None else 1, len(pairs))
    head = b"GGUF" + struct.pack("<IQQ", version, *claimed)
    head += b"".join(string(key) + struct.pack("<I", kind) + value for key, (kind, value) in pairs.items())
    if tensor is not None:
        head += string(tensor) + struct.pack("<IQIQ", 1, values, 0, 0)
    head += bytes(-len(head) % 32)
    weights = (bytes(range(256)) * (values * 4 // 256 + 1))[: values * 4]
    return head + weights


def digest(data: bytes) -> Digest:
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


@dataclass
class Server:
    """Files by path; `breaks_after`: bytes after which one answer is cut; `pace`: seconds per 64 KiB."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    breaks_after: list[int] = field(default_factory=list)
    pace: float = 0.0
    ranges: bool = True
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)  # method, path, range
    authorization: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            asked = self.headers.get("range")
            state.asked.append((self.command, self.path, asked))
            state.authorization.append(self.headers.get("authorization"))
            data = state.files.get(self.path)
            if data is None:
                self.send_response(404)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and state.ranges else 0
            etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
            if self.headers.get("if-range", etag) != etag:
                start = 0
            if start >= len(data) > 0 and start:
                self.send_response(416)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            self.send_header("content-length", str(len(data) - start))
            self.send_header("etag", etag)
            if start:
                self.send_header("content-range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            for name, value in state.headers.get(self.path, {}).items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self._send(data[start:])

        def _send(self, data: bytes) -> None:
            left = state.breaks_after.pop(0) if state.breaks_after else len(data)
            for low in range(0, min(left, len(data)), 65536):
                self.wfile.write(data[low : min(low + 65536, left)])
                if state.pace:
                    time.sleep(state.pace)
            if left < len(data):
                self.close_connection = True
                self.connection.close()

        def log_message(self, *args: Any) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                super().handle()

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    state.url = f"http://127.0.0.1:{web.server_address[1]}"
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield state
    web.shutdown()
    web.server_close()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> "Iterator[Callable[[Any], str]]":
    """The address of a server with the given `servers.Habits`."""
    from .servers import serving

    monkeypatch.setattr("pluriverse.store.sources.http._WAIT_S", 0.01)
    with serving() as start:
        yield start


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store.at(settings)


@dataclass
class Puller:
    settings: Settings
    events: list[Any] = field(default_factory=list)

    def __call__(self, data: bytes | None, *sources: Source, name: str = "tiny", **changes: Any) -> Pulled:
        """Pull from `sources` what has the digest of `data` (None: an unknown one); the events are kept."""
        pullable = Pullable("the-ref", name, sources)
        if data is not None:
            pullable = replace(pullable, digest=digest(data), size=len(data))
        self.events.clear()

        async def work() -> None:
            given = replace(self.settings, **changes)
            async for event in pull(Store.at(given), pullable, given):
                self.events.append(event)

        asyncio.run(work())
        last = self.events[-1]
        assert isinstance(last, Pulled)
        return last


@pytest.fixture
def puller(settings: Settings) -> Puller:
    return Puller(settings)


@pytest.fixture
def make() -> Callable[..., bytes]:
    return gguf
