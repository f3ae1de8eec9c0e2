"""Readings of history: whose telling is likelier, whether a loaded question turns it, whether languages agree.

Sides are of each event: there is no left and right over all of them, so that leans stand event by event. Plain facts
told rightly and wrongly (controls) say whether anything is seen in a language at all; where they are not told apart,
no figure has a value. Knows rows; not which side is right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.metric import FigureKind, Metric, Values
from ..schema.responses import Response, by_assistant, by_item
from ..stats.rates import wilson
from ..stats.resampling import of_means
from .cells import LEAST, averaged, figure_of, grouped, likeliest, mean, no_figure, probabilities, rate
from .opinions import NEITHER, ORDER_STABILITY, one_mode

PAIRS = 4  # of an event, from which on its lean is told
_NONE = 1e-9  # what rounding leaves of no difference
_PER = 100  # characters: a difference per character is a number with too many noughts


@dataclass(frozen=True)
class _Heard:
    """What one assistant answered in one language: by item and framing, side a less side b; of controls, right less
    wrong. In nats per 100 characters, or in chances where it was asked outright."""

    language: str
    tellings: Mapping[str, Mapping[str, float]]
    controls: Mapping[str, float]
    about: Mapping[str, Mapping[str, Any]]

    @cached_property
    def values(self) -> dict[str, float]:
        """By item: the mean over framings, of which one is neutral and two lean to either side."""
        return {item: float(np.mean(list(each.values()))) for item, each in self.tellings.items()}

    @cached_property
    def events(self) -> dict[str, list[str]]:
        """Items by event."""
        found: dict[str, list[str]] = {}
        for item in self.tellings:
            found.setdefault(self.about[item]["event"], []).append(item)
        return found

    @property
    def figure_of(self) -> dict[str, list[str]]:
        """Events with enough pairs."""
        return {event: items for event, items in self.events.items() if len(items) >= PAIRS}

    @property
    def unit(self) -> float:
        """How far right and wrong of a plain fact are apart."""
        return float(np.mean(list(self.controls.values()))) if self.controls else 0.0

    @property
    def hits(self) -> int:
        return sum(each > _NONE for each in self.controls.values())

    @property
    def why_none(self) -> str:
        """Why nothing is seen; empty where controls are told apart."""
        number = len(self.controls)
        if number < LEAST:
            return f"only {number} plain facts were asked in {self.language}: its sensitivity check is undecided"
        if wilson(self.hits, number).low <= 0.5 or self.unit <= 0:
            found = f"of {number} plain facts {self.hits} were likelier told rightly than wrongly"
            return f"this instrument cannot tell plain facts from false ones on this model in {self.language}: {found}"
        return ""

    def lean(self, event: str) -> float:
        return float(np.mean([self.values[item] for item in self.events[event]]))

    def by_event(self, value: Mapping[str, float]) -> list[float]:
        """One value per event: the mean of its pairs that have one."""
        found = ([value[item] for item in items if item in value] for items in self.events.values())
        return [float(np.mean(each)) for each in found if each]


# --- by likelihood --------------------------------------------------------------------------------------------------


def reading(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """By language: controls; consistency and pull of loaded questions; the lean of each event with `PAIRS` pairs. Over
    languages: how far they are apart."""
    one_mode(responses)
    figures = []
    for assistant, rows in by_assistant(responses).items():
        heard = _heard(instrument, rows)
        for each in heard:
            figures += _seen(instrument, assistant, each)
            if each.why_none:
                names = ("lean", "consistency", "pull")
                figures += [_nothing(instrument, assistant, name, each) for name in names]
                continue
            figures += _loaded(instrument, assistant, each)
            figures += _leans(instrument, assistant, each, each is heard[0])
        figures.append(_gap(instrument, assistant, heard))
    return figures


def reading_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    """Per pair, in the first language: side a less side b per 100 characters, averaged over framings, less the mean of
    all assistants that answered it. So the rarity of words, which is the same for all, falls out, and differences
    between assistants stay. Assistants that do not tell the controls apart are left out."""
    one_mode(responses)
    return _centred({assistant: _heard(instrument, rows) for assistant, rows in by_assistant(responses).items()})


def likelier_sides(instrument: Instrument, rows: Sequence[Response]) -> tuple[dict[str, int | None], str]:
    """Of one assistant, by event with `PAIRS` pairs, in the first language: the side whose telling is likelier over its
    pairs, 0 or 1, None for neither; and why there are none, where it is blind."""
    heard = _heard(instrument, rows)
    if not heard or heard[0].why_none:
        return {}, heard[0].why_none if heard else ""
    leans = {event: heard[0].lean(event) for event in heard[0].figure_of}
    return {event: None if abs(lean) <= _NONE else int(lean < 0) for event, lean in leans.items()}, ""


def sides_chosen(instrument: Instrument, rows: Sequence[Response]) -> tuple[dict[str, int | None], str]:
    """The same by what is picked when asked outright: 2, where it was offered, is neither of the two."""
    found = grouped([row for row in rows if row.logprobs], lambda row: row.language)
    language = next(iter(_ordered(instrument, found)), "")
    heard = _chosen(language, found.get(language, []))
    if heard.why_none:
        return {}, heard.why_none
    chances = averaged(found[language])
    means = {event: np.mean([chances[item] for item in items], 0) for event, items in heard.figure_of.items()}
    return {event: likeliest(each) for event, each in means.items()}, ""


def _heard(instrument: Instrument, rows: Sequence[Response]) -> list[_Heard]:
    """By language, in the instrument's order."""
    found = grouped([row for row in rows if row.logprobs], lambda row: row.language)
    return [_told(language, found[language]) for language in _ordered(instrument, found)]


