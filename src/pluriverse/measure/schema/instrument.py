"""Instruments by name: sets of items that measure one thing, described by data files without code.

A file names its loader (how public data become items) and its measures (pure functions over responses). Knows
descriptions; items come from `data.loaders`; asks nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DIMENSIONS = ("expertise", "language", "vocabulary", "culture", "values", "politics", "history", "silence", "risk")
STANDARD = (  # one or two of each dimension; measured on the starter panel in minutes
    "truthfulqa", "xcopa", "blend", "persona-ethics", "persona-politics", "remarks-politics", "remarks-ethics",
    "propositions-free", "issues", "history", "speechmap-pairs", "xstest", "strongreject",
)  # fmt: skip
Norm = Literal["sum", "characters"]


@dataclass(frozen=True, slots=True)
class Opposites:
    """Two voices that are opposite by construction; an instrument that does not tell them apart fails there.

    Names of assistants of the starter set, or system prompts in the same places.
    """

    a: str
    b: str
    systems: bool = False  # a and b are system prompts
    language: str = ""  # only cells in this language are asked in a check; empty: all


@dataclass(frozen=True, slots=True)
class Instrument:
    """`norm`: how log-probabilities of options are compared; `measures`: names in `metrics.by_name`; `chance`: the
    value of the first measure for somebody who knows nothing; `about`: what it does not show."""

    name: str
    title: str
    dimension: str
    version: str
    loader: str
    datasets: tuple[str, ...]
    languages: tuple[str, ...]
    licence: str
    source: str  # who made it, with an address
    measures: tuple[str, ...]
    about: str
    norm: Norm = "sum"
    count: int = 0  # items it has
    noncommercial: bool = False
    chance: float | None = None
    opposites: Opposites | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # for the loader

    def as_dict(self) -> dict[str, Any]:
        """As the contract lists it."""
        return {
            "name": self.name,
            "title": self.title,
            "dimension": self.dimension,
            "items": self.count,
            "languages": list(self.languages),
            "licence": self.licence,
            "source": self.source,
            "version": self.version,
            "measures": list(self.measures),
            "about": self.about.strip(),
        }

    @property
    def raw(self) -> bool:
        """Whether its items go to the base without chat template."""
        return self.dimension == "expertise" or self.loader in {"xcopa"}


def parsed(document: dict[str, Any]) -> Instrument:
    """An instrument from its file, or as a run keeps it. Raises TypeError for fields it does not have."""
    for name in ("datasets", "languages", "measures"):
        document[name] = tuple(document.get(name, ()))
    if opposites := document.get("opposites"):
        document["opposites"] = Opposites(**opposites)
    return Instrument(**document)
