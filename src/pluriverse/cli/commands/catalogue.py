"""`pluriverse catalogue`: what there is to pull."""

import argparse
from typing import TYPE_CHECKING, Any

from ...errors import NotFoundError, command
from ..terminal.output import Output, bold
from ..terminal.parser import GROUPS, Commands, near
from ..terminal.text import size

if TYPE_CHECKING:
    from ...catalogue import Entry
    from ...settings import Settings


def add(commands: Commands) -> None:
    example = "pluriverse catalogue search french"
    parser = commands.add("catalogue", "what there is to pull", ls, example=example, group=GROUPS[2])
    nested = Commands(parser, dest="catalogue_command")
    nested.add("ls", "all of it", ls, example="pluriverse catalogue ls")
    found = nested.add("search", "those with a word in them", search, example=example)
    found.add_argument(
        "words", nargs="+", metavar="WORD", help="of a name, maker or licence; a language or a country; all of them"
    )
    shown = nested.add("show", "one entry in full", show, example="pluriverse catalogue show smollm2-135m-instruct")
    shown.add_argument("id", metavar="ID")


def ls(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ... import catalogue

    return _list(catalogue.entries(), out)


def search(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ... import catalogue
    from ...catalogue.words import search as found

    entries = found(args.words, catalogue.entries())
    if not entries:
        out.note(f"no entry has {' '.join(args.words)!r} in it; see all: pluriverse catalogue")
    return _list(entries, out)


def show(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ... import catalogue

    entries = {entry.id: entry for entry in catalogue.entries()}
    if args.id not in entries:
        close = near(args.id, entries)
        hint = f"did you mean `{command('catalogue', 'show', close)}`?" if close else "see all: pluriverse catalogue"
        raise NotFoundError(f"the catalogue has no entry {args.id!r}", hint)
    entry = entries[args.id]
    document = document_of(entry)
    out.document({"entries": [document]})
    out.line(bold(entry.id), f"  {entry.name}")
    out.line()
    out.fields(
        [(name.replace("_", " "), _value(value)) for name, value in document.items() if name not in {"id", "name"}]
    )
    out.note(f"get it: pluriverse pull {entry.id}")
    return 0


def _list(entries: "list[Entry]", out: Output) -> int:
    out.document({"entries": [document_of(entry) for entry in entries]})
    if entries and not out.json:
        rows = [
            (each.id, size(each.size) if each.size else "", each.licence, each.languages, each.maker)
            for each in entries
        ]
        out.table(("ID", "SIZE", "LICENCE", "LANGUAGES", "MAKER"), rows, spare=("MAKER", "SIZE"))
    return 0


def document_of(entry: "Entry") -> dict[str, Any]:
    return entry.as_dict()


def _value(value: object) -> str | None:
    """A field in words; None where nothing is known."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items()) or None
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_value, value))) or None
    return None if value is None else str(value)
