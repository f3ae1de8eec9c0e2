"""MCP: an agent or an editor asks several voices, by the tools `ask_panel`, `list_assistants` and `compare_answers`.

Knows the protocol's official package and asks. Does not know how its messages travel.
"""

import itertools
import logging
import math
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from .. import __version__
from ..errors import PluriverseError, UsageError
from ..runtime.events import AskFinished
from ..runtime.replies import Replies
from ..runtime.requests import AskOptions, Heard
from ..values import Message
from .asking import asked
from .events import MARK
from .house import House

_INSTRUCTIONS = (
    "Assistants of different expertise, culture, values and politics run on this machine. Ask several where one "
    "opinion is not enough, and tell the reader that machines wrote the answers, and which assistant each is of."
)
_MEASURE = "cosine of the counts of their words, from 0 (no word shared) to 1; it says nothing of who is right"


def mcp_server(house: House) -> MCPServer:
    """The tools of this house, as its owner asks."""
    server = MCPServer("pluriverse", version=__version__, instructions=_INSTRUCTIONS, log_level="ERROR")
    logging.getLogger("mcp").setLevel(logging.CRITICAL)  # what it logs of mistakes may hold readers' words

    async def ask_panel(
        question: str,
        assistants: list[str] | None = None,
        panel: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
    ) -> dict[str, Any]:
        """Ask several assistants one question, by their names or by a panel's; all answer at once."""
        replies = await _asked(house, question, assistants, panel, AskOptions(max_tokens, temperature, seed))
        return {**replies.as_dict(), **MARK}

    async def list_assistants() -> dict[str, Any]:
        """Who can be asked, from where each speaks, and the panels that group them."""
        shelf = house.workspace.shelf
        told = [
            {"name": each.name, "title": each.title, "languages": list(each.languages),
             "dimension": each.outlook.dimension, "position": each.outlook.position, "summary": each.outlook.summary,
             "counterpart": each.counterpart, "works": [work.title for work in each.works]}
            for each in shelf.assistants()
        ]  # fmt: skip
        return {"assistants": told, "panels": {each.name: list(each.members) for each in shelf.panels()}}

    async def compare_answers(
        question: str, assistants: list[str] | None = None, panel: str | None = None, max_tokens: int | None = None
    ) -> dict[str, Any]:
        """Ask several assistants one question, and tell for each two of them how much their answers are alike."""
        replies = await _asked(house, question, assistants, panel, AskOptions(max_tokens, temperature=0))
        counted = [(each.assistant, Counter(re.findall(r"\w+", each.text.casefold()))) for each in replies]
        pairs = [{"a": a, "b": b, "alike": _alike(x, y)} for (a, x), (b, y) in itertools.combinations(counted, 2)]
        return {**replies.as_dict(), **MARK, "pairs": pairs, "alike_is": _MEASURE}

    for tool in (ask_panel, list_assistants, compare_answers):
        server.add_tool(tool)
    return server


async def _asked(
    house: House, question: str, names: Sequence[str] | None, panel: str | None, options: AskOptions
) -> Replies:
    """ToolError, in our words, for what cannot be asked and where nobody could answer."""
    try:
        if not question.strip():
            raise UsageError("the question is empty", "ask something")
        chosen = house.workspace.choose(names, panel)
        heard = [Heard(each, (Message("user", question),)) for each in chosen]
        async with aclosing(asked(house, house.workspace, question, heard, options)) as events:
            async for event in events:
                if isinstance(event, AskFinished):
                    if event.failure is not None:
                        raise event.failure
                    return event.replies
    except PluriverseError as error:
        raise ToolError(f"{error.message}; {error.hint}" if error.hint else error.message) from error
    raise AssertionError("an ask ends with its replies or an error")


def _alike(a: Counter[str], b: Counter[str]) -> float:
    length = math.sqrt(sum(each**2 for each in a.values()) * sum(each**2 for each in b.values()))
    return sum(a[word] * b[word] for word in a) / length if length else 0.0
