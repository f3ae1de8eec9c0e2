"""How near words are to a question by the words that they share, the rare ones counting more.

Knows words and how often they stand in texts. Coarse on purpose: words count by their beginnings, so that forms of one
word are the same; scripts without spaces count by characters.
"""

import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_WORD = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]|[^\W_\u2e80-\u9fff\uf900-\ufaff]{2,}")
_BEGINNING = 6  # letters of a word that count


def words(text: str) -> set[str]:
    """The words of a text as they are compared."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    return {word[:_BEGINNING] for word in _WORD.findall(plain)}


def weights(question: str, text: str) -> dict[str, float]:
    """What each word of a question weighs, by how seldom it stands in `text`."""
    lower = text.casefold()
    size = max(len(lower) / 6, 1.0)
    return {word: math.log(1 + size / (1 + lower.count(word))) for word in words(question)}


def shared(weighed: Mapping[str, float], text: str | Collection[str]) -> float:
    """The share of the weights whose words stand in `text`: 0 to 1."""
    inside = words(text) if isinstance(text, str) else text
    whole = sum(weighed.values())
    return sum(weight for word, weight in weighed.items() if word in inside) / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """That works speak of a question. `covered`: the share of its words, weighed, that the best passage has; `unknown`:
    the share of its words that stand nowhere in the works; `meaning`: the cosine of the passage that is nearest in
    meaning, None where nothing embeds."""

    covered: float
    unknown: float
    meaning: float | None = None

    @property
    def value(self) -> float:
        """Above 0 where they speak of it. The numbers are fitted by `benchmarks/answerable.py`."""
        return self.covered - 0.5 * self.unknown - 0.3


def evidence(weighed: Mapping[str, float], passages: Collection[str], text: str) -> Evidence:
    """Of a question's words (`weights`) in the passages that were found, and in all that was searched."""
    if not weighed:
        return Evidence(0.0, 1.0)
    lower = text.casefold()
    unknown = sum(word not in lower for word in weighed) / len(weighed)
    return Evidence(max((shared(weighed, each) for each in passages), default=0.0), unknown)
