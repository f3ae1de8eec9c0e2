"""What the engine can do with one model, each thing held against logits that were computed in one piece.

A check gives "" where it holds, else what went wrong. Figures are natural logarithms of probabilities.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pluriverse.engines.guiding import contrasted, implausible, log_softmax
from pluriverse.engines.local.batch_scoring import BatchScorer
from pluriverse.engines.local.context import Context, Shape
from pluriverse.engines.local.library import Library
from pluriverse.engines.local.model import Model
from pluriverse.engines.local.options import EngineOptions
from pluriverse.engines.local.prompts import ChatTemplate, Contrast, Prompt
from pluriverse.engines.local.renderer import Renderer
from pluriverse.engines.local.scheduler import Reply, Scheduler
from pluriverse.engines.local.scoring import Scorer
from pluriverse.engines.local.sizes import cache_bytes_per_token
from pluriverse.engines.local.turns import Turns
from pluriverse.store.gguf import read_header
from pluriverse.store.kinds import check_kind
from pluriverse.values import Message, Sampling

CLOSE = 0.001  # most by which a number may differ from another way of computing it
USUAL = EngineOptions(threads=1, chunk=32)  # prompts come in several chunks
# Where numbers are compared rounding must not hide a fault, nor turn a choice of experts.
EXACT = replace(USUAL, cache_type="f32", flash_attention=False)
VOICES = ("Be brief.", "You speak for trees and rivers.", "Doubt it.", "You are the village doctor here.")
QUESTION = "What do we owe to others?"
CONTINUATIONS = (" Nothing.", " the truth", " A kind word")
LENGTHS = (5, 20, 3, 12)
STRENGTH = 1.5


class Proving:
    """One loaded model. `renderer` is shared by all that are tried, and stays open."""

    def __init__(self, library: Library, path: Path, renderer: Renderer) -> None:
        header = read_header(path)
        check_kind(header, path.name)
        self.model = Model(library, path)
        self._bytes = cache_bytes_per_token(header.metadata, "f32")
        self._renderer = renderer
        self._template = ChatTemplate(self.model, renderer)
        self._turns = Turns(None)

    def close(self) -> None:
        self.model.close()

    def results(self) -> dict[str, str]:
        """Every check by its name."""
        checks: dict[str, Callable[[], str]] = {
            "decodes": self.decodes,
            "scores": self.scores,
            "batches": self.batches,
            "guides": self.guides,
            "keeps state": self.keeps_state,
        }
        return {name: _tried(check) for name, check in checks.items()}

    def decodes(self) -> str:
        """Every token is the likeliest one by the logits of the whole text, and a second time the same."""
        first, second = (self._said([VOICES[1]], [24])[0] for _ in range(2))
        if first != second:
            return "a second time it says something else"
        start = len(self._prompt(VOICES[1]).tokens)
        rows = self.logits(first)[start - 1 :]
        short = [float(row.max() - row[token]) for row, token in zip(rows, first[start:], strict=False)]
        return _within(max(short), "a token is less likely than another")

    def scores(self) -> str:
        """One by one and many at once, scores are those of the whole text."""
        prompt = self._prompt(VOICES[0])
        messages = _messages(VOICES[0])
        tails = self._template.continuations(messages, prompt, CONTINUATIONS)
        whole = [self._logprobs(prompt.tokens, tail) for tail in tails]
        one, _ = self._scored_twice(prompt, tails, EXACT)
        if not np.array_equal(*map(_flat, self._scored_twice(prompt, tails, USUAL))):
            return "scores depend on what was scored before"
        batches = BatchScorer(self.model, replace(EXACT, chunk=512), self._turns)
        for id in range(3):
            batches.submit(id, prompt, tails)
        done = {}
        while not batches.idle:
            done.update(batches.step())
        batches.close()
        ways = {"alone": one} | {f"in a batch, {id}": [score.logprobs for score in found] for id, found in done.items()}
        return next((found for way, given in ways.items() if (found := _within(_apart(whole, given), way))), "")

    def batches(self) -> str:
        """Company, leaving and arriving change no word, with the memory that users have and with an exact one."""
        for options in (USUAL, EXACT):
            together = self._said(VOICES, LENGTHS, options=options)
            pairs = zip(VOICES, LENGTHS, strict=True)
            alone = [self._said([voice], [length], options=options)[0] for voice, length in pairs]
            if together != alone:
                return "in company it says something else"
        return ""

    def guides(self) -> str:
        """Every guided token is the best by the contrast of both sides' logits, alone and in company."""
        voice, other = (self._prompt(system) for system in VOICES[:2])
        alone = self._said(VOICES[:1], [16], Contrast(other, STRENGTH))[0]
        company = self._said([VOICES[0], *VOICES[2:]], [16, 9, 4], Contrast(other, STRENGTH))[0]
        if alone != company:
            return "in company it says something else"
        said = alone[len(voice.tokens) :]
        rows = self.logits(alone)[len(voice.tokens) - 1 : -1]
        others = self.logits((*other.tokens, *said))[len(other.tokens) - 1 : -1]
        guided = contrasted(rows, others, STRENGTH)
        short = []
        for row, own, token in zip(guided, rows, said, strict=True):
            row[implausible(own + np.float32(CLOSE))] = -np.inf
            short.append(float(row.max() - row[token]))
        return _within(max(short), "a token is less likely than another", CLOSE * (1 + 2 * STRENGTH))

    def keeps_state(self) -> str:
        """What is saved of one stream and restored into another of another context goes on, bit for bit."""
        tokens = self._prompt(VOICES[3]).tokens
        on, restored = self._gone_on(tokens, USUAL)
        if not np.array_equal(on, restored):
            return f"it goes on otherwise: {np.abs(on - restored).max():.4f}"
        whole, (_, restored) = log_softmax(self.logits(tokens)[-1]), self._gone_on(tokens, EXACT)
        return _within(float(np.abs(log_softmax(restored) - whole).max()), "after it")

    def _gone_on(self, tokens: tuple[int, ...], options: EngineOptions) -> list[np.ndarray]:
        """Logits after `tokens` where all but the last were read, and where they were restored."""
        one, other = (self._context(8, options) for _ in range(2))
        try:
            self._read(one, tokens[:-1], 0)
            state = one.save(0)
            self._read(other, tokens[:20], 3)
            other.remove(3)
            other.restore(3, state)
            rows = []
            for context, stream in ((one, 0), (other, 3)):
                context.decode(tokens[-1:], [len(tokens) - 1], [stream], [0])
                rows.append(context.logits(0).copy())
            return rows
        finally:
            one.close()
            other.close()

    def _scored_twice(
        self, prompt: Prompt, tails: Sequence[tuple[int, ...]], options: EngineOptions
    ) -> list[list[tuple[float, ...]]]:
        """Log-probabilities of each, and those of a second time, in the other order."""
        scorer = Scorer(self.model, options, self._turns)
        try:
            first, second = (
                [score.logprobs for score in _returned(scorer.run(prompt, given, False))]
                for given in (tails, tails[::-1])
            )
        finally:
            scorer.close()
        return [first, second[::-1]]

    def logits(self, tokens: Sequence[int]) -> np.ndarray:
        """float32 [tokens, vocabulary], computed in one piece."""
        shape = Shape(1, 256, 256, 1, False, "f32")
        context = Context(self.model, shape, self._turns)
        try:
            n = len(tokens)
            context.decode(tokens, range(n), [0] * n, range(n))
            return np.stack([context.logits(row).copy() for row in range(n)])
        finally:
            context.close()

    def _logprobs(self, head: tuple[int, ...], tail: tuple[int, ...]) -> list[float]:
        rows = log_softmax(self.logits((*head, *tail))[len(head) - 1 : -1])
        return [float(value) for value in rows[range(len(tail)), tail]]

    def _context(self, streams: int, options: EngineOptions) -> Context:
        o = options
        shape = Shape(streams, 256, streams, o.threads, o.flash_attention, o.cache_type, o.chunk)
        return Context(self.model, shape, self._turns)

    @staticmethod
    def _read(context: Context, tokens: Sequence[int], stream: int) -> None:
        for low in range(0, len(tokens), 32):
            part = tokens[low : low + 32]
            context.decode(part, range(low, low + len(part)), [stream] * len(part), [])

    def _prompt(self, system: str) -> Prompt:
        return self._template.prompt(_messages(system))

    def _said(
        self,
        voices: Sequence[str],
        lengths: Sequence[int],
        contrast: Contrast | None = None,
        options: EngineOptions = EXACT,
    ) -> list[tuple[int, ...]]:
        """Prompt and reply of each, in tokens. The first is guided; the last arrives when others have begun."""
        scheduler = Scheduler(self.model, options, self._bytes, self._turns, template=self._template)
        replies: list[Reply] = []
        try:
            for id, (voice, length) in enumerate(zip(voices, lengths, strict=True)):
                if id and id == len(voices) - 1:
                    for _ in range(6):
                        scheduler.step()
                given = Sampling(temperature=0.0, max_tokens=length, repeat_penalty=1.0)
                scheduler.submit(id, self._prompt(voice), given, contrast if id == 0 else None)
                replies.append(scheduler._waiting[-1])
            while not scheduler.idle:
                scheduler.step()
            return [tuple(reply.tracks[0].tokens) for reply in replies]
        finally:
            for reply in scheduler._waiting:
                reply.sampler.close()
            if scheduler._context:
                scheduler._context.close()


def _messages(system: str) -> list[Message]:
    return [Message("system", system), Message("user", QUESTION)]


def _tried(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _returned(steps):  # type: ignore[no-untyped-def]
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def _flat(scores: Sequence[Sequence[float]]) -> list[float]:
    return [value for score in scores for value in score]


def _within(difference: float, what: str, most: float = CLOSE) -> str:
    return "" if difference <= most else f"{what}: {difference:.4f}"


def _apart(one: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> float:
    return max(abs(a - b) for a, b in zip(_flat(one), _flat(other), strict=True))
