"""Which of the asked assistants share a base. Reads the store, never writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..assistant.bases import Base, NotPulled, resolve
from ..errors import PluriverseError
from ..settings import Settings

if TYPE_CHECKING:
    from ..store import Store


@dataclass(frozen=True, slots=True)
class Group:
    """Assistants (by their index) that speak through one base."""

    ref: str
    members: tuple[int, ...]


def group(refs: Sequence[str], store: "Store", settings: Settings) -> list[Group]:
    """Group the assistants whose bases are called `refs`; two names of one model make one group. Touches the disk."""
    identities = {ref: _identity(ref, store, settings) for ref in dict.fromkeys(refs)}
    members: dict[object, list[int]] = {}
    for index, ref in enumerate(refs):
        members.setdefault(identities[ref], []).append(index)
    return [Group(refs[indices[0]], tuple(indices)) for indices in members.values()]


def _identity(ref: str, store: "Store", settings: Settings) -> object:
    """What is the same for two names of one model, also of one that is not here."""
    try:
        base: Base = resolve(ref, store, settings)
    except NotPulled as missing:
        return (missing.pullable.name, missing.pullable.digest)
    except PluriverseError:
        return ref
    return (base.kind, base.digest or (base.name, base.path))
