"""What embeds, made ready: fetched the first time, and where it cannot be had, why not, so that words alone serve."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import IntegrityError, NoSpaceError, PluriverseError, UnreachableError
from ..settings import Settings
from ..works.index.folding import language_of
from ..works.index.models import Model, model_for
from ..works.index.vectors import Meaning
from ..works.schema import Why
from .events import Fetching
from .ready import Ready, ready

if TYPE_CHECKING:
    from ..engines.pool import EnginePool
    from ..store import Store


@dataclass(frozen=True, slots=True)
class WordsAlone:
    """They cannot: words alone find passages. `error` where something went wrong, with the next step in its hint."""

    why: Why
    model: str
    error: PluriverseError | None = None


async def ready_meaning(
    languages: Sequence[str], store: "Store", pool: "EnginePool", settings: Settings
) -> AsyncGenerator[Fetching | Meaning | WordsAlone, None]:
    """The store's events while the model for works in these `languages` is fetched; then what embeds them, or why words
    alone serve."""
    name = model_for(languages)
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


def of_question(how: Meaning | WordsAlone, question: str) -> Meaning | WordsAlone:
    """The same for one question: what embeds may not know the language that it is in."""
    if isinstance(how, Meaning) and not how.model.reads(language_of(question)):
        return WordsAlone("language", how.model.name)
    return how
