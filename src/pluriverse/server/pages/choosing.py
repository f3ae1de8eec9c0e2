"""Voices by what they are: those of one dimension together, the most telling first. Knows what lists show of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...assistant.assistant import DIMENSIONS
from ...assistant.listing import Listed

MOST = 200  # of a group; a search finds the others


@dataclass(frozen=True, slots=True)
class Group:
    """Voices that differ by the same thing. `dimension` is empty for those that say nothing of it."""

    dimension: str
    voices: tuple[Listed, ...]
    more: int = 0


def groups(listed: Sequence[Listed]) -> list[Group]:
    """All of them, each in its group."""
    found = []
    for dimension in ("politics", "values", "history", "culture", "expertise", "language", ""):
        those = [each for each in listed if (each.dimension if each.dimension in DIMENSIONS else "") == dimension]
        if those:
            found.append(Group(dimension, tuple(those[:MOST]), max(0, len(those) - MOST)))
    return found
