"""`pluriverse catalogue`: what models there are, what is known of each, and which of them fits this machine."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import NotFoundError, UsageError, command
from ..terminal.output import Output, bold
from ..terminal.parser import GROUPS, Commands, near
from ..terminal.text import counted, size

if TYPE_CHECKING:
    from ...catalogue import Catalogue, Entry
    from ...settings import Settings

_UNITS = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "": 1}
_SHOWN = 3  # next best models that `--for-me` names


def add(commands: Commands) -> None:
    example = "pluriverse catalogue search french --fits"
    parser = commands.add("catalogue", "what models there are", ls, example=example, group=GROUPS[2])
    parser.add_argument("--for-me", action="store_true", help="the best general chat model that fits this machine")
    nested = Commands(parser, dest="catalogue_command")
    nested.add("ls", "all of them", ls, example="pluriverse catalogue ls")
    found = nested.add("search", "those with words in them, or by what they are", search, example=example)
    found.add_argument(
        "words", nargs="*", metavar="WORD", help="of a name, maker or licence; a language or a country; all of them"
    )
    found.add_argument("--maker", metavar="NAME", help="of this maker, or part of its name")
    found.add_argument("--country", metavar="CODE", help="of its maker: FR, or france")
    found.add_argument("--language", metavar="CODE", help="that it speaks: fr, or french")
    found.add_argument(
        "--licence-permission", metavar="WHAT", choices=("commercial", "change", "share", "unrestricted"),
        help="what its licence must allow: commercial, change, share or unrestricted",
    )  # fmt: skip
    found.add_argument("--max-size", metavar="SIZE", help="of its file, e.g. 5G")
    found.add_argument("--architecture", metavar="NAME", help="as llama.cpp or transformers call it")
    found.add_argument("--fits", action="store_true", help="there is memory and disk for it here")
    shown = nested.add("show", "one in full", show, example="pluriverse catalogue show smollm2-135m-instruct")
    shown.add_argument("id", metavar="ID")
    drawn = nested.add(
        "graph", "who was made from whom", graph, example="pluriverse catalogue graph qwen-72b -o qwen.svg"
    )
    drawn.add_argument("id", nargs="?", metavar="ID", help="only its lineage (default: all)")
    drawn.add_argument("-o", "--output", type=Path, metavar="FILE", help="draw it as SVG")
    checked = nested.add("check", "whether a folder of catalogue files is right", check,
                         example="pluriverse catalogue check my-catalogue")  # fmt: skip
    checked.add_argument("folder", type=Path, metavar="FOLDER", help="of .toml files, one for each model")


def ls(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    found = _read(settings, out)
    if args.for_me:
        return _for_me(found, out, settings)
    entries = list(found.entries.values())
    code = _list(entries, found, out, settings)
    if not out.json:
        here = sum(each.can_be_pulled for each in entries)
        out.note(
            f"{len(entries)} models; {here} can be pulled. Sizes are about right, for Q4_K_M where there is a choice."
        )
        out.note(
            "narrow them: pluriverse catalogue search french --fits; the best one here: pluriverse catalogue --for-me"
        )
    return code


def search(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...catalogue.fit import Machine, fits
    from ...catalogue.words import Wanted, fitting
    from ...catalogue.words import search as having

    found = _read(settings, out)
    most = _bytes(args.max_size) if args.max_size else None
    wanted = Wanted(args.maker, args.country, args.language, args.licence_permission, most, args.architecture)
    entries = fitting(wanted, having(args.words, found.entries.values()))
    if args.fits:
        machine = Machine.here(settings.home)
        entries = [each for each in entries if each.can_be_pulled and fits(each, machine)]
    if not entries:
        out.note("no entry is all of that; see all: pluriverse catalogue")
    return _list(entries, found, out, settings)


def show(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...catalogue.fit import Machine
    from ...catalogue.lineage import Family
    from ..terminal.entries import document_of, show_entry

    found = _read(settings, out)
    entry = _entry(args.id, found)
    family, machine = Family(found.entries.values()), Machine.here(settings.home)
    out.document({"entries": [document_of(entry, family, machine)]})
    if not out.json:
        show_entry(entry, family, machine, out)
    if entry.can_be_pulled:
        out.note(f"get it: {command('pull', entry.id)}")
    elif entry.closed:
        out.note("it is closed: nobody can fetch its weights")
    else:
        out.note("no GGUF file of it is known, which the engine reads")
    return 0


def graph(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...catalogue.lineage import Family
    from ...files import write_out
    from ..terminal.entries import show_trees

    found = _read(settings, out)
    family = Family(found.entries.values())
    node = _entry(args.id, found).id if args.id else None
    wanted = [node, *family.ancestors(node), *family.descendants(node)] if node else sorted({*family.up, *family.down})
    edges = [
        {"parent": parent, "child": child, "relation": relation}
        for child in wanted
        for parent, relation in family.up.get(child, {}).items()
        if parent in wanted
    ]
    nodes = [{"id": each, "in_catalogue": each in found.entries} for each in wanted]
    drawn = str(args.output) if args.output else None
    out.document({"nodes": nodes, "edges": edges, "svg": drawn})
    if args.output:
        from ...report.lineage import lineage_svg

        makers = {each: found.entries[each].maker for each in wanted if each in found.entries}
        ties = [(edge["parent"], edge["child"], edge["relation"]) for edge in edges]
        write_out(args.output, lineage_svg(makers, ties, node))
        out.line(str(args.output))
    elif not out.json:
        show_trees(family, node, out)
    return 0


def check(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...catalogue import read

    if not args.folder.is_dir():
        raise NotFoundError(f"there is no folder {args.folder}", "name a folder of .toml files, one an entry")
    found = read([args.folder])
    added = [each for each in found.entries.values() if each.file]
    out.document({"entries": [each.id for each in added], "problems": [each.as_dict() for each in found.problems]})
    for problem in found.problems:
        out.line(str(problem))
    told = f"{counted(len(added), 'entry', 'entries')} right"
    if not found.problems:
        out.line(f"{told}. Used from here on: PLURIVERSE_CATALOGUES={args.folder.absolute()}, or copied into "
                 f"{settings.home / 'catalogue'}")  # fmt: skip
        return 0
    out.note(f"{told}, {counted(len(found.problems), 'problem')}; entries with problems are left out, all others count")
    return 1


def _read(settings: "Settings", out: Output) -> "Catalogue":
    """All catalogues; what of the user's own cannot be read is told, and no more than that."""
    from ...catalogue import read

    found = read(settings.catalogues)
    for problem in found.problems[:_SHOWN]:
        out.warn(str(problem))
    if len(found.problems) > _SHOWN:
        folder = settings.catalogues[0]
        out.warn(f"and {len(found.problems) - _SHOWN} more: {command('catalogue', 'check', str(folder))}")
    return found


