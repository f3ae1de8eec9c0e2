"""The one way in which a base is made ready: its bytes fetched where they may be, its engine started.

What is fetched without being asked for are the models of the ladder and those that embed works; the fetching is the
store's work.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..assistant.bases import Base, NotPulled, choice_of, resolve
from ..assistant.default_base import BaseChosen, chosen
from ..catalogue import find
from ..catalogue.ladder import rungs
from ..errors import IntegrityError, NoSpaceError, UnreachableError
from ..settings import Settings
from ..works.index.models import ENGLISH, MULTILINGUAL
from .events import Fetching

if TYPE_CHECKING:
    from ..engines.contract import Engine
    from ..engines.pool import EnginePool
    from ..store import Store


@dataclass(frozen=True, slots=True)
class Ready:
    """A base with its engine, started."""

    base: Base
    engine: "Engine"


async def fetched(ref: str, store: "Store", settings: Settings) -> AsyncGenerator[Fetching | BaseChosen | Base, None]:
    """The store's events while a model of the ladder, or one that embeds, is missing and fetched; then the base.

    Where "default" is another rung than the wanted one and that is here, first which it is and why. Raises what
    `bases.resolve` and the store raise.
    """
    try:
        base = resolve(ref, store, settings)
    except NotPulled as missing:
        if missing.pullable.name not in {ENGLISH, MULTILINGUAL, *(each.model for each in rungs())}:
            raise
        async with aclosing(_fetch(missing, store, settings)) as steps:
            async for step in steps:
                yield step
        base = resolve(ref, store, settings)
    else:
        choice = choice_of(ref, store, settings)
        if choice is not None and choice.why is not None:
            yield choice
    yield base


async def _fetch(missing: NotPulled, store: "Store", settings: Settings) -> AsyncGenerator[Fetching, None]:
    """Pull it. Where it was chosen for "default" and cannot be had, the next lower rung.

    Raises what the store raises of the last that was tried.
    """
    from ..store import pull

    pullable, choice = missing.pullable, missing.choice
    failed: list[str] = []
    while True:
        if choice is not None:
            yield Fetching(pullable.name, choice)
        try:
            async with aclosing(pull(store, pullable, settings)) as events:
                async for event in events:
                    yield Fetching(pullable.name, event)
            return
        except (UnreachableError, IntegrityError, NoSpaceError) as error:
            if choice is None:
                raise
            failed.append(choice.rung.name)
            choice = chosen(store, settings, failed=failed, error=error)
            lower = None if choice.rung.name in failed else find(choice.rung.model)
            if lower is None:
                raise
            pullable = lower


async def fetched_all(refs: Sequence[str], store: "Store", settings: Settings) -> AsyncGenerator[Fetching, None]:
    """The same for all that will be needed, so that progress can be told before anything is loaded."""
    for ref in dict.fromkeys(refs):
        async with aclosing(fetched(ref, store, settings)) as steps:
            async for step in steps:
                if isinstance(step, Fetching):
                    yield step


async def ready(
    ref: str, store: "Store", pool: "EnginePool", settings: Settings, *, context: int
) -> AsyncGenerator[Fetching | BaseChosen | Base | Ready, None]:
    """As `fetched`, and last the base with its engine. `context`: tokens that one request may need.

    Raises what the engine raises, too.
    """
    async with aclosing(fetched(ref, store, settings)) as steps:
        async for step in steps:
            yield step
            if isinstance(step, Base):
                yield Ready(step, await pool.engine(step, context=context))
