"""Answers to one question on their way to a reader: as a stream of what a page draws, or a page when all are there.

Knows talks and their events. What is drawn of an event is `drawing`'s work.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response

from ...errors import PluriverseError, UsageError
from ...runtime.events import AskEvent, ReplyFinished
from ...runtime.workspace import Workspace
from ..asking import count, workspace_for
from ..house import House
from ..streaming import Events, collected, event, pinged, while_connected
from .drawing import Drawing, trouble
from .forms import Said
from .rendering import fragment, says, to, wants_stream
from .showing import Round, Showing
from .talks import Talk, Talks


async def answered(
    house: House,
    talks: Talks,
    request: Request,
    talk: Talk,
    said: Said,
    asked: AsyncGenerator[AskEvent, None],
    stays: Sequence[str] | None = None,
) -> Response:
    """As they come for whoever listens, else the page when all have answered. `stays`: the last round is gone on with,
    and these stay in it."""
    events = _counted(house, talks, talk, len(said.voices), asked)
    if wants_stream(request):
        return Events(pinged(_frames(house, request, talk, said, events, stays)))
    found = await while_connected(request, collected(events))
    if isinstance(found, Response):
        return found
    names = None if stays is None else [*stays, *(each.name for each in said.voices)]
    return to(address(talk.name, names, said.blind))


async def _counted(
    house: House, talks: Talks, talk: Talk, replies: int, asked: AsyncGenerator[AskEvent, None]
) -> AsyncGenerator[AskEvent, None]:
    if replies > house.limits.panel:
        raise UsageError(f"{replies} assistants are asked; the most is {house.limits.panel}", "ask fewer at once")
    talks.take(talk)
    try:
        with house.room_for(replies):
            async with aclosing(asked):
                async for each in asked:
                    if isinstance(each, ReplyFinished):
                        count(house, each.reply)
                    yield each
    finally:
        talks.ended(talk)


async def _frames(
    house: House,
    request: Request,
    talk: Talk,
    said: Said,
    events: AsyncGenerator[AskEvent, None],
    stays: Sequence[str] | None,
) -> AsyncGenerator[str, None]:
    workspace = workspace_for(house, request)
    showing = Showing(workspace.shelf)
    names = [each.name for each in said.voices]
    before = showing.rounds(talk.conversation.turns, stays)
    last = None if stays is None else before[-1]
    number = last.number if last else len(before)
    kept = [each for each in (last.answers if last else ()) if each.name not in names]
    coming = [showing.waiting(number, len(kept) + place, name) for place, name in enumerate(names)]
    again = [each.at(number, place) for place, each in enumerate(kept)]
    question, past = (last.question, last.past) if last else (said.text, ())
    drawn = Round(number, question, (*again, *coming), past)
    drawing = Drawing(request, showing, drawn, [each.place for each in coming], said.blind)
    try:
        async with aclosing(drawing.drawn(events)) as frames:
            yield drawing.begun(talk.key)
            async for frame in frames:
                yield frame
    except PluriverseError as error:
        yield trouble(request, error)
        return
    voices = [*(stays or ()), *names] if stays is not None else names
    rounds = showing.rounds(talk.conversation.turns, voices)
    html = fragment(request, "below.html", **below(talk.name, rounds, showing, workspace, voices, said.blind))
    url = address(talk.name, voices if stays is not None else None, said.blind)
    _ = says(request)
    yield event({"html": html, "url": url, "told": _("All have answered")}, "end")


def below(
    key: str, rounds: Sequence[Round], showing: Showing, workspace: Workspace, voices: Sequence[str], blind: bool
) -> dict[str, Any]:
    """What stands below the rounds: who may be asked on."""
    spoken = list(dict.fromkeys(each.name for one in rounds for each in (*one.answers, *one.past)))
    now = set(voices) or {each.name for each in rounds[-1].answers} if rounds else set(voices)
    panel = [(each, showing.title(each), each in now) for each in spoken if showing.assistant(each)]
    others = [each for each in workspace.shelf.listing()[0] if each.name not in spoken][:200]
    return {"key": key, "panel": panel, "others": others, "blind": blind, "last": rounds[-1] if rounds else None,
            "voices": [each for each in spoken if each in now]}  # fmt: skip


def address(key: str, voices: Sequence[str] | None = None, blind: bool = False) -> str:
    """Of a conversation. `voices`: who is in the panel, where that is not who answered last."""
    query = [("voice", each) for each in voices or ()] + ([("blind", "1")] if blind else [])
    return f"/talk/{quote(key, safe='')}" + (f"?{urlencode(query)}" if query else "")
