"""What a sensitivity check found, and what is kept of it: per weights, engine and instrument.

A check tells whether an instrument tells known opposites apart on a base, and not a voice from itself. Knows findings
and one file; `known_groups` asks.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...files import read_json, write
from ...jsonl import MISREAD
from ..data.instruments import known
from ..schema.instrument import Instrument
from ..schema.items import Item
from ..schema.reasons import CheckOutcome, NotPassed
from ..schema.responses import Respondent
from ..schema.words import check as check_words
from ..stats.verdict import CHANCE, MARGIN, Finding, finding
from .check_items import LEAST, asked_of


@dataclass(frozen=True, slots=True)
class SensitivityCheck:
    """`separation` of the opposites with its interval, `control` of a voice from itself; 0.5 is none, 1 is complete.
    `control` is None where the opposites were not told apart: it could change nothing then, and was not asked."""

    instrument: str
    version: str
    base: str
    weights: str | None
    engine: str
    separation: float
    low: float
    high: float
    control: float | None
    control_low: float | None
    control_high: float | None
    items: int
    opposites: tuple[str, str]
    asked: int = 0  # items; `items` of them had a valid answer
    voices: str = ""  # digest of what the opposites are: definitions and guidance

    @property
    def finding(self) -> Finding:
        """Of the opposites, in their known direction. A control that fails leaves open what the separation means."""
        found = finding(self.separation, self.low, self.high, self.items)
        if found.verdict == "apart" and not self._holds:
            return Finding("undecided")
        if found.more and self.items:  # not every item that is asked has a valid answer
            return Finding(found.verdict, math.ceil(found.more * max(self.asked, self.items) / self.items))
        return found

    @property
    def _holds(self) -> bool:
        """Whether the same voice in other words was asked, and not told from itself."""
        return (
            self.control_low is not None
            and self.control_high is not None
            and (self.control_low <= CHANCE <= self.control_high)
        )

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.finding.verdict == "apart"

    @property
    def outcome(self) -> CheckOutcome:
        """For reasons, which know no more of it."""
        found, asked = self.finding, max(self.asked, self.items)
        count = instruments[self.instrument].count if self.instrument in (instruments := known()) else 0
        return CheckOutcome(
            found.verdict, found.reversed, found.more, count >= asked + (found.more or 0), self.items, asked, LEAST,
            self.separation, self.low, self.high, MARGIN,
        )  # fmt: skip

    @property
    def failure(self) -> NotPassed | None:
        """Why no figure of the instrument is shown on this base; None where it passed."""
        return None if self.passed else NotPassed((self.base,), self.outcome)

    @property
    def told_enough(self) -> bool:
        """Whether there were answers enough for a separation at all."""
        return self.items >= LEAST

    def as_dict(self) -> dict[str, Any]:
        found = self.finding
        told = {"sees": self.passed, "verdict": found.verdict, "margin": MARGIN, "more": found.more}
        return {**asdict(self), **told, "reversed": found.reversed, "words": check_words(self.outcome)}


class KeptChecks:
    """`proofs.json` of the data folder."""

    def __init__(self, home: Path) -> None:
        self._path = home / "proofs.json"

    def all(self) -> list[SensitivityCheck]:
        try:
            return [_read_back(each) for each in read_json(self._path)]
        except (OSError, *MISREAD):
            return []  # asked again

    def of(
        self,
        instrument: Instrument,
        respondent: Respondent,
        items: Sequence[Item] = (),
        voices: str = "",
        most: int | None = None,
    ) -> SensitivityCheck | None:
        """The check for these weights, computed by this engine, with this version of the instrument and these `voices`.

        None too for one that did not pass where `items` are more than it asked: of more it may pass.
        """
        wanted = (instrument.name, instrument.version, respondent.base, respondent.weights, respondent.engine)
        found = next((each for each in self.all() if _key(each) == wanted), None)
        more = len({item.id for item in asked_of(instrument, items, most)})
        if found is None or (voices and found.voices != voices) or (not found.passed and found.asked < more):
            return None
        return found

    def keep(self, check: SensitivityCheck) -> None:
        others = [each for each in self.all() if _key(each) != _key(check)]
        write(self._path, json.dumps([asdict(each) for each in [*others, check]], indent=1).encode())


def _read_back(document: Mapping[str, Any]) -> SensitivityCheck:
    """One read back. TypeError, LookupError where it is none."""
    numbers = [document[name] for name in ("separation", "low", "high", "items")]
    numbers += [each for name in ("control", "control_low", "control_high") if (each := document[name]) is not None]
    if not all(isinstance(each, int | float) and math.isfinite(each) for each in numbers):
        raise TypeError("what was found is no number")
    return SensitivityCheck(**{**document, "opposites": tuple(document["opposites"])})


def _key(check: SensitivityCheck) -> tuple[str, str, str, str | None, str]:
    return check.instrument, check.version, check.base, check.weights, check.engine


def check_of(
    checks: Sequence[SensitivityCheck], instrument: Instrument, respondent: Respondent
) -> SensitivityCheck | None:
    """Of this version of the instrument, on the weights and by the engine that answered; the newest stands last."""
    who = respondent.base, respondent.weights, respondent.engine
    for each in reversed(checks):
        of_it = (each.instrument, each.version) == (instrument.name, instrument.version)
        if of_it and (each.base, each.weights, each.engine) == who:
            return each
    return None
