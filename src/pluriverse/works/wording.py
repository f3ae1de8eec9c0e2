"""What languages say in a few words, as data (`languages.toml`): their quotation marks, and how a sentence begins that
turns the one before it round, or needs it.

Knows beginnings of sentences; nothing of works or questions.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .. import toml

_BEFORE = re.compile(r"[\s\"'“”‘’«»„()\[\]—–_*「『-]*")


@dataclass(frozen=True, slots=True)
class Wording:
    """One language. The expressions are matched at the beginning of a sentence, `grants`, `leans`,
    `points` and `told` anywhere in it."""

    marks: tuple[str, str]  # around a quotation
    bridge: str  # between a quotation and the words that explain it
    task: str  # asked behind the question of what explains a quotation
    silent: str  # "My works do not speak of this."
    nearest: str  # with {place}
    turns: "re.Pattern[str]"  # turns the sentence before round
    hangs: "re.Pattern[str]"  # cannot be understood without the sentence before
    joins: "re.Pattern[str]"  # goes on from the sentence before
    grants: "re.Pattern[str]"  # grants something that the sentence after may take back
    leans: "re.Pattern[str]"  # points to what stands before
    points: "re.Pattern[str]"  # points to what its group holds, which was named before
    starts: "re.Pattern[str]"  # begins with a condition: cut off, it says nothing
    told: "re.Pattern[str]"  # tells what others say

    def quoted(self, text: str) -> str:
        return f"{self.marks[0]}{text}{self.marks[1]}"


def wording(language: str) -> Wording:
    """Of a BCP 47 tag; English where the language is none that we have."""
    known = _known()
    return known.get(language.split("-")[0].lower(), known["en"])


def beginning(sentence: str) -> str:
    """The sentence from its first letter or number on."""
    return sentence[_BEFORE.match(sentence).end() :]  # type: ignore[union-attr]


@cache
def _known() -> dict[str, Wording]:
    tables = toml.parse((files(__package__) / "languages.toml").read_text("utf-8"))
    return {
        tag: Wording(
            marks=(table["marks"][0], table["marks"][1]),
            bridge=table["bridge"],
            task=table["task"],
            silent=table["silent"],
            nearest=table["nearest"],
            points=_any(table.get("points", ["(?!)"])),
            **{key: _any(table[key]) for key in ("turns", "hangs", "joins", "grants", "leans", "starts", "told")},
        )
        for tag, table in tables.items()
    }


def _any(expressions: list[str]) -> "re.Pattern[str]":
    return re.compile("|".join(f"(?:{each})" for each in expressions), re.IGNORECASE)
