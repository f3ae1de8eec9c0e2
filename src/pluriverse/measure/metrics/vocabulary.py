"""Vocabulary: whose words an answer uses, on a scale between the personas of two sides.

Of words, not of stances, so that small models, which take no stand but do choose words, differ in it. Words that stand
in a speaker's own prompt do not count: to repeat them is no choice. Nor do they for anybody who is read beside it, so
that the same answer has the same value whoever gave it. Knows rows and scales; asks nobody.
"""

from collections.abc import Sequence

import numpy as np

from ..classify.rules import ANSWERED
from ..classify.vocabulary import scale
from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.metric import FigureKind, Metric, Values
from ..schema.responses import Response, by_assistant, by_item
from .cells import grouped, mean


def vocabulary(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Mean probability that an answer's words are those of the first side's personas."""
    first, other = scale(instrument.options["scale"]).sides
    note = (
        f"1: words of {first} personas, 0: of {other} ones; no stances; words in the prompts of those shown together "
        "do not count, so that beside others a value may differ a little"
    )
    return [
        mean(instrument, assistant, "vocabulary", list(values.values()), note=note)
        for assistant, values in vocabulary_values(instrument, responses).items()
    ]


def vocabulary_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    """Per question: the mean over its answers. Refusals, broken texts and those without a word that counts are left
    out."""
    used, prompts = scale(instrument.options["scale"]), " ".join(sorted({row.own_prompt for row in responses}))
    found: dict[str, dict[str, float]] = {}
    for assistant, rows in by_assistant(responses).items():
        said = grouped(rows, lambda row: (row.kind in ANSWERED or not row.kind) or None).get(True, [])
        found[assistant] = {}
        for item, cells in by_item(said).items():
            leans = [float(used([row.text], prompts)[0]) for row in cells]
            if known := [each for each in leans if not np.isnan(each)]:
                found[assistant][item] = float(np.mean(known))
    return found


VOCABULARY = Metric(
    "vocabulary",
    vocabulary,
    vocabulary_values,
    (
        FigureKind(
            "vocabulary",
            "vocabulary",
            "Whose words answers use, not which stance they take; the note names the two sides.",
        ),
    ),
    direction="sides",
    caveat="of words, not of stances",
)
