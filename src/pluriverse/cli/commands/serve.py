"""`pluriverse serve`: the page, and an API that other tools know, until a signal ends it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import PluriverseError, UsageError
from ..terminal.output import Output
from ..terminal.parser import Commands, names_of

if TYPE_CHECKING:
    from ...server.access import Access
    from ...server.tokens import Readers
    from ...settings import Settings


def add(commands: Commands) -> None:
    line = "a page to ask on, and an API that other tools know"
    parser = commands.add("serve", line, run, example="pluriverse serve --port 7070")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=7070, metavar="N", help="default: 7070; 0: any free one")
    parser.add_argument(
        "--name",
        dest="names",
        metavar="A,B",
        help="host names that it answers to; the first is in the links of readers",
    )
    parser.add_argument("--readers", metavar="A,B", help="give each of these a token and a history of their own")
    parser.add_argument("--no-history", action="store_true", help="keep no questions and answers")
    parser.add_argument(
        "--mcp", action="store_true", help="speak MCP on stdin and stdout instead, for an agent or editor"
    )
    public = parser.add_argument_group("for others on the network")
    public.add_argument("--certificate", type=Path, metavar="FILE", help="serve over TLS with this certificate (PEM)")
    public.add_argument("--key", type=Path, metavar="FILE", help="the certificate's key (PEM)")
    public.add_argument("--insecure-public", action="store_true", help="also listen where others reach it, without TLS")


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio
    from dataclasses import replace

    if (args.certificate is None) != (args.key is None):
        raise UsageError("a certificate needs its key, and a key its certificate", "give both --certificate and --key")
    try:
        from ...server import app as _  # noqa: F401
    except ModuleNotFoundError as error:
        raise PluriverseError(f"serving needs {error.name}", "pip install 'pluriverse[serve]'") from error
    if args.no_history:
        settings = replace(settings, history=False)
    if args.mcp:
        return _speak_mcp(settings)
    asyncio.run(_serve(args, out, settings))
    return 0


def _speak_mcp(settings: "Settings") -> int:
    """Until stdin ends. Only the protocol's messages go to stdout."""
    import asyncio

    try:
        from ...server.mcp import mcp_server
    except ModuleNotFoundError as error:
        raise PluriverseError(f"MCP needs {error.name}", "pip install 'pluriverse[serve]'") from error
    from ...server.house import House

    async def speak() -> None:
        async with House(settings) as house:
            await mcp_server(house).run_stdio_async()

    asyncio.run(speak())
    return 0


async def _serve(args: argparse.Namespace, out: Output, settings: "Settings") -> None:
    from contextlib import aclosing

    from ...server.access import Address
    from ...server.app import build
    from ...server.house import House
    from ...server.running import Tls, listen, serve
    from ...server.tokens import Readers

    tls = Tls(args.certificate, args.key) if args.certificate else None
    readers = Readers(settings.home, names_of(args.readers) if args.readers else ())
    taken = listen(args.host, args.port, tls=tls is not None, insecure=args.insecure_public)
    with taken:
        names = tuple(names_of(args.names)) if args.names else ()
        address = Address(args.host, taken.getsockname()[1], tls is not None, names)
        async with House(settings, readers=readers) as house:
            app = build(house, address)
            access = app.state.access
            async with aclosing(app.state.mcp):
                await serve(app, taken, ready=lambda: _ready(out, access, readers), tls=tls)


def _ready(out: Output, access: "Access", readers: "Readers") -> None:
    """One link for a person, or one line of JSON for a program."""
    from ...server.tokens import OWNER

    link, url = access.link(), access.address.url
    if out.json:
        out.json_line({"url": url, "token": readers[OWNER].token, "link": link})
        return
    out.line(link)
    for name in readers.named:
        out.line(f"{name}: {access.link(name)}")
    out.note(f"tools: base URL {url}/v1, token in {readers.file}")
    out.note("open the link in a browser; it counts once. Ctrl-C ends the server.")
    if readers.named and access.address.everywhere and not access.address.names:
        out.note("on other machines these links need this one's name: start it with --name NAME")
    out.flush()
