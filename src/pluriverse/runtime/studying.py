"""Works read for the first time: texts that are not here are fetched, what embeds is made ready, and makes the vectors
that are missing.

Knows the workspace; nothing of questions.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from ..values import Work
from ..works.fetching import fetch_text, has_home
from ..works.index.keeping import keep
from ..works.index.models import model_for
from ..works.index.search import search
from ..works.index.vectors import Meaning, any_kept, embed_works
from ..works.schema import Found, Why
from ..works.texts import is_here
from .events import Fetching, FetchingWork, Studying
from .meaning import WordsAlone, of_question, ready_meaning

if TYPE_CHECKING:
    from .workspace import Workspace


async def study(
    workspace: "Workspace", works: Sequence[Work]
) -> AsyncGenerator[FetchingWork | Fetching | Studying | Meaning | WordsAlone, None]:
    """Have works searched by meaning: what is fetched and read for that comes first, then Meaning, or why words alone
    serve.

    What was read stays where this is ended half way, and is gone on with. Raises as `embed_works` and `fetch_text`.
    """
    async with aclosing(_texts(workspace, works)) as fetched:
        async for work in fetched:
            yield FetchingWork(work)
    async with aclosing(_ready(workspace, works)) as steps:
        async for step in steps:
            if isinstance(step, Meaning):
                async with aclosing(embed_works(workspace.store, workspace.settings, works, step)) as read:
                    async for each in read:
                        yield Studying(each.work, each.done, each.total)
            yield step


async def search_works(
    workspace: "Workspace", works: Sequence[Work], question: str, k: int
) -> tuple[list[Found], Why | None]:
    """The `k` passages that a question is about, best first: by meaning where works were read for it, else by words;
    and why by words alone where they were read for their meaning.

    Raises as `works.index.search` and `fetch_text`; for what embeds nothing is fetched.
    """
    async with aclosing(_texts(workspace, works)) as fetched:
        async for _ in fetched:
            pass
    how: Meaning | WordsAlone | None = None
    if any_kept(workspace.store, works, model_for([work.language for work in works])):
        async with aclosing(_ready(workspace, works)) as steps:
            async for step in steps:
                how = None if isinstance(step, Fetching) else of_question(step, question)
    meaning = how if isinstance(how, Meaning) else None
    found = await search(workspace.store, workspace.settings, works, question, k, meaning)
    return found, how.why if isinstance(how, WordsAlone) else None


async def _texts(workspace: "Workspace", works: Sequence[Work]) -> AsyncGenerator[Work, None]:
    """Works whose texts are not here, each before its text is fetched from its public home and kept."""
    store, settings = workspace.store, workspace.settings
    known = store.works({work.digest for work in works})
    for work in works:
        if has_home(work) and not is_here(work, known.get(work.digest), settings):
            yield work
            text = await fetch_text(work, settings)
            await asyncio.to_thread(keep, store, work, text.decode(), None)


def _ready(workspace: "Workspace", works: Sequence[Work]) -> AsyncGenerator[Fetching | Meaning | WordsAlone, None]:
    languages = sorted({work.language for work in works})
    return ready_meaning(languages, workspace.store, workspace.pool, workspace.settings)
