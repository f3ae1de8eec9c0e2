"""What readers make documents of: blocks and headings in their order, and why a file cannot be read. No files."""

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
    parts: list[Part] = field(default_factory=list)
    _blocks: list[tuple[tuple[str, ...], str]] = field(default_factory=list)  # headings above it, outer first
    _path: list[tuple[int, str]] = field(default_factory=list)
    _tops: list[str] = field(default_factory=list)
    _size: int = 0

    def heading(self, level: int, title: str) -> None:
        """A title of that level, 1 the highest."""
        title = " ".join(title.split())
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        if title:
            if not self._path:
                self._tops.append(title)
            self._path.append((level, title))

    def block(self, text: str) -> None:
        """A paragraph, or a stanza with its lines."""
        text = "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))
        if text:
            self._add(tuple(title for _, title in self._path), text)

    def plain(self, block: str) -> None:
        """A block as it stands, which may be a `# ` line."""
        self._add((), block)

    def text(self) -> tuple[str, list[str]]:
        """The title, and the blocks with a `# ` line where another chapter begins. A heading over all is the title."""
        whole = self._tops[0] if len(self._tops) == 1 else ""
        title = self.title or whole
        said: tuple[str, ...] = ()
        found = []
        for path, block in self._blocks:
            inner = tuple(each for each in path if each not in {whole, title})
            if inner and inner != said:
                found.append("# " + ". ".join(each.rstrip(" .") for each in inner[-2:]))
            said = inner
            found.append(block)
        return title, found

    def _add(self, path: tuple[str, ...], text: str) -> None:
        self._size += len(text)
        if self._size > MOST_TEXT:
            raise Unreadable("bomb", f"holds more than {MOST_TEXT // 2**20} million characters", "cut it in pieces")
        self._blocks.append((path, text))
