"""The engine's side of `template_process`: starts it, asks it, and starts it anew when a template has ended it.

Knows jobs and how they fail. Does not know messages or tokens.
"""

import contextlib
import importlib.util
import json
import signal
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import children
from ...errors import EngineError, UsageError
from . import template_process

PATIENCE = 20.0  # seconds for one job, where processor time cannot be limited
_HAS_CLOCK = hasattr(signal, "setitimer")
OTHER_MODEL = "take another file of this model, or ask through another one: --base small"


@dataclass(frozen=True, slots=True)
class Filled:
    """A template's prompt, or why there is none. `broken`: it is the template's doing, whatever the messages."""

    text: str = ""
    error: UsageError | None = None
    broken: bool = False


class Renderer:
    """One template at a time. Not thread-safe. The process starts at once, and lives as long as this object."""

    def __init__(self) -> None:
        self._source: str | None = None
        self._start()

    def read(self, source: str) -> None:
        """Take this template from now on. Raises EngineError where it cannot be read."""
        self._source = None
        if "error" in (found := self._ask({"template": source})):
            raise EngineError(f"the model's chat template cannot be read: {found['error']}", OTHER_MODEL)
        self._source = source

    def render(self, values: dict[str, Any], now: float) -> Filled:
        """The template with these values, at that time (seconds since 1970)."""
        found = self._ask({"values": values, "now": now})
        if "error" not in found:
            return Filled(str(found["text"]))
        why = found["why"]
        does = {"refused": "refuses", "failed": "fails on"}.get(why, "cannot be used for")
        error = UsageError(f"the model's chat template {does} these messages: {found['error']}", OTHER_MODEL)
        return Filled(error=error, broken=why not in {"refused", "failed"})

    def close(self) -> None:
        self._end()

    def _ask(self, job: dict[str, Any]) -> dict[str, Any]:
        if self._process.poll() is not None:
            self._start()
            if self._source is not None:
                self.read(self._source)
        process = self._process
        assert process.stdin and process.stdout
        try:
            with _watched(process):
                process.stdin.write(json.dumps(job).encode() + b"\n")
                process.stdin.flush()
                answer = process.stdout.readline()
        except OSError:
            answer = b""
        if answer.endswith(b"\n"):
            found: dict[str, Any] = json.loads(answer)
            return found
        self._end()
        return {"error": _why(process.returncode), "why": "ended"}

    def _start(self) -> None:
        spec = importlib.util.find_spec("jinja2")
        if spec is None or spec.origin is None:
            raise EngineError("the local engine needs the package jinja2, which is not installed", "pip install jinja2")
        # Isolated, and told where Jinja lies: neither the current folder nor the user's own packages can enter.
        packages = str(Path(spec.origin).parent.parent)
        self._process = children.talk(children.script(template_process.__file__, packages))
        self._end = weakref.finalize(self, _end, self._process)


@contextlib.contextmanager
def _watched(process: children.Talk) -> Iterator[None]:
    """Where the system does not end a process by its processor time, it is ended by the clock."""
    if _HAS_CLOCK:
        yield
        return
    watch = threading.Timer(PATIENCE, process.kill)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _end(process: children.Talk) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with contextlib.suppress(OSError):  # what was still to be written has nobody to read it
                stream.close()


def _why(code: int) -> str:
    if code == -getattr(signal, "SIGPROF", 0):
        return f"it takes more than {template_process.SECONDS:.0f} seconds of processor time"
    if not _HAS_CLOCK and code == 1:  # Windows: what `kill` ends a process with
        return f"it takes more than {PATIENCE:.0f} seconds"
    return f"it ends the process that reads it (code {code})"
