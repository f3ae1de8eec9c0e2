"""Texts that must be a reference letter for letter, but for what the instrument says to leave out.

The comparison is lm-evaluation-harness's `exact_match` (its `api/metrics.py`, release 0.4.13). White space at both ends
does not count: there it depends on the tokenizer whether a text begins with a space. Knows responses; asks nobody.
"""

import re
import string
from collections.abc import Sequence

import numpy as np

from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.metric import FigureKind, Metric, Values
from ..schema.responses import Response, by_assistant, by_item
from .cells import rate

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_DIGITS = str.maketrans("", "", string.digits)


def exact_match(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Share of items whose text is one of the references."""
    return [
        rate(instrument, assistant, "exact_match", _hits(instrument, rows))
        for assistant, rows in by_assistant(responses).items()
    ]


def exact_match_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    return {
        assistant: {item: float(np.mean(hits)) for item, hits in _hits(instrument, rows).items()}
        for assistant, rows in by_assistant(responses).items()
    }


def _hits(instrument: Instrument, rows: Sequence[Response]) -> dict[str, list[bool]]:
    return {
        item: [_bare(instrument, row.text) in {_bare(instrument, str(each)) for each in row.target} for row in cells]
        for item, cells in by_item([row for row in rows if not row.logprobs]).items()
    }


def _bare(instrument: Instrument, text: str) -> str:
    """In the harness's order: patterns, case, punctuation, digits."""
    for pattern in instrument.options.get("regexes_to_ignore", ()):
        text = re.sub(pattern, "", text)
    if instrument.options.get("ignore_case"):
        text = text.lower()
    if instrument.options.get("ignore_punctuation"):
        text = text.translate(_PUNCTUATION)
    if instrument.options.get("ignore_numbers"):
        text = text.translate(_DIGITS)
    return text.strip()


EXACT_MATCH = Metric(
    "exact_match",
    exact_match,
    exact_match_values,
    (FigureKind("exact_match", "exact match", "Share of items whose text is a reference, letter for letter."),),
    direction="better",
)
