"""All assistants and panels at hand: the user's files, and the starter set behind them.

Knows the two folders and the files shipped inside the package; nothing of stores, bases or engines. Files are read
anew at every call, so an edit is heard at the next question; only `listing` keeps what it has read (see that module).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

from ..errors import NotFoundError, PluriverseError, UsageError
from ..files import delete, write
from ..settings import Settings
from .assistant import Assistant
from .guidance import COUNTERPART
from .listing import Listed, Trouble, listed, read_all
from .names import a, checked, is_name, near
from .panel import Panel
from .reading import read_text

Definition = TypeVar("Definition", Assistant, Panel)
STARTER = Path(__file__).parent / "starter"  # the files that come with pluriverse
_TAKEN = "choose another name, or replace it with --force"


class Shelf:
    """A user's file goes before one of the starter set that has the same name, and says so (`shadows`)."""

    def __init__(self, settings: Settings) -> None:
        self._assistants = _Files("assistant", Assistant.from_toml, settings.assistants, starter_assistants)
        self._panels = _Files("panel", Panel.from_toml, settings.panels, starter_panels)
        self._cache = settings.home / "cache" / "assistants.json"

    def assistants(self) -> list[Assistant]:
        """All that can be read, by name; those that cannot are in `problems()`."""
        return self._assistants.all()

    def listing(self) -> tuple[list[Listed], list[PluriverseError]]:
        """What a list shows of all that can be read, by name; and what is wrong with the user's other files, panels
        too. Fast also for ten thousand."""
        found = {name: listed(each) for name, each in starter_assistants().items()}
        entries = read_all(self._assistants.states(), self._assistants.own, self._cache)
        problems = self._assistants.misplaced()
        for name, entry in entries.items():
            if isinstance(entry, Trouble):
                found.pop(name, None)
                problems.append(entry.error())
            else:
                found[name] = entry
        return [found[name] for name in sorted(found)], [*problems, *self._panels.problems()]

    def assistant(self, name: str) -> Assistant:
        """NotFoundError with a near name; UsageError when the user's file of that name cannot be understood."""
        return self._assistants.one(name)

    def panels(self) -> list[Panel]:
        """All that can be read, by name. The one called "starter" is asked when nobody is named."""
        return self._panels.all()

    def panel(self, name: str) -> Panel:
        """As `assistant`. Its members may be missing from the shelf: that is told when they are asked for."""
        return self._panels.one(name)

    def names(self) -> set[str]:
        """Of all assistants and panels, also of those that cannot be read."""
        return self._assistants.names() | self._panels.names()

    def problems(self) -> list[PluriverseError]:
        """What is wrong with the user's files, one error for each file that cannot be used."""
        return [*self._assistants.problems(), *self._panels.problems()]

    def free(self, name: str) -> None:
        """UsageError where there is an assistant of that name."""
        self._assistants.free(name)

    def write(self, assistant: Assistant, *, overwrite: bool = False) -> Path:
        """Write its file, whole or not at all. UsageError when the name is taken and `overwrite` is not said."""
        return self._assistants.write(assistant.name, assistant.to_toml(), overwrite)

    def write_pair(self, pair: tuple[Assistant, Assistant], *, overwrite: bool = False) -> tuple[Path, Path]:
        """Write two, both or none. As `write`."""
        first, second = pair
        if not overwrite:
            for each in pair:
                self._assistants.free(each.name)
        path = self.write(first, overwrite=overwrite)
        try:
            return path, self.write(second, overwrite=overwrite)
        except PluriverseError:
            if not overwrite:
                self._assistants.remove(first.name)
            raise

    def write_panel(self, panel: Panel, *, overwrite: bool = False) -> Path:
        """As `write`; NotFoundError when a member is not on the shelf."""
        known = self._assistants.names()
        for member in panel.members:
            if member not in known:
                raise _not_found("assistant", member, known)
        return self._panels.write(panel.name, panel.to_toml(), overwrite)

    def needing(self, name: str) -> tuple[list[Panel], list[Assistant]]:
        """The user's panels and counterparts that would be left without the assistant `name`, were it removed."""
        if name in starter_assistants():  # it takes the place of the one that is removed
            return [], []
        own = [each.name for each in self.listing()[0] if each.counterpart == name and not each.builtin]
        panels = [each for each in self.panels() if name in each.members and not each.builtin]
        return panels, [self.assistant(each) for each in own]

    def remove(self, name: str) -> Path:
        """Delete the user's own file, also a broken one; where it was. UsageError for one of the starter set.

        Those that named it (`needing`) are written anew without it, so that they can still be asked: a panel without a
        member left is removed, a counterpart stands alone and is not guided by one that is gone.
        """
        panels, counterparts = self.needing(name)
        path = self._assistants.remove(name)
        for panel in panels:
            members = tuple(member for member in panel.members if member != name)
            if members:
                self._panels.write(panel.name, replace(panel, members=members).to_toml(), overwrite=True)
            else:
                self._panels.remove(panel.name)
        for each in counterparts:
            guidance = each.guidance if each.guidance and each.guidance.against != COUNTERPART else None
            self.write(replace(each, counterpart=None, guidance=guidance), overwrite=True)
        return path

    def remove_panel(self, name: str) -> Path:
        """As `remove`."""
        return self._panels.remove(name)


