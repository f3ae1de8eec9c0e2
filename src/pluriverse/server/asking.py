"""Asking for a client: its place in the queue, its history, the counts; the same for every API.

Knows houses, readers and asks. Does not know the shape in which anybody reads the answer.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from fastapi import Request

from ..asking.asking import Asking
from ..errors import UsageError
from ..runtime.events import AskEvent, ReplyFinished
from ..runtime.replies import Reply
from ..runtime.requests import AskOptions, Heard
from ..runtime.workspace import Workspace
from .house import House
from .tokens import Reader


def reader_of(request: Request) -> Reader:
    """Who asks; the guard has let it in."""
    reader: Reader = request.scope["state"]["reader"]
    return reader


def workspace_for(house: House, request: Request) -> Workspace:
    return house.workspace_of(reader_of(request))


async def asked(
    house: House,
    workspace: Workspace,
    question: str,
    heard: Sequence[Heard],
    options: AskOptions,
    *,
    keep: bool = False,
) -> AsyncGenerator[AskEvent, None]:
    """The events of one ask. RefusedError (429) where too much is asked at once; UsageError for too many assistants.

    Closed half way it stops decoding within one step; what was said until then is kept where `keep` says so.
    """
    if len(heard) > house.limits.panel:
        raise UsageError(f"{len(heard)} assistants are asked; the most is {house.limits.panel}", "ask fewer at once")
    with house.room_for(len(heard)):
        asking = Asking(workspace, question, heard, options, keep=keep)
        try:
            async with aclosing(asking):
                async for event in asking:
                    if isinstance(event, ReplyFinished):
                        count(house, event.reply)
                    yield event
        finally:
            for reply in asking.replies:
                if reply.finish_reason == "cancelled":
                    count(house, reply)


def count(house: House, reply: Reply) -> None:
    """A reply has ended."""
    counts = house.counts
    counts.replies[reply.finish_reason] += 1
    counts.prompt_tokens += reply.prompt_tokens or 0
    counts.completion_tokens += reply.completion_tokens or 0
    if reply.first_token_s is not None:
        counts.first_token_s += reply.first_token_s
        counts.answered += 1
