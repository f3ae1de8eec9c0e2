"""What embeds, made ready: fetched the first time, and where it cannot be had, why not, so that words alone serve."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import IntegrityError, NoSpaceError, PluriverseError, UnreachableError
from ..settings import Settings
from ..works.index.models import ENGLISH, Model, model_for
from ..works.index.vectors import Meaning
from .events import Fetching
from .ready import Ready, ready

if TYPE_CHECKING:
    from ..engines.pool import EnginePool
    from ..store import Store

Why = Literal["offline", "unreachable", "engine", "language"]
"""offline: the user allows no network; unreachable: no source gives the model, or the disk is full; engine: it does not
load; language: the question is in another language than the works, and their model knows only that one."""


@dataclass(frozen=True, slots=True)
class WordsAlone:
    """They cannot: words alone find passages. `error` where something went wrong, with the next step in its hint."""

    why: Why
    model: str
    error: PluriverseError | None = None


async def ready_meaning(
    languages: Sequence[str], store: "Store", pool: "EnginePool", settings: Settings, *, question_language: str = ""
) -> AsyncGenerator[Fetching | Meaning | WordsAlone, None]:
    """The store's events while the model for works in these `languages` is fetched; then what embeds them, or why words
    alone serve.

    `question_language`: BCP 47, where it is known for certain.
    """
    name = model_for(languages)
    if name == ENGLISH and question_language.partition("-")[0] not in ("en", ""):
        yield WordsAlone("language", name)
        return
    try:
        async with aclosing(ready(name, store, pool, settings, context=0)) as steps:
            async for step in steps:
                if isinstance(step, Fetching):
                    yield step
                elif isinstance(step, Ready):
                    yield Meaning(Model(name, step.base.digest), step.engine)
    except (UnreachableError, NoSpaceError, IntegrityError) as error:
        yield WordsAlone("offline" if settings.offline else "unreachable", name, error)
    except PluriverseError as error:
        yield WordsAlone("engine", name, error)
