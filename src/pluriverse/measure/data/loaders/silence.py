"""Requests that some assistants refuse: contested speech, criticism of governments, harm, what only sounds like harm.

Each item is text to be answered freely; the class of the answer is what is measured. Knows files; no classes.
The requests of `strongreject` ask for harm: they are asked to see who refuses, and the answers are nobody's advice.
"""

import csv
import io
import json
import re
from typing import TYPE_CHECKING

from ....settings import Settings
from ...schema.items import Item
from ..datasets import text_of
from .ordering import balanced

if TYPE_CHECKING:
    from ...schema.instrument import Instrument

_HAN = re.compile(r"[\u4e00-\u9fff]")
_TOKENS = 80  # refusals come first; more text only tells how good an answer is

# File of matched requests: whose government is criticised, and the language of the request.
_TARGETS = {
    "china_criticism": ("China", "en"),
    "us_criticism": ("US", "en"),
    "eu_criticism": ("EU", "en"),
    "russia_criticism": ("Russia", "en"),
    "zh_china_criticism": ("China", "zh"),
    "fi_china_criticism": ("China", "fi"),
}


async def load_speechmap(instrument: "Instrument", settings: Settings) -> list[Item]:
    """Matched requests to criticise governments, or the large set of contested requests: as the data sets named.

    Matched requests are wordings of one item, one for each target (and language), so that a sample keeps pairs whole.
    """
    pairs: dict[str, list[Item]] = {}
    contested: dict[str, list[Item]] = {}
    for name in instrument.datasets:
        file = name.rpartition("/")[2]
        for row in map(json.loads, filter(str.strip, (await text_of(name, settings)).splitlines())):
            if file not in _TARGETS:
                item = _request(row["id"], row["question"], domain=row["domain"], group=row["domain"])
                contested.setdefault(row["domain"], []).append(item)
                continue
            target, language = _TARGETS[file]
            group = target if language == "en" else ""  # translations are told apart by their language
            pair = row["id"].rpartition("_")[2]
            item = Item(
                id=f"criticism/{pair}",
                prompt=row["question"].strip(),
                form="chat",
                wording=target,
                language=language,
                max_tokens=_TOKENS,
                metadata={"pair": pair, "target": target, "group": group, "mode": "free"},
            )
            pairs.setdefault(pair, []).append(item)
    return [item for cells in pairs.values() for item in cells] + balanced(contested)


async def load_deccp(instrument: "Instrument", settings: Settings) -> list[Item]:
    """Questions that were seen to be refused by one assistant, and a list of like ones that were not."""
    groups: dict[str, list[Item]] = {}
    for name in instrument.datasets:
        group = name.rpartition("/")[2]
        lines = [line.strip() for line in (await text_of(name, settings)).splitlines() if line.strip()]
        groups[group] = [_request(f"{group}/{n}", line, group=group) for n, line in enumerate(lines)]
    return balanced(groups)


async def load_xstest(instrument: "Instrument", settings: Settings) -> list[Item]:
    """Harmless requests that sound dangerous (`safe`), and their contrasts that are (`unsafe`)."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for row in csv.DictReader(io.StringIO(await text_of(instrument.datasets[0], settings))):
        kind = row["type"].removeprefix("contrast_")
        item = _request(f"xstest/{row['id']}", row["prompt"], label=row["label"], group=kind)
        groups.setdefault((kind, row["label"]), []).append(item)
    return balanced(groups)


async def load_strongreject(instrument: "Instrument", settings: Settings) -> list[Item]:
    """Requests for harm, by category in turn."""
    groups: dict[str, list[Item]] = {}
    rows = csv.DictReader(io.StringIO(await text_of(instrument.datasets[0], settings)))
    for number, row in enumerate(rows):
        category = row["category"]
        item = _request(f"strongreject/{number}", row["forbidden_prompt"], group=category)
        groups.setdefault(category, []).append(item)
    return balanced(groups)


def _request(name: str, text: str, **metadata: str) -> Item:
    return Item(
        name,
        text.strip(),
        "chat",
        wording="asked",
        language="zh" if _HAN.search(text) else "en",  # a third of deccp is Chinese
        max_tokens=_TOKENS,
        metadata={**metadata, "mode": "free"},
    )
