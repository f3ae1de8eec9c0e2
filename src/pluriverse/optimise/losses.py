"""What comparing two models on texts has found, kept as it comes, so that a call that was stopped goes on.

    engine/losses/KEY.jsonl   one batch of texts a line: {"texts", "tokens", "kl", "same"}

KEY is a digest of both files' bytes and the library that computed. Knows files and numbers; compares nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..jsonl import Found

Loss = dict[str, Any]


class Losses(Found[str, Loss]):
    """Of one original, one copy and one library. A context manager."""

    def __init__(self, folder: Path, original: str, copy: str, library: str | None) -> None:
        super().__init__(folder / f"{_digest([original, copy, library or 'wheel'])}.jsonl", _read)

    def of(self, texts: Sequence[str], pairs: int) -> Loss | None:
        """Of these texts and so many pairs of models."""
        found = self.get(_digest(texts))
        return found if found and len(found["kl"]) == pairs else None

    def add(self, texts: Sequence[str], found: Loss) -> None:
        """Bring it to the disk. NoSpaceError leaves what was there before."""
        key, kept = _digest(texts), {name: found[name] for name in ("tokens", "kl", "same")}
        self.keep({key: kept}, [{"texts": key, **kept}])


def _read(document: Mapping[str, Any]) -> tuple[str, Loss]:
    """Raises KeyError, TypeError, ValueError where it is none."""
    tokens = [int(each) for each in document["tokens"]]
    kl, same = ([[float(each) for each in pair] for pair in document[name]] for name in ("kl", "same"))
    if any(len(pair) != len(tokens) for pair in (*kl, *same)):
        raise ValueError("lists of different lengths")
    return str(document["texts"]), {"tokens": tokens, "kl": kl, "same": same}


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
