"""Which items a sensitivity check asks: few enough to be done in a minute, enough for an interval."""

from collections.abc import Sequence

from ..schema.instrument import Instrument
from ..schema.items import Item, key_of
from ..stats.verdict import FEWEST

ITEMS = 24  # that a check asks
LEAST = FEWEST
SPOKEN, SCORED = 48, 160  # cells of texts and of options that a check asks of each voice


def asked_of(instrument: Instrument, items: Sequence[Item], most: int | None = None) -> list[Item]:
    """Of these items those that a check asks: some that have a side, where items have sides; `most` if that is said."""
    language = instrument.opposites.language if instrument.opposites else ""
    sided = [item for item in items if key_of(item.metadata)] or items
    return few([item for item in sided if not language or item.language == language], most)


def few(items: Sequence[Item], most: int | None = None) -> list[Item]:
    """All cells of the first items: `most`, else as many as are answered within a minute or so, but never fewer than
    LEAST items."""
    cells: dict[str, list[Item]] = {}
    for item in items:
        cells.setdefault(item.id, []).append(item)
    kept: list[Item] = []
    for number, each in enumerate(list(cells.values())[: most or ITEMS]):
        budget = SCORED if each[0].options else SPOKEN
        if most is None and number >= LEAST and len(kept) + len(each) > budget:
            break
        kept += each
    return kept
