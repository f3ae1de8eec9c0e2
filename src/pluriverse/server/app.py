"""The whole app: the guard around it, the APIs and the page inside, and failures in the shape of the API asked.

Knows which routers there are. Does not know what they do.
"""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Route

from .. import __version__
from ..errors import NotFoundError, PluriverseError, UsageError
from .access import Access, Address, Guarded
from .dialects import (
    ask,
    chat_completions,
    completions,
    embeddings,
    messages,
    models,
    ollama,
    responses,
    systemone,
    tokens,
)
from .entering import router as entering
from .errors import FieldError, RefusedError, dialect_of, document_of, status_of
from .house import House
from .mcp_http import McpOverHttp
from .pages.rendering import trouble_page
from .pages.router import router as pages
from .watching import router as watching

_ROUTERS = (
    ask.router, chat_completions.router, messages.router, responses.router, embeddings.router, models.router,
    completions.router, tokens.router, systemone.router, ollama.router, watching, pages,
)  # fmt: skip


def build(house: House, address: Address | None = None) -> FastAPI:
    """The app for this house. Its state has `access`, which makes links for browsers, and `mcp`, to be closed."""
    app = FastAPI(title="pluriverse", version=__version__, docs_url=None, redoc_url=None)
    access = app.state.access = Access(house, address or Address())
    app.include_router(entering(access))
    for router in _ROUTERS:
        app.include_router(router(house))
    app.state.mcp = McpOverHttp(house)
    app.router.routes.append(Route("/mcp", app.state.mcp))
    app.add_exception_handler(PluriverseError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Guarded, access=access)
    return app


def answer(request: Request, error: PluriverseError) -> JSONResponse:
    """What the API that was asked says of a failure."""
    headers = error.headers if isinstance(error, RefusedError) else None
    return JSONResponse(document_of(error, dialect_of(request.url.path)), status_of(error), headers)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PluriverseError)
    return answer(request, error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return answer(request, _field(error.errors()[0]))


def _field(found: dict[str, Any]) -> PluriverseError:
    """The first thing that does not fit, by the name of its field. What was sent is not repeated."""
    place = [str(part) for part in found["loc"] if part != "body"]
    name = ".".join(place) or "body"
    if found["type"] == "extra_forbidden":
        return FieldError(name, f"the field {name[:200]!r} is not known here", "leave it out")
    if found["type"] == "json_invalid":
        return UsageError("the body is no JSON")
    return FieldError(name, f"{name[:200]}: {found['msg']}")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    typed = "text/html" in request.headers.get("accept", "")
    found: PluriverseError = RefusedError(error.status_code, str(error.detail))
    if error.status_code == 404:
        found = NotFoundError("there is nothing at this address", "" if typed else "what there is: /openapi.json")
    return trouble_page(request, found) if typed else answer(request, found)
