"""One assistant that speaks to a client of another API: what such bodies say, and its words as they come.

Knows assistants, messages and events. Does not know any API's shape.
"""

import base64
import binascii
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from ..engines.contract import Token
from ..errors import UsageError
from ..pictures import picture
from ..runtime.events import AskEvent, ReplyChunk, ReplyFinished, ReplyQuoted, ReplyThought, ReplyToken
from ..runtime.replies import Reply
from ..runtime.requests import AskOptions, Heard
from ..values import Message, Picture
from .asking import asked, workspace_for
from .errors import FieldError
from .house import House
from .names import checked_base, speaker
from .streaming import first

Name = Annotated[str, Field(max_length=200)]


class Body(BaseModel):
    """A request's body: fields that are not named are refused, and text that is no Unicode."""

    model_config = ConfigDict(extra="forbid", str_max_length=8 * 2**20)  # a length makes it look for lone surrogates


class Ours(Body):
    """The field `pluriverse` of a request: what only we have. As on the command line; `keep`: into the history."""

    guidance: float | None = None
    base: Name | None = None
    think: bool | None = None
    thinking_tokens: int | None = None
    beyond_works: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """New words of a reply; `thinking`: of what it writes for itself."""

    text: str
    thinking: bool = False
    tokens: tuple[Token, ...] = ()  # where they are asked for: those of this text, or of what is still to come


def options_of(ours: Ours | None, decoding: Mapping[str, Any], **changes: Any) -> AskOptions:
    """`changes`: fields of AskOptions, `decoding` of Sampling; None leaves each as the assistant has it."""
    ours = ours or Ours()
    given, decoding = ({name: each for name, each in some.items() if each is not None} for some in (changes, decoding))
    return AskOptions(
        guidance=ours.guidance, base=ours.base, beyond_works=ours.beyond_works, decoding=decoding,
        **{"think": ours.think, "thinking_tokens": ours.thinking_tokens} | given,
    )  # fmt: skip


async def spoken(
    house: House, request: Request, model: str, turns: Sequence[Message], options: AskOptions, *, keep: bool = False
) -> AsyncGenerator[Words | Reply, None]:
    """The reply's words as they come, and last the reply.

    What goes wrong before the first word is raised by this call, while there is nothing to stream: NotFoundError,
    UsageError, what engines raise, RefusedError where too much is asked at once.
    """
    workspace = workspace_for(house, request)
    if not turns or turns[-1].role != "user":
        raise UsageError("the last message must be the user's", "put the question last")
    checked_base(workspace, options.base)
    heard = [Heard(speaker(workspace, model), tuple(turns))]
    events = asked(house, workspace, turns[-1].content, heard, options, keep=keep)
    return _words(await first(events, _begins))


async def _words(events: AsyncGenerator[AskEvent, None]) -> AsyncGenerator[Words | Reply, None]:
    async with aclosing(events):
        async for event in events:
            match event:
                case ReplyToken(token=token):
                    yield Words("", tokens=(token,))
                case ReplyQuoted(text=text) | ReplyChunk(text=text):
                    yield Words(text)
                case ReplyThought(text=text):
                    yield Words(text, thinking=True)
                case ReplyFinished(reply=reply):
                    yield reply


def _begins(event: AskEvent) -> bool:
    """Whether the reply has begun, or has ended. Raises the error of one that has no word."""
    if isinstance(event, ReplyFinished) and event.reply.error is not None and not event.reply.text:
        raise event.reply.error
    return isinstance(event, ReplyQuoted | ReplyToken | ReplyChunk | ReplyThought | ReplyFinished)


def told(contents: Sequence[str]) -> str:
    """System messages as one."""
    return "\n\n".join(filter(str.strip, contents))


def shown(url: str) -> Picture:
    """A picture of a `data:` address. FieldError for any other: this server fetches nothing for a client."""
    head, comma, data = url.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64") and comma):
        raise FieldError(
            "image_url", "pictures are taken as data:image/...;base64,... only", "send the bytes themselves"
        )
    return decoded(data)


def decoded(data: str) -> Picture:
    """A picture of base64 text."""
    try:
        return picture(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError) as error:
        raise FieldError("image", "a picture's data is no base64") from error


def reply_of(events: Sequence[Words | Reply]) -> Reply:
    return next(each for each in events if isinstance(each, Reply))


def stops(stop: str | Sequence[str] | None) -> Iterator[str]:
    yield from [stop] if isinstance(stop, str) else stop or ()
