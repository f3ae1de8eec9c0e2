"""Who comes in, and what every answer carries: hosts, origins, tokens, rates, sizes of bodies, headers that protect.

One ASGI layer around the whole app, so that no route can forget it. Knows HTTP and readers; nothing of what is asked.
"""

import asyncio
import ipaddress
import logging
import secrets
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from fastapi.responses import JSONResponse, RedirectResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import PluriverseError
from .errors import RefusedError, dialect_of, document_of, status_of
from .house import House, Limits
from .tokens import OWNER, Reader

log = logging.getLogger("pluriverse.server")

OPEN = {"/health", "/enter"}  # without a token
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_WHERE = "it is in server/tokens.json of the data folder; browsers come in by the link that `pluriverse serve` prints"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens, and the names by which it may be called besides."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: bool = False
    names: tuple[str, ...] = ()

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """How it is called on this machine."""
        return self._url(_EVERYWHERE.get(self.host, self.host))

    @property
    def everywhere(self) -> bool:
        """Whether it listens at every address of the machine, so that its own says nothing to others."""
        return self.host in _EVERYWHERE

    @property
    def url_elsewhere(self) -> str:
        """How others on the network call it: by the first of its names, where they reach it."""
        return self._url(self.names[0]) if self.names and not self.loopback else self.url

    def _url(self, host: str) -> str:
        return f"http{'s' * self.tls}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def answers_to(self, host: str) -> bool:
        """Whether a Host header names this server. A page elsewhere that lets its own name point here is turned away;
        it cannot do so with an address."""
        name = _name(host)
        if name in {"localhost", self.host.lower(), *(each.lower() for each in self.names)}:
            return True
        return is_loopback(name) if self.loopback else _is_address(name)


class Access:
    """Links that let a browser in once, and the readers' cookies and rates."""

    def __init__(self, house: House, address: Address) -> None:
        self.house, self.address = house, address
        self._once: dict[str, Reader] = {}
        self._rates: dict[str, Rate] = {}

    @property
    def cookie(self) -> str:
        """Its name: cookies do not tell ports apart."""
        return f"pluriverse-{self.address.port}"

    def link(self, reader: str = OWNER) -> str:
        """A new link that lets one browser in, once."""
        key = secrets.token_urlsafe(16)
        self._once[key] = self.house.readers[reader]
        url = self.address.url if reader == OWNER else self.address.url_elsewhere
        return f"{url}/enter?once={key}"

    def enter(self, key: str) -> Reader | None:
        return self._once.pop(key, None)

    def reader(self, headers: Headers) -> Reader | None:
        """Whose token or cookie a request shows."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        token = given.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        if token:
            return self.house.readers.by_token(token)
        try:
            jar = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return None
        return self.house.readers.by_cookie(jar[self.cookie].value) if self.cookie in jar else None

    def check(self, scope: Scope, headers: Headers) -> Reader | None:
        """Who asks; None on paths that are open to all. RefusedError for whoever may not come in."""
        if not self.address.answers_to(headers.get("host", "")):
            words = "this server does not answer to the name in the Host header"
            raise RefusedError(421, words, f"call it {self.address.url}, or start it with --name NAME")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != headers["host"].lower():
            raise RefusedError(403, "this server takes no requests from pages of other sites")
        if int(headers.get("content-length") or 0) > self.house.limits.body:
            raise _too_large(self.house.limits)
        reader = self.reader(headers)
        if reader is None and scope["path"] not in OPEN:
            raise RefusedError(401, "the token is missing or wrong", _WHERE)
        name = reader.name if reader else ""
        limits = self.house.limits
        self._rates.setdefault(name, Rate(limits.requests_per_s, limits.burst)).take()
        return reader


class Rate:
    """So many at once, and so many a second in the long run. RefusedError (429) beyond."""

    def __init__(self, per_s: float, most: int) -> None:
        self._per_s, self._most, self._left, self._then = per_s, most, float(most), time.monotonic()

    def take(self) -> None:
        now = time.monotonic()
        self._left, self._then = min(self._most, self._left + (now - self._then) * self._per_s), now
        if self._left < 1:
            words = "this token asks more often than it may"
            raise RefusedError(429, words, "ask again in a while", wait_s=(1 - self._left) / self._per_s)
        self._left -= 1


class Guarded:
    """The layer around the app. `scope["state"]["reader"]` is who asks."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send) if scope["type"] == "lifespan" else None
        status, begun = 500, False
        body = Body(receive, self._access.house.limits)

        async def protected(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                if body.refused and not begun:  # the app took it for a body that cannot be read
                    raise body.refused
                status, begun = message["status"], True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        async def refuse(error: PluriverseError, headers: Mapping[str, str] | None = None) -> None:
            body.refused = None
            if not begun:
                document = document_of(error, dialect_of(scope["path"]))
                await JSONResponse(document, status_of(error), headers)(scope, receive, protected)

        try:
            scope.setdefault("state", {})["reader"] = self._access.check(scope, _headers(scope))
            await self._app(scope, body, protected)
        except RefusedError as error:
            if error.status == 401 and _is_browser(scope):
                return await RedirectResponse("/enter", 303)(scope, receive, protected)
            await refuse(error, error.headers)
        except ClientDisconnect:  # in the middle of its request
            status = 499
        except Exception as mistake:
            if body.refused:
                return await refuse(body.refused, body.refused.headers)
            # Nobody foresaw it: where it was goes to the log, without what was sent.
            log.error("%s %.200a: %s", scope["method"], scope["path"], _place(mistake))
            await refuse(PluriverseError(f"something unexpected went wrong ({type(mistake).__name__})"))
        finally:
            route = getattr(scope.get("route"), "path", "")
            self._access.house.counts.requests[scope["method"], route, status] += 1


def _place(mistake: Exception) -> str:
    """Its kind and where it happened, but none of its words, which may be a reader's."""
    frames = traceback.extract_tb(mistake.__traceback__)
    own = [each for each in frames if "pluriverse" in each.filename] or frames
    return f"{type(mistake).__name__} at {Path(own[-1].filename).name}:{own[-1].lineno}"


class Body:
    """What comes of a request's body, no more of it and no slower than the limits say."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive, self._limits = receive, limits
        self.refused: RefusedError | None = None
        self._bytes, self._whole, self._until = 0, False, time.monotonic() + limits.body_s

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout(max(0.0, self._until - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            self.refused = RefusedError(408, f"the request did not come within {self._limits.body_s:g} seconds")
            raise self.refused from None
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._bytes > self._limits.body:
            self.refused = _too_large(self._limits)
            raise self.refused
        return message


def _is_browser(scope: Scope) -> bool:
    """Whether a person looks for a page, and may be shown the way in."""
    return bool(scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", ""))


def is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _name(host: str) -> str:
    """Of a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower() if host.count(":") < 2 else host.lower()


def _headers(scope: Scope) -> Headers:
    """RefusedError for a length that is no number."""
    headers = Headers(scope=scope)
    length = headers.get("content-length") or "0"
    if not length.isdecimal() or len(length) > 15:
        raise RefusedError(400, "the Content-Length is no number")
    return headers


def _too_large(limits: Limits) -> RefusedError:
    return RefusedError(413, f"the body is larger than {limits.body // 2**20} MB", "send less at once")
