"""What happens while a file is brought into the store, as small frozen events."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import PluriverseError
from ..values import Digest, Source


@dataclass(frozen=True, slots=True)
class Trying:
    source: Source


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` bytes are here, with those that lie aside still; total None where the source does not say."""

    done: int
    total: int | None
    source: Source


@dataclass(frozen=True, slots=True)
class SourceFailed:
    source: Source
    error: PluriverseError


@dataclass(frozen=True, slots=True)
class StartedOver:
    """What was here of the file has been thrown away: `why`."""

    source: Source
    why: str


@dataclass(frozen=True, slots=True)
class Whole:
    """All its bytes lie at `path`, right and sound, and nobody can see them yet.

    Who will not have them throws an UnsupportedError or EngineError into the iterator (`athrow`), and they go.
    """

    path: Path
    called: str  # what a message calls it
    vocabulary: bool  # whether it has one


@dataclass(frozen=True, slots=True)
class Pulled:
    """It is here, whole and checked."""

    ref: str
    name: str
    digest: Digest
    bytes: int
    source: Source | None  # None: it was here
    resumed_bytes: int
    already_here: bool
    problem: str | None = None  # why no engine here can load it, where that is known


PullEvent = Trying | Progress | SourceFailed | StartedOver | Whole | Pulled
