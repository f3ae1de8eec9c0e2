"""How a prompt is brought into a stream: in decodes of tokens, or of one picture's embeddings, never of both.

Knows prompts and contexts. Does not know replies, or when somebody's turn is; that is `scheduler`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...errors import EngineError
from .context import Context
from .projector import Part, Projector
from .prompts import Prompt

Decode = Callable[[Context, int], None]
"""Brings a piece of a prompt into a stream of a context."""


def decodes(
    prompt: Prompt, tokens: Sequence[int], start: int, chunk: int, projector: Projector | None = None
) -> Iterator[tuple[int, Decode]]:
    """The decodes that compute these tokens, which stand at the place `start` of a prompt or of what follows it, and
    how many tokens each has, at most `chunk`.

    Each is to be called before the next is asked for; its last row has logits. `projector`: of prompts with pictures.
    """
    for first, after, part in prompt.runs(start, start + len(tokens)):
        begin = prompt.position(first)
        if part is not None:
            assert projector is not None
            yield from _picture(part, begin, chunk, projector)
            continue
        for low in range(first, after, chunk):
            own = tokens[low - start : min(low + chunk, after) - start]
            yield len(own), partial(_text, own, begin + low - first)


def _text(tokens: Sequence[int], at: int, context: Context, stream: int) -> None:
    rows = len(tokens)
    context.decode(tokens, range(at, at + rows), [stream] * rows, [rows - 1])


def _picture(part: Part, begin: int, chunk: int, projector: Projector) -> Iterator[tuple[int, Decode]]:
    if not part.causal and part.tokens > chunk:
        most = f"its engine computes {chunk:,}"
        raise EngineError(
            f"the model sees this picture as {part.tokens:,} tokens at once, and {most}",
            "ask through another model that sees pictures",
        )
    embeddings, places = projector.embeddings(part), part.positions(begin)
    for low in range(0, part.tokens, chunk):
        own = slice(low, low + chunk)
        yield min(chunk, part.tokens - low), partial(_seen, embeddings[own], places[:, own], part.causal)


def _seen(
    embeddings: NDArray[np.float32], places: NDArray[np.int32], causal: bool, context: Context, stream: int
) -> None:
    context.decode_embeddings(embeddings, places, stream, causal=causal)
