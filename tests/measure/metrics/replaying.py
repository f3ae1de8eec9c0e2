"""Respondents made by hand: they answer real items in a known way, so that figures are known beforehand."""

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pluriverse import settings as settings_module
from pluriverse.measure.data import datasets
from pluriverse.measure.data.instruments import find
from pluriverse.measure.data.loaders import load as load_items
from pluriverse.measure.schema.figure import Figure
from pluriverse.measure.schema.instrument import Instrument
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import Respondent, Response, blank
from pluriverse.settings import Settings

DATA = settings_module.load().data  # before each test gets an environment of its own

Chances = Callable[[Item], Sequence[float]]
"""Chances of an item's answers in its own order, whatever the rotation."""


def items_of(name: str, home: Path) -> list[Item]:
    settings = Settings(home=home, offline=True, data=DATA)
    for each in datasets.needs_consent(find(name).datasets, settings):
        datasets.consent(each, settings)
    return asyncio.run(load_items(find(name), settings))


def first(items: Iterable[Item], number: int) -> list[Item]:
    """All cells of the first `number` items."""
    items = list(items)
    wanted = set(list(dict.fromkeys(item.id for item in items))[:number])
    return [item for item in items if item.id in wanted]


def scored(instrument: str, items: Sequence[Item], assistant: str, chances: Chances) -> list[Response]:
    """Answers by log-probabilities."""
    rows = []
    for item in items:
        by_content = chances(item)
        logprobs = tuple(math.log(max(by_content[content], 1e-9)) - 3 for content in item.order)
        rows.append(_row(instrument, item, assistant, logprobs=logprobs))
    return rows


def written(
    instrument: str, items: Sequence[Item], assistant: str, answer: Callable[[Item], tuple[str, str]]
) -> list[Response]:
    """Answers as text, with their class."""
    return [
        _row(instrument, item, assistant, text=text, kind=kind)
        for item, (text, kind) in ((item, answer(item)) for item in items)
    ]


def with_metadata(rows: Sequence[Response], **more: Any) -> list[Response]:
    return [replace(row, metadata={**row.metadata, **more}) for row in rows]


def one(figures: Sequence[Figure], metric: str, assistant: str, group: str = "") -> Figure:
    (found,) = [f for f in figures if (f.metric, f.assistant, f.group) == (metric, assistant, group)]
    return found


def _row(instrument: str, item: Item, assistant: str, **more: Any) -> Response:
    respondent = Respondent(assistant, assistant, "scripted", None, None, None, "", "", {}, None, "by hand")
    known: Instrument = find(instrument)
    return Response(**{**blank(item, respondent, known.name, known.version), **more})
