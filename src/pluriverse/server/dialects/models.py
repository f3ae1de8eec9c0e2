"""GET /v1/models in the shapes of OpenAI and Anthropic: every assistant, and every base, which is a model too.

Knows lists of names. Does not know what can be asked of them.
"""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request

from ...errors import NotFoundError
from ..asking import workspace_for
from ..house import House
from ..names import Named, listed


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.get("/v1/models")
    async def models(request: Request) -> dict[str, Any]:
        found = [_entry(house, each) for each in listed(workspace_for(house, request))]
        pages = {"has_more": False, "first_id": found[0]["id"], "last_id": found[-1]["id"]} if found else {}
        return {"object": "list", "data": found, **pages}

    @routes.get("/v1/models/{name:path}")
    async def model(name: str, request: Request) -> dict[str, Any]:
        for each in listed(workspace_for(house, request)):
            if each.name == name:
                return _entry(house, each)
        raise NotFoundError(f"there is no model called {name[:200]!r}", "see them all: GET /v1/models")

    return routes


def _entry(house: House, named: Named) -> dict[str, Any]:
    started = datetime.fromtimestamp(house.started, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "id": named.name,
        "object": "model",
        "created": int(house.started),
        "owned_by": "pluriverse",
        "parent": named.parent,
        "type": "model",
        "display_name": named.title or named.name,
        "created_at": started,
        "pluriverse": named.as_dict(),
    }
