"""What all requests share: the settings, one pool of engines, who may ask, how much is asked at once, what is counted.

Knows readers, workspaces and a queue with a limit. Does not know HTTP or any API. One house belongs to one event loop.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from ..runtime.workspace import Workspace
from ..settings import Settings
from .errors import RefusedError
from .tokens import OWNER, Reader, Readers


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken in. What is more is refused with the status that says so, never queued without an end."""

    replies: int = 128  # being made, or waiting for their turn, at once
    body: int = 8 * 2**20  # bytes of a request's body
    body_s: float = 30.0  # seconds in which it must have come
    requests_per_s: float = 50.0  # of one token, in the long run
    burst: int = 200  # requests of one token at once
    panel: int = 32  # assistants in one question


@dataclass(slots=True)
class Counts:
    """What `/metrics` tells. No names of readers, no words that anybody wrote."""

    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)  # method, path of the route, status
    replies: Counter[str] = field(default_factory=Counter)  # by how they ended
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token_s: float = 0.0  # summed over `answered` replies
    answered: int = 0


class House:
    """Use it as an async context manager: at its end all engines end."""

    def __init__(self, settings: Settings, *, readers: Readers | None = None, limits: Limits | None = None) -> None:
        self.settings = settings
        self.limits = limits or Limits()
        self.readers = readers or Readers(settings.home)
        self.counts = Counts()
        self.workspace = Workspace(settings)
        self.busy = 0  # replies being made or waiting
        self.started = time.time()
        self._workspaces: dict[str, Workspace] = {}
        self._lasted_s = 2.0  # a moving mean of how long replies take

    def workspace_of(self, reader: Reader) -> Workspace:
        """As the reader sees it: a history of its own; engines, store and shelf are everybody's."""
        if reader.name == OWNER:
            return self.workspace
        if reader.name not in self._workspaces:
            own = reader.settings(self.settings)
            self._workspaces[reader.name] = Workspace(own, self.workspace.pool)
        return self._workspaces[reader.name]

    @contextmanager
    def room_for(self, replies: int = 1) -> Iterator[None]:
        """Where so many replies may be made now; RefusedError (429, with when to come again) where too many are."""
        if self.busy and self.busy + replies > self.limits.replies:
            words = f"{self.busy} replies are being made, and {self.limits.replies} at once are the most"
            raise RefusedError(429, words, "ask again in a while", wait_s=self._lasted_s)
        self.busy += replies
        began = time.perf_counter()
        try:
            yield
        finally:
            self.busy -= replies
            self._lasted_s += 0.2 * (time.perf_counter() - began - self._lasted_s)

    async def aclose(self) -> None:
        await self.workspace.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()