@dataclass(frozen=True, slots=True)
class _Files(Generic[Definition]):
    """The definitions of one kind: a folder of the user's over those of the starter set."""

    noun: str
    read: Callable[[str, str, str], Definition]
    folder: Path
    starter: Callable[[], dict[str, Definition]]

    def all(self) -> list[Definition]:
        found = dict(self.starter())
        for name in self._stems():
            try:
                found[name] = self.own(name)
            except PluriverseError:
                # The starter set's one of that name must not answer in its place unnoticed.
                found.pop(name, None)
        return [found[name] for name in sorted(found)]

    def one(self, name: str) -> Definition:
        if is_name(name) and os.path.lexists(self.folder / f"{name}.toml"):
            return self.own(name)
        if name in self.starter():
            return self.starter()[name]
        raise _not_found(self.noun, name, self.names())

    def problems(self) -> list[PluriverseError]:
        errors = self.misplaced()
        for name in self._stems():
            try:
                self.own(name)
            except PluriverseError as error:
                errors.append(error)
        return errors

    def names(self) -> set[str]:
        return {*self.starter(), *filter(is_name, self._stems())}

    def write(self, name: str, text: str, overwrite: bool) -> Path:
        path = self.folder / f"{checked(name, self.noun)}.toml"
        if not overwrite:
            self.free(name)
        write(path, text, overwrite=overwrite)
        return path

    def free(self, name: str) -> None:
        """UsageError where the name is taken."""
        if name in self.starter():
            raise UsageError(f"the starter set has {a(self.noun)} called {name}", _TAKEN)
        if (self.folder / f"{name}.toml").exists():
            raise UsageError(f"there is {a(self.noun)} called {name} already", _TAKEN)

    def remove(self, name: str) -> Path:
        path = self.folder / f"{name}.toml"
        if is_name(name) and path.is_file():
            delete(path)
            return path
        if name in self.starter():
            raise UsageError(f"{name} belongs to the starter set and stays", "only files of your own can be removed")
        raise _not_found(self.noun, name, self.names())

    def own(self, name: str) -> Definition:
        """What the user's file of that name says. PluriverseError where it cannot be used."""
        path = self.folder / f"{name}.toml"
        try:
            checked(name, self.noun)
        except UsageError as error:
            raise UsageError(f"{path}: {error.message}", f"rename the file; {error.hint}") from error
        definition = self.read(read_text(path), name, str(path))
        object.__setattr__(definition, "path", path)  # `replace` would check again what has just been checked
        object.__setattr__(definition, "shadows", name in self.starter())
        return definition

    def states(self) -> Iterator[tuple[str, os.stat_result]]:
        """Of the user's files, whatever they hold: name and state. What is no file, too, for `own` to say so."""
        with suppress(OSError), os.scandir(self.folder) as entries:  # `misplaced` says what is wrong
            for each in sorted(entries, key=lambda entry: entry.name):
                if each.name.endswith(".toml") and each.name[0] != ".":
                    try:
                        yield each.name[:-5], each.stat()
                    except OSError:  # a link that leads nowhere, or round in a circle
                        yield each.name[:-5], each.stat(follow_symlinks=False)

    def _stems(self) -> Iterator[str]:
        return (name for name, _ in self.states())

    def misplaced(self) -> list[PluriverseError]:
        """What is wrong with the folder itself; nothing where there is none."""
        try:
            next(self.folder.iterdir(), None)
        except FileNotFoundError:
            return []
        except OSError as error:
            return [PluriverseError(f"{self.folder} cannot be read: {error.strerror}", "it must be a folder of yours")]
        return []


@cache
def starter_assistants() -> dict[str, Assistant]:
    """The assistants that come with pluriverse, by name. They are data and hold no code."""
    return {name: replace(Assistant.from_toml(text, name), builtin=True) for name, text in _shipped()}


@cache
def starter_panels() -> dict[str, Panel]:
    """The panels that come with pluriverse, by name."""
    return {name: replace(Panel.from_toml(text, name), builtin=True) for name, text in _shipped("panels")}


def place_of(definition: Assistant | Panel) -> Path:
    """The file that it was read from: the user's, or one inside the package."""
    if definition.path is not None:
        return definition.path
    return (STARTER / "panels" if isinstance(definition, Panel) else STARTER) / f"{definition.name}.toml"


def _shipped(*folders: str) -> list[tuple[str, str]]:
    from importlib.resources import files

    folder = files(__package__).joinpath("starter", *folders)
    found = [each for each in folder.iterdir() if each.name.endswith(".toml")]
    return sorted((each.name.removesuffix(".toml"), each.read_text("utf-8")) for each in found)


def _not_found(noun: str, name: str, known: set[str]) -> NotFoundError:
    close = near(name, sorted(known))
    everything = "pluriverse ls" if noun == "assistant" else "pluriverse panel ls"
    return NotFoundError(
        f"there is no {noun} called {name!r}", f"did you mean {close}?" if close else f"see them all: {everything}"
    )
