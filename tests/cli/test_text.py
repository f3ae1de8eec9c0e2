"""Text is made harmless, measured and wrapped the same whether it comes whole or in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluriverse.cli.terminal.text import Cleaner, Wrapper, cells, clean, duration, fit, one_line, size, wrap

HOSTILE = [
    ("\x1b[31mred\x1b[0m", "red"),
    ("\x1b]0;title\x07after", "after"),
    ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x1bPq#0;2;0\x1b\\sixel", "sixel"),
    ("a\x1b[2J\x1b[Hb", "ab"),
    ("bell\x07 back\x08 del\x7f nul\x00", "bell back del nul"),
    ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
    ("\x9b31mc1", "31mc1"),
    ("abc\u202edef\u2066ghi", "abcdefghi"),
    ("\ttab é 漢字 ❤", "\ttab é 漢字 ❤"),
]


@pytest.mark.parametrize(("text", "safe"), HOSTILE)
def test_clean(text: str, safe: str) -> None:
    assert clean(text) == safe


@pytest.mark.parametrize(("text", "safe"), HOSTILE)
def test_a_sequence_cut_between_chunks_is_removed_too(text: str, safe: str) -> None:
    cleaner = Cleaner()
    assert "".join(map(cleaner.feed, text)) + cleaner.end() == safe


@given(st.text(alphabet=st.sampled_from("ab \n\r\t\x1b[]0;m\x07\\\x9b漢e\u0301")))
def test_whatever_comes_nothing_moves_the_cursor(text: str) -> None:
    cleaner = Cleaner()
    streamed = "".join(map(cleaner.feed, text)) + cleaner.end()
    for shown in (clean(text), streamed):
        assert not set(shown) & set("\x1b\r\x07\x9b")


def test_an_endless_sequence_is_not_held_for_ever() -> None:
    cleaner = Cleaner()
    assert "x" * 50 in "".join(cleaner.feed(chunk) for chunk in ["\x1b]0;", *["x"] * 400])


@given(st.text(alphabet=st.sampled_from("abc  \n漢字e\u0301")), st.integers(2, 20), st.integers(1, 5))
def test_wrapping_a_stream_is_wrapping_the_whole(text: str, width: int, step: int) -> None:
    wrapper = Wrapper(width)
    for start in range(0, len(text), step):
        wrapper.feed(text[start : start + step])
        assert all(cells(line) <= width for line in wrapper.all())
    wrapper.end()
    assert wrapper.all() == wrap(text, width)
    assert "".join(wrapper.all()).replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_wrapping_keeps_words_indents_and_empty_lines() -> None:
    assert wrap("one two three\n\n  - four five", 9) == ["one two", "three", "", "  - four", "five"]
    assert wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert wrap("漢字漢字", 5) == ["漢字", "漢字"]


def test_fit_counts_cells() -> None:
    assert fit("漢字", 6) == "漢字  "
    assert fit("漢字漢字", 6) == "漢字… "
    assert fit("abc", 3) == "abc"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (98_362_432, "98.4 MB"), (4e12, "4.0 TB")],
)
def test_size(count: float, shown: str) -> None:
    assert size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (3.21, "3.2 s"), (59.7, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_duration(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_one_line() -> None:
    assert one_line("a\n  b\x1b[0m\tc") == "a b c"
