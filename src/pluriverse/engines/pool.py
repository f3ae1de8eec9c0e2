"""One engine per base, made when it is first needed, ended when the memory is needed by another.

Knows bases, engines and a budget of bytes. Does not know assistants or what is asked.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from .. import doors
from ..assistant.bases import Base
from ..errors import EngineError, PluriverseError
from ..settings import Settings, physical_memory
from ..values import Digest, Message
from .contract import (
    Capabilities,
    Engine,
    EngineEvent,
    Failed,
    Guide,
    Identity,
    Request,
    Score,
    Scored,
    ScoreRequest,
    Token,
    beyond,
    no_tokens,
)

if TYPE_CHECKING:
    import numpy as np

_HEADROOM = 1.25  # a new engine is taken to need its file's size and a quarter for keys, values and graphs


class EnginePool:
    """Belongs to one event loop. `aclose()` ends all engines; so does leaving it as an async context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._budget = settings.memory or physical_memory() // 2
        self._engines: OrderedDict[object, PooledEngine] = OrderedDict()
        self._making = asyncio.Lock()

    async def engine(self, base: Base, *, context: int = 0) -> Engine:
        """The engine of `base`, started. `context` (tokens one request may need) is a hint; engines grow by themselves.

        Idle engines are ended, least recently used first, until the new one fits the budget. A busy one never is.
        """
        key = (base.digest or base.name, base.projector)
        async with self._making:
            if (known := self._engines.get(key)) is None:
                await self._make_room(_expected(base))
                known = self._engines[key] = PooledEngine(self._create(base), base.kind, _expected(base))
            self._engines.move_to_end(key)
            known.wanted += 1  # starting counts as being busy; others may be asked for meanwhile
        try:
            await known.start()
        except PluriverseError:
            if self._engines.get(key) is known:
                del self._engines[key]
                with contextlib.suppress(PluriverseError):  # why it did not start is what is told
                    await known.aclose()
            raise
        finally:
            known.wanted -= 1
        return known

    @property
    def memory(self) -> int:
        """Bytes that all engines hold now."""
        return sum(each.held for each in self._engines.values())

    async def aclose(self) -> None:
        engines, self._engines = list(self._engines.values()), OrderedDict()
        await asyncio.gather(*(engine.aclose() for engine in engines))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def _create(self, base: Base) -> Engine:
        engine_of: Callable[[Base, Settings], Engine] = doors.opened("engines", base.kind)
        with doors.blamed("engines", base.kind, EngineError):
            return engine_of(base, self._settings)

    async def _make_room(self, bytes: int) -> None:
        for key, engine in list(self._engines.items()):
            if self.memory + bytes <= self._budget:
                return
            if not engine.busy:
                del self._engines[key]
                await engine.aclose()


class PooledEngine:
    """An engine that can tell whether it is busy. Otherwise it is the engine inside, of that `kind`; where one of
    another package fails in its own way, that is an EngineError."""

    def __init__(self, engine: Engine, kind: str, expected: int = 0) -> None:
        """`expected`: bytes that it is taken to hold while it starts."""
        self.inner = engine
        self.wanted = 0  # by so many that wait for its start
        self._kind, self._expected = kind, expected
        self._running = 0
        self._starting: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        return self._running > 0 or self.wanted > 0

    @property
    def held(self) -> int:
        """Bytes that it holds, or will."""
        return max(self.memory, self._expected) if self._starting else self.memory

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        self._running += 1
        try:
            with self._blamed():
                yield
        finally:
            self._running -= 1

    def _blamed(self) -> contextlib.AbstractContextManager[None]:
        return doors.blamed("engines", self._kind, EngineError)

    @property
    def base(self) -> str:
        return self.inner.base

    @property
    def identity(self) -> Identity:
        return self.inner.identity

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    @property
    def memory(self) -> int:
        return self.inner.memory

    async def start(self) -> None:
        """Once for all that wait for it; it goes on where one of them waits no longer."""
        if self._starting is None:
            self._starting = asyncio.ensure_future(self._start())
            self._starting.add_done_callback(self._started)
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        with self.used():
            await self.inner.start()

    def _started(self, task: "asyncio.Task[None]") -> None:
        self._starting = None
        if not task.cancelled():
            task.exception()  # is told to whoever waits; if nobody does, it is no news

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[EngineEvent]:
        """As the engine inside; requests for a lead or quotations that it does not declare never come to it."""
        with self.used():
            refused = {
                index: error for index, each in enumerate(requests) if (error := beyond(self.capabilities, each))
            }
            for index, error in refused.items():
                yield Failed(index, error)
            places = [index for index in range(len(requests)) if index not in refused]
            stream = self.inner.generate([requests[index] for index in places])
            try:
                async for event in stream:
                    yield replace(event, index=places[event.index]) if refused else event
            finally:
                if (aclose := getattr(stream, "aclose", None)) is not None:
                    await aclose()

    async def score(
        self,
        prefix: str | Sequence[Message],
        continuations: Sequence[str],
        *,
        logits: bool = False,
        guide: Guide | None = None,
        adapter: Digest | None = None,
    ) -> tuple[Score, ...]:
        with self.used():
            return await self.inner.score(prefix, continuations, logits=logits, guide=guide, adapter=adapter)

    async def score_all(self, requests: Sequence[ScoreRequest]) -> AsyncIterator[Scored | Failed]:
        with self.used():
            async with contextlib.aclosing(self.inner.score_all(requests)) as stream:  # type: ignore[type-var]
                async for each in stream:
                    yield each

    async def embed(self, texts: Sequence[str]) -> "np.ndarray":
        with self.used():
            return await self.inner.embed(texts)

    async def count_tokens(self, text: str) -> int:
        with self.used():
            return await self.inner.count_tokens(text)

    async def tokens(
        self, prompt: str | Sequence[int] | Sequence[Message], likeliest: int | None = None
    ) -> tuple[Token, ...]:
        if not self.capabilities.tokens:
            raise no_tokens(f"the engine of {self.base}")
        with self.used():
            return await self.inner.tokens(prompt, likeliest)

    async def aclose(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
        with self._blamed():
            await self.inner.aclose()


def _expected(base: Base) -> int:
    files = [path for path in (base.path, base.projector) if path]
    return int(sum(path.stat().st_size for path in files) * _HEADROOM)
