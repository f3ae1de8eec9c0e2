"""The catalogue as pages: what models exist, and one of them in full. Fetching stays with the command line.

Knows entries, not the network.
"""

from typing import Any

from fastapi import APIRouter, Request, Response

from ...catalogue import Entry, read
from ...catalogue.fit import Machine, fits, memory_of, size_of
from ...catalogue.licences import licence
from ...catalogue.lineage import Family
from ...catalogue.words import search
from ...errors import NotFoundError
from ..asking import workspace_for
from ..house import House
from .rendering import PageRoute, page

MOST = 60  # in one list; a search finds the others


def router(house: House) -> APIRouter:
    routes = APIRouter(route_class=PageRoute, include_in_schema=False)

    @routes.get("/models")
    async def listed(request: Request, q: str = "") -> Response:
        workspace = workspace_for(house, request)
        known = read(workspace.settings.catalogues).entries
        found = search(q.split(), known.values()) if q.strip() else list(known.values())
        machine = Machine.here(workspace.settings.home)
        here = [each for each in workspace.store.models() if each.kind == "model"]
        rows = [_row(each, machine) for each in found[:MOST]]
        document = {"entries": [each.as_dict() for each in found]}
        return page(request, "models.html", document, rows=rows, here=here, q=q, more=max(0, len(found) - MOST))

    @routes.get("/models/{name}")
    async def one(request: Request, name: str) -> Response:
        workspace = workspace_for(house, request)
        known = read(workspace.settings.catalogues).entries
        if name not in known:
            raise NotFoundError(f"the catalogue has no entry {name[:100]!r}", "search it")
        entry, family = known[name], Family(known.values())
        row = _row(entry, Machine.here(workspace.settings.home))
        document = {**entry.as_dict(), "ancestors": family.ancestors(name), "descendants": family.descendants(name)}
        return page(
            request, "model.html", document, row=row, terms=licence(entry.licence), known=known,
            ancestors=family.ancestors(name), descendants=family.descendants(name),
        )  # fmt: skip

    return routes


def _row(entry: Entry, machine: Machine) -> dict[str, Any]:
    """`fits`: None where nobody knows."""
    count, memory = size_of(entry), memory_of(entry)
    return {
        "entry": entry,
        "megabytes": None if count is None or entry.closed else count / 10**6,
        "memory": None if memory is None or entry.closed else memory / 10**6,
        "fits": fits(entry, machine) if entry.can_be_pulled else None,
    }
