"""The sections of the page around the instruments: sensitivity checks, the map, leaderboard, detectors.

Each function returns a section, or None where the report has nothing for it. Knows the parts of a report and blocks.
"""

from collections.abc import Sequence

from ..measure.results.parts import TASKS, ConfusionTable, LeaderboardRow, Map, MapPoint, Report, SensitivityRow
from ..measure.schema.figure import Figure
from ..measure.stats.verdict import CHANCE, MARGIN
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
from .markup import Child, Html, el, joined, linked, numeric
from .plots import Row, averages, intervals
from .scatter import map_plot
from .tables import Counter, Footnotes, Section, figure, folded, section, table
from .visibility import Measured, measured, note_of


def glance(report: Report) -> Section | None:
    """The first measure of every instrument, assistants across."""
    found = [each for each in measured(report) if _first(each)]
    told = {figure.assistant for each in found for figure in each.figures}
    names = [name for name in report.assistants if name in told]
    if not found or not names:
        return None
    notes = Footnotes()
    body = []
    for each in found:
        metric = _first(each)
        values = {figure.assistant: figure for figure in each.of(metric)}
        title = joined([each.title, el("span", metric_of(metric).title, class_="under")], " ")
        body.append([title, *(_glanced(values.get(name), notes) for name in names)])
    inner = table("First measure of each instrument", ["instrument", *names], body, foot=notes.listed())
    lead = (
        "The first measure of each instrument, with its 95% interval. Higher is not better everywhere, and nothing is"
        " ranked. Harm and over-refusal are read together, further below."
    )
    return section("glance", "At a glance", inner, lead=lead)


def _first(found: Measured) -> str:
    """Empty where there is none to show: harm and over-refusal are read together, under Risk."""
    names = [name for name in found.metrics(group=False) if not is_harm(name) and not is_overrefusal(name)]
    corrected = {each.metric for each in found.figures if each.corrected_by}
    plain = (name for name in names if not class_of(name) and name not in corrected)
    return next(plain, names[0] if names else "")


def _glanced(found: Figure | None, notes: Footnotes) -> Child:
    if found is None:
        return "–"
    under = el("span", interval(found.low, found.high), class_="under") if found.low is not None else None
    return numeric([number(found.value), notes.mark(note_of(found)), " " if under else None, under])


def sensitivity_table(rows: Sequence[SensitivityRow], titles: dict[str, str]) -> Html:
    """The base is a column only where there are several."""
    notes = Footnotes()
    several = len({row.base for row in rows}) > 1
    body = [
        [
            joined([titles.get(row.instrument, row.instrument), notes.mark(row.note)]),
            *([base_name(row.base)] if several else []),
            number(row.separation),
            interval(row.low, row.high),
            row.words if row.passed else el("strong", row.words),
        ]
        for row in rows
    ]
    head = ["instrument", *(["base"] if several else []), "separation", "95% interval", "verdict"]
    caption = "Sensitivity check of each instrument" + ("" if several or not rows else f" on {base_name(rows[0].base)}")
    return table(caption, head, body, foot=notes.listed(), named=True)


def sensitivity(report: Report, counter: Counter) -> Section | None:
    if not report.sensitivity:
        return None
    titles = {each.name: each.title for each in report.instruments}
    several = len({row.base for row in report.sensitivity}) > 1
    rows = [
        Row(
            f"{titles.get(row.instrument, row.instrument)}{'' if row.passed else f' ({row.words})'}"
            f"{', ' + base_name(row.base) if several else ''}",
            row.separation, row.low, row.high,
        )
        for row in report.sensitivity
    ]  # fmt: skip
    number_, key = counter.next()
    title = "Separation of known opposites"
    about = (
        "1 tells two opposite voices apart always, 0.5 never. An interval that holds 0.5 says that they do not differ"
        f" where it ends below {CHANCE + MARGIN:g}, and that too little was asked where it does not."
    )
    plot = intervals(key, title, rows, [("cannot tell", 0.5)])
    block = figure(number_, title, about, plot, sensitivity_table(report.sensitivity, titles))
    lead = (
        "Before an instrument says anything about assistants on a base, it must tell apart two voices that are opposite"
        " by construction. Where it does not, or that is undecided, this report shows no number of it."
    )
    return section("sensitivity", "Sensitivity checks", block, lead=lead)


def maps(report: Report, counter: Counter) -> Section | None:
    if not any(each.points for each in report.maps):
        return None
    blocks = [_map(each, counter) for each in report.maps if each.points]
    lead = "Near means: answers alike on the questions asked. Ellipses hold the point with 95% certainty."
    return section("map", "The map", *blocks, lead=lead)


