"""Everything one report shows, put together from runs: figures, checks, clusters, map, leaderboard and detectors.

Knows where each part comes from; computes none of them and writes no HTML. The only files it reads are people's labels.
"""

from collections.abc import Sequence

from ..data.published import published
from ..run.sensitivity import SensitivityCheck
from ..schema.figure import Figure
from ..schema.words import check as check_words
from .assemble import checks_of, figures
from .board import board
from .board_rows import board_rows
from .compare import alike
from .detectors import confusions, panels
from .evidence import evidence
from .maps import opinion_map, value_map
from .parts import LeaderboardRow, Report, SensitivityRow
from .result_set import ResultSet

_PUBLISHED = 6  # rows beside those measured here; `pluriverse leaderboard` has all


def report(found: ResultSet, checks: Sequence[SensitivityCheck], made: str, command: str, title: str = "") -> Report:
    """`made`: ISO date; `command`: what makes it again."""
    shown = figures(found, checks)
    drawn = [value_map(found, checks), opinion_map(found, shown)]
    notes = [*found.notes, *(why for _, why in drawn if why), *_shared(found)]
    number = len(found.assistants)
    return Report(
        title=title or (f"How {number} assistants differ" if number > 1 else f"What {found.assistants[0]} says"),
        made=made,
        assistants=found.assistants,
        command="\n".join([*found.commands, command]),
        respondents=found.respondents,
        instruments=found.tried,
        figures=shown,
        clusters=tuple(alike(found, checks)),
        sensitivity=sensitivity(found, checks),
        maps=tuple(each for each, _ in drawn if each is not None),
        leaderboard=_board(shown),
        confusions=(*confusions(found, checks, shown), *panels(found, shown)),
        evidence=tuple(evidence(found, checks)),
        notes=tuple(notes),
    )


def sensitivity(found: ResultSet, checks: Sequence[SensitivityCheck]) -> tuple[SensitivityRow, ...]:
    return tuple(
        SensitivityRow(
            each.instrument,
            each.base,
            each.separation,
            each.low,
            each.high,
            each.passed,
            _told(each),
            each.finding.words,
            each.failure,
        )
        for each in checks_of(found, checks)
    )


def _told(check: SensitivityCheck) -> str:
    if check.control is None:
        return f"{check_words(check.outcome)}; {check.items} items"
    same = f"{check.control:.2f} ({check.control_low:.2f} to {check.control_high:.2f})"
    return f"{check_words(check.outcome)}; a voice from itself in other words: {same}; {check.items} items"


def _board(shown: Sequence[Figure]) -> tuple[LeaderboardRow, ...]:
    """Empty where none of its tasks was measured here."""
    rows = board(shown, published(), _PUBLISHED)
    return tuple(board_rows((*rows.here, *rows.published))) if rows.here else ()


def _shared(found: ResultSet) -> list[str]:
    """Raw items do not hear the assistant: who shares weights has the same figures by construction."""
    raw = [each.title for each in found.instruments if each.raw]
    weights: dict[tuple[str, str | None, str | None], int] = {}
    for each in found.respondents:
        place = each.base, each.weights, each.adapter
        weights[place] = weights.get(place, 0) + 1
    if not raw or max(weights.values(), default=0) < 2:
        return []
    named = "; ".join(raw)
    return [f"These ask the weights, not the assistant, so that all on one base have the same figures: {named}."]
