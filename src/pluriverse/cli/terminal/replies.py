"""What the two ways to show replies share: following the events, a reply's foot, what to say while waiting.

Knows the events of `ask`; a view draws them. Nothing here writes to stdout by itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol

from ...assistant.default_base import BaseChosen
from ...chats.chat import thought_first
from ...errors import command
from ...runtime.events import AskEvent, Fetching, FetchingWork, Loading, ReplyQuoted, ReplyStarted, ReplyWaits, Studying
from .cited import OTHER_LANGUAGE, from_works
from .pulling import show_chosen, show_pull
from .text import counted, duration, one_line

if TYPE_CHECKING:
    from ...assistant import Assistant, Opposite
    from ...runtime.replies import Replies, Reply
    from ...values import Work
    from .output import Output

WAITING = "waiting: other engines of this user are at work, and they take turns"
_FRAME_S = 0.125  # the engine's threads need the cores more than the eye needs frames


class View(Protocol):
    """Draws the events of one ask, up to its AskFinished. Where that never comes, `end` shows what there was.

    When all failed before a word was said nothing is drawn: the error itself is what the user gets.
    """

    def take(self, event: AskEvent) -> None: ...

    def tick(self) -> None:
        """Called a few times a second while events are awaited."""

    def end(self, replies: "Replies") -> None:
        """Show what is not shown yet, complete. Safe to call twice."""

    def close(self) -> None:
        """Leave the terminal as it was. Safe to call twice, and after `end`."""


class Unseen:
    """The view of --json: only the waiting is told."""

    def __init__(self, out: "Output") -> None:
        self._out = out

    def take(self, event: AskEvent) -> None:
        show_waiting(self._out, event)

    def tick(self) -> None: ...

    def end(self, replies: "Replies") -> None: ...

    def close(self) -> None: ...


async def follow(events: AsyncIterator[AskEvent], view: View) -> bool:
    """Show the events as they come; True when Ctrl-C stopped them."""
    ticker = asyncio.create_task(_tick(view))
    try:
        async for event in events:
            view.take(event)
    except asyncio.CancelledError:  # asyncio's runner turns the first Ctrl-C into this
        if task := asyncio.current_task():
            task.uncancel()
        return True
    except BaseException:
        view.close()
        raise
    finally:
        ticker.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):  # a closed pipe shows again at the next write
            await ticker
    return False


async def _tick(view: View) -> None:
    while True:
        await asyncio.sleep(_FRAME_S)
        view.tick()


def show_waiting(out: "Output", event: AskEvent) -> None:
    """Say on stderr what is being waited for; nothing once the first reply has begun."""
    match event:
        case BaseChosen():
            show_chosen(out, event)
        case Fetching(base, pulling):
            show_pull(out, pulling, base)
        case FetchingWork(work):
            out.progress.status(fetching_work(work))
        case Studying():
            out.progress.steps(_first_time(event), event.done, event.total, "passages")
        case Loading(base):
            out.progress.status(f"loading {base} ...")
        case ReplyWaits():
            out.progress.status(WAITING)
        case ReplyStarted() | ReplyQuoted():
            out.progress.clear()
        case _:
            pass


def fetching_work(work: "Work") -> str:
    return f"fetching the text of {one_line(work.title)} from its public home ..."


def studying(event: Studying) -> str:
    return f"{_first_time(event)}: {event.done:,} of {event.total:,} passages"


def _first_time(event: Studying) -> str:
    return f"reading {one_line(event.work.title)} for the first time"


def thinking(characters: int) -> str:
    """What stands where an answer will, while its model still thinks."""
    return f"thinking ... {characters:,} characters"


def heading(assistant: "Assistant", guided: str = "") -> tuple[str, str]:
    """Its name, and in a few words who it is, or how it is guided, and that it answers from works."""
    told = (guided or one_line(assistant.title or assistant.outlook.position), from_works(len(assistant.works)))
    return one_line(assistant.name), ", ".join(filter(None, told))


def guided(opposite: "Opposite | None") -> str:
    """How a head tells that a voice is guided; empty where it is not."""
    return one_line(opposite.words) if opposite else ""


def foot(reply: "Reply") -> str:
    """What there is to say under a finished reply."""
    tokens = None if reply.completion_tokens is None else counted(reply.completion_tokens, "token")
    if tokens and reply.thinking and not reply.unfinished:
        tokens += f" ({thought_first(reply.thinking)})"
    took = duration(reply.total_s)
    if reply.cited and reply.cited.declined:
        return f"the works do not speak of it, {took}"
    if reply.cited and reply.cited.beyond:
        took = f"{took}, beyond its works"
    if reply.unfinished:
        return f"no answer: ended before its thinking did, {tokens}, {took}"
    match reply.finish_reason:
        case "error":
            return f"no reply: {one_line(reply.error.message)}" if reply.error else "no reply"
        case "cancelled":
            return f"stopped after {took}"
        case "length":
            return f"cut at {tokens}, {took}" if tokens else f"cut at the limit, {took}"
        case "context":
            return f"cut: the conversation is full, {took}"
        case _:
            return f"{tokens}, {took}" if tokens else took


def warn_of_failures(out: "Output", replies: "Replies") -> None:
    """Say on stderr who could not answer, and what to do about it; one line for all with the same trouble."""
    troubles: dict[tuple[str, str | None], list[str]] = {}
    for reply in replies:
        if reply.error is not None:
            troubles.setdefault((reply.error.message, reply.error.hint), []).append(reply.assistant)
    for (message, hint), names in troubles.items():
        out.warn(f"no whole reply from {', '.join(names)}: {message}")
        if hint:
            out.note(f"hint: {hint}")
    if unfound := [reply.assistant for reply in replies if reply.cited and reply.cited.unfound]:
        out.warn(f"{', '.join(unfound)} put words between quotation marks that are not in the works")
    if any(reply.cited and reply.cited.words_alone == "language" for reply in replies):
        out.note(OTHER_LANGUAGE)
    for model in sorted({reply.cited.lacking for reply in replies if reply.cited and reply.cited.lacking}):
        voices = ", ".join(reply.assistant for reply in replies if reply.cited and reply.cited.lacking == model)
        words = f"the works of {voices} were searched by words alone, not by meaning"
        out.note(f"{words}; what that takes: {command('pull', model)}")
    if len(replies) and all(reply.declined for reply in replies):
        out.note(
            "hint: --panel starter asks voices without works; --beyond-works lets these answer without theirs, marked"
        )
    if unfinished := [reply.assistant for reply in replies if reply.unfinished]:
        out.warn(f"no answer from {', '.join(unfinished)}: it ended before the thinking did")
        if any(reply.unfinished and reply.finish_reason == "length" for reply in replies):
            out.note("hint: --no-think answers at once; a larger --max-tokens gives more room")
