"""A server with habits: it breaks, changes its file, answers what was not asked."""

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .conftest import gguf

OLD = gguf(40_000)
NEW = OLD[:-100_000] + bytes(reversed(OLD[-100_000:]))  # as long, as sound, another file
DATE = "Mon, 02 Nov 2026 10:00:{:02} GMT"


@dataclass
class Habits:
    """How one server answers. The first answer breaks after `cut` bytes; the file changes then, where it `changes`."""

    changes: bool = True
    cut: int = 90_000
    breaks: int = 1  # how many answers break
    mark: str = "etag"  # etag, weak, date, young, none
    heeds: bool = False  # If-Range
    ranges: str = "right"  # right, none, early, late, garbled, total, star, missing, never
    length: str = "right"  # right, none, long
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)  # Range, If-Range

    def file(self) -> bytes:
        return NEW if self.changes and len(self.asked) > 1 else OLD

    def marks(self) -> dict[str, str]:
        version = "new" if self.file() is NEW else "old"
        changed = DATE.format(1 if version == "new" else 0)
        return {
            "etag": {"etag": f'"{version}"'},
            "weak": {"etag": 'W/"same"'},
            "date": {"last-modified": changed, "date": DATE.format(30)},
            "young": {"last-modified": changed, "date": changed},
            "none": {},
        }[self.mark]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    habits: Habits

    def do_GET(self) -> None:
        habits = self.habits
        wanted, held = self.headers.get("range"), self.headers.get("if-range")
        habits.asked.append((wanted, held))
        data, start = habits.file(), int(wanted[6:-1]) if wanted else 0
        if habits.ranges == "none" or (held and habits.heeds and held not in habits.marks().values()):
            start = 0
        if start and (habits.ranges == "never" or start >= len(data)):
            return self._headers(416, {"content-length": "0"})
        body = data[{"early": max(0, start - 700), "late": start + 700}.get(habits.ranges, start) if start else 0 :]
        given = dict(habits.marks())
        if start:
            first = len(data) - len(body)
            said = f"bytes {first}-{len(data) - 1}/{len(data)}"
            told = {"garbled": "bytes x-y/z", "total": said + "0", "star": said.rpartition("/")[0] + "/*"}
            if habits.ranges != "missing":
                given["content-range"] = told.get(habits.ranges, said)
        if habits.length != "none":
            given["content-length"] = str(len(body) + (500 if habits.length == "long" else 0))
        self._headers(206 if start else 200, given | habits.headers)
        self.wfile.write(body[: habits.cut] if len(habits.asked) <= habits.breaks else body)
        self.close_connection = True

    def _headers(self, status: int, given: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, *args: Any) -> None:
        pass


Serve = Callable[[Habits], str]


@contextlib.contextmanager
def serving() -> Iterator[Serve]:
    """A function that starts a server with the given habits; it returns the address of its file."""
    started: list[http.server.ThreadingHTTPServer] = []

    def start(habits: Habits) -> str:
        handler = type("Handler", (Handler,), {"habits": habits})
        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        started.append(web)
        threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{web.server_address[1]}/m.gguf"

    yield start
    for web in started:
        web.shutdown()
        web.server_close()
