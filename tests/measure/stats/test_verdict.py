"""What a separation says, and that asking as many items more as it names would decide."""

import math

import pytest

from pluriverse.measure.stats.verdict import FEWEST, Finding, finding


@pytest.mark.parametrize(
    ("value", "low", "high", "items", "verdict", "words"),
    [
        (0.9, 0.7, 1.0, FEWEST - 3, "undecided", "undecided, ask 3 more"),
        (0.9, 0.8, 1.0, 40, "apart", "told apart"),
        (0.5, 0.4, 0.6, 40, "no_difference", "no difference within 0.2"),
        (0.2, 0.1, 0.4, 40, "no_difference", "told apart the wrong way round"),
        (0.6, 0.45, 0.75, 40, "undecided", "undecided, ask 51 more"),
        (0.5, 0.3, 0.7, 40, "undecided", "undecided, ask 1 more"),
    ],
)
def test_what_is_said(value: float, low: float, high: float, items: int, verdict: str, words: str) -> None:
    found = finding(value, low, high, items)
    assert (found.verdict, found.words) == (verdict, words)


def test_as_many_items_as_it_names_decide() -> None:
    """The interval's ends come nearer as one over the root of the number of items."""
    value, low, high, items = 0.64, 0.44, 0.84, 30
    more = finding(value, low, high, items).more
    assert more
    for extra, verdict in ((more, "apart"), (more - 2, "undecided")):
        nearer = math.sqrt(items / (items + extra))
        found = finding(value, value - (value - low) * nearer, value + (high - value) * nearer, items + extra)
        assert found.verdict == verdict


def test_what_lies_on_the_bound_itself_is_never_decided() -> None:
    assert finding(0.7, 0.5, 0.9, 40, above=0.7) == Finding("undecided")
    assert finding(0.7, 0.5, 0.9, 40, above=0.7).words == "undecided"
