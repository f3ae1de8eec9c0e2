"""`pluriverse pull`: fetch a model by its catalogue name, from the hub, an address or a file."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import PluriverseError, command
from ..terminal.output import Output
from ..terminal.parser import GROUPS, Commands
from ..terminal.text import size

if TYPE_CHECKING:
    from ...catalogue import Entry
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
    parser.add_argument(
        "--projector", nargs="?", const="", metavar="MMPROJ",
        help="also fetch what lets it see pictures: a reference to an mmproj file, or nothing, for the one in the "
        "model's own hub repository",
    )  # fmt: skip


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio

    from ... import catalogue
    from ...catalogue import projector_of
    from ...catalogue.fit import Machine
    from ...store import Store, read_header
    from ...store.kinds import embeds

    known = {entry.id: entry for entry in catalogue.entries(settings.catalogues)}
    if entry := known.get(args.ref):
        out.note(terms_of(entry))
    pullable = catalogue.parse(args.ref, settings.catalogues, Machine.here(settings.home))
    if entry and str(pullable.sources[0]) != str(entry.pullable().sources[0]):
        out.note(f"the usual file would not fit here; a smaller one does: {pullable.sources[0]}")
    if args.name:
        pullable = replace(pullable, name=args.name)
    eyes = None if args.projector is None else projector_of(pullable, args.projector)
    pulled = asyncio.run(_pull(pullable, out, settings))
    seen = asyncio.run(_pull(eyes, out, settings, pulled.name)) if eyes else None
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
            "projector": {"digest": seen.digest, "bytes": seen.bytes, "source": str(seen.source)} if seen else None,
        }
    )
    out.line(pulled.name)
    if pulled.problem:
        out.warn(f"it is here by its bytes, but cannot be asked: {pulled.problem}")
        return 0
    if embeds(read_header(Store.at(settings).path(pulled.digest))):
        out.note("it turns texts into vectors: works are searched by meaning with it")
        return 0
    if seen:
        out.note(f'try it: pluriverse ask "What is in this picture?" --image picture.png --base {pulled.name}')
        return 0
    out.note(f'try it: pluriverse ask "What makes a society fair?" --base {pulled.name}')
    return 0


def terms_of(entry: "Entry") -> str:
    """What somebody should know before it is fetched: what it is, its licence with the traps that matter, its size."""
    from ...catalogue.fit import size_of
    from ...catalogue.licences import licence

    count, terms = size_of(entry), licence(entry.licence)
    about = "" if entry.size is not None else "about "
    told = [f"{entry.name} by {entry.maker}"]
    if count and entry.can_be_pulled:
        told.append(f"{about}{size(count)}")
    told.append(f"licence: {entry.licence or 'not known'}" + (f" ({entry.licence_note})" if entry.licence_note else ""))
    traps = [trap.text for trap in terms.traps if trap.kind != "notice"] if terms else []
    return "; ".join(told) + "".join(f"\n  {trap}" for trap in traps)


async def _pull(pullable: "Pullable", out: Output, settings: "Settings", model: str | None = None) -> "Pulled":
    """`model`: whose projector it is."""
    from contextlib import aclosing

    from ...engines.admitting import pull_projector, pull_usable
    from ...store import Pulled, Store
    from ..terminal.pulling import show_pull

    store = Store.at(settings)
    pulling = pull_projector(store, model, pullable, settings) if model else pull_usable(store, pullable, settings)
    async with aclosing(pulling) as events:
        async for event in events:
            show_pull(out, event, pullable.name)
            if isinstance(event, Pulled):
                return event
    raise PluriverseError(f"the pull of {pullable.name} ended without a result", command("pull", pullable.ref))
