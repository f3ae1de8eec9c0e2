"""`/mcp`: MCP over HTTP, behind the same guard as all else.

The protocol's package takes a second to load: it is loaded by the first request. Knows ASGI and the package's sessions.
"""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import PluriverseError
from .house import House


class McpOverHttp:
    """An ASGI app; ends with the house's loop, or by `aclose`."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._app: ASGIApp | None = None
        self._sessions: asyncio.Task[None] | None = None
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._making:
            app = self._app = self._app or await self._made()
        await app(scope, receive, send)

    async def _made(self) -> ASGIApp:
        try:
            from mcp.server.transport_security import TransportSecuritySettings

            from .mcp import mcp_server
        except ModuleNotFoundError as error:
            raise PluriverseError(f"MCP needs {error.name}", "pip install 'pluriverse[serve]'") from error
        server = mcp_server(self._house)
        guarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # `access` has looked already
        app = server.streamable_http_app(stateless_http=True, json_response=True, transport_security=guarded)
        begun = asyncio.Event()

        async def sessions() -> None:
            async with server.session_manager.run():
                begun.set()
                await asyncio.Event().wait()

        self._sessions = asyncio.create_task(sessions())
        await begun.wait()
        return app

    async def aclose(self) -> None:
        if self._sessions is not None:
            self._sessions.cancel()
            with suppress(asyncio.CancelledError):
                await self._sessions
