"""Signs that a voice has run off: it answers in another language, turns in circles, recites its own prompt, or says
what nobody would.

Strong guidance does that to a voice. Each sign is a number per answer; `held` compares a voice with the plain base.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..schema.reasons import RanOff
from ..schema.recital import word_groups

MOST_PERPLEXITY = 1.6  # times that of the base's own answers
MOST_REPETITION = 0.1  # above that of the base's own answers
LEAST_LANGUAGE = 0.9  # of the answers in the language asked
# Of the trigrams of words; a topic that is named in a prompt is named in answers too. Of answers that were read, 2 %
# (95 %: 1 to 5) of 191 honest ones lie above it, and 23 % (8 to 50) of 13 reciting ones do not (benchmarks/recital.py).
MOST_OWN_PROMPT = 0.12
_ENOUGH_TO_TELL = 20  # letters; the language of less cannot be known


@dataclass(frozen=True, slots=True)
class Fluency:
    """Of one voice, over its answers."""

    perplexity: float  # under the plain base, after the question; per token
    repetition: float  # share of repeated 4-grams of words
    language: float  # share of answers in the language they should be in
    recital: float  # share of trigrams of words that stand in the voice's own prompt

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def broken(voice: Fluency, plain: Fluency) -> RanOff | None:
    """Which guard does not hold; None where all do."""
    if voice.language < LEAST_LANGUAGE:
        return RanOff("language", 1 - voice.language)
    if voice.perplexity > MOST_PERPLEXITY * plain.perplexity:
        return RanOff("perplexity", voice.perplexity / plain.perplexity)
    if voice.repetition > plain.repetition + MOST_REPETITION:
        return RanOff("repetition", voice.repetition)
    if voice.recital > MOST_OWN_PROMPT:
        return RanOff("recital", voice.recital)
    return None


def repetition(text: str) -> float:
    """Share of 4-grams of words that came before in the same text; 0 for texts of less than four words."""
    grams = word_groups(text)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def language_held(texts: Sequence[str], language: str) -> float:
    """Share of `texts` in `language` (a BCP 47 tag; its first part counts). Texts too short to tell are left out,
    and all of them in a language that the identifier does not know."""
    wanted = language.partition("-")[0].lower()
    if not can_tell(language):
        return 1.0
    told = [_language(text, wanted) == wanted for text in texts if sum(map(str.isalpha, text)) >= _ENOUGH_TO_TELL]
    return float(np.mean(told)) if told else 1.0


def can_tell(language: str) -> bool:
    """Whether the identifier knows this language (a BCP 47 tag; its first part counts)."""
    wanted = language.partition("-")[0].lower()
    return wanted in _identifier(wanted).labels


def _language(text: str, wanted: str) -> str:
    return str(_identifier(wanted).classify(" ".join(text.split()))[0])


@cache
def _identifier(wanted: str) -> Any:
    """Tells larger languages and `wanted` apart: with all that it knows, short English texts go to small ones."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    known = set(identifier.labels)
    identifier.set_languages({*_LARGER.split(), wanted} & known)
    return identifier


_LARGER = "en zh hi es fr ar bn pt ru ur id de ja sw mr te tr ta vi ko fa it th gu pl uk nl ro el cs hu sv he da fi no"
