"""The public verbs for async code; `pluriverse` itself has the same ones without `await`.

    from pluriverse import aio

    async with aio.Pluriverse() as pluriverse:
        replies = await pluriverse.ask("What is a fair tax?", panel="works")

Engines run as long as the `Pluriverse` is open. The functions of this module open one for a single call: use them for
single questions, and a `Pluriverse` for more.
"""

from .api.asynchronous import (
    Chat,
    Options,
    Pluriverse,
    Who,
    ask,
    assistants,
    fit,
    models,
    new,
    panels,
    pull,
    score,
    search_works,
    stream,
)

__all__ = [
    "Chat",
    "Options",
    "Pluriverse",
    "Who",
    "ask",
    "assistants",
    "fit",
    "models",
    "new",
    "panels",
    "pull",
    "score",
    "search_works",
    "stream",
]
