"""What reading gives: documents, and why a file, or a part of it, gave no text. Values only."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from ...values import Digest

Reason = Literal[
    "no_text",  # pages or a file that have pictures, and no text: scanned ones
    "empty",
    "encrypted",
    "broken",
    "bomb",  # it unpacks to far more than it is, or takes far too long
    "too_large",
    "wrong_kind",  # nothing that is read here, or another kind than its name says
    "undecodable",  # text in no known encoding, or with letters that could not be read
    "outside",  # a link that leads out of the folder
    "vanished",  # it was there, and is not any more
    "unreadable",  # the system does not let it be read
    "no_reader",  # a package is missing
]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file gave no text, or a part of it did not. `message` says the same for people, `hint` what to do."""

    reason: Reason
    path: Path
    message: str
    hint: str | None = None
    count: int = 1  # how many pages or letters


@dataclass(frozen=True, slots=True)
class Document:
    """One file as text: blocks with an empty line between them, chapter headings as lines that begin with `# `.

    No control characters, escape codes or marks that turn the direction of writing are in it.
    """

    path: Path
    title: str
    text: str
    author: str = ""
    language: str = ""  # BCP 47; "": unknown
    edition: str = ""
    headings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def digest(self) -> Digest:
        """Of the text in UTF-8: what a work is known by."""
        return Digest(f"sha256:{sha256(self.text.encode()).hexdigest()}")