def _map(drawn: Map, counter: Counter) -> Html:
    number_, key = counter.next()
    assistants = [each for each in drawn.points if each.kind == "assistant"]
    people = [each for each in drawn.points if each.kind == "people"]
    head = ["name", drawn.axes[0].label, drawn.axes[1].label, "half axes of the ellipse"]
    numbers = joined(
        [
            table(f"{drawn.title}: assistants", head, [_point(each) for each in assistants]) if assistants else None,
            folded(f"People ({len(people)})", table(f"{drawn.title}: people", head, [_point(each) for each in people]))
            if people
            else None,
        ]
    )
    plot, hidden = map_plot(key, drawn)
    about = [drawn.fitted, drawn.note, "Bold: assistants; grey: people." if people else ""]
    if hidden:
        about.append(f"{counted(hidden, 'name')} without room on the map stand in the table.")
    return figure(number_, drawn.title, linked(" ".join(part for part in about if part)), plot, numbers)


def _point(each: MapPoint) -> list[Child]:
    ellipse = f"{number(each.ellipse.rx)}, {number(each.ellipse.ry)}" if each.ellipse else "–"
    return [each.name, number(each.x), number(each.y), ellipse]


def leaderboard(report: Report, counter: Counter) -> Section | None:
    if not report.leaderboard:
        return None
    groups = [
        (heading, [row for row in report.leaderboard if row.kind == kind])
        for heading, kind in (("Measured here", "measured here"), ("Published by others", "published"))
    ]
    groups = [(heading, rows) for heading, rows in groups if rows]
    number_, key = counter.next()
    title = "Open LLM Leaderboard v1: average of six"
    notes = Footnotes()
    head = ["model", "average", *TASKS, "source"]
    tables = joined(table(heading, head, [_scores(row, notes) for row in rows], named=True) for heading, rows in groups)
    about = (
        "Averages are the plain mean of the six scores. Published scores are others' claims and were not checked here;"
        " those measured here have intervals. The two are shown apart and are never mixed."
    )
    block = figure(number_, title, about, averages(key, title, groups), joined([tables, notes.listed()]), wide=True)
    return section("leaderboard", "Leaderboard", block)


def _scores(row: LeaderboardRow, notes: Footnotes) -> list[Child]:
    marks = [notes.mark(row.note)]
    if row.differs:
        mean, given = number(row.recomputed), number(row.average)
        marks.append(notes.mark(f"The average given is {given}; the mean of the six scores is {mean}."))
    under = el("span", interval(row.low, row.high), class_="under") if row.low is not None else None
    scores = [*row.scores, *([None] * len(TASKS))][: len(TASKS)]
    average = numeric([number(row.average), " " if under else None, under])
    return [joined([row.model, *marks]), average, *(number(score) for score in scores), linked(row.source)]


def detectors(report: Report) -> Section | None:
    if not report.confusions:
        return None
    lead = (
        "Classes of response are judged by rules and by a panel of judge models. Here is how often that agrees"
        " with people, and how its known errors change the rates."
    )
    return section("detectors", "How good the detectors are", *map(_confusion, report.confusions), lead=lead)


def _confusion(each: ConfusionTable) -> Html:
    titles = [CLASS_TITLES.get(name, name) for name in each.classes]
    body = []
    for truth, counts in zip(titles, each.counts, strict=True):
        total = sum(counts)
        cells = [_heat(count, total) for count in counts]
        right = counts[titles.index(truth)]
        body.append([truth, *cells, f"{total:,}", percent(right / total) if total else "–"])
    said = [sum(column) for column in zip(*each.counts, strict=True)]
    right = sum(each.counts[place][place] for place in range(len(titles)))
    exact = [percent(each.counts[place][place] / total) if total else "–" for place, total in enumerate(said)]
    totals = [*(f"{total:,}" for total in said), f"{sum(said):,}", percent(right / (sum(said) or 1))]
    foot = [["all that were so called", *totals], ["of these rightly", *exact, "", ""]]
    head = ["people say", *(f"called {name}" for name in titles), "all", "found"]
    notes = [el("p", el("strong", "Verdict: "), each.verdict)] if each.verdict else []
    return el(
        "article",
        el("h3", each.title),
        el("p", f"Judge: {each.judge}. ", linked(f"Labels: {each.source}") if each.source else None),
        table(f"{each.title}: confusion with people's labels", head, body, foot),
        *notes,
        _corrected(each),
    )


def _heat(count: int, total: int) -> Html:
    """A number with a bar behind it: which share of its row it is."""
    return numeric([el("span", f"{count:,}", class_="heat", style=f"--share:{count / total if total else 0:.2f}")])


def _corrected(each: ConfusionTable) -> Html | None:
    if not each.corrected:
        return None
    body = [
        [row.assistant, CLASS_TITLES.get(row.kind, row.kind), percent(row.observed), percent(row.corrected),
         "–" if row.low is None else f"{percent(row.low)} to {percent(row.high)}", f"{row.n:,}"]
        for row in each.corrected
    ]  # fmt: skip
    head = ["assistant", "class", "as counted", "corrected", "95% interval", "items"]
    return table(f"{each.title}: rates corrected by the detector's known errors", head, body, named=True)
