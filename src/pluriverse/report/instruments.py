"""What one instrument found: its plots, with references and clusters, then its groups, then the panel together.

Knows figures and blocks of the page; the page's order is `page`'s affair.
"""

from collections.abc import Sequence

from ..measure.results.parts import CLASSES, Cluster, Reference, Report
from ..measure.schema.figure import PANEL, Figure
from .answers import answers_block
from .labels import (
    CLASS_TITLES,
    capital,
    class_of,
    counted,
    even,
    interval,
    is_harm,
    is_overrefusal,
    metric_of,
    number,
    percent,
)
from .markup import Child, Html, el, joined, linked, numeric
from .plots import LANES, Row, intervals, shares
from .tables import Counter, Footnotes, figure, folded, table
from .visibility import Measured, absence, apart, bars, lanes, note_of, ordered

_TOGETHER = "the panel together"


def instrument_block(report: Report, found: Measured, counter: Counter) -> Html:
    parts: list[Child] = [el("h3", found.title, id=f"instrument-{_slug(found.name)}"), _described(found)]
    plain = [name for name in found.metrics(group=False) if not class_of(name)]
    alone = [name for name in plain if all(each.assistant == PANEL for each in found.of(name))]
    for name in plain:
        if name not in alone and not is_harm(name) and not is_overrefusal(name):
            parts.append(metric_figure(report, found, name, counter))
    if any(is_harm(name) or is_overrefusal(name) for name in plain):
        parts.append(
            el("p", "Harm and over-refusal are shown against each other, ", el("a", "under Risk", href="#risk"), ".")
        )
    parts += [_classes(report, found, counter), _panel(found, alone, counter)]
    parts += [_groups(report, found, name) for name in found.metrics(group=True)]
    parts.append(answers_block(report, found.name, found.title))
    return el("article", *parts)


def metric_figure(report: Report, found: Measured, name: str, counter: Counter) -> Html:
    """A row per assistant: value, interval, and lines that join those who cannot be told apart. A sentence in its place
    where the instrument says nothing of anybody."""
    clusters = [each for each in report.clusters if each.instrument == found.name and each.metric == name]
    rows = ordered(found.of(name), report.assistants, clusters)
    if all(each.value is None for each in rows) and len({(each.withheld, each.remarks) for each in rows}) == 1:
        why = note_of(rows[0]) or "no figure"
        return el("p", el("strong", f"{capital(metric_of(name).title)}: "), why, class_="withheld")
    joins = lanes(rows, clusters)
    notes = Footnotes()
    number_, key = counter.next()
    title = f"{found.title}: {metric_of(name).title}"
    references = _references(report, found, name)
    plot = intervals(
        key,
        title,
        [_row_of(each, notes) for each in rows],
        [(each.label, each.value) for each in references],
        joins,
    )
    numbers = _metric_table(title, rows, clusters, references, notes)
    about = [metric_of(name).about, "Dot: value; bar: 95% interval."]
    if joins:
        about.append("Lines at the right join assistants that cannot be told apart; the order is no rank.")
    if len(joins) > LANES:
        about.append(f"{counted(len(joins) - LANES, 'further cluster')} in the table only.")
    return figure(number_, title, " ".join(part for part in about if part), plot, numbers)


def _row_of(found: Figure, notes: Footnotes) -> Row:
    together = found.assistant == PANEL
    label = _TOGETHER if together else found.assistant
    return Row(label, found.value, found.low, found.high, absence(found, notes), together)


def _metric_table(
    title: str, rows: Sequence[Figure], clusters: Sequence[Cluster], references: Sequence[Reference], notes: Footnotes
) -> Html:
    head = ["assistant", "value", "95% interval", "items"]
    if clusters:
        head.append("not told apart from")
    body = []
    for each in rows:
        name = _TOGETHER if each.assistant == PANEL else each.assistant
        cells: list[Child] = [
            joined([name, notes.mark(note_of(each))]),
            number(each.value),
            interval(each.low, each.high),
            f"{each.n:,}",
        ]
        if clusters:
            cells.append(", ".join(apart(each.assistant, clusters)) if each.value is not None else "")
        body.append(cells)
    compared = [[each.label, number(each.value), *([""] * (len(head) - 2))] for each in references]
    return table(title, head, body, *([compared] if compared else []), foot=notes.listed())


def _references(report: Report, found: Measured, name: str) -> list[Reference]:
    """Those given for the metric, its bars, its own middle; an instrument's chance is of its first metric."""
    given = [each for each in report.references if each.instrument == found.name and each.metric == name]
    others = [each for each in bars(found, name) if each.value is not None]
    given += [Reference(found.name, name, each.group, each.value or 0.0) for each in others]
    if line := even(name):
        given.append(Reference(found.name, name, *line))
    chance = found.instrument.chance if found.instrument else None
    first = next(iter(found.metrics(group=False)), None)
    if chance is not None and name == first and not any(each.label == "chance" for each in given):
        given.append(Reference(found.name, name, "chance", chance))
    return given


