"""What happens while assistants are asked, as names and JSON documents for our own event streams.

Knows events and replies. Does not know connections.
"""

from collections.abc import Sequence
from typing import Any

from ..assistant.default_base import BaseChosen
from ..runtime.citing import as_dict
from ..runtime.events import (
    AskEvent,
    AskFinished,
    Fetching,
    FetchingWork,
    Loading,
    ReplyChunk,
    ReplyFinished,
    ReplyQuoted,
    ReplyStarted,
    ReplyThought,
    ReplyToken,
    ReplyWaits,
    Studying,
)
from ..runtime.replies import Reply
from ..store.events import Progress

MARK = {"machine_written": True}
"""In every document that carries an answer: words of a machine."""


def documented(event: AskEvent, names: Sequence[str]) -> tuple[str, dict[str, Any]] | None:
    """The event's name and document; None for what readers are not told. `names`: of those asked, by index."""
    match event:
        case Fetching(base=base, event=Progress(done=done, total=total)):
            return "fetching", {"base": base, "done_bytes": done, "total_bytes": total}
        case Fetching() | BaseChosen() | ReplyToken():
            return None
        case FetchingWork(work=work):
            return "fetching_work", {"work": work.id, "title": work.title}
        case Studying(work=work, done=done, total=total):
            return "studying", {"work": work.id, "title": work.title, "done": done, "total": total}
        case Loading(base=base):
            return "loading", {"base": base}
        case AskFinished(replies=replies):
            return "done", {**replies.as_dict(), **MARK}
    who = {"assistant": names[event.index], "index": event.index}
    match event:
        case ReplyWaits():
            return "waiting", who
        case ReplyQuoted(text=text, citations=citations):
            return "quoted", {**who, "text": text, "citations": [as_dict(each) for each in citations]}
        case ReplyStarted(prompt_tokens=prompt, cached_tokens=cached):
            return "started", {**who, "prompt_tokens": prompt, "cached_tokens": cached}
        case ReplyChunk(text=text):
            return "chunk", {**who, "text": text}
        case ReplyThought(text=text):
            return "thought", {**who, "text": text}
        case ReplyFinished(reply=reply):
            return "finished", {**who, "reply": {**reply.as_dict(), **MARK}}
    raise AssertionError(event)


def marked(reply: Reply) -> dict[str, Any]:
    """The field `pluriverse` of an answer in other APIs' shapes: that a machine wrote it, and how it came about."""
    document = reply.as_dict()
    for name in ("text", "finish_reason", "prompt_tokens", "completion_tokens"):
        del document[name]
    return {**MARK, **document, "weights": reply.digest}
