"""From items to what engines are asked, and from what they say to responses. Scores or texts, raw or as a chat.

Knows voices, items and engines. Does not know runs, files or figures.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from ...engines.contract import Chunk, Engine, Failed, Finished, Request, Scored, ScoreRequest, Started, Thought
from ...engines.thinking import Piece, Told, joined
from ...errors import EngineError
from ...runtime.requests import AskOptions
from ...values import Sampling
from ..classify.rules import classify
from ..schema.instrument import Instrument
from ..schema.items import Item
from ..schema.responses import Respondent, Response, blank
from .session import AssistantSession

TOGETHER = 64  # items whose options are scored by one call
VOICES = 32  # texts that are generated side by side

Cell = tuple[Item, int]  # an item and the number of the draw


def parts(cells: Sequence[Cell]) -> Iterator[Sequence[Cell]]:
    """What goes to the engine in one go: options to score, then texts. Numbers depend a little on what is asked
    together, so that whoever asks, here or on a cluster, cuts the cells like this."""
    scored = [cell for cell in cells if cell[0].options]
    spoken = [cell for cell in cells if not cell[0].options]
    for low in range(0, len(scored), TOGETHER):
        yield scored[low : low + TOGETHER]
    for low in range(0, len(spoken), VOICES):
        yield spoken[low : low + VOICES]


class Participant:
    """One respondent: its voice, and how it is named in rows."""

    def __init__(self, voice: AssistantSession, respondent: Respondent, seed: int) -> None:
        self.voice, self.respondent, self.seed = voice, respondent, seed

    @property
    def engine(self) -> Engine:
        return self.voice.engine

    async def ask(self, instrument: Instrument, cells: Sequence[Cell]) -> AsyncIterator[list[Response]]:
        """The responses to all cells, in parts as they come. Raises the error of any that failed."""
        for part in parts(cells):
            yield await (self._score if part[0][0].options else self._speak)(instrument, part)

    async def ask_each(self, instrument: Instrument, cells: Sequence[Cell]) -> AsyncGenerator[list[Response], None]:
        """The same, each by itself as soon as it is there, in whatever order: a kill costs nothing that had come."""
        for part in parts(cells):
            if part[0][0].options:
                async with aclosing(self._scores(instrument, part)) as scores:
                    async for response in scores:
                        yield [response]
                continue
            async with aclosing(self._texts(instrument, part)) as texts:
                async for _, response in texts:
                    yield [response]

    async def _score(self, instrument: Instrument, cells: Sequence[Cell]) -> list[Response]:
        async with aclosing(self._scores(instrument, cells)) as scores:
            return [response async for response in scores]

    async def _scores(self, instrument: Instrument, cells: Sequence[Cell]) -> AsyncGenerator[Response, None]:
        """In the order of the cells, each when all of its options are scored."""
        await self._ground(cells)
        requests: list[ScoreRequest] = []
        ends: list[int] = []  # behind the last request of each cell
        for item, _ in cells:
            requests += self._requests(item)
            ends.append(len(requests))
        began = time.perf_counter()
        found: list[Scored] = []
        answered = 0
        async with aclosing(self.engine.score_all(requests)) as answers:  # type: ignore[type-var]
            async for answer in answers:
                if isinstance(answer, Failed):
                    raise answer.error
                answered += 1
                found.append(answer)
                if answered == ends[0]:
                    item, draw = cells[len(cells) - len(ends)]
                    yield self._scored(instrument, item, draw, found, time.perf_counter() - began)
                    del ends[0], found[:]
                    began = time.perf_counter()
        if ends:
            raise EngineError(f"the engine of {self.engine.base} ended before its scores did", "call again")

    def _scored(
        self, instrument: Instrument, item: Item, draw: int, found: Sequence[Scored], seconds: float
    ) -> Response:
        scores = [score for each in found for score in each.scores]
        fields = self._blank(instrument, item, draw)
        totals = tuple(round(score.total, 5) for score in scores)
        tokens = sum(len(score.tokens) for score in scores)
        return Response(**fields, logprobs=totals, completion_tokens=tokens, seconds=round(seconds, 5))

    def _requests(self, item: Item) -> list[ScoreRequest]:
        adapter = self.voice.assistant.adapter
        if item.form == "raw" and item.prompts:
            pairs = zip(item.prompts, item.options, strict=True)
            return [ScoreRequest(prompt, (option,), adapter=adapter) for prompt, option in pairs]
        if item.form == "raw":
            return [ScoreRequest(item.prompt, item.options, adapter=adapter)]
        request = self._request(item, 0, led=False)
        if item.prompts:
            each = [replace(item, prompt=prompt, prompts=()) for prompt in item.prompts]
            made = [self._request(one, 0, led=False) for one in each]
            return [
                ScoreRequest(one.messages, (option,), one.guide, adapter)
                for one, option in zip(made, item.options, strict=True)
            ]
        return [ScoreRequest(request.messages, item.options, request.guide, adapter)]

    async def _speak(self, instrument: Instrument, cells: Sequence[Cell]) -> list[Response]:
        async with aclosing(self._texts(instrument, cells)) as texts:
            found = {place: response async for place, response in texts}
        return [found[place] for place in range(len(cells))]

    async def _texts(self, instrument: Instrument, cells: Sequence[Cell]) -> AsyncGenerator[tuple[int, Response], None]:
        """In the order in which they end, with their places among the cells."""
        await self._ground(cells)
        for place, cell in enumerate(cells):
            if silent := self._silent(instrument, cell):
                yield place, silent
        places = [place for place, cell in enumerate(cells) if self._silent(instrument, cell) is None]
        async with aclosing(self._spoken_texts(instrument, [cells[place] for place in places])) as texts:
            async for place, response in texts:
                yield places[place], response

    async def _spoken_texts(
        self, instrument: Instrument, cells: Sequence[Cell]
    ) -> AsyncGenerator[tuple[int, Response], None]:
        requests = [self._request(item, draw) for item, draw in cells]
        said: list[list[Piece]] = [[] for _ in cells]
        started: list[Started | None] = [None] * len(cells)
        ended = 0
        began = time.perf_counter()
        async with aclosing(self.engine.generate(requests)) as events:  # type: ignore[type-var]
            async for event in events:
                match event:
                    case Chunk(index=index, text=text):
                        said[index].append(Piece(text))
                    case Thought(index=index, text=text):
                        said[index].append(Piece(text, thinking=True))
                    case Started():
                        started[event.index] = event
                    case Finished(index=index) if (start := started[index]) is not None:
                        ended += 1
                        seconds = time.perf_counter() - began
                        yield index, self._spoken(instrument, cells[index], said[index], start, event, seconds)
                    case Failed():
                        raise event.error
        if ended < len(cells):
            raise EngineError(f"the engine of {self.engine.base} ended before its replies did", "call again")

    def _spoken(
        self, instrument: Instrument, cell: Cell, pieces: Sequence[Piece], start: Started, end: Finished, seconds: float
    ) -> Response:
        item, draw = cell
        told = joined(pieces, end.unfinished)
        fields = self._blank(instrument, item, draw)
        return Response(
            **fields, text=told.text.strip(), kind=_class_of(item, told, end.reason), finish_reason=end.reason,
            seed=start.seed, prompt_tokens=end.prompt_tokens, completion_tokens=end.completion_tokens,
            seconds=round(seconds, 3), thinking=told.thinking or "", unfinished=told.unfinished,
        )  # fmt: skip

    def _blank(self, instrument: Instrument, item: Item, draw: int) -> dict[str, Any]:
        """The fields of a response that are known before, with the passages that it answers from."""
        fields = blank(item, self.respondent, instrument.name, instrument.version, draw)
        grounds = None if item.form == "raw" else self.voice.grounds(item.prompt)
        if grounds is not None:
            passages = [[each.passage.work.id, each.passage.start, each.passage.end] for each in grounds.passages]
            fields["metadata"] |= {"passages": passages, "declined": grounds.declined, "works": list(grounds.works)}
        return fields

    async def _ground(self, cells: Sequence[Cell]) -> None:
        """What its works say of the items, where it has works: texts begin with a quotation, options are scored behind
        the same passages, without one. Raw continuations are the base's alone."""
        chats = [item for item, _ in cells if item.form != "raw"]
        await self.voice.ground(prompt for item in chats for prompt in (item.prompts or (item.prompt,)))

    def _silent(self, instrument: Instrument, cell: Cell) -> Response | None:
        """What is said where its works do not speak of an item; no model is asked. None where they do."""
        item, draw = cell
        grounds = self.voice.grounds(item.prompt)
        if grounds is None or not grounds.declined:
            return None
        start, end = Started(0, 0, 0, self.seed + draw), Finished(0, "stop", 0, 0)
        return self._spoken(instrument, cell, [Piece(grounds.refusal)], start, end, 0.0)

    def _request(self, item: Item, draw: int, led: bool = True) -> Request:
        """What the engine is asked for one cell; each draw has a seed of its own. `led`: see `AssistantSession`."""
        if item.form == "raw":
            sampling = Sampling(
                temperature=item.temperature, max_tokens=item.max_tokens, stop=item.stop, seed=self.seed + draw,
                repeat_penalty=1.0,
            )  # fmt: skip
            return Request((), sampling, raw=item.prompt, adapter=self.voice.assistant.adapter)
        options = AskOptions(
            max_tokens=item.max_tokens, temperature=item.temperature, seed=self.seed + draw, system=item.system
        )
        request = self.voice.request(item.prompt, options, led)
        return replace(request, sampling=replace(request.sampling, stop=request.sampling.stop + item.stop))


def _class_of(item: Item, told: Told, reason: str) -> str:
    """The class of what was said to an assistant; raw continuations have none."""
    if item.form == "raw":
        return ""
    if told.unfinished:
        return "broken"
    return classify(told.text.strip(), question=item.prompt, language=item.language, finish_reason=reason).kind
