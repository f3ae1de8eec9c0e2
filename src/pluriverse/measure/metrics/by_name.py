"""What the metrics of an instrument find in the responses to it.

Metrics that no installed package brings, or that cannot be loaded, say so in place of a figure, so that what others
measured can be read. Replies that ended before their thinking did count nowhere.
"""

from collections.abc import Mapping, Sequence

from ...errors import PluriverseError, UsageError
from ..schema.figure import PANEL, Figure
from ..schema.instrument import Instrument
from ..schema.metric import Metric, Values, metric
from ..schema.reasons import NotMeasurable, Unfinished
from ..schema.responses import Response


def figures_of(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """All figures of an instrument, in the order of its measures; a measure that cannot say anything says why."""
    responses, left = _answered(responses)
    found = [figure for name in instrument.measures for figure in _figures(name, instrument, responses)]
    return [*(_noted(each, left) for each in found), *_nothing(instrument, responses, left)]


def _figures(name: str, instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    items = len({response.item for response in responses})
    try:
        brought = metric(name)
    except PluriverseError as error:
        who = dict.fromkeys(response.assistant for response in responses)
        why = NotMeasurable(error.message)
        return [Figure(each, instrument.name, name, None, None, None, items, withheld=why) for each in who]
    try:
        return brought.figures(instrument, responses)
    except UsageError as error:
        why = NotMeasurable(f"{error.message}: {error.hint}" if error.hint else error.message)
        return [Figure(PANEL, instrument.name, name, None, None, None, items, withheld=why)]


def _answered(responses: Sequence[Response]) -> tuple[list[Response], dict[str, Unfinished]]:
    """Without replies that ended before their thinking did, which say nothing; by assistant, how many of how many."""
    left: dict[str, Unfinished] = {}
    for assistant in dict.fromkeys(row.assistant for row in responses if row.unfinished):
        rows = [row for row in responses if row.assistant == assistant]
        left[assistant] = Unfinished(sum(row.unfinished for row in rows), len(rows))
    return [row for row in responses if not row.unfinished], left


def _noted(figure: Figure, left: Mapping[str, Unfinished]) -> Figure:
    return figure.with_remark(left[figure.assistant]) if figure.assistant in left else figure


def _nothing(instrument: Instrument, responses: Sequence[Response], left: Mapping[str, Unfinished]) -> list[Figure]:
    """For those of whom no answer is left."""
    answered = {row.assistant for row in responses}
    return [
        Figure(name, instrument.name, metric_of(instrument), None, None, None, 0, withheld=counts)
        for name, counts in left.items()
        if name not in answered
    ]


def metrics_of(instrument: Instrument) -> list[Metric]:
    """Those of its measures that can be loaded, in their order."""
    return [each for each in map(_loaded, instrument.measures) if each]


def leading(instrument: Instrument) -> Metric | None:
    """The metric of its first measure, which stands for the instrument; None where that cannot be loaded."""
    return _loaded(instrument.measures[0])


def _loaded(name: str) -> Metric | None:
    try:
        return metric(name)
    except PluriverseError:
        return None


def metric_of(instrument: Instrument) -> str:
    """The main figure of an instrument, by which assistants are compared."""
    found = leading(instrument)
    return found.main_figure if found else instrument.measures[0]


def values_of(instrument: Instrument, responses: Sequence[Response]) -> Values:
    """One number per assistant and item, of the instrument's first measure; none where that cannot be loaded."""
    found = leading(instrument)
    return found.values(instrument, _answered(responses)[0]) if found else {}
