"""Plots in rows: a dot with its interval, shares that fill a bar, bars of a leaderboard. Nothing in them is a rank.

Knows rows of numbers and words; where they come from is `sections`' affair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..measure.results.parts import CLASSES, LeaderboardRow
from .labels import CLASS_TITLES, interval, number, percent
from .markup import Html, el, ems, shortened
from .svg import LEFT, RIGHT, Scale, across, axis, diamond, drawing, hatch, line, scale_for, text

_ROW = 40
_LANE = 4.5  # percent of the width for one line that joins a cluster
LANES = 3  # more than these are told in the table only
_EMS_PER_CENT = 0.3  # of the narrowest phone's width
LABEL_EMS = 21.0  # what fits beside a value on the narrowest phone
_TINY = 300.0  # pixels of scale on the narrowest phone: labels must not overlap even there
_PATTERNS = dict(zip(CLASSES, ("plain", "rising", "falling", "crossed", "level", "upright"), strict=True))


@dataclass(frozen=True, slots=True)
class Row:
    """`absent`: what stands in place of a mark where there is no value. `together`: it is of the whole panel."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    absent: str = "no figure"
    together: bool = False


def scale_of(rows: Sequence[Row], references: Sequence[tuple[str, float]] = ()) -> Scale:
    values = [each for row in rows for each in (row.value, row.low, row.high) if each is not None]
    return scale_for([*values, *(value for _, value in references)])


def intervals(
    key: str,
    title: str,
    rows: Sequence[Row],
    references: Sequence[tuple[str, float]] = (),
    lanes: Sequence[Sequence[int]] = (),
) -> Html:
    """A row each: a dot and its 95% interval. `references` are upright dashed lines; each of `lanes` joins, at the
    right, rows that no test tells apart."""
    scale = scale_of(rows, references)
    lanes = lanes[:LANES]
    right = RIGHT - _LANE * len(lanes)
    marks, top = _references(references, scale, right, bottom=len(rows) * _ROW)
    bottom = top + len(rows) * _ROW
    drawn = [*axis(scale, top, bottom + 4, right), *marks]
    for place, row in enumerate(rows):
        drawn += _interval_row(row, scale, top + place * _ROW, right)
    for place, members in enumerate(lanes):
        drawn += _lane(members, f"{right + _LANE * (place + 0.75):.2f}%", top)
    return drawing(key, title, _described(rows, references), bottom + 24, *drawn)


def _interval_row(row: Row, scale: Scale, y: float, right: float) -> list[Html]:
    room = LABEL_EMS - (RIGHT - right) * _EMS_PER_CENT
    label = text("0%", y + 14, shortened(row.label, room), "name")
    track = line(across(0, right), y + 28, across(1, right), y + 28, "track")
    if row.value is None:
        return [label, text(across(0, right), y + 32, shortened(row.absent, 42), "absent")]
    x = across(scale.at(row.value), right)
    drawn = [label, text(f"{right:.2f}%", y + 14, number(row.value), "value", "end"), track]
    if row.low is not None and row.high is not None:
        drawn.append(line(across(scale.at(row.low), right), y + 28, across(scale.at(row.high), right), y + 28, "bar"))
    drawn.append(diamond(x, y + 28, "dot") if row.together else el("circle", cx=x, cy=y + 28, r=5.5, class_="dot"))
    return drawn


def _references(
    references: Sequence[tuple[str, float]], scale: Scale, right: float, bottom: float
) -> tuple[list[Html], float]:
    """The lines with their labels above, on as many levels as keep them apart; and where the rows begin."""
    levels: list[float] = []  # how far each level is taken, in pixels on the narrowest phone
    placed = []
    for label, value in sorted(references, key=lambda each: each[1]):
        fraction = scale.at(value)
        words = f"{label} {number(value)}"
        width = ems(words) * 11.5
        start = min(max(fraction * _TINY - width / 2, 0), _TINY - width)
        level = next((place for place, end in enumerate(levels) if end < start), len(levels))
        levels[level:] = [start + width + 8, *levels[level + 1 :]]
        anchor = "start" if start == 0 else "end" if start == _TINY - width else "middle"
        placed.append((fraction, words, level, anchor))
    top = 16.0 * len(levels) + (8 if levels else 2)
    drawn = []
    for fraction, words, level, anchor in placed:
        x = {"start": across(0, right), "end": f"{right:.2f}%"}.get(anchor, across(fraction, right))
        drawn.append(line(across(fraction, right), 16 * level + 16, across(fraction, right), top + bottom, "reference"))
        drawn.append(text(x, 16 * level + 12, words, "reference-name", anchor))
    return drawn, top


def _lane(members: Sequence[int], x: str, top: float) -> list[Html]:
    """A line down the right side with a knot at each of its rows."""
    heights = [top + place * _ROW + 28 for place in sorted(members)]
    knots = [el("circle", cx=x, cy=height, r=3.2, class_="knot") for height in heights]
    return [line(x, heights[0], x, heights[-1], "lane"), *knots]


