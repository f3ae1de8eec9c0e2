"""Rows that leave for other tools, and tasks that come from them. Knows formats; asks nobody and computes no figure.

`inspect_log`: a run as Inspect's logs. `parquet`: rows as one flat table. `harness_tasks`: simple tasks of the
lm-evaluation-harness as items. What each keeps and loses: docs/exchange.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ...errors import IntegrityError
from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.items import Item
from ..schema.metric import Values
from ..schema.responses import Respondent, Response

__all__ = ["Recorded", "respondent_of"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run and what is known about it. Only responses and respondents (by key) are needed.

    By instrument's name: `items` give the options' texts, which rows do not hold; `instruments` how options are
    compared; `values` one number per assistant and item. `figures` are shown as results.
    """

    run: str
    created: datetime
    responses: Sequence[Response]
    respondents: Mapping[str, Respondent]
    items: Mapping[str, Sequence[Item]] = field(default_factory=dict)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    values: Mapping[str, Values] = field(default_factory=dict)
    figures: Sequence[Figure] = ()


def respondent_of(response: Response, respondents: Mapping[str, Respondent]) -> Respondent:
    """Who gave this response. IntegrityError where the record does not say."""
    try:
        return respondents[response.respondent]
    except KeyError:
        raise IntegrityError(
            f"a row of {response.instrument} is by {response.respondent!r}, whom its run does not describe",
            "export the whole run, with the file that describes its respondents",
        ) from None
