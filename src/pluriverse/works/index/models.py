"""Which models embed works, by their languages. Knows ids of the catalogue and what each model was trained with."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...values import Digest

ENGLISH, MULTILINGUAL = "all-minilm-l6-v2", "multilingual-e5-small"
"""Ids of the catalogue: what embeds English works, and what embeds all others."""

# What stands before a question and before a passage, where a model was trained with that.
_MARKS = {MULTILINGUAL: ("query: ", "passage: ")}


@dataclass(frozen=True, slots=True)
class Model:
    """What embeds: its name in the catalogue, and the digest of its weights where that is known."""

    name: str
    digest: Digest | None

    def reads(self, language: str) -> bool:
        """Whether it knows a language (BCP 47; "" is not known, and taken for its own)."""
        return self.name != ENGLISH or _english(language)

    def question(self, text: str) -> str:
        """A question as the model is given it."""
        return _MARKS.get(self.name, ("", ""))[0] + text

    def passage(self, text: str) -> str:
        """A passage, or a sentence of one, as the model is given it."""
        return _MARKS.get(self.name, ("", ""))[1] + text


def model_for(languages: Sequence[str]) -> str:
    """The catalogue's id of what embeds works in these languages (BCP 47; "" is not known)."""
    return ENGLISH if all(map(_english, languages)) else MULTILINGUAL


def _english(language: str) -> bool:
    return language.partition("-")[0] in ("en", "")
