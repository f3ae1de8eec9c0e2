"""Text as a terminal shows it: made harmless, measured in cells, wrapped while it streams; numbers for people.

Pure functions and one small class over strings. Knows nothing of colours, streams, replies or commands.
"""

import re
import unicodedata
from functools import lru_cache

# An escape sequence: CSI, a string (OSC, DCS, SOS, PM, APC) up to its end, or two characters.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|[ -/]*[0-~])")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\x9c]*\x1b?|[ -/]*)\Z")
_LONGEST_HELD = 256  # characters; an unfinished sequence longer than this loses its first characters and is shown
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Controls, and the direction marks that could carry over into a neighbour's column.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
# What acts on a terminal or is invisible there, of what JSON may hold as it is.
_RAW_IN_JSON = re.compile(
    "[\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)


def escaped(json: str) -> str:
    """JSON with such characters as JSON's own escapes: the same document, and harmless where a terminal shows it."""
    return _RAW_IN_JSON.sub(_escape, json)


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))


def clean(text: str) -> str:
    """The text without anything that could move the cursor, colour, ring, retitle or reorder a terminal.

    Line ends become newlines; tabs and all that is printable stay.
    """
    if text.isprintable():  # neither controls nor marks are; this is most of what is shown
        return text
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", _SEQUENCE.sub("", text)))


def one_line(text: str) -> str:
    """Clean text without line ends and runs of spaces."""
    if text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " ":
        return text
    return " ".join(clean(text).split())


class Cleaner:
    """`clean` for a stream: a sequence that is cut by the border of two chunks is removed all the same."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, chunk: str) -> str:
        """What can be shown now."""
        text = self._held + chunk
        self._held = ""
        if text.endswith("\r"):
            text, self._held = text[:-1], "\r"
        elif (cut := _UNFINISHED.search(text)) and len(text) - cut.start() <= _LONGEST_HELD:
            text, self._held = text[: cut.start()], text[cut.start() :]
        return clean(text)

    def end(self) -> str:
        held, self._held = self._held, ""
        return clean(held)


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells(text: str) -> int:
    """How many terminal cells the text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def fit(text: str, width: int) -> str:
    """The text in exactly `width` cells: padded with spaces, or cut with `…` at its end."""
    length = cells(text)
    if length <= width:
        return text + " " * (width - length)
    kept, used = [], 0
    for character in text:
        if used + _cells(character) > width - 1:
            break
        kept.append(character)
        used += _cells(character)
    return "".join(kept) + "…" + " " * (width - used - 1)


class Wrapper:
    """Wraps a stream of clean text at a width in cells, without ever looking back at finished lines.

    `lines` are finished; `line` is the one being filled. A word counts only when it is complete; `end()` completes it.
    """

    def __init__(self, width: int) -> None:
        self.width = max(width, 2)  # a wide character must fit
        self.lines: list[str] = []
        self.line = ""
        self._gap = ""
        self._word = ""
        self._word_cells = 0

    def feed(self, text: str) -> None:
        for character in text.replace("\t", "    "):
            if character == "\n":
                self._place()
                self._break()
                self._gap = ""
            elif character == " ":
                self._place()
                self._gap += character
            else:
                size = _cells(character)
                if size == 2 or self._word_cells + size > self.width:  # wide scripts break between any two characters
                    self._place()
                self._word += character
                self._word_cells += size

    def end(self) -> None:
        self._place()

    def all(self) -> list[str]:
        """Finished lines and the one being filled, the unfinished word included."""
        tail = self.line + self._gap + self._word if self._word else self.line
        if self._word and cells(tail) > self.width:
            return [*self.lines, *filter(None, (self.line, self._word))]
        return [*self.lines, tail] if tail else list(self.lines)

    def _place(self) -> None:
        if not self._word:
            return
        if self.line and cells(self.line + self._gap) + self._word_cells > self.width:
            self._break()
            self._gap = ""
        elif not self.line and len(self._gap) + self._word_cells > self.width:
            self._gap = ""
        self.line += self._gap + self._word
        self._gap, self._word, self._word_cells = "", "", 0

    def _break(self) -> None:
        self.lines.append(self.line)
        self.line = ""


def wrap(text: str, width: int) -> list[str]:
    """Clean text as lines of at most `width` cells."""
    wrapper = Wrapper(width)
    wrapper.feed(text)
    wrapper.end()
    return wrapper.all()


def size(count: float | None) -> str:
    """Bytes for people, in decimal units as download pages show them: `98.4 MB`."""
    if count is None:
        return "unknown size"
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 999.95 or (unit == "bytes" and amount < 1000):
            return f"{int(amount)} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def duration(seconds: float) -> str:
    """A span of time for people: `0.8 s`, `42 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def roughly(seconds: float) -> str:
    """A span that nobody has measured here: `50 s`, `6 min`."""
    return f"{max(round(seconds / 10) * 10, 10)} s" if seconds < 90 else f"{round(seconds / 60)} min"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 reply`, `2 replies`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
