"""What readers make documents of: blocks and headings in their order, and why a file cannot be read. No files."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from .schema import Reason

MOST_TEXT = 64 * 2**20  # characters of one document


class Unreadable(Exception):
    """Why a file gives no text. `message` goes on where the name of the file ends: "burke.pdf" "is encrypted"."""

    def __init__(self, reason: Reason, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class Part:
    """Something that one file lacks: as Unreadable, of `count` pages or letters, while the rest is read."""

    reason: Reason
    message: str
    hint: str | None = None
    count: int = 1


@dataclass(slots=True)
class Raw:
    """What was read of one file, before it is cleaned."""

    title: str = ""
    author: str = ""
    language: str = ""  # as the file declares it
    edition: str = ""
    blocks: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    _path: list[tuple[int, str]] = field(default_factory=list)
    _said: tuple[str, ...] = ()
    _size: int = 0

    def heading(self, level: int, title: str) -> None:
        """A title of that level, 1 the highest; it shows before the next block."""
        title = " ".join(title.split())
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        if title:
            self._path.append((level, title))

    def block(self, text: str) -> None:
        """A paragraph, or a stanza with its lines."""
        text = "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))
        if not text:
            return
        path = tuple(title for _, title in self._path if title.casefold() != self.title.casefold())
        if path and path != self._said:
            self.blocks.append("# " + ". ".join(title.rstrip(" .") for title in path[-2:]))
        self._said = path
        self._add(text)

    def lines(self, blocks: Iterable[str]) -> None:
        """Blocks that have their own `# ` lines, as they are."""
        for block in blocks:
            self._add(block)

    def _add(self, text: str) -> None:
        self._size += len(text)
        if self._size > MOST_TEXT:
            raise Unreadable("bomb", f"holds more than {MOST_TEXT // 2**20} million characters", "cut it in pieces")
        self.blocks.append(text)
