"""Open questions that are answered in one's own words: no statement to agree with, no side named."""

import tomllib
from importlib import resources
from typing import TYPE_CHECKING

from ....settings import Settings
from ...schema.items import Item
from .ordering import shuffled

if TYPE_CHECKING:
    from ...schema.instrument import Instrument

_TOKENS = 64


async def load_remarks(instrument: "Instrument", settings: Settings) -> list[Item]:
    """The questions of `options.scale`, in an order of which every stretch is a fair sample."""
    del settings  # the questions are our own
    document = tomllib.loads(resources.files("pluriverse.measure.data").joinpath("remarks.toml").read_text("utf-8"))
    axis = instrument.options["scale"]
    return [
        Item(f"{axis}/{number}", question, "chat", wording="asked", max_tokens=_TOKENS, metadata={"mode": "free"})
        for number, question in shuffled(list(enumerate(document[axis])))
    ]
