"""Assistants as pages: all of them, one's card, and a form that makes a new one.

Knows the shelf, forms and the store's facts about models.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from ...assistant import Assistant, Guidance, Outlook
from ...assistant.assistant import DIMENSIONS
from ...assistant.bases import meant
from ...assistant.guidance import PLAIN
from ...assistant.listing import Listed
from ...errors import NotFoundError, PluriverseError, UnsupportedError, UsageError
from ...runtime.making import keep_definition
from ...runtime.workspace import Workspace
from ...store import StoredModel, read_header
from ...store.kinds import check_writes
from ...works.index.models import ENGLISH, MULTILINGUAL
from ..asking import reader_of, workspace_for
from ..errors import RefusedError
from ..house import House
from ..names import checked_base
from ..tokens import OWNER
from .choosing import groups
from .forms import form_of
from .measured import Computed, card_of
from .rendering import PageRoute, page, to

_FIELDS = ("name", "title", "system", "dimension", "position", "summary", "languages", "base", "guidance")
_EMBED = {ENGLISH, MULTILINGUAL}  # they write nothing, so nobody can speak through them


def router(house: House, computed: Computed) -> APIRouter:
    routes = APIRouter(route_class=PageRoute, include_in_schema=False)

    @routes.get("/assistants")
    async def listed(request: Request, q: str = "") -> Response:
        workspace = workspace_for(house, request)
        found, problems = workspace.shelf.listing()
        chosen = [each for each in found if _has(each, q.casefold().split())]
        document = {"assistants": [each._asdict() for each in chosen]}
        return page(
            request, "assistants.html", document, groups=groups(chosen), q=q, problems=problems,
            may_make=reader_of(request).name == OWNER,
        )  # fmt: skip

    @routes.get("/assistants/new")
    async def form(request: Request) -> Response:
        _check_owner(request)
        return _form(request, workspace_for(house, request), {})

    @routes.post("/assistants")
    async def made(request: Request) -> Response:
        _check_owner(request)
        workspace, given = workspace_for(house, request), await form_of(request)
        try:
            assistant = _made(given)
            checked_base(workspace, assistant.base)
            _check_writes(workspace, assistant.base)
            workspace.shelf.write(assistant)
        except (UsageError, NotFoundError, UnsupportedError) as error:
            return _form(request, workspace, given, error)
        keep_definition(assistant, workspace.store, workspace.settings)
        return to(f"/assistants/{assistant.name}")

    @routes.get("/assistants/{name}")
    async def card(request: Request, name: str) -> Response:
        workspace = workspace_for(house, request)
        who = workspace.shelf.assistant(name)
        rows, cards = await computed.of(workspace.settings, f"card {name}", card_of, name)
        base = meant(who.base, workspace.store, workspace.settings)
        stored = _stored(workspace, base)
        document = {**_document(who), "base_meant": base, "licence": stored.licence if stored else None, "rows": rows}
        counterpart = _there(workspace, who.counterpart)
        return page(
            request, "assistant.html", document, who=who, base=base, stored=stored, cards=cards, counterpart=counterpart
        )

    return routes


def _form(
    request: Request, workspace: Workspace, given: FormData | dict[str, str], error: PluriverseError | None = None
) -> Response:
    models = [each.name for each in workspace.store.models() if each.kind == "model" and each.name not in _EMBED]
    values = {name: str(given.get(name) or "") for name in _FIELDS}
    return page(
        request, "new.html", status=400 if error else 200, values=values, error=error, dimensions=DIMENSIONS,
        models=models,
    )  # fmt: skip


def _made(given: FormData) -> Assistant:
    def text(name: str) -> str:
        return str(given.get(name) or "").strip().replace("\r\n", "\n")

    if not text("system"):
        raise UsageError("the prompt is empty", "write who speaks, e.g. You are an old gardener.")
    guidance = None
    if text("guidance"):
        try:
            guidance = Guidance(PLAIN, float(text("guidance").replace(",", ".")))
        except ValueError:
            raise UsageError("guidance is a number", "leave it empty, or write one from 1 to 3") from None
    return Assistant(
        name=text("name"),
        title=text("title"),
        system=text("system"),
        base=text("base") or "default",
        outlook=Outlook(text("dimension"), text("position"), text("summary")),
        languages=tuple(text("languages").replace(",", " ").split()),
        guidance=guidance,
    )


def _check_owner(request: Request) -> None:
    if reader_of(request).name != OWNER:
        raise RefusedError(403, "only the owner of this machine makes assistants")


def _check_writes(workspace: Workspace, base: str) -> None:
    """UnsupportedError for a model of the store that writes no text."""
    if stored := _stored(workspace, base):
        check_writes(read_header(stored.path), base)


def _has(each: Listed, words: Sequence[str]) -> bool:
    text = " ".join((each.name, each.title, each.dimension, each.position, each.summary, *each.languages)).casefold()
    return all(word in text for word in words)


def _stored(workspace: Workspace, base: str) -> StoredModel | None:
    try:
        return workspace.store.find(base)
    except PluriverseError:  # not here yet, or no model of the store
        return None


def _there(workspace: Workspace, name: str | None) -> Assistant | None:
    if name is None:
        return None
    try:
        return workspace.shelf.assistant(name)
    except (NotFoundError, UsageError):
        return None


def _document(who: Assistant) -> dict[str, Any]:
    guidance = who.guidance
    return {
        "name": who.name,
        "title": who.title,
        "description": who.description,
        "base": who.base,
        "adapter": who.adapter,
        "languages": list(who.languages),
        "dimension": who.outlook.dimension,
        "position": who.outlook.position,
        "summary": who.outlook.summary,
        "counterpart": who.counterpart,
        "guidance": {"against": guidance.against, "strength": guidance.strength} if guidance else None,
        "system": who.system,
        "sampling": dict(who.sampling),
        "works": [{"work": each.id, "title": each.title, "digest": each.digest} for each in who.works],
        "digest": who.digest,
    }
