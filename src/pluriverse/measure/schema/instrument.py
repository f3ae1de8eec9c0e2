"""Instruments by name: sets of items that measure one thing, described by data files without code.

A file names its loader (how public data become items) and its measures (pure functions over responses). Knows
descriptions; items come from `data.loaders`; asks nobody.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, get_args

from .items import Form

DIMENSIONS = ("expertise", "language", "vocabulary", "culture", "values", "politics", "history", "silence", "risk")
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
    """`norm`: how log-probabilities of options are compared; `measures`: names of metrics; `chance`: the
    value of the first measure for somebody who knows nothing; `about`: what it does not show; `form`: that of all its
    items; `standard`: its place among those that `measure standard` stands for, from 1, or 0: one or two of each
    dimension, measured on the starter panel in minutes."""

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
    labelled: str = ""  # the set of labelled texts (`judges.correction.RULES`) whose requests are like its own
    opposites: Opposites | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # for the loader
    form: Form = "chat"
    standard: int = 0

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
        return self.form == "raw"


_LISTS = ("datasets", "languages", "measures")
_KINDS: Mapping[str, Any] = {
    "count": int, "standard": int, "noncommercial": bool, "systems": bool, "chance": (int, float, type(None)),
    "options": Mapping, "opposites": (Mapping, type(None)), **dict.fromkeys(_LISTS, list | tuple),
}  # fmt: skip
_WORDS = {"dimension": DIMENSIONS, "norm": get_args(Norm), "form": get_args(Form)}


def parsed(document: Mapping[str, Any]) -> Instrument:
    """An instrument from its file, or as a run keeps it. TypeError says what in it is not as it must be."""
    given = {**dict.fromkeys(_LISTS, ()), **document}
    _check(Instrument, given, "")
    lists = {name: tuple(given[name]) for name in _LISTS}
    opposites = given.get("opposites")
    if opposites:
        _check(Opposites, opposites, "opposites.")
    return Instrument(**{**given, **lists, "opposites": Opposites(**opposites) if opposites else None})


def _check(kind: type[Instrument | Opposites], given: Mapping[str, Any], inside: str) -> None:
    """TypeError for the first field that is strange, missing or of another kind; `inside`: what stands before names."""
    if strange := given.keys() - {each.name for each in fields(kind)}:
        raise TypeError(f"there is no field {inside}{min(strange)}")
    needed = [each.name for each in fields(kind) if each.default is each.default_factory is MISSING]
    if missing := [name for name in needed if name not in given]:
        raise TypeError(f"it lacks {inside}{missing[0]}")
    for name, value in given.items():
        if not isinstance(value, _KINDS.get(name, str)):
            raise TypeError(f"{inside}{name} is {value!r:.40}")
        if name in _WORDS and value not in _WORDS[name]:
            raise TypeError(f"{inside}{name} is {value!r:.40}, not one of {', '.join(_WORDS[name])}")