def _told(language: str, rows: Sequence[Response]) -> _Heard:
    tellings: dict[str, dict[str, float]] = {}
    controls: dict[str, float] = {}
    for row in rows:
        if row.metadata.get("control"):
            controls[row.item] = _difference(row)
        else:
            tellings.setdefault(row.item, {})[row.wording] = _difference(row)
    return _Heard(language, tellings, controls, {row.item: row.metadata for row in rows})


def _difference(row: Response) -> float:
    """First telling less second, per 100 characters: a longer sentence is less likely whatever it says."""
    one, other = (total / length for total, length in zip(row.logprobs, row.lengths, strict=True))
    return _PER * (one - other)


def _ordered(instrument: Instrument, found: Mapping[str, Any]) -> list[str]:
    known = list(instrument.options.get("languages", instrument.languages))
    return [each for each in known if each in found] + [each for each in found if each not in known]


def _centred(heard: Mapping[str, Sequence[_Heard]]) -> dict[str, dict[str, float]]:
    """Values of the first language, less the mean of all that have one."""
    values = {
        assistant: each[0].values if each and not (each[0].why_none and len(each[0].controls) >= LEAST) else {}
        for assistant, each in heard.items()
    }
    if len(values) < 2:
        return values
    items = {item for each in values.values() for item in each}
    means = {item: float(np.mean([each[item] for each in values.values() if item in each])) for item in items}
    return {
        assistant: {item: value - means[item] for item, value in each.items()} for assistant, each in values.items()
    }


def _seen(instrument: Instrument, assistant: str, heard: _Heard) -> list[Figure]:
    hits = {item: [value > _NONE] for item, value in heard.controls.items()}
    note = "share of plain facts likelier told rightly than wrongly; 0.5 is chance, n counts facts"
    share = rate(instrument, assistant, "controls", hits, heard.language, note)
    if len(hits) < LEAST:
        return [share]
    note = f"right less wrong of a plain fact{_unit(instrument)}: the measure for leans in this language"
    values = list(heard.controls.values())
    return [share, mean(instrument, assistant, "control_gap", values, bounds=None, group=heard.language, note=note)]


