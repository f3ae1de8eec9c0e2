"""The doors by which kinds come in, ours and those of other packages: metrics, instruments, loaders, engines, sources.

A package names what it brings in its `pyproject.toml`, as this one does:

    [project.entry-points."pluriverse.engines"]
    mykind = "my_package.engine:MyEngine"

Knows names and where they are loaded from; not what comes through.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from typing import Any, Literal

from .errors import NotFoundError, PluriverseError

Door = Literal["metrics", "instruments", "loaders", "engines", "sources"]


@cache
def _ours() -> Mapping[tuple[str, str], EntryPoint]:
    """What this package brings, by group and name: read without a look at all others, which costs more."""
    try:
        found = distribution("pluriverse").entry_points
    except PackageNotFoundError:
        return {}
    return {(each.group, each.name): each for each in found}


@cache
def _installed(door: Door) -> Mapping[str, EntryPoint]:
    """Everything that any installed package brings. Of two with one name ours is taken, else the first found."""
    group = f"pluriverse.{door}"
    theirs = {each.name: each for each in reversed(tuple(entry_points(group=group)))}
    return theirs | {name: each for (where, name), each in _ours().items() if where == group}


def names(door: Door) -> tuple[str, ...]:
    """All names that can come through: ours, then those of other packages, each in alphabetical order."""
    ours = {name for group, name in _ours() if group == f"pluriverse.{door}"}
    return tuple(sorted(_installed(door), key=lambda name: (name not in ours, name)))


def opened(door: Door, name: str) -> Any:
    """What stands behind `name`, imported now.

    NotFoundError: no installed package brings it. PluriverseError: the one that does cannot be imported.
    """
    found = _ours().get((f"pluriverse.{door}", name)) or _installed(door).get(name)
    if found is None:
        known = ", ".join(names(door))
        hint = f"known: {known}; pip installs packages that bring more, and again those that bring something new"
        raise NotFoundError(f"there is no {door.removesuffix('s')} named {name}", hint)
    try:
        return found.load()
    except Exception as error:  # a module of another package can fail in any way
        package = package_of(door, name)
        raise PluriverseError(
            f"{name} of the package {package} cannot be loaded: {error}", f"pip install --upgrade {package}"
        ) from error


def package_of(door: Door, name: str) -> str:
    """The package that brings `name`, as pip calls it. KeyError: none does."""
    found = _ours().get((f"pluriverse.{door}", name)) or _installed(door)[name]
    return found.dist.name if found.dist else "pluriverse"
