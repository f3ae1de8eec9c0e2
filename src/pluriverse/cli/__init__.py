"""`pluriverse` on the command line.

`main` builds the parser, runs one command and turns whatever went wrong into words and an exit code (see `output`).
Every noun has a file with its parsers and commands; what a command needs is imported when it runs, so `--help` is fast.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import errors
from .terminal import parser as parsing
from .terminal import streams
from .terminal.output import Output

if TYPE_CHECKING:
    from .terminal.parser import Commands, Parser

WELCOME = """pluriverse {version}: many open AI assistants, side by side, on your own machine.

  pluriverse ask "What makes a society fair?"    several assistants answer together
  pluriverse ls                                  list who you can ask
  pluriverse chat duty                           talk with one of them

Everything else: pluriverse --help
"""

HELP = """usage: pluriverse COMMAND ...

Many open AI assistants, side by side, on your own machine.
{groups}
options of every command:
  --json                print one JSON document to stdout, nothing else
  --quiet               print errors only on stderr, no notes or progress
  --no-color            do not use colour (also: NO_COLOR=1)
  --debug               show a traceback if something unexpected goes wrong
  --version             show the version
  -h, --help            show help; of one command: pluriverse ask --help

example:
  pluriverse ask "What makes a society fair?" --panel works
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Never exits the process and never lets an exception out."""
    words = list(sys.argv[1:] if argv is None else argv)
    streams.prepare()
    out = Output(
        json=parsing.flag_given(words, "--json"),
        quiet=parsing.flag_given(words, "--quiet"),
        debug=parsing.flag_given(words, "--debug"),
    )
    if sys.stdout is None:
        return out.closed()
    try:
        return _told(words, out)
    except streams.LostStdout as error:
        return out.lost(error)


def _told(words: Sequence[str], out: Output) -> int:
    """Run it, and say in words what went wrong: the one place where errors become words."""
    try:
        code = _run(words, out)
    except errors.PluriverseError as error:
        code = out.fail(error)
    except KeyboardInterrupt:
        code = out.stopped()
    except streams.LostStdout:
        raise
    except Exception as mistake:
        code = out.mistake(mistake)
    out.flush()
    return code


def _run(words: Sequence[str], out: Output) -> int:
    parser, commands = _parser()
    try:
        args = parsing.parse(parser, words)
    except parsing.HelpAsked as asked:
        return _show(out, "help", _help(commands) if asked.parser is parser else asked.parser.format_help())
    if args.version:
        return _version(out)
    if args.run is None and args.command is None:
        return _show(out, "welcome", WELCOME.format(version=_number()))
    from ..settings import load

    settings = load()
    out.adopt(settings, no_colour=args.no_color)
    code: int = args.run(args, out, settings)
    return code


def _parser() -> "tuple[Parser, Commands]":
    from .commands import (
        ask,
        card,
        catalogue,
        chat,
        compare,
        disk,
        edit,
        engine,
        fit,
        leaderboard,
        ls,
        measure,
        new,
        optimise,
        panel,
        pull,
        report,
        serve,
        show,
        works,
    )
    from .commands import chats as history

    parser = parsing.Parser(prog="pluriverse", allow_abbrev=False, usage="pluriverse COMMAND ...")
    parser.add_argument("--version", action="store_true")
    parsing.common_flags(parser)
    commands = parsing.Commands(parser, dest="command")
    for noun in (
        ask, chat, serve, history, ls, show, new, edit, works, panel, pull, catalogue, fit, engine, optimise, disk,
        measure, card, compare, leaderboard, report,
    ):  # fmt: skip
        noun.add(commands)
    return parser, commands


def _help(commands: "Commands") -> str:
    groups = ""
    for group, lines in commands.lines.items():
        shown = "\n".join(f"  {name:<20}  {line}" for name, line in lines)
        groups += f"\n{group}:\n{shown}\n"
    return HELP.format(groups=groups)


def _show(out: Output, kind: str, text: str) -> int:
    out.document({kind: text})
    if not out.json:
        out.stdout.write(text)
    return 0


def _version(out: Output) -> int:
    out.document({"version": _number()})
    out.line(f"pluriverse {_number()}")
    return 0


def _number() -> str:
    from .. import __version__

    return __version__
