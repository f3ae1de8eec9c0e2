"""Figures of one assistant that depend on whom it was measured with: what it adds to a panel, how far it was steered.

A card is of one assistant. What it adds is taken from the newest run in which it answered together with others, since
that depends on them all; how far it moved from its plain base, from the newest answers of both. Notes name the others.
Knows runs and figures; asks nobody.
"""

from collections.abc import Sequence
from dataclasses import replace

from ..metrics.by_name import figures_of, metrics_of
from ..run.record import Run
from ..run.sensitivity import SensitivityCheck
from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.metric import kind_of
from .assemble import as_shown, steered
from .result_set import ResultSet, latest
from .visibility import passing


def in_company(
    figures: Sequence[Figure], found: ResultSet, assistant: str, runs: Sequence[Run], checks: Sequence[SensitivityCheck]
) -> list[Figure]:
    """The figures of a card, those that depend on company taken from where there was some."""
    who = found.respondent(assistant)
    taken = _moved(runs, who.key, checks, assistant)
    for instrument in found.instruments:
        if run := _newest(runs, instrument, who.key):
            own = next(each.assistant for each in run.respondents if each.key == who.key)
            taken += [
                replace(each, assistant=assistant)
                for each in _of_panel(run, instrument, checks)
                if each.assistant == own and (kind := kind_of(each.metric)) and kind.company
            ]
    places = {(each.instrument, each.metric, each.group) for each in taken}
    return [each for each in figures if (each.instrument, each.metric, each.group) not in places] + taken


def _newest(runs: Sequence[Run], instrument: Instrument, key: str) -> ResultSet | None:
    for run in sorted(runs, key=lambda each: each.created, reverse=True):
        who = {row.respondent for row in run.responses if row.instrument == instrument.name}
        if key in who and len(who) > 1:
            return latest([run])
    return None


def _moved(runs: Sequence[Run], key: str, checks: Sequence[SensitivityCheck], assistant: str) -> list[Figure]:
    everybody = latest(runs)
    names = {each.assistant for each in everybody.respondents if each.key == key}
    return [replace(each, assistant=assistant) for each in steered(everybody, checks) if each.assistant in names]


def _of_panel(run: ResultSet, instrument: Instrument, checks: Sequence[SensitivityCheck]) -> list[Figure]:
    measures = tuple(each.name for each in metrics_of(instrument) if any(kind.company for kind in each.yields))
    rows = passing(run, instrument, checks) or run.of(instrument)
    found = figures_of(replace(instrument, measures=measures), rows) if measures else []
    return [as_shown(each, instrument, run, checks) for each in found]
