"""Pictures that somebody asks about: read from files, and checked by their headers before anything decodes them.

Knows the first bytes of four formats, which are those that the engine's library reads and people have. What a header
says is believed by nobody who decodes: that happens in a process with limits (`engines.local.pixels`).
"""

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from .errors import NotFoundError, UsageError
from .values import Digest, Picture

MOST_BYTES = 32 * 1024**2
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 20_000  # pixels
NARROWEST = 100  # times that one side may be as long as the other: models cut longer strips apart into nothing
MOST_PICTURES = 8  # in one question

_OTHERS = {
    b"RIFF": "a WebP picture",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
    b"%PDF": "a PDF document",
    b"<svg": "an SVG drawing",
    b"<?xm": "an SVG drawing or another XML file",
}
_SAVE = "save it as PNG or JPEG, and ask again"


Shown = Picture | bytes | str | Path
"""A picture, or its file's bytes, or the path of its file."""


def taken(given: Shown | Iterable[Shown]) -> tuple[Picture, ...]:
    """Pictures of what a program hands over, one or several. Raises as `read`."""
    if isinstance(given, Picture | bytes | str | Path):
        given = (given,)
    return tuple(
        each if isinstance(each, Picture) else picture(each) if isinstance(each, bytes) else read(Path(each))
        for each in given
    )


def read(path: Path) -> Picture:
    """The picture in a file. NotFoundError where there is none, UsageError for what is no picture that can be shown."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file", "name the file of a picture")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}", "look whether the path is right") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    return picture(data, str(path))


def picture(data: bytes, called: str = "the picture") -> Picture:
    """A picture of its file's bytes; messages call it `called`. UsageError as `read`."""
    if not data:
        raise UsageError(f"{called} is empty", "take another file")
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"{called} is larger than {MOST_BYTES // 1024**2} MB", "save a smaller copy, and ask with that"
        )
    try:
        found = _header(data)
    except (struct.error, IndexError):
        raise UsageError(f"{called} is cut short or broken", "take another copy of it") from None
    if found is None:
        what = next((name for start, name in _OTHERS.items() if data.startswith(start)), "no picture")
        what = "an HEIC or AVIF picture" if data[4:8] == b"ftyp" else what
        raise UsageError(f"{called} is {what}; models here see PNG, JPEG, GIF and BMP", _SAVE)
    form, width, height = found
    if width < 1 or height < 1:
        raise UsageError(f"{called} is cut short or broken", "take another copy of it")
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        most = f"{MOST_PIXELS // 1_000_000} million pixels and {LONGEST_SIDE:,} on a side"
        raise UsageError(f"{called} has {width:,} x {height:,} pixels; the most is {most}", "save a smaller copy")
    if max(width, height) > NARROWEST * min(width, height):
        raise UsageError(
            f"{called} is a strip of {width:,} x {height:,} pixels, too narrow to be seen", "cut a piece out"
        )
    return Picture(Digest("sha256:" + sha256(data).hexdigest()), form, width, height, data)


def _header(data: bytes) -> tuple[str, int, int] | None:
    """Format, width and height in pixels; None for another format. struct.error or IndexError where it is cut short."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", *struct.unpack_from(">II", data, 16)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif", *struct.unpack_from("<HH", data, 6)
    if data.startswith(b"BM"):
        width, height = struct.unpack_from("<ii", data, 18)
        return "bmp", width, abs(height)  # below zero: the rows stand from top to bottom
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg", *_jpeg(data)
    return None


def turn_of(data: bytes) -> int:
    """How a camera was held, as it notes it in a JPEG file: orientation 1 (upright) to 8 of Exif; 1 where that is not
    known."""
    with suppress(struct.error, IndexError):
        for marker, at in _segments(data) if data.startswith(b"\xff\xd8\xff") else ():
            if marker == 0xDA:  # the picture itself begins
                break
            if marker == 0xE1 and data.startswith(b"Exif\0\0", at):
                return _orientation(data, at + 6)
    return 1


def _orientation(data: bytes, start: int) -> int:
    """Tag 0x0112 of the TIFF directory whose header lies at `start`."""
    order = "<" if data.startswith(b"II", start) else ">"
    (directory,) = struct.unpack_from(f"{order}I", data, start + 4)
    (entries,) = struct.unpack_from(f"{order}H", data, start + directory)
    for number in range(entries):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", data, start + directory + 2 + 12 * number)
        if (tag, kind) == (0x0112, 3):
            return value if 1 <= value <= 8 else 1
    return 1


def _jpeg(data: bytes) -> tuple[int, int]:
    """Width and height by the first frame header: marker C0 to CF, but for tables (C4), an extension (C8) and
    arithmetic coding's conditions (CC)."""
    for marker, at in _segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 1)
            return width, height
    raise IndexError


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Marker and place of what stands in a JPEG file. IndexError or struct.error where it is cut short."""
    at = 2
    while True:
        while data[at] != 0xFF:
            at += 1
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # without a body
            continue
        (length,) = struct.unpack_from(">H", data, at)
        yield marker, at + 2
        at += max(length, 2)
