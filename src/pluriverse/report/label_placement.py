"""Where the names of points go so that they do not cover each other. Knows boxes; draws nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_RINGS = (9.0, 17.0, 27.0, 40.0, 56.0, 74.0, 94.0)  # how far a name may stand from its point
_DEGREES = (0, 180, 90, 270, 45, 315, 135, 225, 20, 340, 160, 200, 65, 295, 115, 245)
_ANGLES = tuple(math.radians(angle) for angle in _DEGREES)
_GAP = 1.5
_STEP = 4.0
_MESS = 100.0  # a name on another is worse than any crossing of a line


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "Box") -> float:
        """The area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    def within(self, other: "Box") -> bool:
        return (
            self.left >= other.left and self.right <= other.right
            and self.top >= other.top and self.bottom <= other.bottom
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Name:
    """A point and the size of its name. One that `must` be shown takes the place of least overlap if none is free."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    must: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """The middle of the name, and where on its edge a line to its point ends. `away`: so far off that one is needed."""

    x: float
    y: float
    edge: tuple[float, float]
    away: bool


def placed(names: Sequence[Name], frame: Box, kept_free: Sequence[Box] = ()) -> list[Placed | None]:
    """A place for each in turn, those that must be shown first; None where there is no room. Points, lines that join
    names with them, and what is `kept_free` are not covered either."""
    taken = [around(each.x, each.y, each.radius) for each in names] + list(kept_free)
    found: list[Placed | None] = [None] * len(names)
    for index in sorted(range(len(names)), key=lambda place: not names[place].must):
        best = _best(names[index], taken, frame)
        if best is None:
            continue
        found[index], box = best
        taken.append(box)
        if best[0].away:
            taken += _leader(names[index], best[0])
    return found


def _best(name: Name, taken: Sequence[Box], frame: Box) -> tuple[Placed, Box] | None:
    rings = _RINGS if name.must else _RINGS[:2]
    least: tuple[float, Placed, Box] | None = None
    for ring in rings:
        for angle in _ANGLES:
            x, y = _centre(name, ring, angle)
            across, up = name.width / 2 + _GAP, name.height / 2 + _GAP
            box = Box(x - across, y - up, x + across, y + up)
            if not box.within(frame):
                continue
            place = Placed(x, y, _edge(name, x, y), ring > _RINGS[1])
            lines = _leader(name, place) if place.away else []
            cost = sum(box.overlap(each) for each in taken)
            cost += sum(piece.overlap(each) for piece in lines for each in taken) if cost == 0 else _MESS
            if least is None or cost < least[0]:
                least = cost, place, box
            if cost == 0:
                return least[1], least[2]
    return (least[1], least[2]) if least and name.must else None


def around(x: float, y: float, radius: float) -> Box:
    return Box(x - radius, y - radius, x + radius, y + radius)


def along(x1: float, y1: float, x2: float, y2: float) -> list[Box]:
    """Small boxes along a line."""
    steps = max(2, int(math.hypot(x2 - x1, y2 - y1) / _STEP))
    return [around(x1 + (x2 - x1) * i / steps, y1 + (y2 - y1) * i / steps, 1.0) for i in range(steps + 1)]


def _leader(name: Name, place: Placed) -> list[Box]:
    """The line to a name that stands away, without its start in the point itself."""
    return along(name.x, name.y, *place.edge)[3:]


def _edge(name: Name, x: float, y: float) -> tuple[float, float]:
    """Where the line from the point to the middle of its name meets the name."""
    far = max(abs(name.x - x) / (name.width / 2 + _GAP), abs(name.y - y) / (name.height / 2 + _GAP), 1.0)
    return x + (name.x - x) / far, y + (name.y - y) / far


def _centre(name: Name, ring: float, angle: float) -> tuple[float, float]:
    """The middle of a name whose nearest edge is `ring` from the point, in the direction of `angle`."""
    across, up = math.cos(angle), math.sin(angle)
    return name.x + ring * across + name.width / 2 * across, name.y - ring * up - name.height / 2 * up
