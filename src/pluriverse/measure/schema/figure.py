"""A figure as people see it: a value with its interval, how many items stand behind it, and what it does not show."""

from dataclasses import dataclass
from typing import Any

PANEL = "(panel)"  # stands where a figure is of all assistants together
CORRECTED = "_corrected"  # ends the metric of a rate that is freed of a detector's known errors


@dataclass(frozen=True, slots=True)
class Figure:
    """`group` is a language, country, subject or other assistant the figure is limited to; `note` a sentence that must
    be shown with it. `value` is None where the instrument says nothing (too few items); then `note` says why.
    `reciting`: how many responses behind it recite the system prompt of who gave them."""

    assistant: str
    instrument: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int  # items, not responses
    group: str = ""
    note: str = ""
    reciting: int = 0

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
        }
