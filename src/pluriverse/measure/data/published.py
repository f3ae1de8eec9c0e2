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

TASKS = ("arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k")
"""The six of the Open LLM Leaderboard v1, by the names of the instruments that measure them here."""


@dataclass(frozen=True, slots=True)
class Note:
    """What must be read beside a figure, and where it is written."""

    text: str
    source: str


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
    board = _document()["board"]
    return About(board["name"], board["about"], _source(board["source"]), tuple(board["never_listed"]))


@cache
def published() -> tuple[Published, ...]:
    """All archived rows, by name on the hub."""
    return tuple(_row(each) for each in _document()["model"])


@cache
def elsewhere() -> tuple[Elsewhere, ...]:
    return tuple(Elsewhere(**{**each, "source": _source(each["source"])}) for each in _document()["elsewhere"])


def _row(given: dict[str, Any]) -> Published:
    return Published(
        **{
            **given,
            "evaluated": given["evaluated"].isoformat(),
            "scores": {task: float(given["scores"][task]) for task in TASKS},
            "source": about().source,
            "notes": tuple(Note(note["text"], _source(note["source"])) for note in given.get("notes", ())),
        }
    )


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("published.toml").read_text("utf-8"))


def _source(name: str) -> str:
    address: str = _document()["sources"][name]
    return address
