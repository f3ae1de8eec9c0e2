"""`pluriverse rm`, `verify` and `gc`: what is on this machine's disk, dropped, checked and collected."""

import argparse
from typing import TYPE_CHECKING

from ..errors import NotFoundError, PluriverseError, UsageError
from .output import Output
from .parser import GROUPS, Commands
from .text import counted, duration, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..assistants import Assistant, Panel, Shelf
    from ..settings import Settings
    from ..store import Store, Verified

KINDS = ("assistant", "panel", "model")


def add(commands: Commands) -> None:
    group = GROUPS[2]
    removed = commands.add(
        "rm", "drop an assistant, a panel or a model by name", rm, example="pluriverse rm NAME", group=group
    )
    removed.add_argument("name", metavar="NAME")
    removed.add_argument("--kind", choices=KINDS, help="which one is meant where several have that name")
    example = "pluriverse verify"
    verified = commands.add("verify", "read every byte again and compare digests", verify, example=example, group=group)
    verified.add_argument("names", nargs="*", metavar="NAME", help="only these models (default: all)")
    commands.add("gc", "free the space of what no name points to", gc, example="pluriverse gc", group=group)


def rm(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ..assistants import Shelf
    from ..store import Store

    shelf, store = Shelf(settings), Store.at(settings)
    kinds = [args.kind] if args.kind else _kinds_of(args.name, shelf, store)
    if len(kinds) > 1:
        hint = f"pluriverse rm {args.name} --kind {kinds[0]}"
        raise UsageError(f"{args.name!r} is the name of {' and '.join(f'a {kind}' for kind in kinds)}", hint)
    document: dict[str, object] = {"removed": args.name, "kind": kinds[0], "freed_by_gc": 0}
    match kinds[0]:
        case "assistant":
            shelf.remove(args.name)
            store.forget_assistant(args.name)
        case "panel":
            shelf.remove_panel(args.name)
        case _:
            removed = store.remove(args.name)
            document |= {"freed_by_gc": removed.bytes}
    out.document(document)
    out.note(f"{args.name} is removed")
    if document["freed_by_gc"]:
        out.note(f"{size(removed.bytes)} can be freed: pluriverse gc")
    return 0


def _kinds_of(name: str, shelf: "Shelf", store: "Store") -> list[str]:
    """What the user has under this name; where there is nothing, what the starter set has, which will stay."""
    found = {kind: _builtin(find, name) for kind, find in (("assistant", shelf.assistant), ("panel", shelf.panel))}
    own = [kind for kind, builtin in found.items() if builtin is False]
    if name in {model.name for model in store.models()}:
        own.append("model")
    known = own or [kind for kind, builtin in found.items() if builtin]
    if not known:
        raise NotFoundError(f"no assistant, panel or model is called {name!r}", "see all that is here: pluriverse ls")
    return known


def _builtin(find: "Callable[[str], Assistant | Panel]", name: str) -> bool | None:
    """Whether it is of the starter set; None where there is none."""
    try:
        return find(name).builtin
    except NotFoundError:
        return None
    except UsageError:  # a file of the user's that cannot be understood can still be removed
        return False


def verify(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ..errors import IntegrityError
    from ..store import Store, VerifyProgress

    verified: Verified | None = None
    for event in Store.at(settings).verify(args.names):
        if isinstance(event, VerifyProgress):
            out.progress.bar("reading", event.done, event.total)
        else:
            verified = event
    if verified is None:
        raise PluriverseError("the check ended without a result", "pluriverse verify")
    bad = [{"name": each.name, "digest": each.digest, "problem": each.problem} for each in verified.bad]
    out.document({"checked": verified.checked, "bytes": verified.bytes, "total_s": verified.total_s, "bad": bad})
    for each in verified.bad:
        out.line(f"BAD  {each.name}  {each.digest}: {each.problem}")
    read = f"{counted(verified.checked, 'file')}, {size(verified.bytes)} in {duration(verified.total_s)}"
    if not bad:
        out.line(f"all good: {read}")
        return 0
    out.note(f"{len(bad)} of {read} are not what their digest says")
    out.note(f"hint: pluriverse rm {verified.bad[0].name}, pluriverse gc, then pull it again")
    return IntegrityError.exit_code


def gc(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ..files import sweep
    from ..store import Store

    collected, left = Store.at(settings).gc(), sweep(settings.home)
    removed, freed = collected.blobs + len(left), collected.bytes + sum(left)
    out.document({"removed": removed, "bytes": freed})
    out.line(f"freed {size(freed)} ({counted(removed, 'file')})")
    return 0
