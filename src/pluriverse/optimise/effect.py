"""What a copy of a model changes in what it knows and holds: the same items of two instruments, paired.

Asked through the same path as every measurement, so that the responses are kept and a second call asks nothing anew.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from ..assistant import Assistant
from ..measure.data.instruments import find
from ..measure.measuring import MeasureOptions, measure
from ..measure.metrics.by_name import values_of
from ..measure.metrics.cells import LEAST
from ..measure.results.compare import keys_of, tested, unit_of
from ..measure.run.events import Measured, MeasureStep
from ..measure.schema.figure import Figure
from ..measure.schema.reasons import Tested
from ..measure.stats.pairs import Paired
from ..runtime.workspace import Workspace
from ..store import StoredModel

INSTRUMENTS = ("truthfulqa", "persona-politics")  # one of what is known, one of what is held
ITEMS = 60  # of each


async def changes(
    workspace: Workspace, original: StoredModel, copy: StoredModel, items: int = ITEMS, command: str = ""
) -> AsyncGenerator[MeasureStep | tuple[Figure, ...], None]:
    """Progress, and last one figure per instrument: copy less original, on `items` items of each.

    No sensitivity check is made: whether a voice moves an instrument is not asked, only whether the copy does. Raises
    what `measure` raises.
    """
    asked = [Assistant(name=_name(each), base=each.name) for each in (original, copy)]
    options = MeasureOptions(limit=items, check_sensitivity=False, command=command)
    chosen = [find(name) for name in INSTRUMENTS]
    async with aclosing(measure(workspace, chosen, asked, options)) as events:
        async for event in events:
            if isinstance(event, MeasureStep):
                yield event
            elif isinstance(event, Measured):
                yield tuple(_figures(event, asked))


def _figures(measured: Measured, asked: Sequence[Assistant]) -> list[Figure]:
    before, after = (each.name for each in asked)
    found = []
    for name in INSTRUMENTS:
        rows = [row for row in measured.run.responses if row.instrument == name]
        values = values_of(find(name), rows)
        shared = [item for item in values.get(after, {}) if item in values.get(before, {})]
        if len(shared) >= LEAST:
            change = tested(values, after, before, shared, keys_of(rows))
            found.append(_figure(name, after, before, change, len(shared)))
    return found


def _figure(instrument: str, after: str, before: str, change: Paired, items: int) -> Figure:
    interval = change.difference
    test = Tested(change.separated, change.p, copy=True)
    value, low, high = (unit_of(find(instrument)) * each for each in (interval.value, interval.low, interval.high))
    return Figure(after, instrument, "difference", value, low, high, items, before, remarks=(test,))


def _name(model: StoredModel) -> str:
    """A model's name as one that assistants may have, with the beginning of its digest."""
    return f"{re.sub(r'[^a-z0-9]+', '-', model.name.lower()).strip('-')[:48]}-{model.digest.hex[:8]}"
