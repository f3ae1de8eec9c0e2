"""Raw loops over one model: read tokens, decode voices side by side, the likeliest token every time.

For trials and measurements, where an engine's scheduler would be in the way. Knows contexts; knows no process.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ..local.context import Context, Shape
from ..local.model import Model
from ..local.sizes import physical_cores
from ..local.turns import Turns

QUESTIONS = (
    "What makes a society fair?", "Who was the first to sail around the world?", "Is lying ever right?",
    "Explain how bread rises.", "What is a prime number?", "Write a short poem about rain.",
    "Why do people migrate?", "How is cheese made?",
)  # fmt: skip


@contextmanager
def context_of(
    model: Model, streams: int, length: int, *, threads: int = 0, flash: bool = True, chunk: int = 512, rows: int = 0
) -> Iterator[Context]:
    """A context that is closed at the end. `rows` of logits from one decode, if more than streams."""
    shape = Shape(streams, length, max(streams, rows), threads or physical_cores(), flash, chunk=chunk)
    context = Context(model, shape, Turns(None))
    try:
        yield context
    finally:
        context.close()


def question_tokens(model: Model, question: str) -> list[int]:
    return model.tokenize(f"Question: {question}\nAnswer:", special=False, add_bos=model.adds_bos)


def feed(context: Context, stream: int, tokens: Sequence[int], start: int = 0) -> int:
    """Read tokens into a stream; the likeliest next one."""
    for low in range(0, len(tokens), context.chunk):
        part = tokens[low : low + context.chunk]
        n, at = len(part), start + low
        context.decode(part, range(at, at + n), [stream] * n, [n - 1])
    return int(context.logits(n - 1).argmax())


def greedy(model: Model, prompts: Sequence[Sequence[int]], steps: int) -> list[list[int]]:
    """What each prompt is continued with, all in one batch."""
    with context_of(model, len(prompts), max(map(len, prompts)) + steps) as context:
        said = [[feed(context, stream, prompt)] for stream, prompt in enumerate(prompts)]
        streams = range(len(prompts))
        for step in range(steps - 1):
            context.decode([each[-1] for each in said], [len(p) + step for p in prompts], streams, list(streams))
            for stream in streams:
                said[stream].append(int(context.logits(stream).argmax()))
    return said


def log_probabilities(model: Model, tokens: Sequence[int], start: int = 1) -> NDArray[np.float32]:
    """float32 [len(tokens) - start, vocabulary]: log-probabilities before each token from `start` on, in one decode."""
    n = len(tokens) - 1
    wanted = list(range(start - 1, n))
    with context_of(model, 1, n, rows=len(wanted)) as context:
        context.decode(tokens[:-1], range(n), [0] * n, wanted)
        rows = np.stack([context.logits(row) for row in wanted])
    rows -= rows.max(-1, keepdims=True)
    rows -= np.log(np.exp(rows).sum(-1, keepdims=True))
    return rows


def prefill_speed(context: Context, length: int, times: int = 3) -> float:
    """Tokens per second of reading one prompt into an empty stream, the best of some times."""
    tokens, best = some_tokens(context.model, length), float("inf")
    for _ in range(times):
        context.remove(0)
        begin = time.perf_counter()
        feed(context, 0, tokens)
        best = min(best, time.perf_counter() - begin)
    return length / best


def decode_speed(context: Context, filled: int, steps: int = 24, times: int = 3) -> float:
    """Tokens per second, all streams together, each holding `filled` tokens before; the best of some times."""
    tokens, count, best = some_tokens(context.model, filled + steps), context.shape.streams, float("inf")
    streams = range(count)
    for stream in streams:
        context.remove(stream)
        feed(context, stream, tokens[:filled])
    for _ in range(times):
        begin = time.perf_counter()
        for step in range(filled, filled + steps):
            context.decode([tokens[step]] * count, [step] * count, streams, list(streams))
        best = min(best, time.perf_counter() - begin)
        for stream in streams:
            context.remove(stream, filled)
    return count * steps / best


def some_tokens(model: Model, length: int) -> list[int]:
    """Tokens of plain words, as many as wanted."""
    words = model.tokenize(" ".join(QUESTIONS), special=False)
    return (words * (length // len(words) + 1))[:length]