def _described(rows: Sequence[Row], references: Sequence[tuple[str, float]]) -> str:
    said = [
        f"{row.label}: {number(row.value)} ({interval(row.low, row.high)})"
        if row.value is not None
        else f"{row.label}: {row.absent}"
        for row in rows
    ]
    said += [f"for comparison, {label}: {number(value)}" for label, value in references]
    return "; ".join(said) + ". The numbers stand in the table after the plot."


def shares(key: str, title: str, rows: Sequence[tuple[str, Mapping[str, float]]]) -> Html:
    """A full bar each, cut by class of response; classes differ by pattern and order as well as by colour."""
    used = [each for each in CLASSES if any(shares.get(each) for _, shares in rows)]
    patterns = [hatch(f"{key}-{each}", f"class-{each}", _PATTERNS[each]) for each in used]
    drawn = [el("defs", *patterns)]
    top = 0.0
    for place, each in enumerate(used):  # the key, two beside each other
        x, top = 50 * (place % 2), 22 * (place // 2)
        drawn.append(el("rect", x=f"{x}%", y=top + 2, width=22, height=14, fill=f"url(#{key}-{each})", class_="cut"))
        drawn.append(el("svg", text(30, 13, CLASS_TITLES[each], "name"), x=f"{x}%", y=top, overflow="visible"))
    top += 32
    for place, (label, parts) in enumerate(rows):
        drawn += _shares_row(key, label, parts, top + place * 50)
    said = "; ".join(
        f"{label}: " + ", ".join(f"{CLASS_TITLES[each]} {percent(parts.get(each, 0.0))}" for each in used)
        for label, parts in rows
    )
    return drawing(key, title, f"{said}. The numbers stand in the table after the plot.", top + len(rows) * 50, *drawn)


def _shares_row(key: str, label: str, parts: Mapping[str, float], y: float) -> list[Html]:
    drawn = [text("0%", y + 13, shortened(label, LABEL_EMS + 6), "name")]
    start = 0.0
    for each in CLASSES:
        share = parts.get(each, 0.0)
        if share <= 0:
            continue
        drawn.append(
            el(
                "rect", x=f"{start:.2f}%", y=y + 19, width=f"{100 * share:.2f}%", height=22,
                fill=f"url(#{key}-{each})", class_="cut",
            )
        )  # fmt: skip
        if share >= 0.13:  # else the number would be wider than its part on a phone
            drawn.append(text(f"{start + 50 * share:.2f}%", y + 34.5, percent(share), "on-part", "middle"))
        start += 100 * share
    return drawn


def averages(key: str, title: str, groups: Sequence[tuple[str, Sequence[LeaderboardRow]]]) -> Html:
    """Bars from 0 to 100 in separate blocks: hatched where published, plain with an interval where measured here."""
    drawn = [el("defs", hatch(f"{key}-published", "published", "rising"))]
    y = 0.0
    said = []
    for heading, rows in groups:
        drawn.append(text("0%", y + 16, heading, "heading"))
        drawn.append(line("0%", y + 25, "100%", y + 25, "rule"))
        drawn += axis(_HUNDRED, y + 34, y + 34 + 42 * len(rows))
        for place, row in enumerate(rows):
            drawn += _average_row(key, row, y + 34 + 42 * place)
            said.append(f"{row.model}, {row.kind}: {number(row.average)}")
        y += 34 + 42 * len(rows) + 40
    return drawing(key, title, "; ".join(said) + ". The numbers stand in the table after the plot.", y - 12, *drawn)


_HUNDRED = Scale(0, 100, (0, 25, 50, 75, 100), 0)


def _average_row(key: str, row: LeaderboardRow, y: float) -> list[Html]:
    drawn = [text("0%", y + 14, shortened(row.model, LABEL_EMS), "name")]
    if row.average is None:
        return [*drawn, text(across(0), y + 32, "no average: not all six were measured", "absent")]
    drawn.append(text(f"{RIGHT:.2f}%", y + 14, number(row.average), "value", "end"))
    published = row.kind == "published"
    fill = f"url(#{key}-published)" if published else None
    drawn.append(
        el(
            "rect", x=across(0), y=y + 21, height=13, width=f"{_HUNDRED.at(row.average) * (RIGHT - LEFT):.2f}%",
            class_="published-bar" if published else "measured-bar", fill=fill,
        )
    )  # fmt: skip
    if row.low is not None and row.high is not None:
        low, high = across(_HUNDRED.at(row.low)), across(_HUNDRED.at(row.high))
        drawn += [line(low, y + 27.5, high, y + 27.5, "whisker")]
        drawn += [line(x, y + 23, x, y + 32, "whisker") for x in (low, high)]
    return drawn
