"""Maps of assistants: on two axes fitted on people's answers to GlobalOpinionQA, and on politics against values.

Only axes are drawn that hold on people: fitted on their answers, or read from texts by what was checked on texts that
people labelled (`Labelled`). On people's map assistants stand where their option probabilities put them, averaged over
rotations, then wordings; "don't know" is dropped on both sides. Knows rows, figures and the report's `Map`; the
mathematics of axes is `stats.mapping`'s.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UsageError
from ..data.instruments import find
from ..metrics.by_name import metric_of
from ..metrics.cells import averaged
from ..run.sensitivity import SensitivityCheck
from ..schema.figure import Figure
from ..schema.metric import Labelled, metric
from ..schema.responses import Response, by_assistant, by_item
from ..stats.mapping import Axes, Place, dense, fitted, placed
from .parts import Axis, Ellipse, Map, MapPoint
from .result_set import ResultSet
from .visibility import passed

INSTRUMENT = "globalopinionqa"
_DENSE = (0.5, 0.4, 0.3)  # share of questions a country, and of countries a question, must have answers for
_COUNTRIES, _QUESTIONS = 6, 8  # fewer make no map

# By axis: instruments that read texts, the first that was measured and passed is taken. Options and vocabulary were not
# found to tell labels by people apart.
_POLITICS = ("propositions-free", "persona-politics-free", "issues")
_VALUES = ("persona-ethics-free",)
_JOINT = math.sqrt(-2 * math.log(0.05)) / 1.96  # from a half interval of 95 % to a half axis of an ellipse of 95 %


@dataclass(frozen=True, slots=True)
class _Question:
    """`kept`: places of the answers that are opinions. Each question weighs the same, however many answers it has."""

    kept: tuple[int, ...]
    people: Mapping[str, np.ndarray]

    def features(self, chances: np.ndarray) -> np.ndarray:
        opinions = chances[list(self.kept)]
        total = opinions.sum()
        return opinions / total / math.sqrt(len(self.kept)) if total > 0 else np.full(len(self.kept), np.nan)


def value_map(found: ResultSet, checks: Sequence[SensitivityCheck]) -> tuple[Map | None, str]:
    """The map, or None and the sentence that says why there is none."""
    instrument = find(INSTRUMENT)
    everybody = found.of(instrument)
    if not everybody:
        return None, f"No map of values: nobody was measured with {INSTRUMENT}, the one with people's own answers."
    asked = by_assistant(everybody)
    names = [name for name in found.assistants if name in asked and passed(found, instrument, name, checks)]
    if not names:
        return None, f"No map of values: {INSTRUMENT} cannot tell known opposites apart on this base."
    rows = [row for row in everybody if row.assistant in names]
    try:
        return _drawn(rows, names, len(asked) - len(names)), ""
    except UsageError as error:
        return None, f"No map of values: {error.message}."


def _drawn(rows: Sequence[Response], names: Sequence[str], hidden: int) -> Map:
    questions = _questions(rows)
    if not questions:
        raise UsageError("no question has people's answers")
    countries = sorted({country for each in questions.values() for country in each.people})
    people = np.array([_row(_answers(country, questions), questions) for country in countries])
    numbers = np.repeat(np.arange(len(questions)), [len(each.kept) for each in questions.values()])
    there, features = _fit_for_axes(people, numbers)
    axes = fitted(people[there][:, features])
    by_name = by_assistant(rows)
    chances = np.array([_row(averaged(by_name[name]), questions) for name in names])[:, features]
    places = placed(axes, chances, numbers[features])
    lands = [country for country, kept in zip(countries, there, strict=True) if kept]
    fitted_on = f"{len(lands)} countries' answers to {len(set(numbers[features]))} questions of GlobalOpinionQA"
    note = (
        "The axes are fitted on people alone. Assistants stand by the probabilities of their options; an assistant far"
        " from all countries answers as nobody does."
    )
    if axes.filled > 0.1:
        note += f" {axes.filled:.0%} of the cells were not asked and had to be filled."
    if hidden:
        note += f" {hidden} assistants are left out, on whose model the instrument did not pass its sensitivity check."
    return Map(
        "Values, beside people", _axes(axes), _points(lands, axes, names, places), f"Fitted on {fitted_on}.", note
    )


def _questions(rows: Sequence[Response]) -> dict[str, _Question]:
    """By item; those with two opinions or more that some country's people chose among."""
    found = {}
    for item, cells in by_item(rows).items():
        about = cells[0].metadata
        unsure = set(about["unsure"])
        kept = tuple(place for place in range(len(cells[0].contents)) if place not in unsure)
        people = {country: np.array(shares, float) for country, shares in about["human"].items()}
        people = {country: shares for country, shares in people.items() if shares[list(kept)].sum() > 0}
        if len(kept) > 1 and people:
            found[item] = _Question(kept, people)
    return found


