"""Figures of a set of results, as they are shown: of everybody, of one assistant, steered.

Knows results, figures and sensitivity checks; what may be shown of them is `visibility`'s to say. Draws nothing.
"""

from collections import Counter
from collections.abc import Sequence

from ..judges.correction import drop_orphans, with_corrections
from ..metrics.by_name import figures_of, metric_of
from ..run.sensitivity import SensitivityCheck, check_of
from ..run.stopping import noted
from ..schema.figure import PANEL, Figure
from ..schema.instrument import Instrument
from ..schema.reasons import Recites, Without
from ..schema.responses import Response
from .result_set import ResultSet
from .steering import steering
from .visibility import passing, visible


def figures(found: ResultSet, checks: Sequence[SensitivityCheck]) -> list[Figure]:
    """All figures, instrument by instrument, without a value where the instrument did not pass."""
    shown = [figure for instrument in found.instruments for figure in _of_all(instrument, found, checks)]
    return [*drop_orphans(shown), *steered(found, checks), *_not_asked(found)]


def _not_asked(found: ResultSet, assistant: str | None = None) -> list[Figure]:
    """In place of the first figure of an instrument that was not asked: why there is none."""
    return [
        Figure(each.assistant, each.instrument.name, metric_of(each.instrument), None, None, None, 0,
               withheld=each.reason)
        for each in found.silent
        if assistant in (None, each.assistant)
    ]  # fmt: skip


def steered(found: ResultSet, checks: Sequence[SensitivityCheck]) -> list[Figure]:
    """How far voices moved from their plain base and from their counterparts, where those were asked as well."""
    named = {each.name: each for each in found.instruments}
    moved = steering(found.instruments, found.of, found.respondents, checks)
    return [as_shown(each, named[each.instrument], found, checks) for each in moved]


def card(found: ResultSet, assistant: str, checks: Sequence[SensitivityCheck]) -> list[Figure]:
    """All figures of one assistant."""
    shown = [
        figure
        for instrument in found.instruments
        if (rows := found.of(instrument, [assistant]))
        for figure in _as_shown(instrument, rows, found, checks)
        if figure.assistant == assistant
    ]
    return [*drop_orphans(shown), *_not_asked(found, assistant)]


def _of_all(instrument: Instrument, found: ResultSet, checks: Sequence[SensitivityCheck]) -> list[Figure]:
    """Of everybody, and of those together on whose models the instrument passed."""
    rows, seen = found.of(instrument), passing(found, instrument, checks)
    shown = _as_shown(instrument, seen or rows, found, checks)
    if not seen or len(seen) == len(rows):
        return shown
    names = {row.assistant for row in seen}
    others = [each for each in rows if each.assistant not in names]
    without = Without(tuple(dict.fromkeys(row.assistant for row in others)))
    shown = [each.with_remark(without) if each.assistant == PANEL else each for each in shown]
    return shown + [each for each in _as_shown(instrument, others, found, checks) if each.assistant != PANEL]


def _as_shown(
    instrument: Instrument, rows: Sequence[Response], found: ResultSet, checks: Sequence[SensitivityCheck]
) -> list[Figure]:
    computed = with_corrections(instrument, rows, figures_of(instrument, rows), found.validations)
    return _recited([as_shown(each, instrument, found, checks) for each in computed], rows)


def _recited(figures: Sequence[Figure], rows: Sequence[Response]) -> list[Figure]:
    """With how many of an assistant's texts recite its own prompt: what was told to it is no finding about it."""
    recite, texts = Counter(row.assistant for row in rows if row.recites), Counter(row.assistant for row in rows)
    recite[PANEL], texts[PANEL] = recite.total(), texts.total()
    return [
        each.with_remark(Recites(recite[each.assistant], texts[each.assistant]))
        if each.value is not None and recite[each.assistant]
        else each
        for each in figures
    ]


def as_shown(figure: Figure, instrument: Instrument, found: ResultSet, checks: Sequence[SensitivityCheck]) -> Figure:
    """The figure as far as it may be shown, with where asking was stopped early."""
    return noted(visible(figure, instrument, found, checks), found.early.get(instrument.name))


def checks_of(found: ResultSet, checks: Sequence[SensitivityCheck]) -> list[SensitivityCheck]:
    """Those that stand behind these responses, one per instrument and base."""
    kept: dict[tuple[str, str], SensitivityCheck] = {}
    for instrument in found.tried:
        asked = {row.assistant for row in found.of(instrument)}
        asked |= {each.assistant for each in found.silent if each.instrument.name == instrument.name}
        for respondent in found.respondents:
            check = check_of(checks, instrument, respondent)
            if check is not None and respondent.assistant in asked:
                kept[check.instrument, check.base] = check
    return list(kept.values())
