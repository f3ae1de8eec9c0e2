"""The leaderboard's own entries as rows of a report. Knows both shapes; sorts and counts nothing."""

from collections.abc import Iterable

from ..data.published import TASKS
from .board import Entry
from .parts import LeaderboardRow


def board_rows(entries: Iterable[Entry]) -> list[LeaderboardRow]:
    """In the order given, scores in the order of the six tasks."""
    return [
        LeaderboardRow(
            model=each.name,
            kind=each.kind,
            average=each.average.value,
            scores=tuple(each.scores[task].value if task in each.scores else None for task in TASKS),
            source=each.source,
            note=" ".join(each.notes),
            low=each.average.low,
            high=each.average.high,
        )
        for each in entries
    ]
