"""Reading a report: what may be shown of it, in which order, and what belongs together.

Whatever figures came along, those that `measure.results.visibility` would not show are not shown here either. Knows
figures; no HTML.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..measure.results.parts import Cluster, Report
from ..measure.results.visibility import all_visible
from ..measure.schema.figure import PANEL, Figure
from ..measure.schema.instrument import DIMENSIONS, Instrument
from ..measure.schema.reasons import NotPassed
from ..measure.schema.words import check
from .labels import base_name
from .tables import Footnotes

FAILED = "This instrument did not pass its sensitivity check on this model"


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one instrument; `instrument` is None where the report does not describe it."""

    name: str
    instrument: Instrument | None
    figures: Sequence[Figure]

    @property
    def title(self) -> str:
        return self.instrument.title if self.instrument else self.name

    @property
    def dimension(self) -> str:
        return self.instrument.dimension if self.instrument else ""

    def metrics(self, group: bool) -> list[str]:
        """In the order in which they first appear; with `group`, those that have figures limited to a group."""
        return list(dict.fromkeys(each.metric for each in self.figures if bool(each.group) == group))

    def of(self, metric: str, group: bool = False) -> list[Figure]:
        return [each for each in self.figures if each.metric == metric and bool(each.group) == group]


def visible(report: Report) -> Report:
    """The report with no value where an instrument is known not to have passed on the assistant's model."""
    failed = {
        (row.instrument, row.base): row.failed or NotPassed((row.base,)) for row in report.sensitivity if not row.passed
    }
    bases = {each.assistant: each.base for each in report.respondents}
    return replace(report, figures=tuple(all_visible(map(_real, report.figures), failed, bases)))


def _real(figure: Figure) -> Figure:
    """What is no finite number cannot be drawn, and is no figure."""
    given = (figure.value, figure.low, figure.high)
    value, low, high = (each if each is not None and math.isfinite(each) else None for each in given)
    return figure if (value, low, high) == given else replace(figure, value=value, low=low, high=high)


def note_of(figure: Figure) -> str:
    """What must be read with it. Where its instrument did not pass, that is said as on all pages."""
    why = figure.withheld
    if not isinstance(why, NotPassed):
        return figure.note
    named = ", ".join(sorted(base_name(base) for base in why.bases))
    return f"{FAILED} ({named}){f': {check(why.found)}' if why.found else ''}."


def absence(figure: Figure, notes: Footnotes) -> str:
    """What stands in a plot where a figure has no value."""
    letter = notes.letter(note_of(figure))
    why = FAILED[0].lower() + FAILED[1:] if isinstance(figure.withheld, NotPassed) else "no figure"
    return f"{why} (note {letter})" if letter else why


def measured(report: Report) -> list[Measured]:
    """By dimension, then as the report lists its instruments; those it does not describe come last."""
    described = {each.name: each for each in report.instruments}
    names = dict.fromkeys([*described, *(each.instrument for each in report.figures)])
    found = []
    for name in names:
        figures = [each for each in report.figures if each.instrument == name]
        if figures:
            found.append(Measured(name, described.get(name), figures))
    return sorted(found, key=lambda each: _place(each.dimension))


def _place(dimension: str) -> int:
    return DIMENSIONS.index(dimension) if dimension in DIMENSIONS else len(DIMENSIONS)


def ordered(figures: Iterable[Figure], assistants: Sequence[str], clusters: Sequence[Cluster]) -> list[Figure]:
    """One per row: assistants that cannot be told apart beside each other, within such a company by name, so that
    nobody reads a rank where there is none; without clusters in the order of the report. The whole panel comes last."""
    kept = {each.assistant: each for each in figures}
    names = [name for name in dict.fromkeys([*assistants, *kept]) if name in kept and name != PANEL]
    if clusters:
        companies = _companies(names, clusters)
        companies.sort(key=lambda company: -_mean(kept[name].value for name in company))
        names = [name for company in companies for name in sorted(company)]
    return [kept[name] for name in [*names, *([PANEL] if PANEL in kept else [])]]


def bars(found: Measured, metric: str) -> list[Figure]:
    """What others than assistants reach by a metric that assistants have: figures of the panel, by group."""
    if all(each.assistant == PANEL for each in found.of(metric)):
        return []
    return [each for each in found.of(metric, group=True) if each.assistant == PANEL]


def lanes(rows: Sequence[Figure], clusters: Sequence[Cluster]) -> list[list[int]]:
    """For each cluster the rows of its members that have a value, if there are at least two."""
    places = {each.assistant: place for place, each in enumerate(rows) if each.value is not None}
    found = [sorted(places[name] for name in cluster.members if name in places) for cluster in clusters]
    return [each for each in found if len(each) > 1]


def apart(name: str, clusters: Sequence[Cluster]) -> list[str]:
    """Those an assistant cannot be told apart from."""
    return sorted({other for cluster in clusters if name in cluster.members for other in cluster.members} - {name})


def _companies(names: Sequence[str], clusters: Sequence[Cluster]) -> list[list[str]]:
    """Names joined by clusters, also through others."""
    companies = [{name} for name in names]
    for cluster in clusters:
        joined = [each for each in companies if each & set(cluster.members)]
        companies = [each for each in companies if each not in joined]
        companies.append(set().union(*joined))
    return [list(each) for each in companies if each]


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("-inf")
