"""How a prompt is brought into a stream: in decodes of tokens, or of one picture's embeddings, never of both.

Knows prompts and contexts. Does not know replies, or when somebody's turn is; that is `scheduler`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ...errors import EngineError
from .context import Context
from .projector import Part, Projector
from .prompts import Prompt

Decode = Callable[[], None]


def decodes(
    context: Context, stream: int, prompt: Prompt, tokens: Sequence[int], start: int, projector: Projector | None = None
) -> Iterator[Decode]:
    """The decodes that compute these tokens, which stand at the place `start` of a prompt or of what follows it.

    Each is to be called before the next is asked for; its last row has logits. `projector`: of prompts with pictures.
    """
    for first, after, part in prompt.runs(start, start + len(tokens)):
        begin = prompt.position(first)
        if part is not None:
            assert projector is not None
            yield from _picture(context, stream, part, begin, projector)
            continue
        for low in range(first, after, context.chunk):
            own = tokens[low - start : min(low + context.chunk, after) - start]
            at, rows = begin + low - first, len(own)
            yield partial(context.decode, own, range(at, at + rows), [stream] * rows, [rows - 1])


def _picture(context: Context, stream: int, part: Part, begin: int, projector: Projector) -> Iterator[Decode]:
    if not part.causal and part.tokens > context.chunk:
        most = f"its engine computes {context.chunk:,}"
        raise EngineError(
            f"the model sees this picture as {part.tokens:,} tokens at once, and {most}",
            "ask through another model that sees pictures",
        )
    embeddings, places = projector.embeddings(part), part.positions(begin)
    for low in range(0, part.tokens, context.chunk):
        own = slice(low, low + context.chunk)
        yield partial(context.decode_embeddings, embeddings[own], places[:, own], stream, causal=part.causal)