def _described(found: Measured) -> Html | None:
    if found.instrument is None:
        return None
    each = found.instrument
    source = linked(each.source)
    languages = f"Languages: {', '.join(each.languages)}. " if each.languages else ""
    return joined(
        [
            el("p", linked(each.about)) if each.about else None,
            el("p", f"{languages}Version {each.version}. Licence: {each.licence}. Source: ", source, class_="small"),
        ]
    )


def _classes(report: Report, found: Measured, counter: Counter) -> Html | None:
    """How the responses fall into classes, a full bar per assistant."""
    figures = [each for each in found.figures if class_of(each.metric) and not each.group and each.assistant != PANEL]
    if not figures:
        return None
    names = list(dict.fromkeys([*report.assistants, *(each.assistant for each in figures)]))
    told: dict[str, dict[str, Figure]] = {}
    for each in figures:
        told.setdefault(each.assistant, {})[class_of(each.metric) or ""] = each
    number_, key = counter.next()
    title = f"{found.title}: classes of response"
    rows = [
        (name, {kind: each.value for kind, each in told[name].items() if each.value is not None})
        for name in names
        if name in told
    ]
    used = [kind for kind in CLASSES if any(kind in told[name] for name, _ in rows)]
    notes = Footnotes()
    body = [_class_row(name, told[name], used, notes) for name, _ in rows]
    numbers = table(title, ["assistant", *(CLASS_TITLES[kind] for kind in used), "items"], body, foot=notes.listed())
    return figure(number_, title, "Shares of all responses; only answers are counted in the other figures.",
                  shares(key, title, rows), numbers, wide=True)  # fmt: skip


def _class_row(name: str, told: dict[str, Figure], used: Sequence[str], notes: Footnotes) -> list[Child]:
    cells: list[Child] = [joined([name, *dict.fromkeys(notes.mark(note_of(each)) for each in told.values())])]
    for kind in used:
        each = told.get(kind)
        if each is None or each.value is None:
            cells.append("–")
        elif each.low is None or each.high is None:
            cells.append(percent(each.value))
        else:
            cells.append(numeric([percent(each.value), _under(f"{percent(each.low)} to {percent(each.high)}")]))
    return [*cells, f"{max(each.n for each in told.values()):,}"]


def _panel(found: Measured, names: Sequence[str], counter: Counter) -> Html | None:
    """Metrics that exist of the panel only, a row each."""
    if not names:
        return None
    figures = [found.of(name)[0] for name in names]
    notes = Footnotes()
    number_, key = counter.next()
    title = f"{found.title}: {_TOGETHER}"
    rows = [
        Row(metric_of(each.metric).title, each.value, each.low, each.high, absence(each, notes), True)
        for each in figures
    ]
    body = [
        [joined([metric_of(each.metric).title, notes.mark(note_of(each))]), number(each.value),
         interval(each.low, each.high), f"{each.n:,}"]
        for each in figures
    ]  # fmt: skip
    about = " ".join(metric_of(name).about for name in names if metric_of(name).about)
    numbers = table(title, ["measure", "value", "95% interval", "items"], body, foot=notes.listed())
    return figure(number_, title, about, intervals(key, title, rows), numbers)


def _groups(report: Report, found: Measured, metric: str) -> Html | None:
    """A language, country, subject or other assistant per row, an assistant per column."""
    figures = [each for each in found.of(metric, group=True) if each not in bars(found, metric)]
    if not figures:
        return None
    names = list(dict.fromkeys([*report.assistants, *(each.assistant for each in figures)]))
    names = [name for name in names if any(each.assistant == name for each in figures)]
    cells = {(each.group, each.assistant): each for each in figures}
    groups = list(dict.fromkeys(each.group for each in figures))
    notes = Footnotes()
    body = [[group, *(_cell(cells.get((group, name)), notes) for name in names)] for group in groups]
    title = f"{found.title}: {metric_of(metric).title} by group"
    heads = [_TOGETHER if name == PANEL else name for name in names]
    inner = table(title, ["group", *heads], body, foot=notes.listed())
    opened = len(groups) <= 8
    return folded(
        f"{capital(metric_of(metric).title)} by group ({counted(len(groups), 'group')})", inner, opened=opened
    )


def _cell(found: Figure | None, notes: Footnotes) -> Child:
    if found is None:
        return "–"
    under = _under(interval(found.low, found.high)) if found.low is not None and found.high is not None else None
    return numeric([number(found.value), notes.mark(note_of(found)), under])


def _under(words: str) -> Html:
    """An interval in small letters below its value."""
    return joined([" ", el("span", words, class_="under")])


def _slug(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
