"""Templates into pages: the reader's language, what may be in an answer, and errors as pages.

Knows templates and requests. Does not know what the pages are about.
"""

from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...errors import PluriverseError
from ...measure.judges.correction import RULES
from ...report.markup import Html, cleaned
from ..errors import RefusedError, status_of
from .languages import LANGUAGES, RIGHT_TO_LEFT, preferred, translations
from .showing import LETTERS

TEMPLATES = Path(__file__).parent / "templates"
COOKIE = "pluriverse-language"


def language(request: Request) -> str:
    """The reader's choice, else what the browser likes best."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def says(request: Request) -> Callable[[str], str]:
    """gettext in the reader's language."""
    return translations(language(request)).gettext


def fragment(request: Request, template: str, **context: Any) -> str:
    """A piece of a page."""
    return _templates(language(request)).get_template(template).render(**context)


def page(request: Request, template: str, document: Any = None, status: int = 200, **context: Any) -> Response:
    """A whole page, or `document` for whoever asks for JSON."""
    if document is not None and wants_json(request):
        return JSONResponse(document, status)
    tag = language(request)
    html = _templates(tag).get_template(template).render(
        language=tag,
        languages=LANGUAGES,
        direction="rtl" if tag in RIGHT_TO_LEFT else "ltr",
        path=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        **context,
    )  # fmt: skip
    return HTMLResponse(html, status)


def wants_json(request: Request) -> bool:
    """Whether JSON is asked for, by the header or by `?as=json`."""
    accept = request.headers.get("accept", "")
    return request.query_params.get("as") == "json" or ("application/json" in accept and "text/html" not in accept)


def wants_stream(request: Request) -> bool:
    return "text/event-stream" in request.headers.get("accept", "")


def to(path: str) -> Response:
    """Go on there; a form is not sent again by going back."""
    return RedirectResponse(path, 303)


def trouble_page(request: Request, error: PluriverseError) -> Response:
    """A page that says what did not work."""
    response = page(request, "error.html", {"error": error.as_dict()}, status_of(error), error=error)
    if isinstance(error, RefusedError):
        response.headers.update(error.headers)
    return response


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except PluriverseError as error:
                return trouble_page(request, error)

        return handled


@cache
def _templates(tag: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        finalize=_shown,
    )
    made.install_gettext_translations(translations(tag), newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {"LETTERS": LETTERS, "RULES": RULES["xstest"]}
    return made


def _shown(value: Any) -> Any:
    """Without what turns the direction of other text, or is no character; what reports made is markup already."""
    return cleaned(value) if type(value) is str else value


def markup(html: Html) -> Any:
    """What the report's builder made, as a template takes it."""
    from markupsafe import Markup

    return Markup(html)  # noqa: S704 - built of escaped parts
