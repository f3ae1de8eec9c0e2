"""Taking in models that an engine here can run: the store's pull, and a trial before the file becomes visible.

Knows the store's events and header checks, and the local engine's trial. Fetches and stores nothing itself.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import IntegrityError, PluriverseError, UnsupportedError
from ..settings import Settings

if TYPE_CHECKING:
    from ..store import PullEvent, Store
    from ..values import Pullable


async def check_file(path: Path) -> None:
    """Raises what `pull_usable` would raise over the bytes of this file."""
    from ..store import read_header
    from ..store.kinds import check_writes, has_vocabulary
    from ..values import names_of_parts
    from .local.trial import trial

    try:
        header = read_header(path, str(path))
    except IntegrityError as unsound:
        unsound.hint = "get that file anew from where it came; then the same command"
        raise
    check_writes(header, str(path), part=len(names_of_parts(path.name)) > 1)  # the library finds the other parts
    error = await trial(path, str(path))
    if error is not None and _final(error, has_vocabulary(header)):
        raise error


def _final(error: PluriverseError, vocabulary: bool) -> bool:
    """Whether it keeps the file out: of a file without a vocabulary only what the library does not know at all."""
    return vocabulary or isinstance(error, UnsupportedError)


async def pull_usable(store: "Store", pullable: "Pullable", settings: Settings) -> AsyncGenerator["PullEvent", None]:
    """The events of `store.pull`. Raises what that raises, and the library's reason for a model that it cannot load:
    where its architecture is told and the library does not have it, before a byte is fetched.

    A file without a vocabulary is no whole model: it is kept, and `Pulled.problem` says what is wrong.
    """
    from ..store import Pulled, Whole, pull
    from .local.trial import knows, trial

    pinned = pullable.digest is not None and pullable.size is not None  # the catalogue's own files were tried before
    problem = None
    if pullable.architecture and not pinned and (unknown := await knows(pullable.architecture, pullable.name)):
        raise unknown
    async with aclosing(pull(store, pullable, settings)) as events:
        async for event in events:
            if isinstance(event, Whole) and not pinned:
                yield event
                error = await trial(event.path, event.called)
                if error is not None and _final(error, event.vocabulary):
                    await events.athrow(error)
                problem = error.message if error else None
            elif isinstance(event, Pulled):
                yield replace(event, problem=problem)
            else:
                yield event


async def pull_projector(
    store: "Store", model: str, pullable: "Pullable", settings: Settings
) -> AsyncGenerator["PullEvent", None]:
    """The events of `store.pull` of a projector, which from then on belongs to the model of that name.

    Raises what that raises, NotFoundError where there is no such model, and EngineError with the library's reason where
    it is of another model, or cannot be loaded.
    """
    from ..store import Whole, pull
    from .local.trial import trial

    weights = store.find(model).path
    async with aclosing(pull(store, pullable, settings, model)) as events:
        async for event in events:
            yield event
            if isinstance(event, Whole) and (error := await trial(weights, model, event.path)):
                await events.athrow(error)
