"""Which of the asked assistants share a base, and what has to be fetched before they can speak.

Reads the store, never writes it: the one thing that is fetched without being asked for is the small default model, and
the fetching is the store's work.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..assistant.bases import Base, NotPulled, resolve
from ..errors import PluriverseError
from ..settings import DEFAULT_MODEL, Settings
from .events import Fetching

if TYPE_CHECKING:
    from ..store import Store
    from ..values import Pullable

Place = Base | PluriverseError
"""Where a base is, or why it cannot be used. NotPulled for the default model means: fetch it."""


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


def wanted(place: Place) -> "Pullable | None":
    """The default model where it is the one that is missing: it is fetched without being asked for."""
    if isinstance(place, NotPulled) and place.pullable.name == DEFAULT_MODEL:
        return place.pullable
    return None


async def fetch(pullable: "Pullable", store: "Store", settings: Settings) -> AsyncIterator[Fetching]:
    """Pull it; the store's events, wrapped. Raises what the store raises."""
    from ..store import pull

    async with aclosing(pull(store, pullable, settings)) as events:
        async for event in events:
            yield Fetching(pullable.name, event)


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
