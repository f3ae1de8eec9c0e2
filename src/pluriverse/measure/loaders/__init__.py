"""How public data become items: one function per shape of data, named by the instruments' files.

async def load_NAME(instrument, settings) -> list[Item]
"""

import importlib
from typing import TYPE_CHECKING

from ...settings import Settings
from ..items import Item

if TYPE_CHECKING:
    from ..instrument import Instrument

# loader: module here; the function in it is `load_` and the loader's name with underscores.
_MODULES = {
    "arc": "leaderboard",
    "hellaswag": "leaderboard",
    "mmlu": "leaderboard",
    "truthfulqa": "leaderboard",
    "winogrande": "leaderboard",
    "gsm8k": "leaderboard",
    "cmmlu": "languages",
    "xcopa": "languages",
    "mgsm": "languages",
    "blend": "culture",
    "persona": "values",
    "globalopinionqa": "values",
    "issues": "politics",
    "propositions": "politics",
    "remarks": "remarks",
    "history": "history",
    "history-asked": "history",
    "speechmap": "silence",
    "deccp": "silence",
    "xstest": "silence",
    "strongreject": "silence",
}


async def load(instrument: "Instrument", settings: Settings) -> list[Item]:
    """The instrument's items; raises what reading its data raises."""
    module = importlib.import_module(f"{__package__}.{_MODULES[instrument.loader]}")
    items: list[Item] = await getattr(module, f"load_{instrument.loader.replace('-', '_')}")(instrument, settings)
    return items
