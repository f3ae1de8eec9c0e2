"""Plots in two directions: the map of assistants and people, and harm against over-refusal.

Both have names at their points, kept apart by `label_placement`. Knows points; counts nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..measure.results.parts import Axis, Map, MapPoint
from .label_placement import Box, Name, along, placed
from .labels import interval, number, percent
from .markup import Html, el, ems, shortened
from .svg import Scale, line, plane, scale_for, text

WIDTH = 400.0  # the plane's own units; about the pixels of a phone
_FRAME = Box(44, 8, 392, 352)
_LETTER = {"assistant": 12.5, "people": 10.5}  # sizes on a phone, where letters are largest against the plane
_NAME_EMS = 13.0
_MARGIN = 0.08  # of the span, free around the points


@dataclass(frozen=True, slots=True)
class Pair:
    """One assistant in the plane of risk: harm upwards, over-refusal across."""

    name: str
    harm: tuple[float, float | None, float | None]
    overrefusal: tuple[float, float | None, float | None]


def map_plot(key: str, drawn: Map) -> tuple[Html, int]:
    """Assistants bold with their ellipses, people's countries small and grey. Both axes have the same unit. With how
    many names of people found no room on it, and stand in its table only."""
    left, right, low, high = _bounds(drawn.points)
    unit = min((_FRAME.right - _FRAME.left) / (right - left), (_FRAME.bottom - _FRAME.top) / (high - low))
    middle = (_FRAME.left + _FRAME.right) / 2, (_FRAME.top + _FRAME.bottom) / 2

    def at(x: float, y: float) -> tuple[float, float]:
        return middle[0] + (x - (left + right) / 2) * unit, middle[1] - (y - (low + high) / 2) * unit

    points = sorted(drawn.points, key=lambda each: each.kind == "assistant")  # assistants on top
    places = [at(each.x, each.y) for each in points]
    shapes = [_frame()]
    shapes += [_ellipse(each, place, unit) for each, place in zip(points, places, strict=True) if each.ellipse]
    shapes += [_dot(*place, each.kind) for each, place in zip(points, places, strict=True)]
    names, without = _names([(each.name, each.kind) for each in points], places)
    shapes += [*names, *_axis_words(*drawn.axes)]
    return plane(key, drawn.title, _map_described(drawn), WIDTH, 392, *shapes), without.count("people")


def risk_plot(key: str, title: str, harm: str, pairs: Sequence[Pair]) -> Html:
    """`harm` is the upright axis in words. Low on both is best; whoever refuses everything, at the lower
    right, is harmless and useless."""
    values = [each for pair in pairs for part in (pair.harm, pair.overrefusal) for each in part if each is not None]
    scale = scale_for(values)

    def across(value: float) -> float:
        return _FRAME.left + scale.at(value) * (_FRAME.right - _FRAME.left)

    def up(value: float) -> float:
        return _FRAME.bottom - scale.at(value) * (_FRAME.bottom - _FRAME.top)

    places = [(across(pair.overrefusal[0]), up(pair.harm[0])) for pair in pairs]
    shapes, free = [_frame(), *_ticks(scale, across, up)], []
    for pair, (x, y) in zip(pairs, places, strict=True):
        ends = []
        if pair.overrefusal[1] is not None and pair.overrefusal[2] is not None:
            ends.append((across(pair.overrefusal[1]), y, across(pair.overrefusal[2]), y))
        if pair.harm[1] is not None and pair.harm[2] is not None:
            ends.append((x, up(pair.harm[1]), x, up(pair.harm[2])))
        shapes += [line(round(x1, 1), y1, round(x2, 1), y2, "error") for x1, y1, x2, y2 in ends]
        free += [box for each in ends for box in along(*each)]
        shapes.append(_dot(x, y, "assistant"))
    shapes += _names([(pair.name, "assistant") for pair in pairs], places, free)[0]
    middle = (_FRAME.left + _FRAME.right) / 2
    shapes.append(text(middle, 386, "over-refusal: harmless requests refused →", "axis", "middle"))
    shapes.append(_upright(f"{harm} →"))
    said = "; ".join(
        f"{pair.name}: {harm} {number(pair.harm[0])} ({interval(*pair.harm[1:])}),"
        f" over-refusal {number(pair.overrefusal[0])} ({interval(*pair.overrefusal[1:])})"
        for pair in pairs
    )
    return plane(key, title, f"{said}. The numbers stand in the table after the plot.", WIDTH, 392, *shapes)


def _bounds(points: Sequence[MapPoint]) -> tuple[float, float, float, float]:
    """Left, right, low, high of all points with their ellipses, and some room."""
    reach = [(each, max(each.ellipse.rx, each.ellipse.ry) if each.ellipse else 0.0) for each in points]
    left, right = min(each.x - far for each, far in reach), max(each.x + far for each, far in reach)
    low, high = min(each.y - far for each, far in reach), max(each.y + far for each, far in reach)
    room = _MARGIN * max(right - left, high - low) or 1.0
    return left - room, right + room, low - room, high + room


def _names(
    names: Sequence[tuple[str, str]], places: Sequence[tuple[float, float]], free: Sequence[Box] = ()
) -> tuple[list[Html], list[str]]:
    """Of (name, kind): the names as drawn, and the kinds of those without room."""
    shown = [shortened(name, _NAME_EMS) for name, _ in names]
    sizes = [_LETTER[kind] for _, kind in names]
    wanted = [
        Name(x, y, ems(word) * size * 1.06, size * 1.1, 4.5 if kind == "assistant" else 2, kind == "assistant")
        for word, size, (_, kind), (x, y) in zip(shown, sizes, names, places, strict=True)
    ]
    drawn: list[Html] = []
    without: list[str] = []
    frame = Box(_FRAME.left + 2, _FRAME.top + 2, _FRAME.right - 2, _FRAME.bottom - 2)
    found = placed(wanted, frame, free)
    for word, size, (_, kind), (x, y), place in zip(shown, sizes, names, places, found, strict=True):
        if place is None:
            without.append(kind)
            continue
        if place.away:
            drawn.append(line(round(x, 1), y, round(place.edge[0], 1), place.edge[1], "leader"))
        drawn.append(text(round(place.x, 1), place.y + size * 0.35, word, f"at-{kind}", "middle"))
    return drawn, without


def _frame() -> Html:
    return el(
        "rect", x=_FRAME.left, y=_FRAME.top, width=_FRAME.right - _FRAME.left, height=_FRAME.bottom - _FRAME.top,
        class_="frame",
    )  # fmt: skip


def _dot(x: float, y: float, kind: str) -> Html:
    return el("circle", cx=round(x, 1), cy=round(y, 1), r=4.5 if kind == "assistant" else 1.8, class_=f"point-{kind}")


def _ellipse(point: MapPoint, place: tuple[float, float], unit: float) -> Html:
    assert point.ellipse is not None
    x, y = round(place[0], 1), round(place[1], 1)
    rx, ry = max(point.ellipse.rx * unit, 1.0), max(point.ellipse.ry * unit, 1.0)
    turn = f"rotate({-point.ellipse.angle:.1f} {x} {y})"  # the screen's y runs down
    return el("ellipse", cx=x, cy=y, rx=round(rx, 1), ry=round(ry, 1), transform=turn, class_=f"cloud-{point.kind}")


def _axis_words(x: Axis, y: Axis) -> list[Html]:
    middle = (_FRAME.left + _FRAME.right) / 2
    drawn = [text(middle, 386, _axis_title(x), "axis", "middle"), _upright(_axis_title(y))]
    for end, place, anchor in ((x.ends[0], _FRAME.left, "start"), (x.ends[1], _FRAME.right, "end")):
        if end:
            drawn.append(text(place, 367, f"← {end}" if anchor == "start" else f"{end} →", "end", anchor))
    for end, height, anchor in ((y.ends[0], _FRAME.bottom, "start"), (y.ends[1], _FRAME.top, "end")):
        if end:
            words = f"← {end}" if anchor == "start" else f"{end} →"
            drawn.append(_turned(words, 36, height, "end", anchor))
    return drawn


def _axis_title(axis: Axis) -> str:
    return axis.label if axis.share is None else f"{axis.label} ({percent(axis.share)} of variance)"


def _upright(words: str) -> Html:
    return _turned(words, 12, (_FRAME.top + _FRAME.bottom) / 2, "axis", "middle")


def _turned(words: str, x: float, y: float, class_: str, anchor: str) -> Html:
    return el("text", words, x=x, y=y, transform=f"rotate(-90 {x:g} {y:g})", text_anchor=anchor, class_=class_)


def _ticks(scale: Scale, across: Callable[[float], float], up: Callable[[float], float]) -> list[Html]:
    drawn = []
    for tick in scale.ticks:
        x, y = round(across(tick), 1), round(up(tick), 1)
        label = f"{tick:.{scale.digits}f}"
        drawn += [line(x, _FRAME.top, x, _FRAME.bottom, "grid"), line(_FRAME.left, y, _FRAME.right, y, "grid")]
        drawn += [text(x, 366, label, "tick", "middle"), text(_FRAME.left - 4, y + 3.5, label, "tick", "end")]
    return drawn


def _map_described(drawn: Map) -> str:
    said = [f"{each.name} at {number(each.x)}, {number(each.y)}" for each in drawn.points if each.kind == "assistant"]
    people = sum(each.kind == "people" for each in drawn.points)
    if people:
        said.append(f"and {people} groups of people")
    return "; ".join(said) + ". The numbers stand in the table after the plot."
