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

from ...files import write
from ...jsonl import MISREAD
from ..data.instruments import known
from ..schema.instrument import Instrument
from ..schema.items import Item
from ..schema.responses import Respondent
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
    def sees(self) -> bool:
        """The one rule of what may be shown: only figures of instruments that tell known opposites apart."""
        return self.finding.verdict == "apart"

    @property
    def words(self) -> str:
        found = self.finding
        if found.verdict == "apart":
            return "it tells known opposites apart on this base"
        if found.verdict == "no_difference":
            if found.reversed:
                return "on this base it takes known opposites for each other"
            return f"known opposites do not differ by it on this base beyond a margin of {MARGIN:g}"
        if found.more is None:
            return "it tells a voice from itself on this base, so differences mean nothing"
        if not self.told_enough:
            return f"undecided: only {self.items} items had a valid answer from both opposites{self._ask(found.more)}"
        return f"undecided whether it tells known opposites apart on this base{self._ask(found.more)}"

    def _ask(self, more: int) -> str:
        has = instruments[self.instrument].count if self.instrument in (instruments := known()) else 0
        total = max(self.asked, self.items) + more
        return f", ask about {more} more" + (f": --check-items {total}" if has >= total else ", which it does not have")

    @property
    def told_enough(self) -> bool:
        """Whether there were answers enough for a separation at all."""
        return self.items >= LEAST

    @property
    def told(self) -> str:
        """The words and their number, where there is one."""
        if not self.told_enough:
            return self.words
        return f"{self.words}: separation {self.separation:.2f} ({self.low:.2f} to {self.high:.2f})"

    def as_dict(self) -> dict[str, Any]:
        found = self.finding
        told = {"sees": self.sees, "verdict": found.verdict, "margin": MARGIN, "more": found.more}
        return {**asdict(self), **told, "reversed": found.reversed, "words": self.words}


class KeptChecks:
    """`proofs.json` of the data folder."""

    def __init__(self, home: Path) -> None:
        self._path = home / "proofs.json"

    def all(self) -> list[SensitivityCheck]:
        try:
            return [_proof(each) for each in json.loads(self._path.read_text("utf-8"))]
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
        """The proof for these weights, computed by this engine, with this version of the instrument and these `voices`.

        None too for a blind one where `items` are more than it asked: more may see.
        """
        wanted = (instrument.name, instrument.version, respondent.base, respondent.weights, respondent.engine)
        found = next((each for each in self.all() if _key(each) == wanted), None)
        more = len({item.id for item in asked_of(instrument, items, most)})
        if found is None or (voices and found.voices != voices) or (not found.sees and found.asked < more):
            return None
        return found

    def keep(self, proof: SensitivityCheck) -> None:
        others = [each for each in self.all() if _key(each) != _key(proof)]
        write(self._path, json.dumps([asdict(each) for each in [*others, proof]], indent=1).encode())


def _proof(document: Mapping[str, Any]) -> SensitivityCheck:
    """One read back. TypeError, LookupError where it is none."""
    numbers = [document[name] for name in ("separation", "low", "high", "items")]
    numbers += [each for name in ("control", "control_low", "control_high") if (each := document[name]) is not None]
    if not all(isinstance(each, int | float) and math.isfinite(each) for each in numbers):
        raise TypeError("what was found is no number")
    return SensitivityCheck(**{**document, "opposites": tuple(document["opposites"])})


def _key(proof: SensitivityCheck) -> tuple[str, str, str, str | None, str]:
    return proof.instrument, proof.version, proof.base, proof.weights, proof.engine


def standing(
    proofs: Sequence[SensitivityCheck], instrument: Instrument, respondent: Respondent
) -> SensitivityCheck | None:
    """What stands in the way of a figure: the proof that does not see, None where there is none or it sees."""
    found = check_of(proofs, instrument, respondent)
    return found if found is not None and not found.sees else None


def check_of(
    proofs: Sequence[SensitivityCheck], instrument: Instrument, respondent: Respondent
) -> SensitivityCheck | None:
    """Of this version of the instrument, on the weights and by the engine that answered; the newest stands last."""
    who = respondent.base, respondent.weights, respondent.engine
    for each in reversed(proofs):
        of_it = (each.instrument, each.version) == (instrument.name, instrument.version)
        if of_it and (each.base, each.weights, each.engine) == who:
            return each
    return None
