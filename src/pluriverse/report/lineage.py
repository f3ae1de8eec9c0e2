"""Who was made from whom, as one SVG that needs nothing beside it: generations from left to right.

Knows names and ties between them; nothing of what stands behind a name.
"""

from collections.abc import Mapping, Sequence

from .markup import Html, el, joined

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _EDGE = 250, 40, 60, 14, 16
_LETTERS = 33  # that fit into a box
_STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: #1d1b18; }
.soft { font-size: 11px; fill: #5b574f; }
.ground { fill: #fdfcfa; }
.box { fill: #f4f2ed; stroke: #8b857a; }
.outside { fill: none; stroke: #8b857a; stroke-dasharray: 4 3; }
.chosen { stroke: #00609c; stroke-width: 2.5; }
.tie { fill: none; stroke: #8b857a; }
@media (prefers-color-scheme: dark) {
  text { fill: #ebe8e2; } .soft { fill: #aeaaa2; } .ground { fill: #16181b; } .box { fill: #1f2226; }
  .chosen { stroke: #74b9ec; }
}
"""


def lineage_svg(makers: Mapping[str, str], ties: Sequence[tuple[str, str, str]], chosen: str | None = None) -> Html:
    """`makers`: who made each known model. `ties`: (parent, child, relation); a model without any is not drawn, but for
    the one that was `chosen`. There must be no circle."""
    children: dict[str, list[str]] = {}
    for parent, child, _ in ties:
        children.setdefault(parent, []).append(child)
    made = {child for _, child, _ in ties}
    roots = sorted((parent for parent in children if parent not in made), key=str.casefold)
    places = _placed(roots or ([chosen] if chosen else []), children)
    width = _EDGE * 2 + (1 + max((column for column, _ in places.values()), default=0)) * (_WIDTH + _ACROSS) - _ACROSS
    height = _EDGE * 2 + (1 + max((row for _, row in places.values()), default=0)) * (_HEIGHT + _DOWN) - _DOWN
    relations = {(parent, child): relation for parent, child, relation in ties}
    return el(
        "svg",
        el("title", f"Lineage of {chosen}" if chosen else "Lineage of models"),
        el("desc", "; ".join(f"{child} from {parent}: {how}" for (parent, child), how in relations.items())),
        el("style", Html(_STYLE)),
        el("rect", width=width, height=height, class_="ground"),
        joined(_tie(places[parent], places[child], relation) for (parent, child), relation in relations.items()),
        joined(_box(name, place, makers.get(name), name == chosen) for name, place in places.items()),
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
    )


def _placed(roots: Sequence[str], children: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, int]]:
    """(column, row) of each: behind all its parents, on the row of its first child or one of its own."""
    columns: dict[str, int] = {}
    open_ = [(root, 0) for root in roots]
    while open_:
        name, column = open_.pop()
        if column >= columns.get(name, 0):
            columns[name] = column
            open_ += [(child, column + 1) for child in children.get(name, ())]
    rows: dict[str, int] = {}
    waiting, row = list(reversed(roots)), -1
    fresh = True
    while waiting:
        name = waiting.pop()
        if name in rows:
            fresh = True
            continue
        row += fresh
        rows[name] = row
        below = sorted((child for child in children.get(name, ()) if child not in rows), key=str.casefold)
        fresh = not below
        waiting += reversed(below)
    return {name: (columns[name], rows[name]) for name in rows}


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    return _EDGE + place[0] * (_WIDTH + _ACROSS), _EDGE + place[1] * (_HEIGHT + _DOWN)


def _box(name: str, place: tuple[int, int], maker: str | None, chosen: bool) -> Html:
    x, y = _corner(place)
    class_ = ("box" if maker else "outside") + (" chosen" if chosen else "")
    return joined(
        (
            el("rect", x=x, y=y, width=_WIDTH, height=_HEIGHT, rx=4, class_=class_),
            el("text", _cut(name), x=x + 10, y=y + 17),
            el("text", _cut(maker or "not in the catalogue"), x=x + 10, y=y + 32, class_="soft"),
        )
    )


def _tie(start: tuple[int, int], end: tuple[int, int], relation: str) -> Html:
    (x1, y1), (x2, y2) = _corner(start), _corner(end)
    x1, middle = x1 + _WIDTH, x1 + _WIDTH + _ACROSS // 2
    y1, y2 = y1 + _HEIGHT // 2, y2 + _HEIGHT // 2
    return el("path", el("title", relation), d=f"M{x1},{y1} C{middle},{y1} {middle},{y2} {x2},{y2}", class_="tie")


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"
