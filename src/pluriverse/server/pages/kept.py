"""What is kept of a reader's conversations: the list and its search, files to take along, deleting, keeping nothing.

Knows the history and forms. A search is the history's own.
"""

import json
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from ...chats.chat import Summary, as_document, as_markdown
from ...chats.shelf import ChatShelf, chats_of
from ...errors import NotFoundError, UsageError
from ..asking import reader_of, workspace_for
from ..house import House
from .forms import form_of
from .rendering import PageRoute, page, to
from .talks import Talks

MOST = 200  # in one list; a search finds the others
FORGETS = "pluriverse-forgets"  # the cookie of who keeps nothing
_FORMS = {"md": "text/markdown; charset=utf-8", "json": "application/json"}


def forgets(request: Request) -> bool:
    """Whether this reader has chosen to keep nothing."""
    return request.cookies.get(FORGETS) == "1"


def router(house: House, talks: Talks) -> APIRouter:
    routes = APIRouter(route_class=PageRoute, include_in_schema=False)

    def history(request: Request) -> ChatShelf | None:
        return chats_of(workspace_for(house, request).settings)

    def needed(request: Request) -> ChatShelf:
        found = history(request)
        if found is None:
            raise NotFoundError("the history is switched off", "unset PLURIVERSE_HISTORY")
        return found

    @routes.get("/history")
    async def listed(request: Request, q: str = "") -> Response:
        chats = history(request)
        found: Sequence[Summary] = []
        if chats is not None:
            found = chats.search(q, MOST) if q.strip() else chats.list(MOST)
        document = {"conversations": [each.as_dict() for each in found]}
        return page(
            request, "history.html", document, found=found, q=q, on=chats is not None, forgets=forgets(request),
            full=len(found) == MOST,
        )  # fmt: skip

    @routes.get("/history/{key}.{form}")
    async def taken(request: Request, key: str, form: str) -> Response:
        if form not in _FORMS:
            raise UsageError(f"a conversation is no .{form[:20]}", "take it as .md or .json")
        kept = needed(request).get(key)
        if form == "md":
            text = as_markdown(kept)
        else:
            text = json.dumps(as_document(kept) | {"machine_written": True}, ensure_ascii=False, indent=1)
        headers = {"content-disposition": f'attachment; filename="conversation-{kept.id}.{form}"'}
        return Response(text.encode("utf-8", "replace"), media_type=_FORMS[form], headers=headers)

    @routes.post("/history/delete")
    async def delete(request: Request) -> Response:
        form = await form_of(request)
        chats, key = needed(request), str(form.get("id") or "")
        if key:
            talks.forget(reader_of(request), key)
            chats.delete(key)
        elif form.get("all") == "yes":
            chats.clear()
        return to("/history")

    @routes.post("/history/keep")
    async def keep(request: Request) -> Response:
        form = await form_of(request)
        response = to("/history")
        if form.get("keep") == "no":
            response.set_cookie(FORGETS, "1", max_age=365 * 24 * 3600, httponly=True, samesite="strict")
        else:
            response.delete_cookie(FORGETS)
        return response

    return routes
