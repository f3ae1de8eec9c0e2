"""The one place where a command's results, words and errors leave the process.

Data go to stdout, words (notes, progress, warnings, errors) to stderr. With --json stdout carries exactly one JSON
document. All text that comes from files, models or the network is made harmless here before a terminal sees it.

Exit codes: 0 done; 1 could not; 2 wrong usage; 3 an integrity or signature check failed; 130 stopped by Ctrl-C, also
where a part had already been shown. A reader that goes away (`| head`) is no failure: 0.
"""

import errno
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from ...errors import PluriverseError
from .streams import nowhere, outside, silence
from .tables import table
from .text import clean, escaped, one_line, wrap

if TYPE_CHECKING:
    from ...settings import Settings
    from .progress import Progress
    from .tables import Cell

STOPPED = 130
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Styled:
    """A piece of a line with one of the few styles; without colour it is the plain text."""

    text: str
    style: str


def bold(text: str) -> Styled:
    return Styled(text, "bold")


def dim(text: str) -> Styled:
    return Styled(text, "dim")


class Output:
    """Where a command speaks. Made once per call of `main`."""

    def __init__(self, *, json: bool = False, quiet: bool = False, debug: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.debug = debug
        self.colour = False  # until the settings are known
        self.redraws = True
        self._documented = False
        self.stdout: TextIO = sys.stdout or nowhere()
        self.stderr: TextIO = sys.stderr or nowhere()
        self._progress: Progress | None = None
        for stream in (self.stdout, self.stderr):
            # A lone surrogate, or a terminal without UTF-8, must not end a command half way.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")

    def adopt(self, settings: "Settings", *, no_colour: bool) -> None:
        """From here on speak as the environment and the flags say."""
        self.colour = settings.colour and settings.redraws and not no_colour
        self.redraws = settings.redraws

    @property
    def terminal(self) -> bool:
        """A person reads stdout as it comes."""
        return not self.json and self.stdout.isatty()

    @property
    def redrawable(self) -> bool:
        """Lines on stdout can be drawn again in place."""
        return self.terminal and self.redraws

    @property
    def width(self) -> int:
        """Columns of the terminal; 80 where there is none."""
        import shutil

        return shutil.get_terminal_size((80, 24)).columns

    @property
    def rule(self) -> str:
        """What horizontal lines are drawn with, as far as the encoding goes."""
        return "─" if self._unicode else "-"

    @property
    def bar(self) -> str:
        return "│" if self._unicode else "|"

    @property
    def cross(self) -> str:
        return "┼" if self._unicode else "+"

    @property
    def progress(self) -> "Progress":
        """What is going on, on stderr."""
        if self._progress is None:
            from .progress import Progress

            self._progress = Progress(self.stderr, silent=self.quiet, redraws=self.redraws)
        return self._progress

    def painted(self, *parts: str | Styled) -> str:
        """The parts as one safe string, styled where colour is on and stdout is a terminal."""
        shown = []
        for part in parts:
            if isinstance(part, Styled):
                text = clean(part.text)
                styled = self.colour and self.terminal
                shown.append(f"\x1b[{_STYLES[part.style]}m{text}\x1b[0m" if styled and text else text)
            else:
                shown.append(clean(part))
        return "".join(shown)

    def line(self, *parts: str | Styled) -> None:
        """A line of data for people; nothing with --json."""
        if not self.json:
            self._clear()
            self.stdout.write(self.painted(*parts) + "\n")

    def paragraph(self, text: str, *, indent: int = 0) -> None:
        """Text wrapped to the terminal (at most 100 columns); as it is where stdout is no terminal."""
        lines = wrap(clean(text), min(self.width, 100) - indent) if self.terminal else clean(text).splitlines()
        for line in lines:
            self.line(" " * indent + line if line else "")

    def fields(self, pairs: Sequence[tuple[str, str | None]]) -> None:
        """`name  value` lines; a value of None or "" is left out."""
        known = [(name, value) for name, value in pairs if value]
        longest = max((len(name) for name, _ in known), default=0)
        for name, value in known:
            self.line(dim(f"{name:<{longest}}"), "  ", one_line(value))

    def table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence["Cell"]],
        *,
        whole: Collection[str] = (),
        spare: Sequence[str] = (),
        wrapped: Collection[str] = (),
    ) -> None:
        """Rows under heads, fitted to the terminal as `tables.table` says."""
        width = self.width if self.terminal else None
        head, body = table(heads, rows, width, whole=whole, spare=spare, wrapped=wrapped)
        for line in head:
            self.line(bold(line))
        for line in body:
            self.line(line)

    def stream(self, *parts: str | Styled) -> None:
        """Text to stdout as it comes, without a line's end of its own."""
        self._clear()
        self.stdout.write(self.painted(*parts))
        self.stdout.flush()

    def document(self, document: Mapping[str, Any]) -> None:
        """The one JSON document of this call; nothing without --json."""
        if self.json and not self._documented:  # never a second one, also when Ctrl-C comes late
            self._documented = True
            self.print_document(document)

    def json_line(self, document: Mapping[str, Any]) -> None:
        """The one document of a call that goes on, as one line that a program can read at once."""
        import json

        self._documented = True
        self.stdout.write(json.dumps(document, ensure_ascii=not self._unicode) + "\n")
        self.stdout.flush()

    def print_document(self, document: Mapping[str, Any]) -> None:
        """JSON that is data in itself, such as an export: written with and without --json."""
        import json

        self._clear()
        text = json.dumps(document, ensure_ascii=not self._unicode, indent=2, allow_nan=False, default=str)
        if self.stdout.isatty():
            text = escaped(text)
        self.stdout.write(text + "\n")

    def note(self, text: str) -> None:
        """Words on stderr; none with --quiet."""
        if not self.quiet:
            self._say(text)

    def warn(self, text: str) -> None:
        if not self.quiet:
            self._say(f"warning: {text}")

    def fail(self, error: PluriverseError) -> int:
        """This is how the command ends: say what went wrong and what to do next; the exit code."""
        self.trouble(error)
        self.document({"error": error.as_dict()})
        return error.exit_code

    def trouble(self, error: PluriverseError) -> None:
        """A failure in words, after which a command may go on."""
        self._say(f"error: {error.message}")
        if error.hint:
            self._say(f"hint: {error.hint}")

    def stopped(self) -> int:
        """Ctrl-C before anything was shown."""
        self._say("stopped")
        self.document({"error": {"kind": "stopped", "message": "stopped by Ctrl-C", "hint": None}})
        return STOPPED

    def mistake(self, mistake: Exception) -> int:
        """What nobody foresaw: one sentence, and the traceback only for those who ask for it."""
        if self.debug:
            import traceback

            self._say("".join(traceback.format_exception(mistake)).rstrip())
        if known := outside(mistake):
            return self.fail(known)
        told = " ".join(str(mistake).split())
        described = f"{type(mistake).__name__}: {told}" if told else type(mistake).__name__
        hint = "the same command with --debug shows where it happened; please report it"
        return self.fail(PluriverseError(f"something unexpected went wrong ({described})", hint))

    def lost(self, error: OSError) -> int:
        """Stdout takes nothing more, and so no document either: the words for it, and the exit code."""
        silence(self.stdout)
        if error.errno == errno.EPIPE:  # whoever read it has had enough
            return 0
        self._say(f"error: stdout cannot be written: {error.strerror}")
        self._say("hint: write to another place, or free some space on its disk")
        return PluriverseError.exit_code

    def closed(self) -> int:
        """There has been no stdout from the beginning, so nothing is done of which all would be lost."""
        self._say("error: stdout is closed, so nothing can be shown")
        self._say("hint: give it a place, e.g. > FILE, or > /dev/null for none")
        return PluriverseError.exit_code

    def flush(self) -> None:
        self._clear()
        self.stdout.flush()
        self._write_words("")

    @property
    def _unicode(self) -> bool:
        return (getattr(self.stdout, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")

    def _say(self, text: str) -> None:
        self._clear()
        self.stdout.flush()
        self._write_words(clean(text) + "\n")

    def _write_words(self, text: str) -> None:
        """Words that cannot be written are lost; what was asked for is done all the same."""
        try:
            self.stderr.write(text)
            self.stderr.flush()
        except OSError:
            silence(self.stderr)

    def _clear(self) -> None:
        if self._progress is not None:
            self._progress.clear()
