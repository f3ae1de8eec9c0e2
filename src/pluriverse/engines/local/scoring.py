"""Exact log-probabilities of given continuations.

The prefix is decoded once; each continuation is decoded alone behind it and taken back, so that its score does not
depend on which others are asked for. Knows tokens and logits. Does not know text, processes or requests for generation.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ContextOverflowError, UsageError
from ..contract import Token
from ..guiding import contrasted, log_softmax
from .context import LENGTH_STEP, Context, Logits, Shape
from .model import Model
from .options import EngineOptions
from .pace import Pace
from .prompts import Contrast, Prompt
from .sampling import token_told
from .turns import Turns

ROWS = 64  # most rows of logits one decode gives: 12 MB at a vocabulary of 49,152


@dataclass(frozen=True, slots=True)
class TokenScores:
    """`logprobs`: natural logarithm, one per token. `logits`: float32 [tokens, vocabulary] if wanted."""

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    logits: Logits | None


class Scorer:
    """Scores on a context of its own with one stream; made on first use, grown when needed."""

    def __init__(self, model: Model, options: EngineOptions, turns: Turns, pace: Pace | None = None) -> None:
        self._model = model
        self._options = options
        self._turns = turns
        self._pace = pace
        self._context: Context | None = None
        self._held: tuple[int, ...] = ()  # tokens in the stream
        self._held_cuts: tuple[int, ...] = ()
        self._held_under = ""  # which adapter
        self._last: Logits | None = None  # logits after the held tokens
        self._other: Scorer | None = None  # for the other side of guided scores

    @property
    def tokens_held(self) -> int:
        """Tokens that the context has room for."""
        own = self._context.length if self._context else 0
        return own + (self._other.tokens_held if self._other else 0)

    def run(
        self, prompt: Prompt, continuations: Sequence[tuple[int, ...]], logits: bool
    ) -> Generator[None, None, list[TokenScores]]:
        """Yields after every decode, so that replies can go on in between; returns a score per continuation."""
        if not prompt.tokens:
            raise UsageError("the prefix has no tokens", "give at least one word before the continuation")
        longest = len(prompt.tokens) + max(map(len, continuations), default=0)
        if longest > self._model.context_length:
            raise ContextOverflowError(
                f"prefix and continuation are {longest:,} tokens; the model reads {self._model.context_length:,}"
            )
        context = self._fitted(longest)
        yield from self._read(context, prompt)
        scores = []
        for tokens in continuations:
            scores.append((yield from self._score(context, tokens, logits)))
        return scores

    def run_guided(
        self, prompt: Prompt, contrast: Contrast, continuations: Sequence[tuple[int, ...]], logits: bool
    ) -> Generator[None, None, list[TokenScores]]:
        """As `run`, for a guided voice; the other side is read by a scorer of its own, so that both keep their prefix.

        One continuation at a time: the logits of both sides are held only that long.
        """
        if self._other is None:
            self._other = Scorer(self._model, self._options, self._turns, self._pace)
        scores = []
        for tokens in continuations:
            (voice,) = yield from self.run(prompt, [tokens], True)
            (against,) = yield from self._other.run(contrast.prompt, [tokens], True)
            assert voice.logits is not None and against.logits is not None
            rows = contrasted(voice.logits, against.logits, contrast.strength)
            logprobs = log_softmax(rows)[range(len(tokens)), tokens]
            scores.append(TokenScores(tokens, tuple(logprobs.tolist()), rows if logits else None))
        return scores

    def read(self, tokens: Sequence[int], likeliest: int) -> Generator[None, None, list[Token]]:
        """Each token with its log-probability after all before it, and so many of the likeliest; the first without."""
        if len(tokens) > self._model.context_length:
            raise ContextOverflowError(
                f"{len(tokens):,} tokens are given; the model reads {self._model.context_length:,}"
            )
        context = self._fitted(len(tokens))
        self._held, self._held_cuts = (), ()
        context.remove(0, 0)
        found = [Token(each, self._model.shown(each)) for each in tokens[:1]]
        for low in range(0, len(tokens) - 1, ROWS):
            n = min(ROWS, len(tokens) - 1 - low)
            context.decode(tokens[low : low + n], range(low, low + n), [0] * n, range(n))
            for row in range(n):
                found.append(token_told(self._model, context.logits(row), tokens[low + row + 1], likeliest))
            yield
        context.remove(0, 0)
        return found

    def close(self) -> None:
        if self._context:
            self._context.close()
        if self._other:
            self._other.close()
        self._context, self._other, self._held = None, None, ()

    def _fitted(self, length: int) -> Context:
        if self._context is None or self._context.length < length:
            if self._context:
                self._context.close()
            self._held = ()
            o = self._options
            length = -(-length // LENGTH_STEP) * LENGTH_STEP
            shape = Shape(1, length, ROWS, o.threads, o.flash_attention, o.cache_type, o.chunk)
            self._context = Context(self._model, shape, self._turns, self._pace)
        return self._context

    def _read(self, context: Context, prompt: Prompt) -> Generator[None, None, None]:
        """Bring the prefix into the stream, keeping what is there already up to a cut that both share."""
        tokens = prompt.tokens
        if prompt.adapter != self._held_under:
            self._held, self._held_cuts, self._held_under = (), (), prompt.adapter
        if tokens == self._held:
            return
        shared = [
            cut
            for cut in prompt.cuts
            if cut in self._held_cuts and tokens[:cut] == self._held[:cut] and cut < len(tokens)
        ]
        start = max(shared, default=0) if self._model.plain_memory else 0
        context.remove(0, start)
        self._held, self._held_cuts = tokens[:start], tuple(cut for cut in self._held_cuts if cut <= start)
        for cut in prompt.cuts:
            for low in range(max(start, len(self._held)), cut, context.chunk):
                part = tokens[low : min(low + context.chunk, cut)]
                rows = len(part)
                context.decode(part, range(low, low + rows), [0] * rows, [rows - 1])
                self._held += part
                yield
        self._held_cuts = prompt.cuts
        self._last = context.logits(rows - 1).copy()

    def _score(self, context: Context, tokens: tuple[int, ...], want: bool) -> Generator[None, None, TokenScores]:
        assert self._last is not None
        start = len(self._held)
        rows = [self._last] if want else []
        logprobs = [float(log_softmax(self._last)[tokens[0]])]
        keep = None if self._model.plain_memory or len(tokens) == 1 else context.save(0)
        for low in range(0, len(tokens) - 1, ROWS):
            part = tokens[low : min(low + ROWS, len(tokens) - 1)]
            n = len(part)
            context.decode(part, range(start + low, start + low + n), [0] * n, range(n))
            for row in range(n):
                logits = context.logits(row)
                logprobs.append(float(log_softmax(logits)[tokens[low + row + 1]]))
                if want:
                    rows.append(logits.copy())
            yield
        if keep is not None:
            context.remove(0)
            context.restore(0, keep)
        elif len(tokens) > 1:
            context.remove(0, start)
        return TokenScores(tokens, tuple(logprobs), np.stack(rows) if want else None)
