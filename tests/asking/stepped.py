"""Engines whose every step a test decides."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from pluriverse.assistant import Assistant
from pluriverse.assistant.bases import Base
from pluriverse.engines.contract import Capabilities, Chunk, EngineEvent, Failed, Finished, Identity, Request, Started
from pluriverse.errors import PluriverseError
from pluriverse.values import Digest

WEIGHTS = Digest("sha256:" + "a" * 64)


class SteppedEngine:
    """Says the last message's words back, one by one; stops before `hold` words until `release` is set."""

    def __init__(self, base: str = "one", *, error: PluriverseError | None = None, error_after: int = 0) -> None:
        self.base = base
        self.identity = Identity("stepped", WEIGHTS if base == "one" else None)
        self.capabilities = Capabilities(
            logprobs=False, logits=False, grammar=False, seed=True, guidance=False, context_length=4096
        )
        self.memory = 0
        self.hold: int | None = None
        self.release = asyncio.Event()
        self.error = error
        self.error_after = error_after
        self.bug: Exception | None = None
        self.calls: list[tuple[Request, ...]] = []
        self.running = 0
        self.context = 0

    async def generate(self, requests: Sequence[Request]) -> AsyncGenerator[EngineEvent, None]:
        self.calls.append(tuple(requests))
        self.running += 1
        try:
            for index, request in enumerate(requests):
                yield Started(index, 10 + index, 4, 7 if request.sampling.seed is None else request.sampling.seed)
            if self.bug:
                raise self.bug
            words = [[f"{word} " for word in request.messages[-1].content.split()] for request in requests]
            for step in range(max(map(len, words))):
                for index, each in enumerate(words):
                    if self.hold is not None and step >= self.hold:
                        await self.release.wait()
                    if self.error and step == self.error_after and index == 0:
                        yield Failed(index, self.error)
                        words[0] = []
                    elif step < len(each):
                        await asyncio.sleep(0)
                        yield Chunk(index, each[step])
            for index, each in enumerate(words):
                if each:
                    yield Finished(index, "stop", 10 + index, len(each) + 1)
        finally:
            self.running -= 1


class SteppedPool:
    def __init__(self, engines: dict[str, SteppedEngine]) -> None:
        self.engines = engines
        self.closed = False

    async def engine(self, base: Base, *, context: int) -> SteppedEngine:
        engine = self.engines[base.name]
        engine.context = context
        return engine

    async def aclose(self) -> None:
        self.closed = True


Places = dict[str, Base | PluriverseError]


def assistant(name: str, base: str = "one", system: str = "", **sampling: Any) -> Assistant:
    return Assistant(name=name, title=name.title(), base=base, system=system or f"You are {name}.", sampling=sampling)


async def collect(events: AsyncIterator[Any]) -> list[Any]:
    return [event async for event in events]
