"""Asking, and going on: the question box, a conversation with several voices, its answers as they come or as a page.

Knows forms and talks. What is said, heard and kept is the conversation's work.
"""

import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from ...assistant import Assistant
from ...chats.chat import Turn
from ...errors import NotFoundError, PluriverseError, UsageError
from ...runtime.events import AskEvent, ReplyFinished
from ...runtime.requests import AskOptions
from ...runtime.workspace import Workspace
from ..asking import count, reader_of, workspace_for
from ..house import House
from ..streaming import Events, collected, event, pinged, while_connected
from .choosing import groups
from .drawing import Drawing, trouble
from .kept import forgets
from .rendering import PageRoute, fragment, page, says, to, wants_stream
from .showing import Round, Showing, speakers
from .talks import Talk, Talks


@dataclass(frozen=True, slots=True)
class Said:
    """What a form says."""

    text: str
    voices: list[Assistant]
    options: AskOptions
    keep: bool
    blind: bool


def router(house: House, talks: Talks) -> APIRouter:
    routes = APIRouter(route_class=PageRoute, include_in_schema=False)

    @routes.get("/")
    async def ask_page(request: Request) -> Response:
        workspace = workspace_for(house, request)
        return page(request, "ask.html", **_asking(workspace, request.query_params.getlist("voice"), forgets(request)))

    @routes.post("/ask")
    async def ask(request: Request) -> Response:
        workspace, form = workspace_for(house, request), await request.form()
        said = _said(form, workspace)
        if not said.text.strip():
            raise UsageError("the question is empty", "write one into the box")
        if said.blind:  # by chance, so that places tell nothing
            random.shuffle(said.voices)
        talk = talks.begin(reader_of(request), workspace, said.voices, said.options, said.keep)
        asked = talk.conversation.say_to(said.voices, said.text)
        return await _answered(house, talks, request, talk, said, asked)

    @routes.get("/talk/{key}")
    async def read(request: Request, key: str) -> Response:
        workspace = workspace_for(house, request)
        turns = talks.turns(reader_of(request), workspace, key)
        voices, blind = request.query_params.getlist("voice"), "blind" in request.query_params
        showing = Showing(workspace.shelf)
        rounds = showing.rounds(turns, voices)
        context = _below(key, rounds, showing, workspace, voices, blind)
        chosen = _chosen(request.query_params.get("chosen", ""), rounds)
        document = {"key": key, "turns": [_document(each) for each in turns]}
        return page(
            request, "talk.html", document, rounds=rounds, open=request.query_params.get("open") == "all",
            chosen=chosen, **context,
        )  # fmt: skip

    @routes.post("/talk/{key}")
    async def say(request: Request, key: str) -> Response:
        workspace, form = workspace_for(house, request), await request.form()
        said = _said(form, workspace)
        if not said.text.strip():
            raise UsageError("the question is empty", "write one into the box")
        talk = talks.go_on(reader_of(request), workspace, key, said.voices, said.options)
        asked = talk.conversation.say_to(said.voices, said.text)
        return await _answered(house, talks, request, talk, said, asked)

    @routes.post("/talk/{key}/again")
    async def again(request: Request, key: str) -> Response:
        workspace, form = workspace_for(house, request), await request.form()
        said = _said(form, workspace)
        talk = talks.go_on(reader_of(request), workspace, key, said.voices, said.options)
        stays = [name for name in speakers(talk.conversation) if name != form.get("out")]
        asked = talk.conversation.again(said.voices)
        return await _answered(house, talks, request, talk, said, asked, stays)

    @routes.post("/talk/{key}/stop")
    async def stop(request: Request, key: str) -> Response:
        form = await request.form()
        place = str(form.get("place", ""))
        talks.stop(reader_of(request), key, int(place) if place.isdecimal() else None)
        return Response(status_code=204)

    return routes


