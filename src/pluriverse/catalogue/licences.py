"""What licences allow, and their traps, in plain words. Not legal advice, and only of licences whose text was read.

Knows names of licences; no entries.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Permission = Literal["commercial", "change", "share", "unrestricted"]
PERMISSIONS: tuple[Permission, ...] = ("commercial", "change", "share", "unrestricted")


@dataclass(frozen=True, slots=True)
class Trap:
    """`kind`: threshold, naming, region, non-commercial, use, improving, notice or same-licence."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Licence:
    """`open`: an open licence by the Model Openness Framework. `commercial`: "conditions" are among the traps."""

    title: str
    source: str
    open: bool
    commercial: Literal["yes", "conditions", "no"]
    change: bool
    share: bool
    traps: tuple[Trap, ...]

    def allows(self, permission: Permission) -> bool:
        """Whether something may be done, under whatever conditions; "unrestricted": by everyone and for anything."""
        if permission == "unrestricted":
            return self.open
        return self.commercial != "no" if permission == "commercial" else bool(getattr(self, permission))

    def as_dict(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "open": self.open,
            "commercial": self.commercial,
            "change": self.change,
            "share": self.share,
            "traps": [{"kind": trap.kind, "text": trap.text} for trap in self.traps],
            "source": self.source,
        }


def licence(name: str | None) -> Licence | None:
    """By the name that an entry gives; None where its text was not read."""
    return _by_name().get(name.casefold()) if name else None


@cache
def _by_name() -> Mapping[str, Licence]:
    document = tomllib.loads((files(__package__) / "data" / "licences.toml").read_text("utf-8"))
    found: dict[str, Licence] = {}
    for given in document["licence"]:
        traps = tuple(Trap(**each) for each in given["traps"])
        made = Licence(**{name: value for name, value in given.items() if name != "names"} | {"traps": traps})
        found |= dict.fromkeys(given["names"], made)
    return found
