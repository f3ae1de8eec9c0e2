"""From a question to what an assistant's works say of it: passages are found, and the sentence that answers best is
chosen, or none where the works do not speak of it.

Knows works and their search. Asks no model to speak.
"""

from typing import TYPE_CHECKING

from ..works.finding import search, text_of
from ..works.nearness import evidence, shared, weights
from ..works.quoting import Nearness, Quotable, best, quotables
from ..works.schema import Found
from .grounds import Grounds

if TYPE_CHECKING:
    from ..assistant import Assistant
    from .workspace import Workspace

_FOUND = 5  # passages that are looked at
SHOWN = 1  # passages that stand before the model: what it reads costs the time


async def grounded(workspace: "Workspace", assistant: "Assistant", question: str, beyond: bool = False) -> Grounds:
    """What the works of an assistant say of a question. `beyond`: it is answered also where they say nothing.

    Raises as the search of works does.
    """
    found = await search(workspace.settings, assistant.works, question, _FOUND)
    texts = {work: text_of(workspace.settings, work) for work in {each.passage.work for each in found}}
    whole = "".join(texts.values())
    weighed = weights(question, whole)
    proof = evidence(weighed, [each.passage.text for each in found], whole)
    chosen = None
    if proof.value > 0:
        candidates = [
            (each, Nearness(shared(weighed, each.text)))
            for one in found
            for each in quotables(one.passage, texts[one.passage.work])
        ]
        chosen = best(candidates, {each.passage: rank for rank, each in enumerate(found)})
    return Grounds(
        works=tuple(sorted(work.digest for work in assistant.works)),
        language=(assistant.languages or ("en",))[0],
        passages=_shown(found, chosen),
        quotation=chosen,
        beyond=chosen is None and beyond,
    )


def _shown(found: list[Found], chosen: Quotable | None) -> tuple[Found, ...]:
    """The passage that is quoted first; where none is, the nearest."""
    first = [each for each in found if chosen is None or each.passage == chosen.passage]
    rest = [each for each in found if each not in first]
    return tuple([*first, *rest][:SHOWN])
