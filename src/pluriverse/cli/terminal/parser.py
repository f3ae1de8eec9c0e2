"""How words on the command line become arguments: groups of commands, common flags, near names, errors as values.

Knows argparse and the shape of commands; never what a command does. Nothing here prints or exits.
"""

import argparse
import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NoReturn

from ...errors import UsageError, command

if TYPE_CHECKING:
    from ...settings import Settings
    from .output import Output

Run = Callable[[argparse.Namespace, "Output", "Settings"], int]
"""A command: its arguments, where it speaks and what the environment says; returns the exit code."""

GROUPS = ("Talk", "Assistants and panels", "Models and this machine", "Measure")


class HelpAsked(Exception):
    """Not a failure: somebody typed --help."""

    def __init__(self, parser: "Parser") -> None:
        super().__init__(parser.prog)
        self.parser = parser


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises UsageError and HelpAsked instead of writing and exiting."""

    def error(self, message: str) -> NoReturn:
        sentence = message.replace("the following arguments are required: ", "missing: ")
        raise UsageError(f"{self.prog}: {sentence}", f"{self.prog} --help")

    def print_help(self, file: object = None) -> None:
        raise HelpAsked(self)

    def _check_value(self, action: argparse.Action, value: str) -> None:
        # argparse would list every choice; a person wants to know the one that was meant.
        if action.choices is None or value in action.choices:
            return
        if not isinstance(action, argparse._SubParsersAction):
            super()._check_value(action, value)
            return
        raise unknown_command(self.prog, value, list(action.choices))


def unknown_command(prog: str, word: str, commands: Sequence[str]) -> UsageError:
    """What to say to a word that is no command."""
    message = f"{prog} has no command {word!r}"
    if " " in word.strip():  # a question, and `ask` was forgotten
        return UsageError(message, f"did you mean `{command('ask', word)}`?")
    close = near(word, commands)
    return UsageError(message, f"did you mean `{prog} {close}`?" if close else f"see them all: {prog} --help")


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, if one is like it."""
    return next(iter(difflib.get_close_matches(word, list(known), 1, 0.6)), None)


class Commands:
    """The commands of one parser: each has one line of help, an example and what runs it."""

    def __init__(self, parser: Parser, *, dest: str) -> None:
        self._subparsers = parser.add_subparsers(dest=dest, metavar="COMMAND", parser_class=Parser, prog=parser.prog)
        self.lines: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}

    def add(self, name: str, line: str, run: Run, *, example: str, group: str = GROUPS[0]) -> Parser:
        parser: Parser = self._subparsers.add_parser(
            name,
            help=line,
            description=sentence(line),
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        parser.set_defaults(run=run, parser=parser)
        common_flags(parser)
        self.lines[group].append((name, line))
        return parser


def sentence(line: str) -> str:
    return f"{line[0].upper()}{line[1:]}."


def common_flags(parser: argparse.ArgumentParser) -> None:
    """Accepted before and after the command; the defaults are set once, by `parse`."""
    common = parser.add_argument_group("options of every command")
    flags = {
        "--json": "print one JSON document to stdout, nothing else",
        "--quiet": "print errors only on stderr, no notes or progress",
        "--no-color": "do not use colour (also: NO_COLOR=1)",
        "--debug": "show a traceback if something unexpected goes wrong",
    }
    for flag, help_ in flags.items():
        common.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=help_)


def parse(parser: Parser, words: Sequence[str]) -> argparse.Namespace:
    """The arguments; UsageError, with the near option where there is one, or HelpAsked."""
    start = argparse.Namespace(json=False, quiet=False, no_color=False, debug=False, run=None, parser=parser)
    args, extra = parser.parse_known_args(words, start)
    if extra:
        raise _too_much(args.parser, extra)
    return args


def flag_given(words: Sequence[str], flag: str) -> bool:
    """Whether a common flag is among the words, known before the words are understood."""
    ahead = words[: words.index("--")] if "--" in words else words
    return flag in ahead


def names_of(text: str) -> list[str]:
    """`A,B,C` as names. UsageError when one is empty."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise UsageError(f"{text!r} has an empty name in it", "write names with commas between them: A,B,C")
    return names


def _too_much(parser: Parser, extra: Sequence[str]) -> UsageError:
    word = extra[0].partition("=")[0]
    if not word.startswith("-"):
        hint = "put quotation marks around text with spaces"
        return UsageError(f"{parser.prog} does not expect {' '.join(extra)!r}", hint)
    close = near(word, parser._option_string_actions)
    hint = f"did you mean {close}?" if close else f"see all options: {parser.prog} --help"
    return UsageError(f"{parser.prog} has no option {word}", hint)
