"""What is asked: the items of an instrument, as data. Knows no engine, no assistant and no score.

The names follow Inspect's `Sample` (id, input, choices, target, metadata) and survey method: an item has wordings,
rotations of its options, and languages; every combination is an `Item` of the same `id`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Form = Literal["raw", "chat"]
"""raw: text goes to the base as it is, without chat template or system prompt, as leaderboards do; what is measured is
the base and its adapter. chat: the assistant hears it as a user's message, after its system prompt, guided if it is."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Item:
    """One cell to be asked. With `options` they are scored as continuations of the prompt; without, text is generated.

    `prompts`, where given, has one prompt for each option (WinoGrande: other beginnings, the same ending).
    `contents` says which answer stands at each place of `options` when they are rotated: place -> number of the answer
    in the item's own order. `target`: numbers of the right answers (by content), or reference texts; empty where
    nothing is right. `metadata`: what measures need, JSON values only, e.g. subject, country, pair, polarity, human.
    """

    id: str
    prompt: str
    form: Form
    options: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    contents: tuple[int, ...] = ()
    target: tuple[int, ...] | tuple[str, ...] = ()
    wording: str = ""
    rotation: int = 0
    language: str = "en"
    system: str | None = None  # replaces the respondent's system prompt
    max_tokens: int = 64
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    draws: int = 1  # of generated text
    metadata: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    @property
    def order(self) -> tuple[int, ...]:
        """`contents`, or the options' own order."""
        return self.contents or tuple(range(len(self.options)))

    def cell(self, draw: int = 0) -> str:
        """The name of this cell in records: unique within an instrument."""
        return "|".join((self.id, self.wording, str(self.rotation), self.language, str(draw)))


def rotated(options: tuple[str, ...], by: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The options shifted by `by` places, and which answer stands at each place."""
    order = tuple((place + by) % len(options) for place in range(len(options)))
    return tuple(options[number] for number in order), order


def key_of(metadata: Mapping[str, Any]) -> int:
    """1 where yes, or pro, is on the first side of the instrument's axis, -1 where on the other, 0 where on none."""
    if "polarity" in metadata:
        return int(metadata["polarity"]) * int(metadata.get("side", 1))
    return int(metadata.get("key", 0))
