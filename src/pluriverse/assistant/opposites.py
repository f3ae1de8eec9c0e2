"""The other side of a guided voice: whom it is decoded against, once its counterpart is found on the shelf.

A guided voice is decoded in contrast to another reading of the same conversation (`engines.guiding`): that of its
counterpart, of the plain base, or of a text. Knows definitions and the shelf; nothing of engines or tokens.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import NotFoundError, UsageError, command
from ..values import Digest
from .guidance import COUNTERPART, PLAIN, Guidance

if TYPE_CHECKING:
    from .assistant import Assistant
    from .shelf import Shelf

_WAY_OUT = "or ask without guidance: --guidance 0"
_LONGEST_CIRCLE = 50  # names that are followed


@dataclass(frozen=True, slots=True)
class Opposite:
    """Whom a voice is decoded against, and how strongly: what a reply tells of its guidance."""

    against: str  # the counterpart's name, PLAIN, or the text
    strength: float
    system: str  # what the other side is told; empty: nothing
    base: str | None = None  # the counterpart's; None: there is no other assistant
    definition: Digest | None = None  # the counterpart's
    adapter: Digest | None = field(default=None, repr=False)  # the counterpart's; a text and PLAIN have none

    def as_dict(self) -> dict[str, object]:
        return {"against": self.against, "strength": self.strength, "definition": self.definition}

    @property
    def words(self) -> str:
        """For people: `guided x2 against conservative`."""
        against = self.against if self.base is not None or self.against == PLAIN else "a text"
        return f"guided x{self.strength:g} against {against}"


def opposite_of(assistant: "Assistant", shelf: "Shelf", strength: float | None = None) -> Opposite | None:
    """The other side of a guided assistant; None for one that speaks for itself.

    `strength` replaces the declared one, also where none is declared: then the other side is the counterpart, or the
    plain base where there is none. UsageError or NotFoundError for a counterpart that cannot be one.
    """
    declared = assistant.guidance
    if declared is None and strength:
        declared = Guidance(COUNTERPART if assistant.counterpart else PLAIN)
    if declared is None or (declared.against == PLAIN and not assistant.system):
        return None
    declared = declared if strength is None else replace(declared, strength=strength)
    if declared.strength == 0:
        return None
    if declared.against == COUNTERPART:
        other = counterpart_of(assistant, shelf)
        return Opposite(other.name, declared.strength, other.system, other.base, other.digest, other.adapter)
    return Opposite(declared.against, declared.strength, "" if declared.against == PLAIN else declared.against)


def counterpart_of(assistant: "Assistant", shelf: "Shelf") -> "Assistant":
    """The one on the other side. A counterpart is mutual: NotFoundError for one that is missing, UsageError for one
    that names nobody, another, or goes round in a circle."""
    name = assistant.name
    if assistant.counterpart is None:
        raise UsageError(f"{name} has no counterpart", f"name one in its file: {command('edit', name)}; {_WAY_OUT}")
    try:
        other = shelf.assistant(assistant.counterpart)
    except NotFoundError as missing:
        message = f"{name} names {assistant.counterpart} as its counterpart: {missing.message}"
        prompt = ("--system", "You stand on the other side.", "--counterpart", name)
        make = command("new", assistant.counterpart, *prompt)
        raise NotFoundError(message, f"make it: {make}; {_WAY_OUT}") from missing
    if other.counterpart == name:
        return other
    if other.counterpart is None:
        raise UsageError(
            f"{name} names {other.name} as its counterpart, but {other.name} names nobody",
            f'write counterpart = "{name}" in its file: {command("edit", other.name)}; {_WAY_OUT}',
        )
    circle = _circle(assistant, shelf)
    if circle:
        raise UsageError(
            f"the counterparts go round in a circle: {', '.join(circle)}",
            f"a pair is two that name each other; {_WAY_OUT}",
        )
    raise UsageError(
        f"{name} names {other.name} as its counterpart, but {other.name} names {other.counterpart}",
        f"a pair is two that name each other; {_WAY_OUT}",
    )


def _circle(assistant: "Assistant", shelf: "Shelf") -> list[str]:
    """The names on the way of counterparts back to `assistant`; empty where it does not lead back."""
    names = [assistant.name]
    each = assistant
    while each.counterpart is not None and each.counterpart not in names and len(names) < _LONGEST_CIRCLE:
        names.append(each.counterpart)
        try:
            each = shelf.assistant(each.counterpart)
        except (NotFoundError, UsageError):
            return []
    return [*names, assistant.name] if each.counterpart == assistant.name else []
