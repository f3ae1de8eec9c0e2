"""What every verb works with: the settings, the store, the shelf of assistants, the running engines.

Opens nothing before it is used; closes the engines it started. One workspace belongs to one event loop.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import cached_property
from typing import TYPE_CHECKING, Self

from ..assistant import Assistant, Shelf
from ..assistant.strengths import Strengths
from ..errors import UsageError
from ..settings import Settings, load

if TYPE_CHECKING:
    from ..assistant.bases import Base
    from ..assistant.default_base import BaseChosen
    from ..engines.pool import EnginePool
    from ..store import Store
    from .events import Fetching
    from .ready import Ready


class Workspace:
    """Use it as an async context manager, or call `aclose()`: engines are processes and must end."""

    def __init__(self, settings: Settings | None = None, pool: "EnginePool | None" = None) -> None:
        """`pool`: that of another workspace, whose engines serve this one too; whoever made it closes it."""
        self.settings = load() if settings is None else settings
        self._shared = pool

    @cached_property
    def store(self) -> "Store":
        from ..store import Store

        return Store.at(self.settings)

    @cached_property
    def shelf(self) -> Shelf:
        return Shelf(self.settings)

    @cached_property
    def strengths(self) -> Strengths:
        """Strengths of guidance that were found too high on a base."""
        return Strengths(self.settings.home / "strengths.json")

    @cached_property
    def pool(self) -> "EnginePool":
        from ..engines.pool import EnginePool

        if self._shared is not None:
            return self._shared
        return EnginePool(self.settings)

    def choose(self, names: Sequence[str | Assistant] | None = None, panel: str | None = None) -> list[Assistant]:
        """The assistants meant by `names`, or by a panel's name, or (neither given) the panel of the settings.

        UsageError when both are given, NotFoundError for a name that is not on the shelf.
        """
        if names is not None and panel is not None:
            raise UsageError("both assistants and a panel were given", "give one of the two")
        if names is None:
            names = self.shelf.panel(panel or self.settings.panel).members
        elif isinstance(names, str):
            names = [names]
        return [name if isinstance(name, Assistant) else self.shelf.assistant(name) for name in names]

    def readying(
        self, base: str = "default", *, context: int = 2048
    ) -> "AsyncGenerator[Fetching | BaseChosen | Base | Ready, None]":
        """Make a base ready, step by step: see `runtime.ready.ready`."""
        from .ready import ready

        return ready(base, self.store, self.pool, self.settings, context=context)

    async def ready(self, base: str = "default", *, context: int = 2048) -> "Ready":
        """The base with its engine; a model of the ladder is fetched first where it is missing.

        `context`: tokens that one request may need. Raises what the store and the engine raise.
        """
        from .ready import Ready

        async with aclosing(self.readying(base, context=context)) as steps:
            async for step in steps:
                if isinstance(step, Ready):
                    return step
        raise AssertionError("it ends with an engine or an error")

    async def aclose(self) -> None:
        """End the engines. Safe to call twice; the workspace may be used again afterwards."""
        pool = self.__dict__.pop("pool", None)
        if pool is not None and pool is not self._shared:
            await pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()
