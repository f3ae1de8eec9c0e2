"""Orders in which any part of a list is a fair sample of the whole.

A run asks the first items, or every k-th; either way each group (a country, a persona, a topic) should have its share.
Knows lists only.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

Thing = TypeVar("Thing")
_SEED = 20240


def balanced(groups: Mapping[Any, Sequence[Thing]]) -> list[Thing]:
    """One of each group in turn, the turn in a new order each round; within a group the order stays.

    With the same order in every round, every k-th thing would be of the same group whenever k is a multiple of their
    number. The orders are the same on every machine.
    """
    generator = random.Random(_SEED)  # noqa: S311  (for fairness, not for secrets)
    mixed: list[Thing] = []
    for row in zip_longest(*groups.values()):
        there = [thing for thing in row if thing is not None]
        generator.shuffle(there)
        mixed += there
    return mixed


def shuffled(things: Sequence[Thing]) -> list[Thing]:
    """The same order on every machine, and none of the order in which they were written down."""
    mixed = list(things)
    random.Random(_SEED).shuffle(mixed)  # noqa: S311
    return mixed
