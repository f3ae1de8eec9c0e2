"""Tables at any width: names and figures stay whole, other text gives way first."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluriverse.cli.terminal.tables import Cell, table
from pluriverse.cli.terminal.text import cells

from .conftest import Call, Terminal

WIDE = "漢字の名前がとても長い助手"


def test_text_is_cut_before_names() -> None:
    head, rows = table(("NAME", "TITLE"), [("a", "x" * 100), ("long-name", "y\n\x1b[31mz")], 40)
    assert head == ["NAME       TITLE"]
    assert rows[1] == "long-name  y z"
    assert all(cells(line) <= 40 for line in rows) and rows[0].endswith("…")
    assert "x" * 100 in table(("NAME", "TITLE"), [("a", "x" * 100)])[1][0]


def test_a_row_takes_two_lines_where_names_and_figures_need_them() -> None:
    name = "a" * 30
    head, rows = table(("NAME", "METRIC", "VALUE", "95 %"), [(name, "share", "0.656", "0.503 to 0.775")], 46)
    assert head == ["NAME                            METRIC  VALUE", "  95 %"]
    assert rows == [f"{name}  share   0.656", "  0.503 to 0.775"]


def test_spare_columns_go_first() -> None:
    row = ("name", "Apache-2.0, with a scale", "what it is, in many words")
    head, rows = table(("NAME", "LICENCE", "WHAT"), [row], 40, spare=("LICENCE",))
    assert head == ["NAME  WHAT"] and rows == ["name  what it is, in many words"]
    assert "LICENCE" in table(("NAME", "LICENCE", "WHAT"), [row], 80, spare=("LICENCE",))[0][0]


def test_lists_of_names_are_shortened_by_whole_names() -> None:
    members = ("progressive", "conservative", "duty", "outcomes")
    for width, shown in ((60, ", ".join(members)), (35, "progressive, conservative +2"), (20, "progressive +3")):
        assert table(("P", "MEMBERS"), [("p", members)], width)[1] == [f"p  {shown}"]
    assert table(("P", "MEMBERS"), [("p", ())], 20)[1] == ["p"]


NAMES = st.text(alphabet="abc-漢", min_size=1, max_size=64)
TEXTS = st.text(alphabet="abc déf 漢字", max_size=80)
FIGURES = st.sampled_from(["0.656", "-0.046 to 0.297", "98.4 MB", "-", "", "82.03 (81.0 to 83.0)", "2026-01-02 03:04"])
LISTS = st.lists(NAMES, max_size=4).map(tuple)
ROWS = st.lists(st.tuples(NAMES, TEXTS, FIGURES, NAMES, LISTS, TEXTS), min_size=1, max_size=5)


@given(ROWS, st.integers(20, 140))
def test_names_and_figures_are_never_cut(
    rows: list[tuple[str, str, str, str, tuple[str, ...], str]], width: int
) -> None:
    heads = ("NAME", "TEXT", "FIGURE", "OTHER", "LIST", "SPARE")
    given_rows: list[tuple[Cell, ...]] = list(rows)
    head, body = table(heads, given_rows, width, whole=("OTHER",), spare=("SPARE",))
    shown = "\n".join(body)
    for name, _, figure, other, names, _ in rows:
        assert name in shown and figure in shown and other in shown
        assert not names or names[0] in shown
    parts = [part for row in rows for part in (row[0], row[2], row[3], *row[4])]
    longest = max(map(cells, parts)) + 6
    assert all(cells(line) <= max(width, longest) for line in (*head, *body))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_screen_cuts_a_name_or_runs_over(call: Call, terminal: type[Terminal], width: int) -> None:
    long, panel = "an-assistant-with-a-long-name", "a-panel-with-a-long-name"
    members = f"{long},history-from-below,history-of-states"
    call("new", long, "--system", "x", "--title", WIDE * 4, "--language", "ja", "--outlook", "culture: far away")
    call("panel", "new", panel, members, "--title", WIDE)
    call("ask", WIDE * 3, "--with", members)
    for words, names in (
        (["ls"], [long, panel, "history-from-below"]),
        (["panel", "ls"], [panel]),
        (["panel", "show", panel], [long, "history-from-below"]),
        (["catalogue"], ["smollm2-135m-instruct", "llama-3.1-nemotron-70b-instruct"]),
        (["history"], [long]),
        (["measure"], ["persona-politics-free", "remarks-politics"]),
        (["leaderboard", "--limit", "3"], ["Mixtral-8x22B-Instruct-v0.1", "82.03"]),
    ):
        shown = terminal(*words, width=width)
        assert shown.end() == 0
        lines = re.sub(r"\x1b\[\d*m", "", shown.screen).splitlines()
        assert all(any(name in line for line in lines) for name in names), (words, shown.screen)
        assert all(cells(line) <= width for line in lines if "…" in line or WIDE[:3] in line), (words, shown.screen)


def test_wrapped_text_goes_on_below_itself() -> None:
    title = "ARC-Challenge: science questions of school examinations"
    head, rows = table(("NAME", "WHAT IT IS"), [("arc", title), ("b", "short")], 40, wrapped=("WHAT IT IS",))
    assert head == ["NAME  WHAT IT IS"]
    assert rows == ["arc   ARC-Challenge: science questions", "      of school examinations", "b     short"]
