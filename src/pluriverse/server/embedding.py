"""Vectors of texts, for every API that gives them.

Knows names and engines. Does not know shapes of answers.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..runtime.workspace import Workspace
from ..works.index.models import ENGLISH, MULTILINGUAL
from .names import base_of

if TYPE_CHECKING:
    import numpy as np

MOST = 2048  # texts of one request


async def embedded(workspace: Workspace, model: str, texts: Sequence[str]) -> "tuple[np.ndarray, int]":
    """float32 [len(texts), width], and how many tokens they have in all.

    The models that embed works are fetched where they are missing, as for works. NotFoundError for an unknown model,
    UnsupportedError for one that writes, UsageError for no text or too many.
    """
    if not texts or len(texts) > MOST:
        raise UsageError(f"{len(texts)} texts are to be embedded", f"give from 1 to {MOST}")
    base = model if model in {ENGLISH, MULTILINGUAL} else base_of(workspace, model)
    engine = (await workspace.ready(base, context=0)).engine
    vectors = await engine.embed(texts)
    return vectors, sum([await engine.count_tokens(each) for each in texts])
