"""Which of the asked assistants share a base, and what has to be fetched before they can speak.

Reads the store, never writes it: what is fetched without being asked for are the models of the ladder, and the fetching
is the store's work.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..assistant.bases import Base, NotPulled, resolve
from ..assistant.default_base import chosen
from ..catalogue import find
from ..catalogue.ladder import rungs
from ..errors import IntegrityError, NoSpaceError, PluriverseError, UnreachableError
from ..settings import Settings
from .events import Fetching

if TYPE_CHECKING:
    from ..store import Store

Place = Base | PluriverseError
"""Where a base is, or why it cannot be used. NotPulled for a model of the ladder means: fetch it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Assistants (by their index) that speak through one base."""

    ref: str
    place: Place
    members: tuple[int, ...]


def group(refs: Sequence[str], store: "Store", settings: Settings) -> list[Group]:
    """Group the assistants whose bases are called `refs`; two names of one model make one group. Touches the disk."""
    places = {ref: _place(ref, store, settings) for ref in dict.fromkeys(refs)}
    members: dict[object, list[int]] = {}
    for index, ref in enumerate(refs):
        members.setdefault(_identity(ref, places[ref]), []).append(index)
    return [Group(refs[indices[0]], places[refs[indices[0]]], tuple(indices)) for indices in members.values()]


def wanted(place: Place) -> NotPulled | None:
    """What is missing where that is a model of the ladder: it is fetched without being asked for."""
    if isinstance(place, NotPulled) and place.pullable.name in {each.model for each in rungs()}:
        return place
    return None


async def fetch(missing: NotPulled, store: "Store", settings: Settings) -> AsyncIterator[Fetching]:
    """Pull it; the store's events, wrapped. Where it was chosen for "default" and cannot be had, the next lower rung.

    Raises what the store raises of the last that was tried.
    """
    from ..store import pull

    pullable, choice = missing.pullable, missing.choice
    failed: list[str] = []
    while True:
        if choice is not None:
            yield Fetching(pullable.name, choice)
        try:
            async with aclosing(pull(store, pullable, settings)) as events:
                async for event in events:
                    yield Fetching(pullable.name, event)
            return
        except (UnreachableError, IntegrityError, NoSpaceError) as error:
            if choice is None:
                raise
            failed.append(choice.rung.name)
            choice = chosen(store, settings, failed=failed, error=error)
            lower = None if choice.rung.name in failed else find(choice.rung.model)
            if lower is None:
                raise
            pullable = lower


def _place(ref: str, store: "Store", settings: Settings) -> Place:
    try:
        return resolve(ref, store, settings)
    except PluriverseError as error:
        return error


def _identity(ref: str, place: Place) -> object:
    if isinstance(place, Base):
        return (place.kind, place.digest or (place.name, place.path))
    if isinstance(place, NotPulled):
        return (place.pullable.name, place.pullable.digest)
    return ref
