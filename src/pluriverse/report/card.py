"""The card of one assistant: which instruments passed on its model, then everything that was measured about it.

Where an instrument did not pass on this model the card says so in place of a number. Knows figures and blocks of the
page.
"""

from collections.abc import Sequence
from dataclasses import replace

from ..measure.results.parts import CLASSES, Report
from ..measure.schema.figure import Figure
from ..measure.schema.reasons import Unpaired
from ..measure.schema.responses import Respondent
from .answers import answers_block
from .labels import (
    CLASS_TITLES,
    base_name,
    class_of,
    counted,
    interval,
    is_harm,
    is_overrefusal,
    metric_of,
    number,
    percent,
)
from .markup import Child, Html, el, ems, joined, numeric, shortened
from .plots import LABEL_EMS, Row, intervals
from .sections import sensitivity_table
from .tables import Counter, Footnotes, figure, folded, table
from .visibility import Measured, absence, apart, measured, note_of, visible

Line = tuple[Measured, Figure]


def card_html(report: Report, assistant: str, counter: Counter | None = None, groups: bool = True) -> Html:
    """One `article`. `counter` numbers its figures on from those before it on a page; without `groups` it leaves out
    the figures of single languages, countries and subjects, and the answers: the page has both side by side."""
    report = visible(report)
    counter = counter or Counter("card")
    lines = _lines(report, assistant)
    key = f"card-{slug(assistant)}"
    return el(
        "article",
        el("h3", assistant, id=key, dir="auto"),
        _who(report, assistant),
        _checks(report, assistant),
        _plots(lines, assistant, counter, report),
        _groups(report, assistant) if groups else None,
        _answers(report) if groups else None,
        class_="card",
        aria_labelledby=key,
    )


def slug(name: str) -> str:
    """A name as an id: letters and digits stay, everything else is told apart by its number."""
    return "".join(each if each.isascii() and each.isalnum() else f"-{ord(each):x}-" for each in name)


def _lines(report: Report, assistant: str) -> list[Line]:
    """Its figures that are of all items; harm only beside over-refusal."""
    lines = [
        (found, each)
        for found in _brief(report)
        for each in found.figures
        if each.assistant == assistant and not each.group
    ]
    harm = any(is_harm(each.metric) and each.value is not None for _, each in lines)
    over = any(is_overrefusal(each.metric) and each.value is not None for _, each in lines)
    return lines if harm == over else [(found, _withheld(each)) for found, each in lines]


def _brief(report: Report) -> list[Measured]:
    """Instruments by what stands before the colon of their titles, where no other is called so."""
    found = measured(report)
    heads = [each.title.partition(":")[0] for each in found]
    return [
        replace(each, instrument=replace(each.instrument, title=head))
        if each.instrument and heads.count(head) == 1
        else each
        for each, head in zip(found, heads, strict=True)
    ]


def _withheld(each: Figure) -> Figure:
    if each.value is None or not (is_harm(each.metric) or is_overrefusal(each.metric)):
        return each
    return each.without_value(Unpaired())


def _who(report: Report, assistant: str) -> Html | None:
    found = next((each for each in report.respondents if each.assistant == assistant), None)
    return facts(found) if found else None


def facts(each: Respondent) -> Html:
    """What must be the same for somebody to get the same answers."""
    rows: list[tuple[str, Child]] = [("base", base_name(each.base))]
    if each.may_change:
        rows.append(("weights", "unknown, may change"))
    rows += [
        (name, el("code", base_name(digest)))
        for name, digest in (("weights", each.weights), ("adapter", each.adapter), ("chat template", each.template))
        if digest
    ]
    rows += [("definition", el("code", base_name(each.definition))), ("engine", each.engine)]
    sampler = ", ".join(f"{name} {value}" for name, value in each.sampler.items() if value not in (None, (), []))
    guidance = ", ".join(f"{name} {value}" for name, value in (each.guidance or {}).items())
    rows += [(name, words) for name, words in (("sampler", sampler), ("guidance", guidance)) if words]
    if each.system:
        rows.append(("system prompt", el("span", each.system, class_="said", dir="auto")))
    pairs = (el("div", el("dt", name), el("dd", value)) for name, value in rows)
    return folded("Who answered, exactly", el("dl", *pairs, class_="facts"))


def _checks(report: Report, assistant: str) -> Html | None:
    bases = {each.assistant: each.base for each in report.respondents}
    rows = [row for row in report.sensitivity if row.base == bases.get(assistant)]
    if not rows:
        return None
    titles = {each.name: each.title for each in report.instruments}
    failed = [f"{titles.get(row.instrument, row.instrument)} ({row.words})" for row in rows if not row.passed]
    words = (
        f"Sensitivity check not passed on this model, and therefore silent below: {'; '.join(failed)}."
        if failed
        else None
    )
    return joined([sensitivity_table(rows, titles), el("p", words, class_="withheld") if words else None])


