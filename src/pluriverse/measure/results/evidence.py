"""Answers as evidence: of each instrument three items with all that was answered to them, chosen by a fixed rule.

Nobody picks: items are put in an order by how far the answers differ, or, where one assistant answered, by its value,
and the first, the middle and the last one are shown; of equals a digest of the item's name decides. An instrument
that did not pass here, or that asks about harm, has no values to order by: then by lot, by that digest alone. Knows
rows; draws nothing and asks nobody.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..metrics.by_name import metric_of, values_of
from ..metrics.cells import place_picked, probabilities
from ..schema.instrument import Instrument
from ..schema.responses import Response, by_item
from .result_set import ResultSet
from .visibility import passing

if TYPE_CHECKING:
    from ..run.sensitivity import SensitivityCheck

SHOWN = 3  # items of each instrument
Rule = Literal["differing", "value", "lot"]


@dataclass(frozen=True, slots=True)
class Answer:
    """`text`: what was said, or the option picked; `kind`: the class of a text; `shares`: each option with its chance
    among all of them, as listed to the assistant, empty for texts. `unfinished`: it ended before its thinking did, so
    that it has no class."""

    assistant: str
    text: str
    kind: str = ""
    finish_reason: str = ""
    shares: tuple[tuple[str, float], ...] = ()
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as it was put, and what everybody answered."""

    prompt: str
    wording: str
    rotation: int
    language: str
    draw: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class ShownItem:
    """`values`: one number per assistant, by the instrument's first measure; of those that have one."""

    id: str
    values: Mapping[str, float]
    cells: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """`items` in the order that `rule` names, of `number` that most of them answered; `runs`: ids of the runs in which
    all rows lie."""

    instrument: str
    rule: Rule
    metric: str
    number: int
    items: tuple[ShownItem, ...]
    runs: tuple[str, ...] = field(default=())

    def as_dict(self, home: Path) -> dict[str, Any]:
        return {**asdict(self), "rule_words": rule_of(self), "files": [str(place) for place in files(self, home)]}


def files(each: Evidence, home: Path) -> list[Path]:
    """Where all rows lie, one response a line."""
    return [home / rows_of(run) for run in each.runs]


def rows_of(run: str) -> Path:
    """Within the data folder."""
    return Path("runs") / run / "responses.jsonl"


def rule_of(each: Evidence) -> str:
    """How the items were chosen, as a reader is told."""
    metric = each.metric.replace("_", " ")
    if len(each.items) == each.number:
        return "all there are"
    of = f"of {each.number:,}"
    if each.rule == "differing":
        return f"{of}: where the answers differ most, middling and least by {metric}; of equals by lot"
    if each.rule == "value":
        return f"{of}: the highest, the middle and the lowest by {metric}; of equals by lot"
    return f"{of}, drawn by lot, the same lot for everybody"


def evidence(found: ResultSet, checks: "Sequence[SensitivityCheck]") -> list[Evidence]:
    """In the order of the instruments; those that nobody answered are left out."""
    return [_of(found, instrument, checks) for instrument in found.instruments if found.of(instrument)]


def _of(found: ResultSet, instrument: Instrument, checks: "Sequence[SensitivityCheck]") -> Evidence:
    rows = found.of(instrument)
    items = by_item(rows)
    heard = {item: len({row.assistant for row in cells}) for item, cells in items.items()}
    whole = [item for item, number in heard.items() if number == max(heard.values())]
    values = _values(found, instrument, checks)
    rule, order = _ordered(whole, values)
    places = sorted({0, len(order) // 2, len(order) - 1})[:SHOWN]
    shown = [order[place] for place in (range(min(SHOWN, len(order))) if rule == "lot" else places)]
    names = {name: place for place, name in enumerate(found.assistants)}
    return Evidence(
        instrument.name,
        rule,
        metric_of(instrument),
        len(whole),
        tuple(_item(item, items[item], instrument, values, names) for item in shown),
        tuple(found.runs.get(instrument.name, ())),
    )


def _values(
    found: ResultSet, instrument: Instrument, checks: "Sequence[SensitivityCheck]"
) -> dict[str, Mapping[str, float]]:
    """By assistant and item. None of those on whose model the instrument did not pass, and none of harm, which is shown
    only against over-refusal."""
    if instrument.dimension == "risk":
        return {}
    return dict(values_of(instrument, passing(found, instrument, checks)))


def _ordered(items: Sequence[str], values: Mapping[str, Mapping[str, float]]) -> tuple[Rule, list[str]]:
    """By how far values lie apart, else by the value itself, the greatest first; else by lot."""
    of = {item: [each[item] for each in values.values() if item in each] for item in items}
    apart = {item: max(each) - min(each) for item, each in of.items() if len(each) > 1}
    alone = {item: each[0] for item, each in of.items() if len(each) == 1}
    key = apart or alone
    if len(set(key.values())) < 2:  # nothing to order by
        return "lot", sorted(items, key=_lot)
    rule: Rule = "differing" if apart else "value"
    return rule, sorted(key, key=lambda item: (-key[item], _lot(item)))


def _lot(item: str) -> str:
    return hashlib.sha256(item.encode("utf-8", "surrogatepass")).hexdigest()


def _item(
    item: str,
    rows: Sequence[Response],
    instrument: Instrument,
    values: Mapping[str, Mapping[str, float]],
    names: Mapping[str, int],
) -> ShownItem:
    cells: dict[str, list[Response]] = {}
    for row in rows:
        cells.setdefault(row.cell, []).append(row)
    asked = []
    for each in cells.values():
        each.sort(key=lambda row: names[row.assistant])
        one = each[0]
        answers = tuple(_answer(row, instrument) for row in each)
        asked.append(Asked(one.prompt, one.wording, one.rotation, one.language, one.draw, answers))
    asked.sort(key=lambda each: (each.language, each.wording, each.rotation, each.draw))
    return ShownItem(item, {name: each[item] for name, each in values.items() if item in each}, tuple(asked))


def _answer(row: Response, instrument: Instrument) -> Answer:
    place = place_picked(row, instrument)
    if place is None:
        kind = "" if row.unfinished else row.kind
        return Answer(row.assistant, row.text, kind, row.finish_reason, unfinished=row.unfinished)
    chances = probabilities(row)
    options = row.options or tuple(f"option {content + 1}" for content in row.contents)
    shares = tuple((text, float(chances[content])) for text, content in zip(options, row.contents, strict=True))
    return Answer(row.assistant, options[place], shares=shares)
