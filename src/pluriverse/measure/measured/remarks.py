"""Whose words a text uses: the words of its answers on a scale between two sides.

Of words, not of stances, so that it sees in small models, which take no stand but do choose words. Knows rows and
scales; asks nobody.
"""

from collections.abc import Sequence

from ..figure import Figure
from ..instrument import Instrument
from ..measures import Values
from ..responses import Response, by_assistant, by_item
from ..scales import scale
from .cells import ANSWERED, grouped, mean


def word_lean(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Mean probability that an answer's words are the first side's; and what the scale itself is good for."""
    used = scale(instrument.options["scale"])
    first, other = used.sides
    note = f"1: words of {first}, 0: of {other}; not of stances; {used.held:.1%} of unseen statements read right"
    return [
        mean(instrument, assistant, "word_lean", list(values.values()), note=note)
        for assistant, values in word_lean_values(instrument, responses).items()
    ]


def word_lean_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    """Per question: the mean over its answers. Refusals and broken texts are left out."""
    used = scale(instrument.options["scale"])
    found: dict[str, dict[str, float]] = {}
    for assistant, rows in by_assistant(responses).items():
        said = grouped(rows, lambda row: (row.kind in ANSWERED or not row.kind) or None).get(True, [])
        found[assistant] = {
            item: float(used([row.text for row in cells]).mean()) for item, cells in by_item(said).items()
        }
    return found
