"""Questions with options, worked examples before them, and the order that lm-evaluation-harness b281b092 gives both.

The harness shuffles documents with seed 42, and the same generator then draws each document's examples in turn (read in
its `evaluator.py` and `base.py`). Knows text; no data set and no scores.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ...schema.items import Item

SEED = 42  # the harness's
BREAK = "\n\n"  # between examples

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """`query` is the prompt without examples; `choices` are without the space that parts them from it."""

    id: str
    query: str
    choices: tuple[str, ...]
    right: int

    @property
    def solved(self) -> str:
        """As it stands among examples."""
        return f"{self.query} {self.choices[self.right]}"


def shuffled(rows: Sequence[T]) -> tuple[list[T], random.Random]:
    """The harness's order, and its generator after it."""
    generator = random.Random(SEED)  # noqa: S311 (an order, no secret)
    order = list(rows)
    generator.shuffle(order)
    return order, generator


def drawn(asked: Sequence[T], train: Sequence[T], number: int, solved: Callable[[T], str]) -> Iterable[tuple[T, str]]:
    """Each asked document in the harness's order, with examples of its own."""
    order, generator = shuffled(asked)
    for each in order:
        yield each, BREAK.join(map(solved, generator.sample(train, number)))


def asked_with_drawn(asked: Sequence[Question], train: Sequence[Question], number: int) -> list[Item]:
    return [item_of(question, shots) for question, shots in drawn(asked, train, number, lambda each: each.solved)]


def asked_with_first(questions: Sequence[Question], number: int) -> list[Item]:
    """The first questions are the examples of all others, and are not asked."""
    shots = BREAK.join(question.solved for question in questions[:number])
    return [item_of(question, shots) for question in questions[number:]]


def item_of(question: Question, shots: str, metadata: Mapping[str, Any] | None = None) -> Item:
    """`lengths` in the metadata count characters as the leaderboard does: without the leading space."""
    return Item(
        id=question.id,
        prompt=f"{shots}{BREAK}{question.query}",
        form="raw",
        options=tuple(f" {choice}" for choice in question.choices),
        target=(question.right,),
        metadata={"lengths": [len(choice) for choice in question.choices], **(metadata or {})},
    )