def _plots(lines: Sequence[Line], assistant: str, counter: Counter, report: Report) -> Html | None:
    """Figures of 0 to 1 in one plot, signed ones in a second, others in a table only."""
    if not lines:
        return el("p", "Nothing was measured.")
    plain = [line for line in lines if not class_of(line[1].metric)]
    signed = {each.metric for each in report.figures if min(_extent(each)) < 0}  # by anybody, so that cards are alike
    drawn = [each for each in plain if each[1].metric not in signed and max(_extent(each[1])) <= 1]
    below = [each for each in plain if each[1].metric in signed and max(map(abs, _extent(each[1]))) <= 1]
    rest = [each for each in plain if each not in drawn and each not in below]
    blocks: list[Child] = []
    for title, part in ((f"{assistant}: from 0 to 1", drawn), (f"{assistant}: from −1 to 1", below)):
        if not part:
            continue
        notes = Footnotes()
        if all(each.value is None for _, each in part):
            blocks.append(_table(title, part, notes, report, named=True))
            continue
        number_, key = counter.next()
        plot = intervals(key, title, [_row(line, notes) for line in part])
        blocks.append(figure(number_, title, None, plot, _table(title, part, notes, report)))
    if rest:
        blocks.append(_table(f"{assistant}: other scales", rest, Footnotes(), report, named=True))
    if classes := [line for line in lines if class_of(line[1].metric)]:
        blocks.append(_classes(f"{assistant}: classes of response", classes))
    return joined(blocks)


def _classes(title: str, lines: Sequence[Line]) -> Html:
    """A row per instrument, a class per column."""
    told: dict[str, dict[str, Line]] = {}
    for line in lines:
        told.setdefault(line[0].name, {})[class_of(line[1].metric) or ""] = line
    used = [kind for kind in CLASSES if any(kind in each for each in told.values())]
    notes = Footnotes()
    body: list[list[Child]] = []
    for each in told.values():
        found, first = next(iter(each.values()))
        shares = [_share(each[kind][1]) if kind in each else "–" for kind in used]
        body.append([joined([found.title, notes.mark(note_of(first))]), *shares, f"{first.n:,}"])
    head = ["instrument", *(CLASS_TITLES[kind] for kind in used), "items"]
    return table(title, head, body, foot=notes.listed(), named=True)


def _share(each: Figure) -> Child:
    if each.value is None or each.low is None or each.high is None:
        return percent(each.value)
    under = el("span", f"{percent(each.low)} to {percent(each.high)}", class_="under")
    return numeric([percent(each.value), " ", under])


def _extent(each: Figure) -> tuple[float, ...]:
    return tuple(value for value in (each.value, each.low, each.high) if value is not None) or (0.0,)


def _row(line: Line, notes: Footnotes) -> Row:
    found, each = line
    return Row(_short(found, each), each.value, each.low, each.high, absence(each, notes))


def _titled(found: Measured, each: Figure) -> str:
    metric = metric_of(each.metric).title
    return found.title if metric.lower() in found.title.lower() else f"{found.title}: {metric}"


def _short(found: Measured, each: Figure) -> str:
    """Where there is no room for all, the instrument's name is cut and not the metric's."""
    title, metric = _titled(found, each), metric_of(each.metric).title
    if ems(title) <= LABEL_EMS or title == found.title:
        return title
    return f"{shortened(found.title, max(LABEL_EMS - ems(metric) - 1, 6))}: {metric}"


def _table(title: str, lines: Sequence[Line], notes: Footnotes, report: Report, named: bool = False) -> Html:
    body = []
    for found, each in lines:
        clusters = [one for one in report.clusters if (one.instrument, one.metric) == (each.instrument, each.metric)]
        same = ", ".join(apart(each.assistant, clusters)) if each.value is not None else ""
        body.append(
            [joined([_titled(found, each), notes.mark(note_of(each))]), number(each.value),
             interval(each.low, each.high), f"{each.n:,}", same]
        )  # fmt: skip
    head = ["measure", "value", "95% interval", "items", "not told apart from"]
    if not any(row[-1] for row in body):
        head, body = head[:-1], [row[:-1] for row in body]
    return table(title, head, body, foot=notes.listed(), named=named)


def _answers(report: Report) -> Html | None:
    titles = {each.name: each.title for each in report.instruments}
    blocks = [answers_block(report, each.instrument, titles.get(each.instrument, "")) for each in report.evidence]
    if not blocks:
        return None
    return joined([el("h4", "What it answered"), *blocks])


def _groups(report: Report, assistant: str) -> Html | None:
    """Figures limited to a language, country, subject or other assistant, behind their heading."""
    lines = [
        (found, each)
        for found in _brief(report)
        for each in found.figures
        if each.assistant == assistant and each.group
    ]
    if not lines:
        return None
    notes = Footnotes()
    body = [
        [joined([f"{_titled(found, each)}, {each.group}", notes.mark(note_of(each))]), number(each.value),
         interval(each.low, each.high), f"{each.n:,}"]
        for found, each in lines
    ]  # fmt: skip
    head = ["measure and group", "value", "95% interval", "items"]
    inner = table(f"{assistant}: by group", head, body, foot=notes.listed())
    return folded(f"By group ({counted(len(lines), 'figure')})", inner)
