"""Strengths of guidance that were found too high: what `panel check` lowered, and why.

One JSON file in the data folder, written whole or not at all. An entry belongs to a base, an assistant's definition and
its other side: change any of them and it no longer counts. Knows digests and numbers; nothing of how they were found.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import PluriverseError, UsageError
from ..files import read_json, write
from ..values import Digest, check_strength
from .assistant import Assistant
from .opposites import Opposite


@dataclass(frozen=True, slots=True)
class Found:
    """The strength at which an assistant's guards hold on a base, lower than what it declares."""

    assistant: str
    strength: float
    declared: float
    why: str


class Strengths:
    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> dict[str, Found]:
        """By key. PluriverseError where the file cannot be understood."""
        try:
            return {key: _found(entry) for key, entry in read_json(self._path).items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError, UsageError) as error:
            raise PluriverseError(
                f"{self._path} cannot be read: {error}", "delete it, and check the panel again"
            ) from error

    def strength(self, base: Digest | None, assistant: Assistant, opposite: Opposite) -> float:
        """What to guide with: the declared strength, or the lower one that was found."""
        found = self.all().get(_key(base, assistant, opposite)) if base else None
        return min(found.strength, opposite.strength) if found else opposite.strength

    def keep(self, base: Digest | None, assistant: Assistant, opposite: Opposite, found: Found | None) -> None:
        """Note what was found; None: the declared strength holds, and what was noted before is forgotten."""
        known, key = self.all(), _key(base, assistant, opposite)
        if base is None or known.get(key) == found:
            return
        known.pop(key, None)
        if found is not None:
            known[key] = found
        document = {key: asdict(entry) for key, entry in sorted(known.items())}
        write(self._path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _found(entry: dict[str, Any]) -> Found:
    found = Found(**entry)
    check_strength(found.strength)
    check_strength(found.declared)
    return found


def _key(base: Digest | None, assistant: Assistant, opposite: Opposite) -> str:
    applied = [opposite.adapter] if opposite.adapter else []
    text = json.dumps([base, assistant.digest, opposite.system, *applied])
    return hashlib.sha256(text.encode()).hexdigest()
