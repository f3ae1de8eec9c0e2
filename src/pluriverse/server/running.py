"""Listening: an address is taken, the app served there, and all ended gently by a signal.

Knows sockets, TLS and signals. Does not know what is served.
"""

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from ..errors import PluriverseError, UsageError
from .access import is_loopback

END_S = 5  # that replies under way may still take when the server is ended


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate and its key, PEM files."""

    certificate: Path
    key: Path


def listen(host: str, port: int, *, tls: bool = False, insecure: bool = False) -> socket.socket:
    """The socket, bound. UsageError for an address that others reach without TLS; PluriverseError where it is taken."""
    if not (is_loopback(host) or tls or insecure):
        raise UsageError(
            f"at {host} others on the network can reach this server, and read tokens and chats on their way",
            "give --certificate FILE --key FILE; or say --insecure-public where the network is trusted",
        )
    if not 0 <= port < 2**16:  # the system would take the rest of it
        raise UsageError(f"{port} is no port", "give one from 1 to 65535, or 0 for any free one")
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        taken = socket.socket(family, kind)
    except (OSError, OverflowError) as error:
        raise UsageError(f"{host}:{port} is no address of this machine: {error}") from error
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(place)
    except OSError as error:
        taken.close()
        raise PluriverseError(
            f"{host}:{port} cannot be listened at: {error.strerror}", "choose another: --port N; 0 takes any free one"
        ) from error
    return taken


async def serve(app: ASGIApp, taken: socket.socket, *, ready: Callable[[], None], tls: Tls | None = None) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called once requests are taken. UsageError for a bad certificate."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, proxy_headers=False, lifespan="off", ws="none",
        timeout_keep_alive=20, timeout_graceful_shutdown=END_S, http="h11",
        ssl_certfile=tls.certificate if tls else None, ssl_keyfile=tls.key if tls else None,
    )  # fmt: skip
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(f"the certificate or its key cannot be used: {error}") from error
    server = _Server(config, ready)
    with _ended_by_signals(server):
        await server.serve([taken])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not uvicorn's: it would raise them again at the end, before engines are closed."""
        yield


@contextlib.contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """The first one ends it gently, the second at once."""
    before = {each: signal.signal(each, server.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
