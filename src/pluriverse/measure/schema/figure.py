"""A figure as people see it: a value with its interval, how many items stand behind it, and what it does not show."""

from dataclasses import dataclass, replace
from typing import Any

from .reasons import CorrectedBy, Reason, Recites, Remark, Unfinished, as_dict
from .words import corrected, words_of

PANEL = "(panel)"  # stands where a figure is of all assistants together
CORRECTED = "_corrected"  # ends the metric of a rate that is corrected for a detector's known errors


@dataclass(frozen=True, slots=True)
class Figure:
    """`group` is a language, country, subject or other assistant the figure is limited to; `caption`: how the metric
    is to be read, in its own words. `value` is None where there is nothing to show; `withheld` says why. `remarks`:
    what must be read with it; `corrected_by`: whose errors it is corrected for. `note` puts all these into words."""

    assistant: str
    instrument: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int  # items, not responses
    group: str = ""
    caption: str = ""
    withheld: Reason | None = None
    remarks: tuple[Remark, ...] = ()
    corrected_by: CorrectedBy | None = None

    @property
    def note(self) -> str:
        """Sentences that must be shown with it."""
        return "; ".join(self.notes)

    @property
    def notes(self) -> list[str]:
        """The same, one for each thing that is said."""
        if self.withheld is not None:
            first = words_of(self.withheld)
        else:
            first = corrected(self.corrected_by) if self.corrected_by else self.caption
        return [part for part in (first, *map(words_of, self.remarks)) if part]

    @property
    def reciting(self) -> int:
        """How many responses behind it recite the system prompt of who gave them."""
        return sum(each.responses for each in self.remarks if isinstance(each, Recites))

    @property
    def unfinished(self) -> int:
        """How many replies ended before their thinking did, and do not count."""
        said = (*self.remarks, self.withheld)
        return sum(each.replies for each in said if isinstance(each, Unfinished))

    def with_remark(self, *more: Remark) -> "Figure":
        return replace(self, remarks=(*self.remarks, *more))

    def without_value(self, why: Reason) -> "Figure":
        """Nothing is read with what is not shown."""
        return replace(self, value=None, low=None, high=None, withheld=why, remarks=())

    def as_dict(self) -> dict[str, Any]:
        """The contract's row, and what goes with it."""
        return {
            "assistant": self.assistant,
            "instrument": self.instrument,
            "metric": self.metric,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "group": self.group,
            "note": self.note,
            "reciting": self.reciting,
            "unfinished": self.unfinished,
            "withheld": as_dict(self.withheld) if self.withheld else None,
            "remarks": [as_dict(each) for each in self.remarks],
            "corrected_by": self.corrected_by,
        }
