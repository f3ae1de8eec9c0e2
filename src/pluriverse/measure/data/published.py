"""Figures that others measured and published, each with its source. None was measured here.

Knows the six scores of the Open LLM Leaderboard v1 as archived, and figures of other boards apart from them. Does not
know what they are worth: how the board asked is told by `Note`s, and its averages are computed anew from the six.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ...catalogue import Entry, entries
from ...catalogue.entry import TASKS, V1, Note, Score

__all__ = ["TASKS", "About", "Elsewhere", "Note", "Published", "about", "elsewhere", "published"]


@dataclass(frozen=True, slots=True)
class Published:
    """A model's row of the Open LLM Leaderboard v1. `scores` in percent by task, in the order of `TASKS`.

    `printed_average` is what the board showed, kept only to compare with; use `average`.
    """

    id: str
    name: str
    maker: str
    hub: str
    precision: str
    revision: str  # commit of the weights on the hub
    evaluated: str  # ISO date
    scores: Mapping[str, float]
    printed_average: float
    source: str
    notes: tuple[Note, ...] = ()

    @property
    def average(self) -> float:
        """The plain mean of the six, as the board defined it."""
        return sum(self.scores.values()) / len(TASKS)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A figure of another board, which measures something else: never joined with the six or averaged with them."""

    board: str
    name: str
    maker: str
    measures: Mapping[str, float]
    source: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "board": self.board,
            "name": self.name,
            "maker": self.maker,
            "measures": dict(self.measures),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class About:
    """The board itself. `never_listed`: models people look for there and that it never had."""

    name: str
    about: str
    source: str
    never_listed: tuple[str, ...]


@cache
def about() -> About:
    board = _document()
    return About(board["name"], board["about"], board["source"], tuple(board["never_listed"]))


@cache
def published() -> tuple[Published, ...]:
    """All archived rows that the catalogue has, by name on the hub."""
    found = [_row(entry, score) for entry in entries() for score in entry.published if score.board == V1]
    return tuple(sorted(found, key=lambda row: row.hub.casefold()))


@cache
def elsewhere() -> tuple[Elsewhere, ...]:
    boards: list[str] = _document()["elsewhere"]
    found = [(score, entry) for entry in entries() for score in entry.published if score.board in boards]
    found.sort(key=lambda each: boards.index(each[0].board))
    return tuple(
        Elsewhere(
            score.board,
            score.of or entry.name,
            entry.maker,
            {name: value for name, value in score.values.items() if name != "avg_length"},
            score.source,
        )
        for score, entry in found
    )


def _row(entry: Entry, score: Score) -> Published:
    hub = entry.repository or entry.id
    return Published(
        id=entry.id,
        name=hub.rpartition("/")[2],
        maker=entry.maker,
        hub=hub,
        precision=score.precision or "",
        revision=score.revision or "",
        evaluated=score.date or "",
        scores={task: score.values[task] for task in TASKS},
        printed_average=score.printed_average or 0.0,
        source=score.source,
        notes=score.notes,
    )


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("published.toml").read_text("utf-8"))