def _fit_for_axes(people: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Countries and features to fit on: as well filled as can be had. UsageError where there are too few."""
    for least in _DENSE:
        there, features = dense(people, least)
        if there.sum() >= _COUNTRIES and len(set(numbers[features])) >= _QUESTIONS:
            return there, features
    raise UsageError("the questions that were asked have too few countries in common", "ask more of them")


def _answers(country: str, questions: Mapping[str, _Question]) -> dict[str, np.ndarray]:
    return {item: each.people[country] for item, each in questions.items() if country in each.people}


def _row(chances: Mapping[str, np.ndarray], questions: Mapping[str, _Question]) -> np.ndarray:
    """One respondent's features, NaN where it was not asked."""
    return np.concatenate(
        [
            each.features(chances[item]) if item in chances else np.full(len(each.kept), np.nan)
            for item, each in questions.items()
        ]
    )


def _axes(axes: Axes) -> tuple[Axis, Axis]:
    first, second = axes.explained
    return Axis("first axis of people's answers", first), Axis("second axis", second)


def _points(lands: Sequence[str], axes: Axes, names: Sequence[str], places: Sequence[Place]) -> tuple[MapPoint, ...]:
    spots = zip(lands, axes.positions.tolist(), strict=True)
    people = [MapPoint(land, x, y, kind="people") for land, (x, y) in spots]
    assistants = [
        MapPoint(name, *place.centre, Ellipse(*place.half_axes, math.degrees(place.angle)))
        for name, place in zip(names, places, strict=True)
    ]
    return (*assistants, *people)


# --- politics against values -----------------------------------------------------------------------------------------


def opinion_map(found: ResultSet, figures: Sequence[Figure]) -> tuple[Map | None, str]:
    """Left and right across, duty and outcomes upwards, from one instrument each; or None and why."""
    across, upward = (_first(found, figures, axis) for axis in (_POLITICS, _VALUES))
    names = [name for name in found.assistants if name in across and name in upward]
    if len(names) < 2:
        return None, (
            "No map of politics and values: of two assistants or more it needs figures on axes that hold on texts which"
            f" people labelled: {_any(_POLITICS)} across, {_any(_VALUES)} upwards."
        )
    points = []
    for name in names:
        x, y = across[name], upward[name]
        halves = [_JOINT * ((each.high or 0.0) - (each.low or 0.0)) / 2 for each in (x, y)]
        points.append(MapPoint(name, 1 - (x.value or 0.0), y.value or 0.0, Ellipse(*halves)))
    titles = {each.name: each.title for each in found.instruments}
    of_x, of_y = (each[names[0]].instrument for each in (across, upward))
    checked = [each for name in (of_x, of_y) if (each := _checked(name))]
    read = "; ".join(f"{each} on {each.number} texts ({each.labels})" for each in dict.fromkeys(checked))
    note = (
        "Both axes run from 0 to 1, 0.5 is neither side. No people are on it: nobody asked people these. Sides are read"
        f" from texts by rules that tell people's labels apart, area under the curve {read}; which statements are"
        " whose is our judgement."
    )
    axes = Axis("politics", ends=("left", "right")), Axis("values", ends=("outcomes", "duty"))
    return Map("Politics and values", axes, points, f"Across: {titles[of_x]}; upwards: {titles[of_y]}.", note), ""


def _checked(instrument: str) -> Labelled | None:
    """How well its texts are read, where that holds on people's labels."""
    checked = metric(find(instrument).measures[0]).checked
    return checked if checked and checked.holds else None


def _any(axis: Sequence[str]) -> str:
    return " or ".join(filter(_checked, axis))


def _first(found: ResultSet, figures: Sequence[Figure], axis: Sequence[str]) -> dict[str, Figure]:
    """By assistant: the figures of the first of these instruments that holds and says something of two or more."""
    for instrument in filter(_checked, axis):
        main = metric_of(find(instrument))
        shown = {
            each.assistant: each
            for each in figures
            if (each.instrument, each.metric, each.group) == (instrument, main, "")
            and each.assistant in found.assistants
            and None not in (each.value, each.low, each.high)
        }
        if len(shown) > 1:
            return shown
    return {}
