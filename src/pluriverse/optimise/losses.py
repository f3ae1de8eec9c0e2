"""What comparing two models on texts has found, kept as it comes, so that a call that was stopped goes on.

    engine/losses/KEY.jsonl   one batch of texts a line: {"texts", "tokens", "kl", "same"}

KEY is a digest of both files' bytes and the library that computed. Knows files and numbers; compares nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

from ..errors import IntegrityError, PluriverseError
from ..files import appending, make_folder
from ..jsonl import append, cut_torn_line, whole_lines

Found = dict[str, Any]


class Losses:
    """Of one original, one copy and one library. A context manager."""

    def __init__(self, folder: Path, original: str, copy: str, library: str | None) -> None:
        self._path = folder / f"{_digest([original, copy, library or 'wheel'])}.jsonl"
        self._known: dict[str, Found] = {}
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            make_folder(self._path.parent)
            cut_torn_line(self._path)
            try:
                self._known = dict(whole_lines(self._path, _read, "comparison", "it will be compared again"))
            except IntegrityError:
                self._path.unlink()
            self._file = appending(self._path)
        except OSError as error:
            raise PluriverseError(f"{self._path} cannot be written: {error.strerror}", "set PLURIVERSE_HOME") from error
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file:
            self._file.close()

    def of(self, texts: Sequence[str], pairs: int) -> Found | None:
        """Of these texts and so many pairs of models."""
        found = self._known.get(_digest(texts))
        return found if found and len(found["kl"]) == pairs else None

    def add(self, texts: Sequence[str], found: Found) -> None:
        """Bring it to the disk. NoSpaceError leaves what was there before."""
        assert self._file
        kept = {name: found[name] for name in ("tokens", "kl", "same")}
        append(self._file, self._path, [{"texts": _digest(texts), **kept}])


def _read(document: Mapping[str, Any]) -> tuple[str, Found]:
    """Raises KeyError, TypeError, ValueError where it is none."""
    tokens = [int(each) for each in document["tokens"]]
    kl, same = ([[float(each) for each in pair] for pair in document[name]] for name in ("kl", "same"))
    if any(len(pair) != len(tokens) for pair in (*kl, *same)):
        raise ValueError("lists of different lengths")
    return str(document["texts"]), {"tokens": tokens, "kl": kl, "same": same}


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
