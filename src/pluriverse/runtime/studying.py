"""Works read for the first time: what embeds is made ready, and makes the vectors that are missing.

Knows the workspace; nothing of questions.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from ..values import Work
from ..works.index.models import model_for
from ..works.index.search import search
from ..works.index.vectors import Meaning, any_kept, embed_works
from ..works.schema import Found, Why
from .events import Fetching, Studying
from .meaning import WordsAlone, of_question, ready_meaning

if TYPE_CHECKING:
    from .workspace import Workspace


async def study(
    workspace: "Workspace", works: Sequence[Work]
) -> AsyncGenerator[Fetching | Studying | Meaning | WordsAlone, None]:
    """Have works searched by meaning: what is fetched and read for that comes first, then Meaning, or why words alone
    serve.

    What was read stays where this is ended half way, and is gone on with. Raises as `embed_works`.
    """
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

    Raises as `works.index.search`; for what embeds nothing is fetched.
    """
    how: Meaning | WordsAlone | None = None
    if any_kept(workspace.store, works, model_for([work.language for work in works])):
        async with aclosing(_ready(workspace, works)) as steps:
            async for step in steps:
                how = None if isinstance(step, Fetching) else of_question(step, question)
    meaning = how if isinstance(how, Meaning) else None
    found = await search(workspace.store, workspace.settings, works, question, k, meaning)
    return found, how.why if isinstance(how, WordsAlone) else None


def _ready(workspace: "Workspace", works: Sequence[Work]) -> AsyncGenerator[Fetching | Meaning | WordsAlone, None]:
    languages = sorted({work.language for work in works})
    return ready_meaning(languages, workspace.store, workspace.pool, workspace.settings)
