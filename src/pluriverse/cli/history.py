"""`pluriverse history`: the conversations that were kept. Knows the commands; `ask.history` knows the rows."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..files import write_out
from .output import Output, bold, dim
from .parser import Commands
from .text import counted, one_line

if TYPE_CHECKING:
    from ..ask.history import History
    from ..ask.kept import Summary
    from ..settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add("history", "conversations that were kept", ls, example="pluriverse history search taxes")
    nested = Commands(parser, dest="history_command")
    nested.add("ls", "the kept conversations, the latest first", ls, example="pluriverse history ls")
    found = nested.add("search", "find words in them", search, example="pluriverse history search taxes")
    found.add_argument("words", nargs="+", metavar="WORDS", help="all of them must occur")
    shown = nested.add("show", "one of them", show, example="pluriverse history show 3fa9")
    shown.add_argument("id", metavar="ID", help="its id, or the first four characters or more")
    exported = nested.add("export", "write them to a file", export, example="pluriverse history export 3fa9 -o talk.md")
    exported.add_argument("id", nargs="?", metavar="ID", help="one of them (default: all)")
    exported.add_argument("-o", "--output", metavar="FILE", help="where to (default: stdout)")
    exported.add_argument("--format", choices=("markdown", "json"), help="default: markdown, or json for FILE.json")
    removed = nested.add("rm", "delete one for good", rm, example="pluriverse history rm 3fa9")
    removed.add_argument("id", metavar="ID")
    cleared = nested.add("clear", "delete all of them for good", clear, example="pluriverse history clear --yes")
    cleared.add_argument("--yes", action="store_true", help="really")


def ls(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    summaries = _history(settings).list()
    out.document({"conversations": [summary.as_dict() for summary in summaries]})
    if not summaries:
        out.note("nothing is kept yet; pluriverse chat NAME begins a conversation")
    elif not out.json:
        out.table(("ID", "LAST", "TURNS", "WITH", "ABOUT"), [_row(summary) for summary in summaries])
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
    from ..ask.kept import as_document, through

    kept = _history(settings).get(args.id)
    out.document(as_document(kept))
    out.line(bold(one_line(kept.title)))
    out.line(dim(f"{kept.id}, begun {kept.created}"))
    for turn in kept.turns:
        out.line()
        state = "" if turn.state in {"said", "stop"} else f"  ({turn.state})"
        out.line(bold("you" if turn.speaker is None else turn.speaker), dim(through(turn) + state))
        out.paragraph(turn.content.strip())
    return 0


def export(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import json

    history = _history(settings)
    as_json = args.format == "json" or (args.format is None and (args.output or "").endswith(".json"))
    if args.output is None:
        if as_json or out.json:
            out.print_document(history.export_json(args.id))
        else:
            out.line(history.export_markdown(args.id).rstrip())
        return 0
    if as_json:
        text = json.dumps(history.export_json(args.id), ensure_ascii=False, indent=2) + "\n"
    else:
        text = history.export_markdown(args.id)
    file = Path(args.output)
    write_out(file, text)
    size = len(text.encode())
    out.document({"file": str(file), "format": "json" if as_json else "markdown", "bytes": size})
    out.note(f"written to {file}")
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


def _history(settings: "Settings") -> "History":
    """What is kept can be read and deleted, also where new chats are not kept any more."""
    from ..ask.history import History

    return History(settings.history_file)


def _row(summary: "Summary") -> tuple[str, ...]:
    turns = str(summary.turns)
    return summary.id, _day(summary.updated), turns, ", ".join(summary.assistants), summary.title


def _day(moment: str) -> str:
    return moment[:16].replace("T", " ")
