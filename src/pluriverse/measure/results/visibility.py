"""What may be shown of an instrument on models where it did not pass its sensitivity check. One rule, asked by all:

- a figure of an assistant on whose model it did not pass has no value;
- a figure of several has none where it passed on none of their models; else those on whose it did not pass are left out
  of it, as of every comparison, order and map;
- two are compared only where it passed on the models of both;
- where nobody checked, a figure is shown, and says so.

Knows results and sensitivity checks; computes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence

from ..run.sensitivity import SensitivityCheck, check_of
from ..schema.figure import PANEL, Figure
from ..schema.instrument import Instrument
from ..schema.reasons import NotChecked, NotPassed
from ..schema.responses import Respondent, Response
from .result_set import ResultSet

Standing = NotPassed | NotChecked | None
"""Of an instrument on a model; None where it passed, or needs no check."""


def standing(checks: Sequence[SensitivityCheck], instrument: Instrument, respondent: Respondent) -> Standing:
    if instrument.opposites is None:
        return None
    found = check_of(checks, instrument, respondent)
    return NotChecked() if found is None else found.failure


def failed_of_either(
    checks: Sequence[SensitivityCheck], instrument: Instrument, both: Sequence[Respondent]
) -> NotPassed | None:
    """Why two are not compared."""
    standings = (standing(checks, instrument, each) for each in both)
    return next((each for each in standings if isinstance(each, NotPassed)), None)


def shown(figure: Figure, standings: Sequence[Standing]) -> Figure:
    """The figure as it may be shown; `standings`: one for each of those whom it is of."""
    failed = [each for each in standings if isinstance(each, NotPassed)]
    if failed and len(failed) == len(standings):
        bases = dict.fromkeys(base for each in failed for base in each.bases)
        return figure.without_value(NotPassed(tuple(sorted(bases)), failed[-1].found))
    unknown = [each for each in standings if isinstance(each, NotChecked)]
    return figure.with_remark(unknown[0]) if unknown else figure


def visible(figure: Figure, instrument: Instrument, found: ResultSet, checks: Sequence[SensitivityCheck]) -> Figure:
    """The same, of results: those of a panel's figure are all who answered."""
    if figure.assistant == PANEL:
        answered = {row.assistant for row in found.of(instrument)}
        who = [each for each in found.respondents if each.assistant in answered]
    else:
        who = [found.respondent(figure.assistant)]
    return shown(figure, [standing(checks, instrument, each) for each in who])


def passed(found: ResultSet, instrument: Instrument, assistant: str, checks: Sequence[SensitivityCheck]) -> bool:
    """Whether this assistant counts beside others: unless the instrument is known not to have passed on its model."""
    return not isinstance(standing(checks, instrument, found.respondent(assistant)), NotPassed)


def passing(found: ResultSet, instrument: Instrument, checks: Sequence[SensitivityCheck]) -> list[Response]:
    """The rows of those who count beside others."""
    names = [each for each in found.assistants if passed(found, instrument, each, checks)]
    return found.of(instrument, names)


def all_visible(
    figures: Iterable[Figure], failed: Mapping[tuple[str, str], NotPassed], bases: Mapping[str, str]
) -> list[Figure]:
    """Figures that come from elsewhere than from results. `failed`: by instrument and base; `bases`: of assistants."""
    asked = list(dict.fromkeys(bases.values()))
    found = []
    for each in figures:
        whose = asked if each.assistant == PANEL else [bases.get(each.assistant, "")]
        found.append(shown(each, [failed.get((each.instrument, base)) for base in whose]))
    return found
