"""What every source gives: bytes, and what it says of them; and what it is told of the bytes that are here already."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from ...values import Digest

CHUNK = 1024 * 1024


class StartOver(Exception):
    """What is here cannot be gone on with, e.g. because the file has changed since: only a start at 0 can help."""


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

    `chunks` raises UnreachableError where it cannot go on now, StartOver where it never can.
    """

    chunks: AsyncIterator[bytes]
    start: int = 0
    size: int | None = None
    digest: Digest | None = None
    validator: str | None = None  # changes whenever the bytes do
    file: Path | None = None  # the bytes lie here and may be linked instead of copied
    name: str | None = None  # the file's own name, where the reference did not say it
