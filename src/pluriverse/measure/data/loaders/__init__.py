"""How public data become items: one function per shape of data, named by the instruments' files.

async def load_NAME(instrument, settings) -> list[Item]
"""

import importlib
from typing import TYPE_CHECKING

from ....settings import Settings
from ...schema.items import Item

if TYPE_CHECKING:
    from ...schema.instrument import Instrument

# loader: module here; the function in it is `load_` and the loader's name with underscores.
_MODULES = {
    "arc": "open_llm_leaderboard",
    "hellaswag": "open_llm_leaderboard",
    "mmlu": "open_llm_leaderboard",
    "truthfulqa": "open_llm_leaderboard",
    "winogrande": "open_llm_leaderboard",
    "gsm8k": "open_llm_leaderboard",
    "cmmlu": "languages",
    "xcopa": "languages",
    "mgsm": "languages",
    "blend": "culture",
    "persona": "values",
    "globalopinionqa": "values",
    "issues": "politics",
    "propositions": "politics",
    "remarks": "remarks",
    "history": "contested_history",
    "history-asked": "contested_history",
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
