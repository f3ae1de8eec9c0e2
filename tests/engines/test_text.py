"""Whole characters, and nothing of a stop string, however the bytes are cut into tokens."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pluriverse.engines.text import TextStream

PIECES = st.text(alphabet="ab<é你🌍", max_size=30)
STOPS = st.lists(st.text(alphabet="ab<é", min_size=1, max_size=4), max_size=3).map(tuple)


def fed(data: bytes, cuts: list[int], stop: tuple[str, ...]) -> tuple[list[str], TextStream]:
    stream = TextStream(stop)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    shown = [stream.push(data[low:high]) for low, high in itertools.pairwise(edges)]
    return [*shown, stream.finish()], stream


def expected(text: str, stop: tuple[str, ...]) -> str:
    """A stop string counts when its last character arrives; the first to be whole wins, the longest of those."""
    for length in range(len(text) + 1):
        starts = [length - len(s) for s in stop if text[:length].endswith(s)]
        if starts:
            return text[: min(starts)]
    return text


@given(PIECES, st.lists(st.integers(0, 200), max_size=60), STOPS)
def test_any_cut_says_the_same(text: str, cuts: list[int], stop: tuple[str, ...]) -> None:
    bytewise = list(range(len(text.encode())))
    shown, stream = fed(text.encode(), bytewise, stop)
    assert "".join(shown) == expected(text, stop)
    assert stream.stopped == (expected(text, stop) != text or any(s in text for s in stop))


@given(PIECES, st.lists(st.integers(0, 200), max_size=60))
def test_without_stops_nothing_is_lost_or_changed(text: str, cuts: list[int]) -> None:
    shown, _ = fed(text.encode(), cuts, ())
    assert "".join(shown) == text
    assert all("�" not in piece for piece in shown)


@given(PIECES, st.lists(st.integers(0, 200), max_size=60), STOPS)
def test_no_stop_string_is_ever_shown(text: str, cuts: list[int], stop: tuple[str, ...]) -> None:
    shown, stream = fed(text.encode(), cuts, stop)
    assert all(s not in "".join(shown) for s in stop)
    assert stream.push(b"more") == "" if stream.stopped else True


def test_broken_bytes_are_marked_not_lost() -> None:
    shown, _ = fed(b"a\xffb\xe4\xbd", [1, 2], ())
    assert "".join(shown) == "a�b�"


def test_text_is_held_only_while_it_may_become_a_stop() -> None:
    stream = TextStream(("###",))
    assert [stream.push(part) for part in (b"x#", b"#", b"y#")] == ["x", "", "##y"]
    assert stream.finish() == "#"
