"""`pluriverse history`: the asks and chats that were kept. Knows the commands; `chats.shelf` knows the rows."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...files import write_out
from ..terminal.documents import FORMS, SUFFIXES, form_of, rendered
from ..terminal.output import Output, bold, dim
from ..terminal.parser import Commands
from ..terminal.text import counted, one_line

if TYPE_CHECKING:
    from ...chats.chat import Summary
    from ...chats.shelf import ChatShelf
    from ...settings import Settings
    from ..terminal.tables import Cell


def add(commands: Commands) -> None:
    parser = commands.add("history", "your earlier questions and chats", ls, example="pluriverse history search taxes")
    nested = Commands(parser, dest="history_command")
    nested.add("ls", "list them, newest first", ls, example="pluriverse history ls")
    found = nested.add("search", "find words in them", search, example="pluriverse history search taxes")
    found.add_argument("words", nargs="+", metavar="WORDS", help="words to find; all of them must occur")
    shown = nested.add("show", "show one in full", show, example="pluriverse history show 3fa9")
    shown.add_argument("id", metavar="ID", help="its id, or at least the first four characters of it")
    exported = nested.add("export", "write them to a file", export, example="pluriverse history export 3fa9 -o talk.md")
    exported.add_argument("id", nargs="?", metavar="ID", help="write only this one (default: all)")
    exported.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help=f"the file to write: {SUFFIXES} (default: stdout)"
    )
    exported.add_argument(
        "--format", choices=sorted(set(FORMS.values())), help="the format, whatever the file is called"
    )
    removed = nested.add("rm", "delete one", rm, example="pluriverse history rm 3fa9")
    removed.add_argument("id", metavar="ID", help="its id, or at least the first four characters of it")
    cleared = nested.add("clear", "delete all of them", clear, example="pluriverse history clear --yes")
    cleared.add_argument("--yes", action="store_true", help="confirm; without it nothing is deleted")


def ls(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    summaries = _history(settings).list()
    out.document({"conversations": [summary.as_dict() for summary in summaries]})
    if not summaries:
        out.note('nothing is kept yet; asks and chats will be: pluriverse ask "What makes a society fair?"')
    elif not out.json:
        out.table(
            ("ID", "LAST", "TURNS", "WITH", "ABOUT"), [_row(summary) for summary in summaries], spare=("LAST", "TURNS")
        )
    return 0


def search(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    words = " ".join(args.words)
    summaries = _history(settings).search(words)
    out.document({"query": words, "conversations": [summary.as_dict() for summary in summaries]})
    for summary in summaries:
        out.line(bold(summary.id), f"  {_day(summary.updated)}  {one_line(summary.title)}")
        out.line("    ", dim(one_line(summary.excerpt or "")))
    if not summaries:
        out.note(f"no kept conversation has {words!r} in it")
    return 0


def show(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...chats.chat import as_document, cited, said, shown, state, through

    kept = _history(settings).get(args.id)
    out.document(as_document(kept))
    out.line(bold(one_line(kept.title)))
    out.line(dim(f"{kept.id}, begun {kept.created}"))
    for turn in kept.turns:
        out.line()
        out.line(bold("you" if turn.speaker is None else turn.speaker), dim(through(turn)))
        if turn.content.strip():
            out.paragraph(said(turn).strip())
        for line in shown(turn):
            out.line(dim(line))
        for each in cited(turn):
            out.line(dim(one_line(each["told"])))
        if note := state(turn):
            out.line(dim(note))
    return 0


def export(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...chats.chat import as_document

    form = args.format or ("markdown" if args.output is None else form_of(args.output))
    kept = _history(settings).chosen(args.id)
    document = {"conversations": [as_document(each) for each in kept]}
    if args.output is None:
        if form == "json" or out.json:
            out.print_document(document)
        else:
            out.line(rendered(form, kept, document).rstrip())
        return 0
    text = rendered(form, kept, document)
    write_out(args.output, text)
    out.document({"file": str(args.output), "format": form, "bytes": len(text.encode("utf-8", "replace"))})
    out.note(f"written to {args.output}")
    return 0


def rm(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    full = _history(settings).delete(args.id)
    out.document({"deleted": [full]})
    out.note(f"{full} is deleted")
    return 0


def clear(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    history = _history(settings)
    if not args.yes:
        kept = counted(len(history.list()), "conversation")
        raise UsageError(f"this would delete {kept} for good", "pluriverse history clear --yes")
    count = history.clear()
    out.document({"deleted_count": count})
    out.note(f"{counted(count, 'conversation')} deleted")
    return 0


def _history(settings: "Settings") -> "ChatShelf":
    """What is kept can be read and deleted, also where new chats are not kept any more."""
    from ...chats.shelf import ChatShelf

    return ChatShelf(settings.history_file)


def _row(summary: "Summary") -> "tuple[Cell, ...]":
    return summary.id, _day(summary.updated), str(summary.turns), summary.assistants, summary.title


def _day(moment: str) -> str:
    return moment[:16].replace("T", " ")
