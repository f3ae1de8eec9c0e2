"""From a question to what an assistant's works say of it: passages are found, and the sentence that answers best is
chosen, or none where the works do not speak of it.

Knows works and their search. Asks no model to speak.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..works.quoting import Nearness, Quotable, best, quotables
from ..works.schema import Found
from ..works.finding import search, text_of
from .grounds import Grounds

if TYPE_CHECKING:
    from .requests import Draft
    from .workspace import Workspace

_FOUND = 5  # passages that are looked at
SHOWN = 1  # passages that stand before the model: what it reads costs the time


async def grounded(workspace: "Workspace", draft: "Draft") -> Grounds:
    """What the works of a draft's assistant say of its question. Raises as their search does."""
    assistant, question = draft.assistant, draft.question
    found = await search(workspace.settings, assistant.works, question, _FOUND)
    texts = {work: text_of(workspace.settings, work) for work in {each.passage.work for each in found}}
    candidates = [each for one in found for each in quotables(one.passage, texts[one.passage.work])]
    chosen = None
    if candidates and speaks(question, found):
        pairs = [(each, Nearness(shared(question, each.text))) for each in candidates]
        chosen = best(pairs, {each.passage: rank for rank, each in enumerate(found)})
    return Grounds(
        works=tuple(sorted(work.digest for work in assistant.works)),
        language=(assistant.languages or ("en",))[0],
        passages=_shown(found, chosen),
        quotation=chosen,
        beyond=draft.beyond,
    )