def _entry(name: str, found: "Catalogue") -> "Entry":
    if name not in found.entries:
        close = near(name, found.entries)
        hint = f"did you mean `{command('catalogue', 'show', close)}`?" if close else "see all: pluriverse catalogue"
        raise NotFoundError(f"the catalogue has no entry {name!r}", hint)
    return found.entries[name]


def _list(entries: "Sequence[Entry]", found: "Catalogue", out: Output, settings: "Settings") -> int:
    from ...catalogue.fit import Machine
    from ..terminal.entries import document_of, show_table

    machine = Machine.here(settings.home)
    if out.json:
        from ...catalogue.lineage import Family

        family = Family(found.entries.values())
        out.document({"entries": [document_of(entry, family, machine) for entry in entries]})
    elif entries:
        show_table(entries, machine, out)
    return 0


def _for_me(found: "Catalogue", out: Output, settings: "Settings") -> int:
    from ...catalogue.fit import Machine, best, memory_of, size_of
    from ...catalogue.lineage import Family
    from ..terminal.entries import document_of

    machine = Machine.here(settings.home)
    able = best(found.entries.values(), machine)
    here = f"{size(machine.memory)} of memory and {size(machine.disk)} of free disk"
    if not able:
        raise NotFoundError(
            f"no general chat model of the catalogue fits {here}", "free some disk; or see all: pluriverse catalogue"
        )
    family, first, get = Family(found.entries.values()), able[0], command("pull", able[0].id)
    out.document(
        {
            "entries": [document_of(entry, family, machine) for entry in able],
            "machine": {"memory": machine.memory, "disk": machine.disk},
            "command": get,
        }
    )
    out.line(bold(first.id), f"  {first.name} by {first.maker}; licence {first.licence}")
    out.line(
        f"about {size(size_of(first))} to fetch, about {size(memory_of(first))} of memory; this machine has {here}"
    )
    out.paragraph(
        f"It has the highest average of the Open LLM Leaderboard v2, {first.scores['open_llm_leaderboard_v2']:g}, of "
        "the general chat models that fit, may be used commercially and were on that board. It is the board with most "
        "models here; newer models were never on it."
    )
    if others := [each.id for each in able[1 : 1 + _SHOWN]]:
        out.line(f"next: {', '.join(others)}")
    out.note(f"take it: {get}")
    return 0


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s*([KMGT]?)B?", text.strip().upper())
    if not match or not float(match[1]):
        raise UsageError(f"--max-size is {text!r}", "write a size such as 5G or 800M")
    return int(float(match[1]) * _UNITS[match[2]])
