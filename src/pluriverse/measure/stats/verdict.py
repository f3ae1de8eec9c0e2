"""What a separation says: told apart, no difference within a margin, or undecided and how many items more would decide.

A separation is an area under the curve: 0.5 never tells two apart, 1 always. That an interval holds 0.5 says little by
itself: it does so where two are alike, and where too little was asked. Knows numbers and words; nothing of what was
asked.
"""

import math
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["apart", "no_difference", "undecided"]

CHANCE = 0.5
MARGIN = 0.2  # above chance: what lies within is called no difference. Of 40 items nine checks in ten see 0.7
FEWEST = 8  # items; of fewer nothing is said


@dataclass(frozen=True, slots=True)
class Finding:
    """`more`: about as many items more would decide, if the separation stays as it is; None where it is decided.
    `reversed`: there is a difference, against the known direction, so that there is none in it."""

    verdict: Verdict
    more: int | None = None
    reversed: bool = False

    @property
    def words(self) -> str:
        if self.verdict == "apart":
            return "told apart"
        if self.reversed:
            return "told apart the wrong way round"
        if self.verdict == "no_difference":
            return f"no difference within {MARGIN:g}"
        return f"undecided, ask {self.more} more" if self.more else "undecided"


def finding(
    value: float, low: float, high: float, items: int, *, above: float = CHANCE, fewest: int = FEWEST
) -> Finding:
    """Of a separation in its known direction with its 95 % interval, over `items`. `above`: what it must lie above."""
    if items < fewest:
        return Finding("undecided", fewest - items)
    if low > above:
        return Finding("apart")
    if high < CHANCE + MARGIN:
        return Finding("no_difference", reversed=high < CHANCE)
    # An interval's ends come nearer as one over the root of the number of items.
    ways = [(value - low, value - above), (high - value, CHANCE + MARGIN - value)]
    wanted = [items * (half / room) ** 2 for half, room in ways if room > 0]
    return Finding("undecided", max(1, math.floor(min(wanted)) + 1 - items) if wanted else None)
