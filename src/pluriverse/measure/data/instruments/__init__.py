"""Instruments by name: what measures one thing, each a TOML file here. Knows descriptions; asks and counts nothing."""

import difflib
import tomllib
from functools import cache
from importlib import resources

from ....errors import NotFoundError
from ...schema.instrument import DIMENSIONS, Instrument, parsed


@cache
def known() -> dict[str, Instrument]:
    """All instruments, by dimension, then name."""
    folder = resources.files(__package__)
    found = [parsed(tomllib.loads(path.read_text("utf-8"))) for path in folder.iterdir() if path.name.endswith(".toml")]
    found.sort(key=lambda each: (DIMENSIONS.index(each.dimension), each.name))
    return {each.name: each for each in found}


def find(name: str) -> Instrument:
    """NotFoundError with the near name, if one is near."""
    if name in known():
        return known()[name]
    near = difflib.get_close_matches(name, known(), 1)
    hint = f"did you mean {near[0]}?" if near else "see them all: pluriverse measure"
    raise NotFoundError(f"there is no instrument {name!r}", hint)
