"""How near words are to a question by the words that they share, the rare ones counting more.

Knows words and how often they stand in texts. Coarse on purpose: words count by their beginnings, so that forms of one
word are the same; scripts without spaces count by characters.
"""

import math
import re
import unicodedata
from collections.abc import Collection, Mapping

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
