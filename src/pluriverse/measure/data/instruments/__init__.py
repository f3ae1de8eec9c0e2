"""Instruments by name: what measures one thing, each a TOML file here or in a folder of another package.

Knows descriptions; asks and counts nothing.
"""

import difflib
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources.abc import Traversable

from ....errors import NotFoundError, PluriverseError
from ...schema.instrument import DIMENSIONS, Instrument, parsed
from ..packages import DATASETS, Folder, folders


@cache
def _found() -> tuple[dict[str, Instrument], dict[str, PluriverseError], frozenset[str]]:
    """Instruments by name; what hinders others, by the name that was meant; the names of ours."""
    found: dict[str, Instrument] = {}
    broken: dict[str, PluriverseError] = {}
    shipped: set[str] = set()
    for folder in folders()[0]:
        for file in folder.files:
            if not file.name.endswith(".toml") or file.name == DATASETS:
                continue
            try:
                instrument = _read(file, folder, found)
            except (OSError, ValueError, TypeError) as error:
                broken[file.name.removesuffix(".toml")] = folder.wrong(file.name, error)
                continue
            found[instrument.name] = instrument
            if folder.ours:
                shipped.add(instrument.name)
    ordered = sorted(found.values(), key=lambda each: (DIMENSIONS.index(each.dimension), each.name))
    return {each.name: each for each in ordered}, broken, frozenset(shipped)


def _read(file: Traversable, folder: Folder, found: Mapping[str, Instrument]) -> Instrument:
    """TypeError or ValueError in words."""
    instrument = parsed(tomllib.loads(file.read_text("utf-8")))
    if instrument.name in found:
        raise ValueError(f"there is another instrument {instrument.name!r}")
    if instrument.standard and not folder.ours:
        raise ValueError("`standard` is the same on all machines; leave it out")
    return instrument


def known() -> dict[str, Instrument]:
    """All instruments, by dimension, then name."""
    return _found()[0]


def shipped() -> frozenset[str]:
    """The names of ours. Of any other, only a run that used it keeps the description."""
    return _found()[2]


def standard() -> list[Instrument]:
    """What `measure standard` stands for, in order."""
    return sorted((each for each in known().values() if each.standard), key=lambda each: each.standard)


def broken() -> Mapping[str, PluriverseError]:
    """Files and packages that cannot be used, by the instrument's or the package's name, and why."""
    return _found()[1] | {error.message: error for error in folders()[1]}


def find(name: str) -> Instrument:
    """NotFoundError with the near name, if one is near; UsageError where its file cannot be used."""
    if name in known():
        return known()[name]
    if name in broken():
        raise broken()[name]
    near = difflib.get_close_matches(name, known(), 1)
    hint = f"did you mean {near[0]}?" if near else "see them all: pluriverse measure"
    raise NotFoundError(f"there is no instrument {name!r}", hint)