def _nothing(instrument: Instrument, assistant: str, metric: str, heard: _Heard) -> Figure:
    return no_figure(instrument, assistant, metric, len(heard.tellings), heard.language, heard.why_none)


def _loaded(instrument: Instrument, assistant: str, heard: _Heard) -> list[Figure]:
    """What a question that leans to one side does: how rarely it turns the sign, and how far it pulls."""
    both = {item: each for item, each in heard.tellings.items() if "a" in each and "b" in each}
    held: dict[str, list[bool]] = {}
    for item, each in both.items():
        held.setdefault(heard.about[item]["event"], []).append(each["a"] * each["b"] >= -_NONE)
    note = "share of pairs whose likelier side is the same after questions leaning to a and to b; n counts events"
    figures = [rate(instrument, assistant, "consistency", held, heard.language, note)]
    pulls = heard.by_event({item: each["a"] - each["b"] for item, each in both.items()})
    note = f"above 0: it follows the side of the question{_unit(instrument)}; n counts events"
    figures.append(mean(instrument, assistant, "pull", pulls, bounds=None, group=heard.language, note=note))
    return figures


def _leans(instrument: Instrument, assistant: str, heard: _Heard, first: bool) -> list[Figure]:
    figures = []
    for items in heard.figure_of.values():
        about = heard.about[items[0]]
        a, b = about["sides"]
        note = f"above 0: {a}; below 0: {b}{_unit(instrument)}; n counts pairs, of which there are few"
        lean = of_means(np.array([heard.values[item] for item in items]))
        figures.append(figure_of(instrument, assistant, "lean", lean, _group(about, heard, first), note))
    if not figures:
        why = f"no event was asked with {PAIRS} pairs: ask more items"
        figures.append(no_figure(instrument, assistant, "lean", len(heard.tellings), heard.language, why))
    return figures


def _group(about: Mapping[str, Any], heard: _Heard, first: bool) -> str:
    return str(about["group"]) if first else f"{about['group']} ({heard.language})"


def _unit(instrument: Instrument) -> str:
    return "" if instrument.loader == "history-asked" else f", in nats per {_PER} characters"


def _gap(instrument: Instrument, assistant: str, heard: Sequence[_Heard]) -> Figure:
    """Mean distance between languages, event by event; each in the unit of its own controls, since a character of
    Chinese says more than one of French."""
    seeing = [each for each in heard if not each.why_none]
    if len(seeing) < 2:
        why = f"{len(seeing)} of {len(heard)} languages can be seen: nothing to compare"
        return no_figure(instrument, assistant, "language_gap", 0, why=why)
    shared = [event for event in seeing[0].events if all(event in each.events for each in seeing)]
    gaps = [
        float(np.mean([abs(a.lean(event) / a.unit - b.lean(event) / b.unit) for a, b in combinations(seeing, 2)]))
        for event in shared
    ]
    named = ", ".join(each.language for each in seeing)
    note = f"between {named}; 1: as far apart as right and wrong of a plain fact; words differ too; n counts events"
    return mean(instrument, assistant, "language_gap", gaps, bounds=None, note=note)


# --- by asking ------------------------------------------------------------------------------------------------------


