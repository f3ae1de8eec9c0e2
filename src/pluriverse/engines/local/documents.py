"""Requests as the engine's process gets them: JSON documents; of pictures their digests (`showing` has the pixels).

Knows requests and documents. Does not know processes.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ...errors import UnsupportedError
from ...values import Digest, Message
from ..contract import Guide, Request, Token, pictures_of
from .wire import Document


def asked(request: Request) -> Document:
    return {
        "messages": _turns(request.messages) if request.raw is None else request.raw,
        "sampling": asdict(request.sampling),
        "guide": guide_of(request.guide),
        "adapter": request.adapter,
        "lead": request.lead,
        "quotable": request.quotable,
        "likeliest": request.likeliest,
        "pictures": [picture.digest for picture in pictures_of(request)],
    }


def _turns(messages: Sequence[Message]) -> list[tuple[str, str, list[Digest]]]:
    return [(each.role, each.content, [picture.digest for picture in each.pictures]) for each in messages]


def scored(messages: str | Sequence[Message]) -> Document:
    """What is scored. UnsupportedError for messages with pictures."""
    if isinstance(messages, str):
        return {"prefix": messages}
    if any(each.pictures for each in messages):
        raise UnsupportedError("what is said of pictures cannot be scored", "leave the pictures out")
    return {"messages": _turns(messages)}


def guide_of(guide: Guide | None) -> Document | None:
    if guide is None:
        return None
    return {"messages": _turns(guide.against), "strength": guide.strength, "adapter": guide.adapter}


def read(prompt: str | Sequence[int] | Sequence[Message]) -> Document:
    """What is to be told as tokens."""
    if isinstance(prompt, str):
        return {"prefix": prompt}
    ids = [each for each in prompt if isinstance(each, int)]
    return {"ids": ids} if ids or not prompt else scored([each for each in prompt if isinstance(each, Message)])


def token_of(entry: Sequence[Any]) -> Token:
    id, text, logprob, likeliest = entry
    return Token(id, text, logprob, tuple(tuple(each) for each in likeliest))
