"""Whether short answers are what people of a place said: BLEnD's soft matching, without lemmatisers.

As BLEnD scores it (evaluation/exact_match.py of github.com/nlee0212/BLEnD): people's answers are tried from the most
given down; the first that stands in the text counts its people over those of the most given answer. English answers
count in any language. Knows texts and counts.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.metric import FigureKind, Metric, Values
from ..schema.responses import Response, by_assistant, by_item
from .cells import LEAST, grouped, mean

_ENDING = 2  # letters that a word may have beyond a person's answer: particles, plurals, cases
_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff]")
_PLURAL = re.compile(r"(?<=[^\Ws]{2}[^\Ws])s$")
_KOREAN = re.compile(r"[\uac00-\ud7af]{2}")
_LETTERS = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "ß": "ss", "ı": "i"})
_NOT_WORDS = re.compile(r"(?:[^\w\u0900-\u0963\u0966-\u0dff]|_)+")  # vowel signs are parts of words


def culture_match(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Mean weight of matches, and share of any match; by country, and by the people's language beside English."""
    figures = []
    for assistant, rows in by_assistant(responses).items():
        countries = grouped(rows, lambda row: row.metadata.get("country"))
        note = f"{len(countries)} of {len(instrument.datasets)} regions"
        scores = {item: _scores(cells) for item, cells in by_item(rows).items()}
        figures.append(mean(instrument, assistant, "culture_match", [each[0] for each in scores.values()], note=note))
        figures.append(
            mean(instrument, assistant, "culture_match_any", [each[1] for each in scores.values()], note=note)
        )
        for group, part in {**_languages(rows), **countries}.items():
            weights = [_scores(cells)[0] for cells in by_item(part).values()]
            if len(weights) >= LEAST:
                figures.append(mean(instrument, assistant, "culture_match", weights, group=str(group)))
    return figures


def culture_match_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    return {
        assistant: {item: _scores(cells)[0] for item, cells in by_item(rows).items()}
        for assistant, rows in by_assistant(responses).items()
    }


def _languages(rows: Sequence[Response]) -> dict[str, list[Response]]:
    """Asked in the people's own language, and the same questions in English: only regions that have both."""
    both = [row for row in rows if row.metadata.get("local") not in (None, "en")]
    return grouped(both, lambda row: "in English" if row.language == "en" else "in the people's language")


def _scores(cells: Sequence[Response]) -> tuple[float, float]:
    """Of one item's cells: mean weight, and share with any match."""
    weights = [weight(cell.text, cell.metadata["answers"], cell.language) for cell in cells]
    return float(np.mean(weights)), float(np.mean([each > 0 for each in weights]))


def weight(text: str, answers: Sequence[tuple[int, list[str], list[str]]], language: str) -> float:
    """0 for no match, 1 for what most people said; `answers` are (people, answers in their language, in English)."""
    ordered = sorted(answers, key=lambda each: -each[0])
    most = ordered[0][0] if ordered else 1
    said = folded(text)
    for people, own, english in ordered:
        theirs = any(_stands(folded(answer), said, language) for answer in own)
        if theirs or any(_stands(folded(answer), said, "en") for answer in english):
            return people / most
    return 0.0


@lru_cache(maxsize=65536)
def folded(text: str) -> str:
    """Without case, accents, vowel marks and punctuation; one space between words."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    marked = "".join(letter for letter in plain if unicodedata.category(letter) != "Mn" or _keeps_marks(letter))
    return _NOT_WORDS.sub(" ", unicodedata.normalize("NFC", marked).translate(_LETTERS)).strip()


def _keeps_marks(letter: str) -> bool:
    """Vowel signs of the scripts of India and Ethiopia are letters, not accents."""
    return "\u0900" <= letter <= "\u0dff"


def _stands(answer: str, said: str, language: str) -> bool:
    """Whether the words of an answer stand in a text, each but for an ending; scripts without spaces, anywhere."""
    if not answer or not said:
        return False
    if _WITHOUT_SPACES.search(answer):
        return answer in said
    if language == "en":
        return f" {_singular(answer)} " in f" {_singular(said)} "
    prefix = "(?:ال|و|ب|ل)?" if language in {"ar", "fa"} else ""
    words = " ".join(re.escape(word) + _ending(word) for word in answer.split())
    return re.search(rf"(?:^| ){prefix}{words}(?: |$)", said) is not None


def _ending(word: str) -> str:
    """What may follow a word; nothing after short ones, which begin too many others. Korean syllables count more."""
    return rf"\S{{0,{_ENDING}}}" if len(word) >= 4 or _KOREAN.search(word) else ""


def _singular(text: str) -> str:
    """Without the plural of English; both sides lose it alike, so that it need not be right."""
    return " ".join(_PLURAL.sub("", word) for word in text.split())


CULTURE_MATCH = Metric(
    "culture_match",
    culture_match,
    culture_match_values,
    (
        FigureKind(
            "culture_match",
            "match with people's answers",
            "1: what most people of the place said; 0: what nobody said.",
        ),
        FigureKind(
            "culture_match_any",
            "match with anybody's answer",
            "Share of answers that somebody of the place gave too.",
        ),
    ),
    direction="better",
)
