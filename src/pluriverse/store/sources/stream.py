"""What every source gives: bytes, and what it says of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from ...values import Digest

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ByteStream:
    """`start`: offset of the first byte in the whole. `size`, `digest`: of the whole, where the source says so."""

    chunks: AsyncIterator[bytes]
    start: int = 0
    size: int | None = None
    digest: Digest | None = None
    etag: str | None = None
    file: Path | None = None  # the bytes lie here and may be linked instead of copied
    name: str | None = None  # the file's own name, where the reference did not say it
