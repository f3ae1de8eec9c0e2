"""Asking, and going on: the question box, and a conversation with several voices.

Knows forms and talks. What is said, heard and kept is the conversation's work.
"""

import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from ...chats.chat import Turn
from ...errors import UsageError
from ...runtime.workspace import Workspace
from ..asking import reader_of, workspace_for
from ..house import House
from .answering import answered, below
from .choosing import groups
from .forms import Said, form_of
from .kept import forgets
from .rendering import PageRoute, page
from .showing import Round, Showing, speakers
from .talks import Talks


def router(house: House, talks: Talks) -> APIRouter:
    routes = APIRouter(route_class=PageRoute, include_in_schema=False)

    @routes.get("/")
    async def ask_page(request: Request) -> Response:
        workspace = workspace_for(house, request)
        return page(request, "ask.html", **_asking(workspace, request.query_params.getlist("voice"), forgets(request)))

    @routes.post("/ask")
    async def ask(request: Request) -> Response:
        workspace = workspace_for(house, request)
        said = await Said.by(request, workspace)
        if said.blind:  # by chance, so that places tell nothing
            random.shuffle(said.voices)
        talk = talks.begin(reader_of(request), workspace, said.voices, said.options, said.keep)
        return await answered(house, talks, request, talk, said, talk.conversation.say_to(said.voices, said.text))

    @routes.post("/talk/{key}")
    async def say(request: Request, key: str) -> Response:
        workspace = workspace_for(house, request)
        said = await Said.by(request, workspace)
        talk = talks.go_on(reader_of(request), workspace, key, said.voices, said.options)
        return await answered(house, talks, request, talk, said, talk.conversation.say_to(said.voices, said.text))

    @routes.post("/talk/{key}/again")
    async def again(request: Request, key: str) -> Response:
        workspace = workspace_for(house, request)
        said = await Said.by(request, workspace, asks=False)
        talk = talks.go_on(reader_of(request), workspace, key, said.voices, said.options)
        if not talk.conversation.turns:
            raise UsageError("nothing has been asked here yet", "ask a question first")
        stays = [name for name in speakers(talk.conversation) if name != said.out]
        return await answered(house, talks, request, talk, said, talk.conversation.again(said.voices), stays)

    @routes.post("/talk/{key}/stop")
    async def stop(request: Request, key: str) -> Response:
        place = str((await form_of(request)).get("place", ""))
        talks.stop(reader_of(request), key, int(place) if place.isdecimal() and len(place) < 4 else None)
        return Response(status_code=204)

    routes.add_api_route("/talk/{key}", _reading(house, talks))
    return routes


def _reading(house: House, talks: Talks) -> Callable[[Request, str], Coroutine[Any, Any, Response]]:
    async def read(request: Request, key: str) -> Response:
        """A conversation as it is now."""
        workspace, query = workspace_for(house, request), request.query_params
        turns = talks.turns(reader_of(request), workspace, key)
        voices, showing = query.getlist("voice"), Showing(workspace.shelf)
        rounds = showing.rounds(turns, voices)
        context = below(key, rounds, showing, workspace, voices, "blind" in query)
        document = {"key": key, "turns": [_document(each) for each in turns]}
        return page(
            request, "talk.html", document, rounds=rounds, open=query.get("open") == "all",
            chosen=_chosen(query.get("chosen", ""), rounds), **context,
        )  # fmt: skip

    return read


def _chosen(given: str, rounds: Sequence[Round]) -> str:
    """The title of whom the reader has just chosen, or "none"; empty where nothing was."""
    answers = rounds[-1].answers if rounds else ()
    if given.isdecimal() and len(given) < 4 and int(given) < len(answers):
        return answers[int(given)].title
    return "none" if given == "none" else ""


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


def _document(turn: Turn) -> dict[str, Any]:
    return {"speaker": turn.speaker, "content": turn.content, "state": turn.state, "record": turn.record,
            **({} if turn.speaker is None else {"machine_written": True})}  # fmt: skip
