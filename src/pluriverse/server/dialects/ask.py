"""Our own API: one question to many assistants, as one event stream that names who speaks, or one document.

POST /api/ask: the stream's events are asked, then for each assistant quoted, started, chunk and thought, finished, each
    with {"assistant", "index", ...}, and last done, with the document that stands for the whole without streaming.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from ...errors import PluriverseError, UsageError
from ...runtime.events import AskEvent, AskFinished
from ...runtime.requests import AskOptions, Heard
from ...runtime.workspace import Workspace
from ...values import Message
from ..asking import asked, workspace_for
from ..errors import document_of
from ..events import MARK, documented
from ..house import House
from ..names import checked_base
from ..speaking import Body, Name
from ..streaming import Events, collected, event, first, pinged, while_connected


class Turn(Body):
    """One turn of an earlier conversation with an assistant."""

    role: Literal["user", "assistant"]
    content: str


class Question(Body):
    """`assistants` or `panel` (neither: the panel of the settings). `earlier`: what each has heard and said before.
    `keep`: into the reader's history, where one is kept. Other fields as in `ask` on the command line."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"question": "Is lying ever right?", "assistants": ["duty", "outcomes"]}]},
    )
    question: str
    assistants: list[Name] | None = None
    panel: Name | None = None
    earlier: dict[Name, list[Turn]] = Field(default_factory=dict)
    stream: bool = True
    keep: bool = True
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    system: str | None = None
    base: Name | None = None
    guidance: float | None = None
    think: bool | None = None
    thinking_tokens: int | None = None
    beyond_works: bool = False

    def options(self) -> AskOptions:
        return AskOptions(
            self.max_tokens, self.temperature, self.seed, self.system, self.base, self.guidance, self.think,
            self.thinking_tokens, self.beyond_works,
        )  # fmt: skip

    def heard(self, workspace: Workspace) -> list[Heard]:
        """Who is asked, with what each has heard. Raises as `Workspace.choose`; UsageError for an empty question."""
        if not self.question.strip():
            raise UsageError("the question is empty", "ask something")
        checked_base(workspace, self.base)
        chosen = workspace.choose(self.assistants, self.panel)
        said = Message("user", self.question)
        before = {name: [Message(turn.role, turn.content) for turn in turns] for name, turns in self.earlier.items()}
        return [Heard(each, (*before.get(each.name, ()), said)) for each in chosen]


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.post("/api/ask")
    async def ask(question: Question, request: Request) -> Response:
        workspace = workspace_for(house, request)
        heard = question.heard(workspace)
        events = asked(house, workspace, question.question, heard, question.options(), keep=question.keep)
        names = [each.assistant.name for each in heard]
        if question.stream:
            begun = await while_connected(request, first(events))
            return begun if isinstance(begun, Response) else Events(pinged(_frames(begun, names)))
        found = await while_connected(request, collected(events))
        return found if isinstance(found, Response) else _whole(found)

    return routes


def _whole(events: list[AskEvent]) -> Response:
    (end,) = (each for each in events if isinstance(each, AskFinished))
    if end.failure is not None:
        raise end.failure
    return JSONResponse({**end.replies.as_dict(), **MARK})


async def _frames(events: AsyncGenerator[AskEvent, None], names: list[str]) -> AsyncGenerator[str, None]:
    try:
        yield event({"assistants": names, **MARK}, "asked")
        async with aclosing(events):
            async for each in events:
                if (told := documented(each, names)) is not None:
                    yield event(told[1], told[0])
    except PluriverseError as error:
        yield event(document_of(error, "own"), "error")
