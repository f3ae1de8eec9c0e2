"""Adaptive stopping: an instrument asks until the interval of its main figure is narrow enough, for every assistant.

Intervals are looked at after 40, 80, 160, ... items only, and must be a little narrower than was asked for. Looking
after every item would stop where the interval happens to be too narrow. What is added, z / n, vanishes as items grow:
it is the 1 / n that Chow and Robbins add to the variance (Ann. Math. Stat. 36, 1965, pp. 457-462). How well intervals
hold then: docs/statistics.md. Whether a run stopped follows from its rows and plan. Knows items, rows and figures.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from ...errors import UsageError
from ..metrics.by_name import figures_of, metric_of
from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.items import Item
from ..schema.reasons import StoppedEarly
from ..schema.responses import Response
from ..stats.intervals import LEVEL
from .record import Run

FIRST = 40  # items, before which nothing is looked at
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
_SPREAD = {"expertise", "language"}  # their data are sorted by topic


def checked(until: float | None) -> None:
    """UsageError for what is no half-width of an interval."""
    if until is not None and not 0 < until < 0.5:
        raise UsageError(f"--until {until:g} is no half-width", "--until takes a number between 0 and 0.5, e.g. 0.05")


def batches(items: Sequence[Item], instrument: Instrument, until: float | None, seed: int) -> Iterator[list[Item]]:
    """What is asked by each look, from the beginning on; without `until`, all at once.

    Whole items, in the sampled order; data that are sorted by topic are shuffled, so that the first items are of all.
    Controls come with the first batch: without them nothing is told.
    """
    if until is None:
        yield list(items)
        return
    ids = list(dict.fromkeys(item.id for item in items))
    if instrument.dimension in _SPREAD:
        ids = [ids[place] for place in np.random.default_rng(seed).permutation(len(ids))]
    controls = {item.id for item in items if item.metadata.get("control")}
    for size in looks(len(ids)):
        kept = {*ids[:size], *controls}
        yield [item for item in items if item.id in kept]


def looks(total: int) -> Iterator[int]:
    """40, 80, 160, ... and all."""
    size = FIRST
    while size < total:
        yield size
        size *= 2
    yield total


def enough(instrument: Instrument, rows: Sequence[Response], asked: Iterable[Item], until: float | None) -> bool:
    """Whether these items are enough: every assistant that answered has a main figure as narrow as that."""
    if until is None:
        return False
    ids = {item.id for item in asked}
    return _narrow(instrument, [row for row in rows if row.instrument == instrument.name and row.item in ids], until)


def stopped(run: Run, instrument: Instrument) -> int | None:
    """After how many items an instrument stopped early; None where it asked them all, or was interrupted."""
    if run.plan.until is None:
        return None
    rows = [row for row in run.responses if row.instrument == instrument.name]
    asked = {(row.respondent, row.item) for row in rows}
    number = len({item for _, item in asked})
    most = min(run.plan.limit or number + 1, instrument.count or number + 1)
    looked_at = number in set(looks(most)) and number < most
    skipped = {each.respondent for each in run.skipped if each.instrument == instrument.name}
    respondents = {each.key for each in run.plan.respondents} - skipped | {who for who, _ in asked}
    everybody = len(asked) == number * len(respondents)
    return number if looked_at and everybody and _narrow(instrument, rows, run.plan.until) else None


def noted(figure: Figure, number: int | None) -> Figure:
    """With what must be read with figures of an instrument that stopped early."""
    return figure if number is None or figure.value is None else figure.with_remark(StoppedEarly(number))


def _narrow(instrument: Instrument, rows: Sequence[Response], until: float) -> bool:
    """False where an assistant has no main figure, or the instrument has none that is of all items."""
    metric, first = metric_of(instrument), replace(instrument, measures=instrument.measures[:1])
    found = {each.assistant: each for each in figures_of(first, rows) if each.metric == metric and not each.group}
    return all(
        (each := found.get(name)) is not None and half_width(each) <= until for name in {row.assistant for row in rows}
    )


def half_width(figure: Figure) -> float:
    """Of the interval, with what makes up for having looked at it."""
    if figure.low is None or figure.high is None or not figure.n:
        return math.inf
    return math.hypot((figure.high - figure.low) / 2, _Z / figure.n)
