"""From items to what engines are asked, and from what they say to responses. Scores or texts, raw or as a chat.

Knows voices, items and engines. Does not know runs, files or figures.
"""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from ..ask import AskOptions
from ..engines.contract import Chunk, Engine, Failed, Finished, Request, Scored, ScoreRequest, Started, Thought
from ..engines.thinking import Piece, Told, joined
from ..errors import EngineError
from ..values import Sampling
from .answering import Voice
from .classes import classify
from .instrument import Instrument
from .items import Item
from .responses import Respondent, Response, blank

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


class Asker:
    """One respondent: its voice, and how it is named in rows."""

    def __init__(self, voice: Voice, respondent: Respondent, seed: int) -> None:
        self.voice, self.respondent, self.seed = voice, respondent, seed

    @property
    def engine(self) -> Engine:
        return self.voice.engine

    async def ask(self, instrument: Instrument, cells: Sequence[Cell]) -> AsyncIterator[list[Response]]:
        """The responses to all cells, in parts as they come. Raises the error of any that failed."""
        for part in parts(cells):
            yield await (self._score if part[0][0].options else self._speak)(instrument, part)

    async def _score(self, instrument: Instrument, cells: Sequence[Cell]) -> list[Response]:
        requests: list[ScoreRequest] = []
        places: list[tuple[int, int]] = []  # which requests belong to a cell
        for item, _ in cells:
            first = len(requests)
            requests += self._requests(item)
            places.append((first, len(requests)))
        began = time.perf_counter()
        found: list[Scored] = []
        async with aclosing(self.engine.score_all(requests)) as answers:  # type: ignore[type-var]
            async for answer in answers:
                if isinstance(answer, Failed):
                    raise answer.error
                found.append(answer)
        seconds = (time.perf_counter() - began) / len(cells)
        responses = []
        for (item, draw), (low, high) in zip(cells, places, strict=True):
            scores = [score for each in found[low:high] for score in each.scores]
            fields = blank(item, self.respondent, instrument.name, instrument.version, draw)
            totals = tuple(round(score.total, 5) for score in scores)
            tokens = sum(len(score.tokens) for score in scores)
            responses.append(Response(**fields, logprobs=totals, completion_tokens=tokens, seconds=round(seconds, 5)))
        return responses

    def _requests(self, item: Item) -> list[ScoreRequest]:
        if item.form == "raw" and item.prompts:
            pairs = zip(item.prompts, item.options, strict=True)
            return [ScoreRequest(prompt, (option,)) for prompt, option in pairs]
        if item.form == "raw":
            return [ScoreRequest(item.prompt, item.options)]
        request = self._request(item, 0)
        if item.prompts:
            each = [replace(item, prompt=prompt, prompts=()) for prompt in item.prompts]
            made = [self._request(one, 0) for one in each]
            return [
                ScoreRequest(one.messages, (option,), one.guide) for one, option in zip(made, item.options, strict=True)
            ]
        return [ScoreRequest(request.messages, item.options, request.guide)]

    async def _speak(self, instrument: Instrument, cells: Sequence[Cell]) -> list[Response]:
        requests = [self._request(item, draw) for item, draw in cells]
        said: list[list[Piece]] = [[] for _ in cells]
        started: list[Started | None] = [None] * len(cells)
        ends: list[tuple[Finished, float] | None] = [None] * len(cells)
        began = time.perf_counter()
        async for event in self.engine.generate(requests):
            match event:
                case Chunk(index=index, text=text):
                    said[index].append(Piece(text))
                case Thought(index=index, text=text):
                    said[index].append(Piece(text, thinking=True))
                case Started():
                    started[event.index] = event
                case Finished():
                    ends[event.index] = event, time.perf_counter() - began
                case Failed():
                    raise event.error
        responses = []
        for (item, draw), pieces, start, end in zip(cells, said, started, ends, strict=True):
            if end is None or start is None:
                raise EngineError(f"the engine of {self.engine.base} ended before its replies did", "call again")
            finished, seconds = end
            told = joined(pieces, finished.unfinished)
            kind = _class_of(item, told, finished.reason)
            fields = blank(item, self.respondent, instrument.name, instrument.version, draw)
            responses.append(
                Response(
                    **fields, text=told.text.strip(), kind=kind, finish_reason=finished.reason, seed=start.seed,
                    prompt_tokens=finished.prompt_tokens, completion_tokens=finished.completion_tokens,
                    seconds=round(seconds, 3), thinking=told.thinking or "", unfinished=told.unfinished,
                )
            )  # fmt: skip
        return responses

    def _request(self, item: Item, draw: int) -> Request:
        """What the engine is asked for one cell; each draw has a seed of its own."""
        if item.form == "raw":
            sampling = Sampling(
                temperature=item.temperature, max_tokens=item.max_tokens, stop=item.stop, seed=self.seed + draw,
                repeat_penalty=1.0,
            )  # fmt: skip
            return Request((), sampling, raw=item.prompt)
        options = AskOptions(
            max_tokens=item.max_tokens, temperature=item.temperature, seed=self.seed + draw, system=item.system
        )
        request = self.voice.request(item.prompt, options)
        return replace(request, sampling=replace(request.sampling, stop=request.sampling.stop + item.stop))


def _class_of(item: Item, told: Told, reason: str) -> str:
    """The class of what was said to an assistant; raw continuations have none."""
    if item.form == "raw":
        return ""
    if told.unfinished:
        return "broken"
    return classify(told.text.strip(), question=item.prompt, language=item.language, finish_reason=reason).kind
