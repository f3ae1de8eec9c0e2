"""What every source gives: bytes, and what it says of them; and what it is told of the bytes that are here already."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import IntegrityError
from ...values import Digest, Source

CHUNK = 1024 * 1024


class StartOver(Exception):
    """What is here cannot be gone on with, e.g. because the file has changed since: only a start at 0 can help."""


class InParts(Exception):
    """The file is split into several, which lie at `sources`, in order."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        super().__init__(f"in {len(sources)} parts")
        self.sources = sources


class WrongPiece(IntegrityError):
    """A piece of the file is not what it should be. What was given before it, `sound` bytes of the whole, is right."""

    def __init__(self, message: str, sound: int) -> None:
        super().__init__(message)
        self.sound = sound


@dataclass(frozen=True, slots=True)
class Coming:
    """Instead of bytes: the source fetches a piece and puts it aside. `bytes` of it are there, up to `room` more come.

    All that was given before is to be written down by then: what it was made of may go.
    """

    bytes: int
    room: int = 0


@dataclass(frozen=True, slots=True)
class Earlier:
    """The part of a file that is here, and what its source said of the whole when it gave that part."""

    bytes: int = 0
    total: int | None = None
    validator: str | None = None  # a strong ETag, or a date of change that tells as much
    checked: bool = False  # the whole will be compared with a known digest


@dataclass(frozen=True, slots=True)
class ByteStream:
    """`start`: offset of the first byte in the whole. `size`, `digest`: of the whole, where the source says so.

    `chunks` raises UnreachableError where it cannot go on now, StartOver where it never can, WrongPiece.
    """

    chunks: AsyncIterator[bytes | Coming]
    start: int = 0
    size: int | None = None
    digest: Digest | None = None
    validator: str | None = None  # changes whenever the bytes do
    file: Path | None = None  # the bytes lie here and may be linked instead of copied
    name: str | None = None  # the file's own name, where the reference did not say it
