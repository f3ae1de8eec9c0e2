"""All pages of one house, and the files that they load. Knows which pages there are, not what they do."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from ...errors import NotFoundError
from ..house import House
from . import blind, conversing, kept, measured, models, voices
from .forms import form_of
from .languages import LANGUAGES
from .rendering import COOKIE, PageRoute, to
from .talks import Talks

_STATIC = Path(__file__).parent / "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_YEAR = 365 * 24 * 3600


def router(house: House) -> APIRouter:
    """Every page, for readers who have been let in."""
    routes = APIRouter(route_class=PageRoute, include_in_schema=False)
    talks, computed = Talks(), measured.Computed()
    routers = [conversing.router(house, talks), kept.router(house, talks), blind.router(house, talks)]
    routers += [voices.router(house, computed), measured.router(house, computed), models.router(house)]
    for inside in routers:
        routes.include_router(inside)

    @routes.get("/static/{name}")
    async def static(name: str) -> Response:
        path = next((each for each in _STATIC.iterdir() if each.name == name), None)
        if path is None or path.suffix not in _KINDS:
            raise NotFoundError("there is nothing at this address")
        return FileResponse(path, media_type=_KINDS[path.suffix], headers={"cache-control": "no-cache"})

    @routes.post("/language")
    async def language(request: Request) -> Response:
        form = await form_of(request)
        chosen, back = str(form.get("language")), str(form.get("back") or "/")
        response = to(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")
        if chosen in LANGUAGES:
            response.set_cookie(COOKIE, chosen, max_age=_YEAR, httponly=True, samesite="strict")
        return response

    return routes
