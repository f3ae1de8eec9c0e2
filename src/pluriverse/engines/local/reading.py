"""How a prompt is brought into a stream: in decodes of tokens, or of one picture's embeddings, never of both.

Knows prompts and contexts. Does not know replies, or when somebody's turn is; that is `scheduler`.
"""

from collections.abc import Callable, Iterator
from functools import partial

from ...errors import EngineError
from .context import Context
from .projector import Part, Projector
from .prompts import Prompt

Decode = Callable[[], None]


def decodes(
    context: Context, stream: int, prompt: Prompt, start: int, end: int, projector: Projector | None
) -> Iterator[tuple[int, Decode]]:
    """The decodes that compute prompt tokens [start, end), each with its number of rows; the last row of each has
    logits. Each is to be called before the next is asked for."""
    for first, after, part in prompt.runs(start, end):
        begin = prompt.position(first)
        if part is not None:
            assert projector is not None
            yield from _picture(context, stream, part, begin, projector)
            continue
        for low in range(first, after, context.chunk):
            rows = min(context.chunk, after - low)
            at = range(begin + low - first, begin + low - first + rows)
            yield rows, partial(context.decode, prompt.tokens[low : low + rows], at, [stream] * rows, [rows - 1])


def _picture(
    context: Context, stream: int, part: Part, begin: int, projector: Projector
) -> Iterator[tuple[int, Decode]]:
    if not part.causal and part.tokens > context.chunk:
        raise EngineError(
            f"the model sees this picture as {part.tokens:,} tokens at once; its engine computes {context.chunk:,} at once",
            "ask through another model that sees pictures",
        )
    embeddings, places = projector.embeddings(part), part.positions(begin)
    for low in range(0, part.tokens, context.chunk):
        own = slice(low, low + context.chunk)
        rows = len(embeddings[own])
        yield rows, partial(context.decode_embeddings, embeddings[own], places[:, own], stream, causal=part.causal)
