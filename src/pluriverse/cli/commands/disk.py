"""`pluriverse rm`, `verify` and `gc`: what is on this machine's disk, dropped, checked and collected."""

import argparse
from typing import TYPE_CHECKING

from ...errors import NotFoundError, PluriverseError, UsageError, command
from ..terminal.output import Output
from ..terminal.parser import GROUPS, Commands
from ..terminal.text import counted, duration, size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...assistant import Assistant, Panel, Shelf
    from ...settings import Settings
    from ...store import Store, Verified

KINDS = ("assistant", "panel", "model")


def add(commands: Commands) -> None:
    group = GROUPS[2]
    removed = commands.add(
        "rm", "delete an assistant, a panel or a model", rm, example="pluriverse rm my-duty", group=group
    )
    removed.add_argument("name", metavar="NAME", help="what to delete; the space of a model is freed by gc")
    removed.add_argument("--kind", choices=KINDS, help="which one, if several have that name")
    removed.add_argument(
        "--force",
        "--yes",
        action="store_true",
        help="delete it even if a panel or a counterpart needs it",
    )
    example = "pluriverse verify"
    verified = commands.add(
        "verify", "check that the models on disk are undamaged", verify, example=example, group=group
    )
    verified.add_argument("names", nargs="*", metavar="NAME", help="check only these models (default: all)")
    about = "free the space of deleted models and works, and of unfinished downloads"
    freed = commands.add("gc", about, gc, example="pluriverse gc", group=group)
    freed.add_argument(
        "--keep-partial", type=float, default=0, metavar="DAYS", help="keep unfinished downloads younger than this"
    )


def rm(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...assistant import Shelf
    from ...store import Store

    shelf, store = Shelf(settings), Store.at(settings)
    kinds = [args.kind] if args.kind else kinds_of(args.name, shelf, store)
    if len(kinds) > 1:
        hint = command("rm", args.name, "--kind", kinds[0])
        raise UsageError(f"{args.name!r} is the name of {' and '.join(f'a {kind}' for kind in kinds)}", hint)
    document: dict[str, object] = {"removed": args.name, "kind": kinds[0], "freed_by_gc": 0}
    told: list[str] = []
    match kinds[0]:
        case "assistant":
            panels, counterparts = shelf.needing(args.name)
            _agreed(args, panels, counterparts)
            shelf.remove(args.name)
            store.forget_assistant(args.name)
            document["changed"] = [each.name for each in panels] + [each.name for each in counterparts]
            for panel in panels:
                alone = "had no other member and is removed" if len(panel.members) == 1 else "goes on without it"
                told.append(f"the panel {panel.name} {alone}")
            told += [f"{each.name} goes on without a counterpart" for each in counterparts]
        case "panel":
            shelf.remove_panel(args.name)
        case _:
            told += _speaking_through(args.name, shelf, store, settings)
            removed = store.remove(args.name)
            document |= {"freed_by_gc": removed.bytes}
    out.document(document)
    out.note(f"{args.name} is removed")
    for words in told:
        out.note(words)
    if document["freed_by_gc"]:
        out.note(f"{size(removed.bytes)} can be freed: pluriverse gc")
    return 0


def _agreed(args: argparse.Namespace, panels: "Sequence[Panel]", counterparts: "Sequence[Assistant]") -> None:
    """UsageError where others would be left without it and --force was not said."""
    if args.force or not (panels or counterparts):
        return
    named = [f"a member of the panel {each.name}" for each in panels]
    named += [f"the counterpart of {each.name}" for each in counterparts]
    given = ("--kind", args.kind) if args.kind else ()
    raise UsageError(
        f"{args.name} is {' and '.join(named)}; {'they' if len(named) > 1 else 'it'} would go on without it",
        command("rm", args.name, *given, "--force"),
    )


def _speaking_through(model: str, shelf: "Shelf", store: "Store", settings: "Settings") -> list[str]:
    """Who cannot be asked when this model is gone, or who speaks instead."""
    names = [each.name for each in shelf.assistants() if each.base == model]
    if names:
        return [f"{', '.join(names)} cannot answer until it is pulled again{_from(model, store)}"]
    next_ask = _next_ask(model, store, settings)
    return [f"it is the default model: {next_ask}{_from(model, store)}"] if next_ask else []


def _next_ask(model: str, store: "Store", settings: "Settings") -> str | None:
    """What becomes of a question to the default model when this one is gone; None where it is another."""
    from ...assistant.bases import meant
    from ...assistant.default_base import chosen
    from ...catalogue.ladder import rungs

    if model != meant("default", store, settings):
        return None
    fetched = model
    if settings.base == "default":
        instead = chosen(store, settings, without=model)
        if instead.here:
            rung = instead.rung
            return f"the next ask speaks through {rung.name} ({rung.model}), which is here; to have this one back"
        fetched = instead.rung.model
    if settings.offline or fetched not in {each.model for each in rungs()}:
        return "nobody who speaks through it can answer until it is pulled again"
    return f"the next ask fetches {'it again' if fetched == model else fetched}; now"


def _from(model: str, store: "Store") -> str:
    """How it can be had again, as far as that is known."""
    from ...catalogue import find

    if find(model) is not None:
        return f": {command('pull', model)}"
    source = store.find(model).source or ""
    if source.startswith(("hf:", "http:", "https:", "/")):
        return f": {command('pull', source, '--name', model)}"
    return ""


def kinds_of(name: str, shelf: "Shelf", store: "Store") -> list[str]:
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
    from ...errors import IntegrityError
    from ...store import Store, VerifyProgress

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
    out.note(f"{len(bad)} of {read} are damaged: they do not match their digest")
    models = [each.name for each in verified.bad if each.role != "work"]
    if models:
        out.note(f"hint: {command('rm', models[0])}; pluriverse gc; then pull it again")
    if len(models) < len(bad):
        again = command("works", "add", "gardener", "roses.epub")
        out.note(
            f"hint: the index of a work is made anew when it is next needed; a text comes back as it came: {again}"
        )
    return IntegrityError.exit_code


def _forget_works(store: "Store", settings: "Settings") -> None:
    """Works that no assistant names; none where the file of one cannot be read, for who knows what it names."""
    from ...assistant import Shelf

    shelf = Shelf(settings)
    if not shelf.problems():
        store.forget_works({work.digest for each in shelf.assistants() for work in each.works})


def gc(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...files import sweep
    from ...store import Store

    if not args.keep_partial >= 0:  # also NaN
        raise UsageError(f"--keep-partial is {args.keep_partial}; it must be 0 or more", "pluriverse gc")
    store = Store.at(settings)
    _forget_works(store, settings)
    collected, left = store.gc(keep_partial_days=args.keep_partial), sweep(settings.home)
    removed, freed = collected.blobs + len(left), collected.bytes + sum(left)
    unfinished, unfinished_bytes = collected.unfinished + len(left), collected.unfinished_bytes + sum(left)
    out.document({"removed": removed, "bytes": freed, "unfinished": unfinished, "unfinished_bytes": unfinished_bytes})
    out.line(f"freed {size(freed)} ({counted(removed, 'file')})")
    if unfinished:
        out.note(
            f"of these {size(unfinished_bytes)} were unfinished downloads and copies ({counted(unfinished, 'file')})"
        )
    return 0
