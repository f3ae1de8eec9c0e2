"""Drawing as SVG: scales, marks, frames. Positions across are percentages, so that a plot fills the width it is given,
on a phone as on paper, while its letters keep their size.

Knows shapes; no figures and no colours (`style` has those, by class).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .markup import Child, Html, el

LEFT, RIGHT = 2.5, 97.5  # percent: room for half a tick label beside the scale


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to fractions of the width."""

    low: float
    high: float
    ticks: tuple[float, ...]
    digits: int

    def at(self, value: float) -> float:
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def scale_for(values: Sequence[float]) -> Scale:
    """The natural range that holds all values: 0 to 1, -1 to 1, 0 to 100, or a round one."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low >= 0 and high <= 1:
        return Scale(0, 1, (0, 0.25, 0.5, 0.75, 1), 2)
    if low >= -1 and high <= 1:
        return Scale(-1, 1, (-1, -0.5, 0, 0.5, 1), 1)
    if low >= 0 and 1.5 < high <= 100:
        return Scale(0, 100, (0, 25, 50, 75, 100), 0)
    return _rounded(low, high)


def _rounded(low: float, high: float) -> Scale:
    span = (high - low) or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(span / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 5)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        last += 1
    ticks = tuple(step * place for place in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks, max(0, -math.floor(math.log10(step))))


def across(fraction: float, right: float = RIGHT) -> str:
    return f"{LEFT + fraction * (right - LEFT):.2f}%"


def drawing(key: str, title: str, description: str, height: float, *children: Child) -> Html:
    """A plot that fills its width; `key` is its own on the page."""
    return _framed(key, title, description, children, class_="flow", width="100%", height=round(height))


def plane(key: str, title: str, description: str, width: float, height: float, *children: Child) -> Html:
    """A plot in which distances count: both directions are scaled alike."""
    return _framed(key, title, description, children, class_="plane", viewBox=f"0 0 {width:g} {height:g}")


def _framed(key: str, title: str, description: str, children: Sequence[Child], **attributes: str | float) -> Html:
    return el(
        "svg",
        el("title", title, id=f"{key}-title"),
        el("desc", description, id=f"{key}-desc"),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        **attributes,
    )


def text(x: str | float, y: float, content: str, class_: str = "", anchor: str | None = None) -> Html:
    return el("text", content, x=x, y=round(y, 1), class_=class_ or None, text_anchor=anchor)


def line(x1: str | float, y1: float, x2: str | float, y2: float, class_: str) -> Html:
    return el("line", x1=x1, y1=round(y1, 1), x2=x2, y2=round(y2, 1), class_=class_)


def diamond(x: str, y: float, class_: str) -> Html:
    """Around a point given in percent, which a polygon cannot be."""
    shape = el("polygon", points="-6,0 0,-6 6,0 0,6", class_=class_)
    return el("svg", shape, x=x, y=round(y, 1), overflow="visible", width="1", height="1")


def hatch(key: str, class_: str, kind: str) -> Html:
    """A pattern of lines or dots over a ground, so that a colour is never alone. `key` is its id."""
    paths = {
        "plain": "",
        "rising": "M-2,10 L10,-2 M-2,2 L2,-2 M6,10 L10,6",
        "falling": "M-2,-2 L10,10 M6,-2 L10,2 M-2,6 L2,10",
        "level": "M0,2 H8 M0,6 H8",
        "upright": "M2,0 V8 M6,0 V8",
        "crossed": "M-2,10 L10,-2 M-2,-2 L10,10",
    }
    ground = el("rect", width=8, height=8, class_=f"{class_} ground")
    lines = el("path", d=paths[kind], class_=f"{class_} lines") if paths[kind] else None
    return el("pattern", ground, lines, id=key, width=8, height=8, patternUnits="userSpaceOnUse")


def axis(scale: Scale, top: float, bottom: float, right: float = RIGHT) -> list[Html]:
    """Upright hairlines from `top` to `bottom` with their values beneath."""
    drawn = []
    for tick in scale.ticks:
        x = across(scale.at(tick), right)
        drawn.append(line(x, top, x, bottom, "grid"))
        label = f"{tick:.{scale.digits}f}".replace("-", "−")
        drawn.append(text(x, bottom + 15, label, "tick", "middle"))
    return drawn
