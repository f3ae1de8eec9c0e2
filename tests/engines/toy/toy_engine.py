"""An engine of another package, as small as one can be: it says back what it is told, word by word.

`test_foreign_engines.py` installs it. It answers for whatever stands behind `toy:`, has no log-probabilities, no
guidance and no adapters, and cannot know what will answer under its name tomorrow.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import NoReturn

from pluriverse.assistant.bases import Base
from pluriverse.engines.contract import (
    Capabilities,
    Chunk,
    EngineEvent,
    Failed,
    Finished,
    Identity,
    Request,
    ScoreRequest,
    Started,
    no_adapter,
    no_pictures,
    pictures_of,
)
from pluriverse.engines.text import TextStream
from pluriverse.errors import ContextOverflowError, EngineError, PluriverseError, UnsupportedError
from pluriverse.settings import Settings

LONGEST = 1000  # words


class ToyEngine:
    def __init__(self, base: Base, settings: Settings) -> None:
        self.base, self.memory = base.name, 0
        self.identity = Identity("toy", weights=None, library="toy-engine 1.0", settings={"longest": LONGEST})
        self.capabilities = Capabilities(
            logprobs=False, logits=False, grammar=False, seed=True, guidance=False, context_length=LONGEST
        )
        self._closed = False

    async def start(self) -> None:
        if self._closed:
            raise EngineError(f"the engine of {self.base} is closed")

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[EngineEvent]:
        await self.start()
        going = {}
        for index, request in enumerate(requests):
            try:
                said, prompt, seed = self._read(request)
            except PluriverseError as error:
                yield Failed(index, error)
                continue
            yield Started(index, prompt, 0, seed)
            going[index] = (iter(said), TextStream(request.sampling.stop), prompt, request.sampling.max_tokens)
        count = 0
        while going:
            await asyncio.sleep(0)
            count += 1
            for index, (words, text, prompt, most) in list(going.items()):
                if self._closed:
                    del going[index]
                    yield Failed(index, EngineError(f"the engine of {self.base} was closed"))
                    continue
                word = next(words, None)
                told = "" if word is None else text.push(word.encode())
                ended = "stop" if word is None or text.stopped else "length" if count >= most else None
                if ended:
                    told += text.finish()
                    del going[index]
                if told:
                    yield Chunk(index, told)
                if ended:
                    yield Finished(index, ended, prompt, count)

    def _read(self, request: Request) -> tuple[list[str], int, int]:
        """What will be said, the prompt's tokens and the seed. Raises for what it cannot do."""
        if request.guide or request.sampling.grammar:
            raise UnsupportedError(f"the engine of {self.base} neither guides nor follows grammars")
        no_adapter(f"the engine of {self.base}", request.adapter)
        if pictures_of(request):
            raise no_pictures(self.base, "the toy has no eyes")
        heard = request.raw or " ".join(message.content for message in request.messages)
        words = [f"{word} " for word in heard.split()]
        if len(words) >= LONGEST:
            raise ContextOverflowError(f"{len(words):,} words; the toy reads {LONGEST:,}", "shorten it")
        seed = random.randrange(2**32) if request.sampling.seed is None else request.sampling.seed
        if request.sampling.temperature > 0:
            random.Random(seed).shuffle(words)
        return words, len(words), seed

    async def score(self, prefix: object, continuations: object, **more: object) -> NoReturn:
        raise self._blind()

    async def score_all(self, requests: Sequence[ScoreRequest]) -> AsyncIterator[Failed]:
        for index, _ in enumerate(requests):
            yield Failed(index, self._blind())

    def _blind(self) -> UnsupportedError:
        return UnsupportedError(f"the engine of {self.base} cannot tell how likely a text is")

    async def embed(self, texts: Sequence[str]) -> NoReturn:
        raise UnsupportedError(f"the engine of {self.base} has no vectors")

    async def count_tokens(self, text: str) -> int:
        return len(text.split())

    async def aclose(self) -> None:
        self._closed = True
