"""Pictures by their headers: what is taken, and what is refused in which words."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluriverse.engines.local.pixels import Pixels, turned
from pluriverse.errors import NotFoundError, UsageError
from pluriverse.pictures import MOST_BYTES, picture, read, taken, turn_of

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + b"\x08\x02\0\0\0"
GIF = b"GIF89a" + struct.pack("<HH", 640, 480)
BMP = b"BM" + bytes(16) + struct.pack("<ii", 640, -480)
TABLES = b"\xff\xdb" + struct.pack(">H", 67) + bytes(65)
JPEG = (
    b"\xff\xd8\xff\xe0"
    + struct.pack(">H", 4)
    + b"ab"
    + TABLES
    + b"\xff\xff\xc2"
    + struct.pack(">HBHH", 17, 8, 480, 640)
)
KINDS = {"png": PNG, "gif": GIF, "bmp": BMP, "jpeg": JPEG}


@pytest.mark.parametrize("kind", KINDS)
def test_a_header_says_what_it_is(kind: str) -> None:
    found = picture(KINDS[kind])
    assert (found.format, found.width, found.height) == (kind, 640, 480)
    assert found.as_dict()["bytes"] == len(KINDS[kind])
    assert found == picture(KINDS[kind]) != picture(KINDS[kind] + b"more")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"RIFF1234WEBPVP8 ", "WebP"),
        (b"\0\0\0\x1cftypheic", "HEIC or AVIF"),
        (b"<svg xmlns=", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"GGUF", "no picture"),
        (PNG[:20], "cut short"),
        (JPEG[:-6], "cut short"),
        (b"\xff\xd8\xff" + b"\xff" * 40, "cut short"),
        (PNG.replace(struct.pack(">II", 640, 480), struct.pack(">II", 0, 480)), "cut short"),
        (PNG.replace(struct.pack(">II", 640, 480), struct.pack(">II", 30_000, 30_000)), "million pixels"),
        (PNG.replace(struct.pack(">II", 640, 480), struct.pack(">II", 15_000, 20)), "a strip"),
        (PNG + bytes(MOST_BYTES), "larger than"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_next_step(data: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        picture(data, "a.png")
    assert "a.png" in refused.value.message
    assert refused.value.hint


def exif(turn: int, order: str = "<") -> bytes:
    """The segment in which a camera notes how it was held."""
    entries = [(0x010F, 2, 4, 0), (0x0112, 3, 1, turn)]
    told = struct.pack(f"{order}HIH", 42, 8, len(entries))
    told += b"".join(struct.pack(f"{order}HHIHxx", *each) for each in entries)
    body = b"Exif\0\0" + (b"II" if order == "<" else b"MM") + told + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


@pytest.mark.parametrize("order", ["<", ">"])
def test_how_a_camera_was_held_is_read(order: str) -> None:
    held = [turn_of(JPEG[:2] + exif(turn, order) + JPEG[2:]) for turn in range(10)]
    assert held == [1, 1, 2, 3, 4, 5, 6, 7, 8, 1]
    assert [turn_of(each) for each in (*KINDS.values(), b"")] == [1] * 5
    assert (found := picture(JPEG[:2] + exif(6) + JPEG[2:])).width == 640 and found.format == "jpeg"


def test_a_picture_is_turned_upright() -> None:
    """By what each orientation says of the stored rows and columns: where its first row and first column are seen."""
    stored = np.arange(6, dtype=np.uint8).reshape(2, 3)
    seen = {
        1: stored,
        2: stored[:, ::-1],  # first row at the top, first column at the right
        3: stored[::-1, ::-1],  # bottom, right
        4: stored[::-1],  # bottom, left
        5: stored.T,  # left, top
        6: np.rot90(stored, -1),  # right, top: turned clockwise
        7: stored[::-1, ::-1].T,  # right, bottom
        8: np.rot90(stored),  # left, bottom
    }
    pixels = Pixels(3, 2, stored.repeat(3).tobytes())
    for turn, rows in seen.items():
        found = turned(pixels, turn)
        assert (found.height, found.width) == rows.shape
        assert found.data == np.ascontiguousarray(rows).repeat(3).tobytes(), turn


@given(st.binary(max_size=64), st.sampled_from(sorted(KINDS)))
def test_no_bytes_break_it(data: bytes, kind: str) -> None:
    for each in (data, KINDS[kind][: len(data)] + data, b"\xff\xd8" + exif(6)[: len(data)] + data):
        assert 1 <= turn_of(each) <= 8
        try:
            picture(each)
        except UsageError:
            continue


def test_paths_and_bytes_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "a picture.png"
    path.write_bytes(PNG)
    assert taken(PNG) == taken(path) == taken(str(path)) == taken([read(path)])
    assert taken(()) == ()


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no file"):
        read(tmp_path / "nothing.png")
    with pytest.raises(UsageError, match="is no file"):
        read(tmp_path)
