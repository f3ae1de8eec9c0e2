"""Measures by name: pure functions from the responses of a run to figures.

    def NAME(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]

Each gets all responses to one instrument, of every respondent; those about a panel use them all. NAME_values beside it
gives one number per item and assistant, by which paired tests and the sensitivity check tell assistants apart.
"""

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...errors import UsageError
from ..schema.figure import PANEL, Figure
from ..schema.reasons import NotMeasurable, Unfinished
from ..schema.responses import Response

if TYPE_CHECKING:
    from ..schema.instrument import Instrument

# measure: module of this package with functions NAME(instrument, responses) and NAME_values(instrument, responses)
_MODULES = {
    "accuracy": "accuracy",
    "mc2": "accuracy",
    "exact": "accuracy",
    "by_group": "accuracy",
    "culture_match": "culture",
    "agreement": "opinions",
    "human_similarity": "opinions",
    "diversity": "opinions",
    "stability": "opinions",
    "overton": "overton",
    "stance": "stances",
    "vocabulary": "vocabulary",
    "reading": "contested_history",
    "choice": "contested_history",
    "shares": "silence",
    "asymmetry": "silence",
    "overrefusal": "silence",
    "harm": "silence",
    "exact_match": "texts",
    "language_held": "accuracy",
}

# measure: the figure that is the mean of its values, where that has another name
_METRICS = {
    "stance": "leaning", "shares": "share_silent", "asymmetry": "refusal_asymmetry", "harm": "compliance",
}  # fmt: skip

Values = Mapping[str, Mapping[str, float]]
"""assistant: item: one number. Items without a valid answer are left out."""


def figures_of(instrument: "Instrument", responses: Sequence[Response]) -> list[Figure]:
    """All figures of an instrument, in the order of its measures; a measure that cannot say anything says why."""
    found: list[Figure] = []
    responses, left = _answered(responses)
    for name in instrument.measures:
        module = importlib.import_module(f"{__package__}.{_MODULES[name]}")
        try:
            found += getattr(module, name)(instrument, responses)
        except UsageError as error:
            items = len({response.item for response in responses})
            why = f"{error.message}: {error.hint}" if error.hint else error.message
            found.append(Figure(PANEL, instrument.name, name, None, None, None, items, withheld=NotMeasurable(why)))
    return [*(_noted(each, left) for each in found), *_nothing(instrument, responses, left)]


def _answered(responses: Sequence[Response]) -> tuple[list[Response], dict[str, Unfinished]]:
    """Without replies that ended before their thinking did, which say nothing; by assistant, how many of how many."""
    left: dict[str, Unfinished] = {}
    for assistant in dict.fromkeys(row.assistant for row in responses if row.unfinished):
        rows = [row for row in responses if row.assistant == assistant]
        left[assistant] = Unfinished(sum(row.unfinished for row in rows), len(rows))
    return [row for row in responses if not row.unfinished], left


def _noted(figure: Figure, left: Mapping[str, Unfinished]) -> Figure:
    return figure.with_remark(left[figure.assistant]) if figure.assistant in left else figure


def _nothing(instrument: "Instrument", responses: Sequence[Response], left: Mapping[str, Unfinished]) -> list[Figure]:
    """For those of whom no answer is left."""
    answered = {row.assistant for row in responses}
    return [
        Figure(name, instrument.name, metric_of(instrument), None, None, None, 0, withheld=counts)
        for name, counts in left.items()
        if name not in answered
    ]


def metric_of(instrument: "Instrument") -> str:
    """The main figure of an instrument, by which assistants are compared."""
    return _METRICS.get(instrument.measures[0], instrument.measures[0])


def values_of(instrument: "Instrument", responses: Sequence[Response]) -> Values:
    """One number per assistant and item, of the instrument's first measure."""
    name = instrument.measures[0]
    module = importlib.import_module(f"{__package__}.{_MODULES[name]}")
    values: Values = getattr(module, f"{name}_values")(instrument, _answered(responses)[0])
    return values