async def _answered(
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
    if stays is None:
        number, answers, past = len(before), (), ()
    else:
        number, answers, past = before[-1].number, before[-1].answers, before[-1].past
    kept = [each for each in answers if each.name not in names]
    coming = [showing.waiting(number, len(kept) + place, name) for place, name in enumerate(names)]
    again = [each.at(number, place) for place, each in enumerate(kept)]
    drawn = Round(number, said.text if stays is None else before[-1].question, (*again, *coming), past)
    drawing = Drawing(request, showing, drawn, [each.place for each in coming], said.blind)
    try:
        async with aclosing(events):
            yield drawing.begun(talk.key)
            async for frame in drawing.drawn(events):
                yield frame
    except PluriverseError as error:
        yield trouble(request, error)
        return
    voices = [*(stays or ()), *names] if stays is not None else names
    rounds = showing.rounds(talk.conversation.turns, voices)
    html = fragment(request, "below.html", **_below(talk.name, rounds, showing, workspace, voices, said.blind))
    url = address(talk.name, voices if stays is not None else None, said.blind)
    _ = says(request)
    yield event({"html": html, "url": url, "told": _("All have answered")}, "end")


def _chosen(given: str, rounds: Sequence[Round]) -> str:
    """The title of whom the reader has just chosen, or "none"; empty where nothing was."""
    answers = rounds[-1].answers if rounds else ()
    if given.isdecimal() and len(given) < 4 and int(given) < len(answers):
        return answers[int(given)].title
    return "none" if given == "none" else ""


def _below(
    key: str, rounds: Sequence[Round], showing: Showing, workspace: Workspace, voices: Sequence[str], blind: bool
) -> dict[str, Any]:
    """What stands below the rounds: who may be asked on."""
    spoken = list(dict.fromkeys(each.name for one in rounds for each in (*one.answers, *one.past)))
    now = set(voices) or {each.name for each in rounds[-1].answers} if rounds else set(voices)
    panel = [(each, showing.title(each), each in now) for each in spoken if showing.assistant(each)]
    others = [each for each in workspace.shelf.listing()[0] if each.name not in spoken][:200]
    return {"key": key, "panel": panel, "others": others, "blind": blind, "last": rounds[-1] if rounds else None,
            "voices": [each for each in spoken if each in now]}  # fmt: skip


def _asking(workspace: Workspace, ticked: Sequence[str], forgetting: bool) -> dict[str, Any]:
    listed, problems = workspace.shelf.listing()
    panels = workspace.shelf.panels()
    chosen = workspace.settings.panel
    if chosen not in {each.name for each in panels}:
        chosen = panels[0].name
    titles = {each.name: each.title or each.name for each in listed}
    ordered = sorted(panels, key=lambda each: (each.name != chosen, each.builtin, each.name))
    return {
        "panels": ordered,
        "chosen": chosen,
        "titles": titles,
        "groups": groups(listed),
        "ticked": set(ticked),
        "keeps": workspace.settings.history,
        "forgets": forgetting,
        "problems": problems,
    }


def _said(form: FormData, workspace: Workspace) -> Said:
    names = list(dict.fromkeys(str(each) for each in form.getlist("voice") if each))
    panel = str(form.get("panel") or "") or None
    voices = workspace.choose(names) if names else workspace.choose(panel=panel)
    if not voices:
        raise NotFoundError("nobody is asked", "choose a panel or tick some voices")
    options = AskOptions(
        max_tokens=_whole(form, "max_tokens", 1, 100_000),
        temperature=_number(form, "temperature"),
        seed=_whole(form, "seed", 0, 2**32 - 1),
        guidance=_number(form, "guidance"),
    )
    return Said(str(form.get("text") or ""), voices, options, not form.get("forget"), bool(form.get("blind")))


def _whole(form: FormData, name: str, least: int, most: int) -> int | None:
    given = str(form.get(name) or "").strip()
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 12 and least <= int(given) <= most):
        raise UsageError(f"{name} is a whole number from {least:,} to {most:,}", "write one, or leave it empty")
    return int(given)


def _number(form: FormData, name: str) -> float | None:
    given = str(form.get(name) or "").strip().replace(",", ".")
    if not given:
        return None
    try:
        return float(given)
    except ValueError:
        raise UsageError(f"{name} is a number", "write one, or leave it empty") from None


def address(key: str, voices: Sequence[str] | None = None, blind: bool = False) -> str:
    """Of a conversation. `voices`: who is in the panel, where that is not who answered last."""
    query = [("voice", each) for each in voices or ()] + ([("blind", "1")] if blind else [])
    return f"/talk/{quote(key, safe='')}" + (f"?{urlencode(query)}" if query else "")


def _document(turn: Turn) -> dict[str, Any]:
    return {"speaker": turn.speaker, "content": turn.content, "state": turn.state, "record": turn.record,
            **({} if turn.speaker is None else {"machine_written": True})}  # fmt: skip
