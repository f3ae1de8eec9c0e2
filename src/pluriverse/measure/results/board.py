"""One board for what was measured here and what others published, in two blocks that are never sorted into each other.

Knows figures of the six tasks of the Open LLM Leaderboard v1, and published rows. A published score and one measured
here differ in more than the model (precision, harness, number of items): no order between the two blocks says anything.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal

from ..data.instruments import find
from ..data.published import TASKS, Elsewhere, Published, about, elsewhere
from ..schema.figure import Figure
from ..schema.metric import metric

Kind = Literal["measured here", "published"]

BOARD = "open-llm-leaderboard-v1"
_PUBLISHED_ORDER = (
    "Published rows stand in the order of their averages, as their board had them. It gave no intervals: "
    "that one stands before another does not say that it knows more."
)
# What the board calls its scores.
_METRICS = dict(zip(TASKS, ("acc_norm", "acc_norm", "acc", "mc2", "acc", "exact"), strict=True))


@dataclass(frozen=True, slots=True)
class Score:
    """In percent. `low`, `high` are None where nobody published an interval, `n` where nobody said how many items."""

    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the board. `scores` has the tasks that are known; `average` is None unless all six are."""

    name: str
    kind: Kind
    average: Score
    scores: Mapping[str, Score]
    source: str
    maker: str = ""
    notes: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """The contract's rows, the average first."""
        return [
            self._row(BOARD, self.average, " ".join(self.notes)),
            *(self._row(task, self.scores[task], "") for task in TASKS if task in self.scores),
        ]

    def _row(self, instrument: str, score: Score, note: str) -> dict[str, Any]:
        return {
            "assistant": self.name,
            "instrument": instrument,
            "metric": score.metric,
            "value": score.value,
            "low": score.low,
            "high": score.high,
            "n": score.n,
            "kind": self.kind,
            "source": self.source,
            "note": note,
        }


@dataclass(frozen=True, slots=True)
class Board:
    """`clusters`: names measured here that cannot be told apart; somebody may stand in several (A like B, B like C, A
    unlike C). `left_out`: published rows beyond the limit. `elsewhere`: figures of other boards, of other things."""

    here: tuple[Entry, ...]
    published: tuple[Entry, ...]
    clusters: tuple[tuple[str, ...], ...]
    left_out: int = 0
    elsewhere: tuple[Elsewhere, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Values in percent; rows measured here come first, then published ones."""
        return {
            "rows": [row for entry in (*self.here, *self.published) for row in entry.rows()],
            "clusters": [list(each) for each in self.clusters],
            "left_out": self.left_out,
            "elsewhere": [each.as_dict() for each in self.elsewhere],
            "notes": list(self.notes),
        }


def board(figures: Sequence[Figure], published: Sequence[Published], limit: int | None = None) -> Board:
    """The board of these figures (shares of 0 to 1, as measures give them) and of published rows, at most `limit`.

    Assistants whose 95 % intervals overlap count as alike, which is more cautious than a paired test.
    """
    here = {entry.name: entry for entry in map(_measured, _assistants(figures).items())}
    groups = _alike([name for name, entry in here.items() if entry.average.value is not None], here)
    listed = sorted((_published(each) for each in published), key=lambda entry: (-_value(entry), entry.name))
    kept = listed if limit is None else listed[:limit]
    return Board(
        here=tuple(here[name] for name in _ordered(here, groups)),
        published=tuple(kept),
        clusters=tuple(group for group in groups if len(group) > 1),
        left_out=len(listed) - len(kept),
        elsewhere=elsewhere(),
        notes=(about().about, _PUBLISHED_ORDER, f"Never on {about().name}: {', '.join(about().never_listed)}."),
    )


def _assistants(figures: Sequence[Figure]) -> dict[str, dict[str, Figure]]:
    """The figure of a task is the one that the board had too: that of its last measure, of MMLU the mean in which all
    subjects weigh the same."""
    wanted = {task: metric(find(task).measures[-1]).main_figure for task in TASKS}
    found: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        if figure.metric == wanted.get(figure.instrument) and not figure.group:
            found.setdefault(figure.assistant, {}).setdefault(figure.instrument, figure)
    return found


def _measured(given: tuple[str, Mapping[str, Figure]]) -> Entry:
    name, figures = given
    scores = {task: _score(figures[task]) for task in TASKS if task in figures}
    missing = [task for task in TASKS if task not in scores or scores[task].value is None]
    notes = [f"{task}: {figures[task].note}" for task in scores if figures[task].note]
    if missing:
        notes.insert(0, f"The average needs all six; without a figure: {', '.join(missing)}.")
    average = Score("average", None) if missing else _average(list(scores.values()))
    return Entry(name, "measured here", average, scores, "measured on this machine", notes=tuple(notes))


def _score(figure: Figure) -> Score:
    value, low, high = (None if each is None else 100 * each for each in (figure.value, figure.low, figure.high))
    return Score(figure.metric, value, low, high, figure.n)


def _average(scores: Sequence[Score]) -> Score:
    """The plain mean of the six, and its interval from theirs.

    Their items are different ones, so that their errors are independent and the distances from a value to its ends add
    as squares: low = mean - sqrt(sum (value - low)^2) / 6, and high alike. The intervals need not be symmetric.
    """
    values, lows, highs = ([getattr(each, name) for each in scores] for name in ("value", "low", "high"))
    mean = sum(values) / len(values)
    number = sum(each.n or 0 for each in scores)
    if None in lows or None in highs:
        return Score("average", mean, None, None, number)
    below, above = (
        math.sqrt(sum((value - end) ** 2 for value, end in zip(values, ends, strict=True))) / len(values)
        for ends in (lows, highs)
    )
    return Score("average", mean, mean - below, mean + above, number)


def _published(row: Published) -> Entry:
    scores = {task: Score(_METRICS[task], row.scores[task]) for task in TASKS}
    notes = tuple(f"{note.text} ({note.source})" for note in row.notes)
    return Entry(row.name, "published", Score("average", row.average), scores, row.source, row.maker, notes)


def _alike(names: Sequence[str], here: Mapping[str, Entry]) -> list[tuple[str, ...]]:
    """The largest groups in which no two are told apart, each in order of names."""
    groups = {frozenset(names)} if names else set()
    for a, b in combinations(names, 2):
        if not _overlap(here[a].average, here[b].average):
            split = {group for group in groups if a in group and b in group}
            parts = {group - {one} for group in split for one in (a, b)} | (groups - split)
            groups = {part for part in parts if not any(part < other for other in parts)}
    return sorted(tuple(sorted(group)) for group in groups)


def _overlap(a: Score, b: Score) -> bool:
    """Without an interval nothing is told apart."""
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return True
    return a.low <= b.high and b.low <= a.high


def _ordered(here: Mapping[str, Entry], groups: Sequence[tuple[str, ...]]) -> list[str]:
    """Companies by their mean, those in a company by name: no rank where none is known. Without an average last."""
    companies: list[set[str]] = []
    for group in groups:
        joined = [each for each in companies if each & set(group)]
        companies = [each for each in companies if each not in joined] + [set(group).union(*joined)]
    companies.sort(key=lambda company: -sum(_value(here[name]) for name in company) / len(company))
    ranked = [name for company in companies for name in sorted(company)]
    return [*ranked, *sorted(set(here) - set(ranked))]


def _value(entry: Entry) -> float:
    return entry.average.value if entry.average.value is not None else -math.inf
