"""What the starter assistants are told, and how strongly they are guided, on one base or another: as it was measured.

A prompt that works on a small model may be recited by a larger one, and a strength that one needs makes another run
off. A file of `starter/bases` holds for the digest that it names; elsewhere an assistant's own file does. A user's own
assistant is always what its file says. Knows the data and definitions; nothing of engines.
"""

import tomllib
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..values import Digest

if TYPE_CHECKING:
    from .assistant import Assistant

_FOLDER = Path(__file__).parent / "starter" / "bases"


@dataclass(frozen=True, slots=True)
class OnOneBase:
    """What holds for one assistant there; None: what its own file says."""

    base: str
    digest: Digest
    strength: float | None = None
    system: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def on_base(assistant: "Assistant", digest: Digest | None) -> "Assistant":
    """The assistant as it is on the base of that digest; itself where nothing was measured there."""
    there = next((each for each in measured_on(assistant) if each.digest == digest), None)
    if there is None:
        return assistant
    guidance = assistant.guidance
    if guidance is not None and there.strength is not None:
        guidance = replace(guidance, strength=there.strength)
    changed = replace(assistant, guidance=guidance, system=assistant.system if there.system is None else there.system)
    return assistant if changed == assistant else changed


def measured_on(assistant: "Assistant") -> tuple[OnOneBase, ...]:
    """The bases on which it was measured, with what was found; none for a user's own."""
    return _all().get(assistant.name, ()) if assistant.builtin else ()


def prompts_differ(digest: Digest | None) -> bool:
    """Whether anybody is told something else on that base."""
    return any(each.digest == digest and each.system is not None for found in _all().values() for each in found)


@cache
def _all() -> dict[str, tuple[OnOneBase, ...]]:
    found: dict[str, tuple[OnOneBase, ...]] = {}
    for file in sorted(_FOLDER.glob("*.toml")):
        given = tomllib.loads(file.read_text("utf-8"))
        strengths, prompts = given.get("strengths", {}), given.get("prompts", {})
        for name in sorted({*strengths, *prompts}):
            each = OnOneBase(given["base"], Digest(given["digest"]), strengths.get(name), prompts.get(name))
            found[name] = (*found.get(name, ()), each)
    return found
