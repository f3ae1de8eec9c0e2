"""The one way in which a base is made ready: its bytes fetched where they may be, its engine started.

The one thing that is fetched without being asked for is the small default model, and the fetching is the store's work.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..assistant.bases import Base, NotPulled, resolve
from ..settings import DEFAULT_MODEL, Settings
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


async def fetched(ref: str, store: "Store", settings: Settings) -> AsyncGenerator[Fetching | Base, None]:
    """The store's events while the default model is fetched, where it is meant and missing; then the base.

    Raises what `bases.resolve` and the store raise.
    """
    try:
        base = resolve(ref, store, settings)
    except NotPulled as missing:
        pullable = missing.pullable
        if pullable.name != DEFAULT_MODEL:
            raise
        from ..store import pull

        async with aclosing(pull(store, pullable, settings)) as events:
            async for event in events:
                yield Fetching(pullable.name, event)
        base = resolve(ref, store, settings)
    yield base


async def fetched_all(refs: Sequence[str], store: "Store", settings: Settings) -> AsyncGenerator[Fetching, None]:
    """The same for all that will be needed, so that progress can be told before anything is loaded."""
    for ref in dict.fromkeys(refs):
        async with aclosing(fetched(ref, store, settings)) as steps:
            async for step in steps:
                if isinstance(step, Fetching):
                    yield step


async def ready(
    ref: str, store: "Store", pool: "EnginePool", settings: Settings, *, context: int
) -> AsyncGenerator[Fetching | Base | Ready, None]:
    """As `fetched`, and last the base with its engine. `context`: tokens that one request may need.

    Raises what the engine raises, too.
    """
    async with aclosing(fetched(ref, store, settings)) as steps:
        async for step in steps:
            yield step
            if isinstance(step, Base):
                yield Ready(step, await pool.engine(step, context=context))
