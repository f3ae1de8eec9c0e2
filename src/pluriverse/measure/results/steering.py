"""Steerability: how far a voice moved from its plain base toward its own pole, and on axes that it is not about.

A prompt, guidance or tuning for one side must move answers to that side, and further than it moves them elsewhere: any
prompt moves something. An axis is an instrument whose opposites are two assistants (`Instrument.opposites`); its pole
gives one answer to each statement. Moves are in shares of answers, 1 from pole to pole (1 - W1 to the pole's answers,
neither counting half), as many statements with one key as with the other, so that saying yes counts for nothing. Open
questions have no key; what moves there is the vocabulary, from all of one side's words to all of the other's, which is
no stance, and the notes say so.

Where a run lacks what is needed (both of a pair, the plain base, an axis they are not about) there is no figure of it.
Knows the rows of a run; asks nobody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..metrics.by_name import leading, values_of
from ..metrics.cells import LEAST, figure_of
from ..run.sensitivity import SensitivityCheck
from ..schema.figure import PANEL, Figure
from ..schema.instrument import Instrument, Opposites
from ..schema.items import key_of
from ..schema.metric import FigureKind, Values
from ..schema.reasons import NoControl, NotChecked, NotPassed, Remark, Steered
from ..schema.responses import Respondent, Response
from ..stats.intervals import Interval
from ..stats.resampling import of_means
from ..stats.stability import net_of_other_questions
from .visibility import standing

_BOUNDS = (-1.0, 1.0)
_MOVED = ("not moved", 0.0)
KINDS = (
    FigureKind(
        "steering_gain",
        "steering toward its pole",
        "How far it moved from the plain base; 1 is from pole to pole.",
        _BOUNDS,
        _MOVED,
    ),
    FigureKind("steering_cross", "steering elsewhere", "How far it moved on an axis that it is not about.", _BOUNDS),
    FigureKind(
        "steering_net",
        "steering, net",
        "Moved toward its pole less the largest move elsewhere; above 0 it is steered.",
        None,
        _MOVED,
    ),
    FigureKind(
        "pair_gain",
        "counterparts apart",
        "How far the two of a pair are from each other; 1 is from pole to pole.",
        _BOUNDS,
    ),
    FigureKind("pair_cross", "counterparts apart elsewhere", "On an axis that the pair is not about.", _BOUNDS),
    FigureKind("pair_net", "counterparts apart, net", "On their axis less the largest distance elsewhere.", None),
)

Rows = Callable[[Instrument], Sequence[Response]]


@dataclass(frozen=True, slots=True)
class _Axis:
    """`values`: by assistant and item, from -1 to 1 (pole a); `keys`: 1 where yes is on a's side, -1 on b's, 0 open;
    `caveat`: what must be said beside a move."""

    instrument: Instrument
    opposites: Opposites
    values: Values
    keys: Mapping[str, int]
    caveat: str

    @property
    def mode(self) -> str:
        return str(self.instrument.options.get("mode", "free"))

    def about(self, other: "_Axis") -> bool:
        """Whether another axis has a pole in common, or cannot be set beside this one."""
        poles = {self.opposites.a, self.opposites.b}
        return bool(poles & {other.opposites.a, other.opposites.b}) or self.mode != other.mode

    def moved(self, a: str, b: str) -> np.ndarray | None:
        """From b to a, toward the first pole, item by item; None where too few have an answer of both."""
        one, other = self.values.get(a, {}), self.values.get(b, {})
        shared = [item for item in one if item in other]
        sides = (1, -1) if any(self.keys.values()) else (0,)
        keyed = [[item for item in shared if self.keys[item] == key] for key in sides]
        number = min(map(len, keyed))
        if len(sides) * number < LEAST:
            return None
        return np.array([(one[item] - other[item]) / 2 for each in keyed for item in each[:number]])


@dataclass(frozen=True, slots=True)
class _Trio:
    """Those on one base, by the names of their figures; `plain` is None where it was not asked."""

    a: str
    b: str
    plain: str | None
    base: str


def steering(
    instruments: Sequence[Instrument], rows: Rows, respondents: Sequence[Respondent], checks: Sequence[SensitivityCheck]
) -> list[Figure]:
    """By instrument and base: the two of a pair from each other, and each from the plain base, with their controls.

    `checks`: an axis that did not pass on a base is no control there, since nobody can be seen to move on it.
    """
    axes = [axis for each in instruments if (axis := _axis(each, rows)) is not None]
    figures: list[Figure] = []
    for axis in axes:
        trios = _trios(axis.opposites, respondents)
        for trio in trios:
            who = next(each for each in respondents if each.assistant == trio.a)
            found = [(each, standing(checks, each.instrument, who)) for each in axes if not axis.about(each)]
            known = [(each, state) for each, state in found if not isinstance(state, NotPassed)]
            controls = [each for each, _ in known]
            unchecked = any(isinstance(state, NotChecked) for _, state in known)
            note = f"{trio.a} from {trio.b} on their own axis"
            if move := _move(axis, trio.a, trio.b, 1, controls, note, unchecked):
                figures += move.figures(PANEL, "pair", "" if len(trios) == 1 else trio.base)
            for name, pole in ((trio.a, 1), (trio.b, -1)) if trio.plain else ():
                note = f"from {trio.plain}, the plain base, toward its own pole"
                if move := _move(axis, name, trio.plain or "", pole, controls, note, unchecked):
                    figures += move.figures(name, "steering")
    return figures


def _axis(instrument: Instrument, rows: Rows) -> _Axis | None:
    opposites, by = instrument.opposites, leading(instrument)
    if opposites is None or opposites.systems or by is None or by.direction != "sides" or by.span is None:
        return None
    found, (low, high) = rows(instrument), by.span
    values = {
        assistant: {item: (2 * value - (low + high)) / (high - low) for item, value in each.items()}
        for assistant, each in values_of(instrument, found).items()
    }
    return _Axis(instrument, opposites, values, {row.item: key_of(row.metadata) for row in found}, by.caveat)


def _trios(opposites: Opposites, respondents: Sequence[Respondent]) -> list[_Trio]:
    """Both of a pair on the same weights, with who speaks there without prompt, guidance and adapter."""
    found = []
    for base in dict.fromkeys((each.base, each.weights) for each in respondents):
        there = [each for each in respondents if (each.base, each.weights) == base]
        named = {each.assistant.removesuffix(f" on {each.base}"): each.assistant for each in there}
        plain = [each.assistant for each in there if not (each.system.strip() or each.guidance or each.adapter)]
        if opposites.a in named and opposites.b in named:
            a, b = named[opposites.a], named[opposites.b]
            others = [name for name in plain if name not in {a, b}]
            found.append(_Trio(a, b, others[0] if others else None, base[0]))
    return found


# --- figures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Move:
    """From one to another on an axis of the first's own, and on axes that it is not about."""

    axis: _Axis
    own: np.ndarray
    cross: Sequence[tuple[_Axis, np.ndarray]]
    note: str
    unchecked: bool  # whether some control passes on the base is not known

    def figures(self, assistant: str, kind: str, group: str = "") -> list[Figure]:
        """The gain; the move on each axis that it is not about; the gain less the largest of these."""
        gain = of_means(self.own, bounds=_BOUNDS)
        if not self.cross:
            return [self._told(assistant, f"{kind}_gain", gain, group, self.note, NoControl())]
        figures = [self._told(assistant, f"{kind}_gain", gain, group, self.note)]
        for other, moved in self.cross:
            note = f"toward {other.opposites.a} (below 0: {other.opposites.b}), on an axis that it is not about"
            named = f"{group}: {other.instrument.name}" if group else other.instrument.name
            figures.append(self._told(assistant, f"{kind}_cross", of_means(moved, bounds=_BOUNDS), named, note))
        largest, moved = max(self.cross, key=lambda each: abs(float(each[1].mean())))
        net = net_of_other_questions(self.own, moved)
        steered = Steered(gain.low > 0 and net.low > 0, largest.instrument.name)
        more = (NotChecked(controls=True),) if self.unchecked else ()
        return [*figures, self._told(assistant, f"{kind}_net", net, group, "", steered, *more)]

    def _told(self, assistant: str, metric: str, value: Interval, group: str, note: str, *remarks: Remark) -> Figure:
        return figure_of(self.axis.instrument, assistant, metric, value, group, note, remarks)


def _move(
    axis: _Axis, one: str, other: str, pole: int, controls: Sequence[_Axis], note: str, unchecked: bool
) -> _Move | None:
    """None where too few statements were answered by both."""
    if (own := axis.moved(one, other)) is None:
        return None
    cross = [(each, moved) for each in controls if (moved := each.moved(one, other)) is not None]
    note += f"; {axis.caveat}" if axis.caveat else ""
    return _Move(axis, pole * own, cross, f"{note}; 1 is from pole to pole", unchecked)
