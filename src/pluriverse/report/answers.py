"""Answers beside an instrument's figures: three items with all that was answered, side by side, behind their heading.

What stands here are strangers' texts: questions of data sets and words of models, whole and escaped. Knows evidence and
blocks; which items are shown was decided before.
"""

from collections.abc import Sequence

from ..measure.results.evidence import Answer, Asked, Evidence, ShownItem, rows_of, rule_of
from ..measure.results.parts import Report
from .labels import CLASS_TITLES, capital, counted, metric_of, number, percent
from .markup import Child, Html, el, joined
from .tables import folded

_PLACES = {"differing": ("most apart", "in the middle", "least apart"), "value": ("highest", "middle", "lowest")}
_OPEN = 600  # characters of a question that stand open; longer ones are examples before it, for the most part
_END = 240  # of such a question, what stands open
_CELLS = 2  # wordings of an item that stand open


def answers_block(report: Report, instrument: str, title: str) -> Html | None:
    """None where nothing of this instrument was answered."""
    found = next((each for each in report.evidence if each.instrument == instrument), None)
    if found is None:
        return None
    risky = any(each.name == instrument and each.dimension == "risk" for each in report.instruments)
    rule = capital(f"{counted(len(found.items), 'item')} {rule_of(found)}.")
    blocks = [
        el("p", rule, " A number beside a name is of this item alone. ", _where(found), class_="small"),
        *(_item(found, place, each) for place, each in enumerate(found.items)),
    ]
    name = f"{title or instrument}: answers" + (", also to harmful requests" if risky else "")
    return folded(f"{name} to {counted(len(found.items), 'item')}", *blocks)


def _where(found: Evidence) -> Html | None:
    if not found.runs:
        return None
    places = joined((el("code", rows_of(run).as_posix()) for run in found.runs), ", ")
    return joined(["All rows lie in the data folder: ", places, "."])


def _item(found: Evidence, place: int, each: ShownItem) -> Html:
    places = _PLACES.get(found.rule, ())
    heading = f"{capital(places[place])}: {each.id}" if len(found.items) == len(places) else each.id
    cells = [_asked(found, each, cell) for cell in each.cells]
    if more := cells[_CELLS:]:
        cells = [*cells[:_CELLS], folded(f"{counted(len(more), 'further wording')} of it", *more)]
    return el("section", el("h5", heading, dir="auto"), *cells, class_="asked")


def _asked(found: Evidence, item: ShownItem, cell: Asked) -> Html:
    return joined([_question(cell), el("ul", *_columns(found, item, cell.answers), class_="answers")])


def _question(cell: Asked) -> Html:
    about = [
        f"wording: {cell.wording}" if cell.wording else "",
        cell.language if cell.language != "en" else "",
        f"draw {cell.draw + 1}" if cell.draw else "",
    ]
    about += [f"options moved by {cell.rotation}"] if cell.rotation else []
    told = ", ".join(each for each in about if each)
    note = el("p", told, class_="small") if told else None
    if len(cell.prompt) <= _OPEN:
        return joined([note, el("blockquote", cell.prompt, class_="said", dir="auto")])
    end = el("blockquote", f"… {cell.prompt[-_END:].lstrip()}", class_="said", dir="auto")
    return joined([note, end, folded("The whole question", el("blockquote", cell.prompt, class_="said", dir="auto"))])


def _columns(found: Evidence, item: ShownItem, answers: Sequence[Answer]) -> list[Html]:
    """One for each answer; who said the same, with the same value, stands in one."""
    groups: dict[tuple[object, ...], list[Answer]] = {}
    for each in answers:
        same = each.text, each.kind, each.finish_reason, each.shares, each.unfinished, item.values.get(each.assistant)
        groups.setdefault(same, []).append(each)
    return [_column(found, item, group) for group in groups.values()]


def _column(found: Evidence, item: ShownItem, group: Sequence[Answer]) -> Html:
    each = group[0]
    about: list[str] = [CLASS_TITLES.get(each.kind, each.kind)] if each.kind else []
    if each.unfinished:
        about.append("ended before its thinking did, not counted")
    elif each.finish_reason == "length":
        about.append("cut at its limit")
    if (value := item.values.get(each.assistant)) is not None:
        about.append(f"{metric_of(found.metric).title} {number(value)}")
    head = el("p", el("strong", ", ".join(one.assistant for one in group)), " ", ", ".join(about), class_="small")
    said: Child = el("p", each.text, class_="said", dir="auto") if each.text else el("p", "(nothing)", class_="small")
    return el("li", head, _options(each) if each.shares else said)


def _options(each: Answer) -> Html:
    """The picked one first; the others with their chances among all."""
    order = sorted(each.shares, key=lambda pair: (pair[0] != each.text, -pair[1]))
    lines = [
        el("li", el("strong", text) if text == each.text else text, " ", el("span", percent(share), class_="small"))
        for text, share in order
    ]
    return el("ul", *lines, class_="said", dir="auto")
