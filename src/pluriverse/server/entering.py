"""`/enter`: a browser shows a link that counts once, or a token, and gets a cookie.

Knows links and cookies. Does not know the pages behind them.
"""

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from .access import Access
from .tokens import Reader

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>pluriverse</title><h1>pluriverse</h1>
<p>{words}</p>
<form method="post" action="/enter"><label>Token
<input name="token" type="password" autocomplete="off" required></label>
<button>Enter</button></form>
<p>The token is in the file <code>server/tokens.json</code> of the data folder.
<code>pluriverse serve</code> prints a new link each time it starts.</p></html>"""
_YEAR = 365 * 24 * 3600


def router(access: Access) -> APIRouter:
    routes = APIRouter()

    @routes.get("/enter", include_in_schema=False)
    async def by_link(request: Request, once: str = "") -> Response:
        reader = access.enter(once) or access.reader(request.headers)  # the same browser, with a link that it kept
        used = "This link has been used already, or is of an earlier start."
        return _let_in(reader) if reader else _refused(used if once else "Come in by the link, or with the token.")

    @routes.post("/enter", include_in_schema=False)
    async def by_token(token: str = Form("")) -> Response:
        reader = access.house.readers.by_token(token)
        return _let_in(reader) if reader else _refused("This token is not known here.")

    def _let_in(reader: Reader) -> Response:
        response = RedirectResponse("/", 303)
        response.set_cookie(
            access.cookie, reader.cookie, max_age=_YEAR, httponly=True, samesite="strict", secure=access.address.tls
        )
        return response

    return routes


def _refused(words: str) -> Response:
    return HTMLResponse(_PAGE.format(words=words), 401)
