"""Tables that fit a terminal. Names and figures are never cut: other text gives way first, then a row takes two lines.

Pure functions over strings, measured in cells; knows no colours and no streams.
"""

import re
from collections.abc import Collection, Sequence
from itertools import zip_longest

from .text import cells, fit, one_line, wrap

Cell = str | tuple[str, ...]
"""A text, or a list of names, which is shortened by whole names."""

_FIGURE = re.compile(r"(?:[-+(\[*]*\d.{0,27}|[-*]?)", re.DOTALL)  # numbers, intervals, dates, sizes; nothing; a dash
_LEAST = 8  # cells that a text keeps
_READABLE = 24  # cells that it keeps as long as there are spare columns
_GAP = "  "
_INDENT = "  "


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    width: int | None = None,
    *,
    whole: Collection[str] = (),
    spare: Sequence[str] = (),
    wrapped: Collection[str] = (),
) -> tuple[list[str], list[str]]:
    """The lines of the heads and those of the rows, two spaces between columns.

    Where a `width` is given that is too little, columns called `spare` are left out, the first one first, while texts
    would become hard to read; then text is cut, the longest first; never the first column, those called `whole`, or
    figures. Where that is not enough the columns of a row are spread over several lines. Text of columns called
    `wrapped` is never cut: it goes on below itself.
    """
    shown = [[_clean(cell) for cell in row] for row in (heads, *rows)]
    columns = list(zip(*shown, strict=True))
    natural = [max(cells(_text(cell)) for cell in column) for column in columns]
    least = [
        size if place == 0 or heads[place] in whole else _least(columns[place], size)
        for place, size in enumerate(natural)
    ]
    places = list(range(len(heads)))
    if width is None:
        groups, sizes = [places], natural
    else:
        empty = [head for head, (_, *others) in zip(heads, columns, strict=True) if not any(others)]
        for head in (*empty, *spare):
            readable = [min(natural[place], max(least[place], _READABLE)) for place in places]
            if head and head in heads and places[1:] and _total(readable) > width:
                places = [place for place in places if heads[place] != head]
        groups, sizes = [places], _narrowed(natural, least, width, places)
        if _total([sizes[place] for place in places]) > width:
            groups, sizes = _groups(least, width, places), natural
            for group in groups:
                sizes = _narrowed(sizes, least, width, group)
    long = {place for place, head in enumerate(heads) if head in wrapped}
    head_lines, *body = [_lines(row, sizes, groups, long) for row in shown]
    return head_lines, [line for lines in body for line in lines if line.strip()]


def _clean(cell: Cell) -> Cell:
    return tuple(map(one_line, cell)) if isinstance(cell, tuple) else one_line(cell)


def _text(cell: Cell) -> str:
    return ", ".join(cell) if isinstance(cell, tuple) else cell


def _least(column: Sequence[Cell], natural: int) -> int:
    """To how many cells a column may be cut."""
    head, *cells_ = column
    if all(isinstance(cell, str) and _FIGURE.fullmatch(cell) for cell in cells_):
        return natural
    names = [cells(_names(cell, 0)) for cell in cells_ if isinstance(cell, tuple)]
    return min(natural, max([cells(_text(head)), _LEAST, *names]))


def _names(names: tuple[str, ...], width: int) -> str:
    """As many whole names as fit, one at least, and how many more there are."""
    for count in range(len(names), 1, -1):
        more = f" +{len(names) - count}" if count < len(names) else ""
        text = ", ".join(names[:count]) + more
        if cells(text) <= width:
            return text
    return f"{names[0]} +{len(names) - 1}" if len(names) > 1 else _text(names)


def _total(sizes: Sequence[int]) -> int:
    return sum(sizes) + len(_GAP) * (len(sizes) - 1)


def _narrowed(sizes: Sequence[int], least: Sequence[int], width: int, group: Sequence[int]) -> list[int]:
    """Sizes with those of the `group` cut until it fits `width`, the longest first, or until no more can be cut."""
    narrowed = list(sizes)
    while _total([narrowed[place] for place in group]) > width - (len(_INDENT) if group[0] else 0):
        able = [place for place in group if narrowed[place] > least[place]]
        if not able:
            break
        narrowed[max(able, key=lambda place: narrowed[place])] -= 1
    return narrowed


def _groups(least: Sequence[int], width: int, places: Sequence[int]) -> list[list[int]]:
    """Which columns share a line, in order."""
    groups = [[places[0]]]
    for place in places[1:]:
        room = width - (len(_INDENT) if groups[-1][0] else 0)
        if _total([least[each] for each in (*groups[-1], place)]) <= room:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _lines(
    row: Sequence[Cell], sizes: Sequence[int], groups: Sequence[Sequence[int]], long: Collection[int]
) -> list[str]:
    lines = []
    for group in groups:
        columns = [
            wrap(_text(row[place]), sizes[place]) if place in long else [_fitted(row[place], sizes[place])]
            for place in group
        ]
        for parts in zip_longest(*columns, fillvalue=""):
            padded = [fit(part, sizes[place]) for part, place in zip(parts, group, strict=True)]
            lines.append(((_INDENT if group[0] else "") + _GAP.join(padded)).rstrip())
    return lines


def _fitted(cell: Cell, width: int) -> str:
    return fit(_names(cell, width) if isinstance(cell, tuple) and cell else _text(cell), width)