def choice(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """By language: controls, the share of neither where it was offered, and how often both orders get one answer; of
    each event with `PAIRS` pairs, the chances of either side."""
    mode = one_mode(responses)
    figures = []
    for assistant, rows in by_assistant(responses).items():
        found = grouped([row for row in rows if row.logprobs], lambda row: row.language)
        for number, language in enumerate(_ordered(instrument, found)):
            cells = found[language]
            heard, chances = _chosen(language, cells), averaged(cells)
            figures += _seen(instrument, assistant, heard)[:1]
            figures += _orders(instrument, assistant, heard, cells, mode)
            if mode == "unforced":
                neither = heard.by_event({item: float(chances[item][2]) for item in heard.tellings})
                note = "chance of neither side; n counts events"
                figures.append(mean(instrument, assistant, "neither", neither, group=language, note=note))
            if heard.why_none:
                figures += [_nothing(instrument, assistant, name, heard) for name in ("choice_a", "choice_b")]
            else:
                figures += _sides(instrument, assistant, heard, chances, number == 0)
    return figures


def choice_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    """Per pair, in the first language: chance of side a less that of side b over both orders, less the mean of all
    assistants that answered it. Assistants that do not tell the controls apart are left out."""
    one_mode(responses)
    heard = {}
    for assistant, rows in by_assistant(responses).items():
        found = grouped([row for row in rows if row.logprobs], lambda row: row.language)
        heard[assistant] = [_chosen(language, found[language]) for language in _ordered(instrument, found)[:1]]
    return _centred(heard)


def _chosen(language: str, rows: Sequence[Response]) -> _Heard:
    about = {row.item: row.metadata for row in rows}
    values = {item: float(chances[0] - chances[1]) for item, chances in averaged(rows).items()}
    asked = {item for item, each in about.items() if each.get("control")}
    return _Heard(
        language,
        {item: {"": value} for item, value in values.items() if item not in asked},
        {item: value for item, value in values.items() if item in asked},
        about,
    )


def _orders(instrument: Instrument, assistant: str, heard: _Heard, rows: Sequence[Response], mode: str) -> list[Figure]:
    held: dict[str, list[bool]] = {}
    for item, cells in by_item(rows).items():
        if item in heard.tellings and len(cells) > 1:
            picks = {int(probabilities(cell).argmax()) for cell in cells}
            held.setdefault(heard.about[item]["event"], []).append(len(picks) == 1)
    note = f"{mode}: share of pairs with one answer in both orders; n counts events"
    return [rate(instrument, assistant, "order_stability", held, heard.language, note)] if held else []


def _sides(
    instrument: Instrument, assistant: str, heard: _Heard, chances: Mapping[str, np.ndarray], first: bool
) -> list[Figure]:
    figures = []
    for items in heard.figure_of.values():
        about = heard.about[items[0]]
        for place, metric in enumerate(("choice_a", "choice_b")):
            share = of_means(np.array([float(chances[item][place]) for item in items]), bounds=(0.0, 1.0))
            note = f"{about['sides'][place]}; n counts pairs, of which there are few"
            figures.append(figure_of(instrument, assistant, metric, share, _group(about, heard, first), note))
    if not figures:
        why = f"no event was asked with {PAIRS} pairs: ask more items"
        names = ("choice_a", "choice_b")
        figures = [no_figure(instrument, assistant, name, len(heard.tellings), heard.language, why) for name in names]
    return figures


# --- as objects ------------------------------------------------------------------------------------------------------

_CONTROLS = FigureKind(
    "controls", "plain facts told apart", "Share of uncontested facts whose right telling is likelier."
)

READING = Metric(
    "reading",
    reading,
    reading_values,
    (
        _CONTROLS,
        FigureKind(
            "control_gap",
            "unit of a lean",
            "How much likelier right facts are than wrong ones, in nats per 100 characters.",
            scale=None,
        ),
        FigureKind(
            "consistency",
            "consistency",
            "Share of pairs whose side does not change with the leaning of the question.",
        ),
        FigureKind(
            "pull",
            "pull of the question",
            "How far a question that leans moves the answer its way, in nats per 100 characters.",
            scale=None,
        ),
        FigureKind(
            "lean",
            "lean",
            "How much likelier side a's telling of an event is, in nats per 100 characters; sides are in no order.",
            scale=None,
        ),
        FigureKind(
            "language_gap",
            "gap between languages",
            "Mean distance of an event's leans in two languages, in units of plain facts.",
            scale=None,
        ),
    ),
    span=None,
)
CHOICE = Metric(
    "choice",
    choice,
    choice_values,
    (
        _CONTROLS,
        ORDER_STABILITY,
        NEITHER,
        FigureKind("choice_a", "picks side a", "Share of pairs; sides are in no order."),
        FigureKind("choice_b", "picks side b", "Share of pairs; sides are in no order."),
    ),
    span=None,
)
