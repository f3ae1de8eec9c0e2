"""`pluriverse pull`: fetch a model by its catalogue name, from the hub, an address or a file."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import PluriverseError, command
from ..terminal.output import Output
from ..terminal.parser import GROUPS, Commands

if TYPE_CHECKING:
    from ...settings import Settings
    from ...store import Pulled
    from ...values import Pullable


def add(commands: Commands) -> None:
    example = "pluriverse pull qwen2.5-1.5b-instruct"
    parser = commands.add("pull", "download a model and check it", run, example=example, group=GROUPS[2])
    parser.add_argument(
        "ref",
        metavar="REF",
        help="a name in the catalogue, hf:owner/repo/file.gguf[@rev], hf:owner/repo:Q4_K_M, an https address "
        "(with #sha256=... it is checked), or a path to a .gguf file",
    )
    parser.add_argument("--name", metavar="N", help="the name it gets here")


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio

    from ... import catalogue

    pullable = catalogue.parse(args.ref)
    if args.name:
        pullable = replace(pullable, name=args.name)
    pulled = asyncio.run(_pull(pullable, out, settings))
    out.document(
        {
            "ref": args.ref,
            "name": pulled.name,
            "digest": pulled.digest,
            "bytes": pulled.bytes,
            "source": str(pulled.source),
            "resumed_bytes": pulled.resumed_bytes,
            "already_here": pulled.already_here,
            "problem": pulled.problem,
        }
    )
    out.line(pulled.name)
    if pulled.problem:
        out.warn(f"it is here by its bytes, but cannot be asked: {pulled.problem}")
        return 0
    out.note(f'try it: pluriverse ask "What makes a society fair?" --base {pulled.name}')
    return 0


async def _pull(pullable: "Pullable", out: Output, settings: "Settings") -> "Pulled":
    from contextlib import aclosing

    from ...engines.admitting import pull_usable
    from ...store import Pulled, Store
    from ..terminal.pulling import show_pull

    async with aclosing(pull_usable(Store.at(settings), pullable, settings)) as events:
        async for event in events:
            show_pull(out, event, pullable.name)
            if isinstance(event, Pulled):
                return event
    raise PluriverseError(f"the pull of {pullable.name} ended without a result", command("pull", pullable.ref))
