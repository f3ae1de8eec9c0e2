"""A picture's pixels, decoded by the library's `stb_image` in a process of its own, with limits on memory and time.

A picture may come from anybody. What it does to the decoder ends that process and one request, and nothing else.

    python -m pluriverse.engines.local.pixels    the picture on stdin -> a line of JSON and the pixels on stdout
"""

import ctypes as c
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass

from ... import children
from ...errors import UsageError
from ...pictures import LONGEST_SIDE, MOST_PIXELS, turn_of
from ...values import Picture

_SECONDS = 20
_MEMORY = 2 * 1024**3  # bytes of address space
CHANNELS = 3
_OTHER = "save it anew as PNG or JPEG, and ask with that"


@dataclass(frozen=True, slots=True)
class Pixels:
    """8-bit RGB, row by row."""

    width: int
    height: int
    data: bytes


async def pixels_of(picture: Picture) -> Pixels:
    """Decode it, and turn it upright where a camera noted how it was held. UsageError for one that cannot be decoded,
    or not within the limits."""
    import asyncio

    process = await children.start(children.python("pluriverse.engines.local.pixels"), speaks=True)
    try:
        said, _ = await asyncio.wait_for(process.communicate(picture.data), 2 * _SECONDS)
    except TimeoutError:
        said = b""
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    head, _, data = said.partition(b"\n")
    answer = json.loads(head) if head else {"error": "it ends the process that reads it"}
    if "error" in answer:
        raise UsageError(f"the {picture.format} picture cannot be read: {answer['error']}", _OTHER)
    if (answer["width"], answer["height"]) != (picture.width, picture.height):
        raise UsageError(f"the {picture.format} picture has another size than its header says", _OTHER)
    return turned(Pixels(picture.width, picture.height, data), turn_of(picture.data))


def turned(pixels: Pixels, turn: int) -> Pixels:
    """Upright, of a picture with that orientation of Exif: 1 to 8."""
    if turn == 1:
        return pixels
    import numpy as np

    rows = np.frombuffer(pixels.data, np.uint8).reshape(pixels.height, pixels.width, CHANNELS)
    if turn >= 5:  # what is stored as a row is seen as a column
        rows = rows.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        rows = rows[::-1]
    if turn in (2, 3, 6, 7):
        rows = rows[:, ::-1]
    height, width, _ = rows.shape
    return Pixels(width, height, rows.tobytes())


def _decoded(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and pixels. ValueError with the library's reason."""
    from .library import find

    library = c.CDLL(str(find()))
    _limit()
    load, free, reason = library.stbi_load_from_memory, library.stbi_image_free, library.stbi_failure_reason
    load.restype, free.restype, reason.restype = c.c_void_p, None, c.c_char_p
    load.argtypes = [c.c_char_p, c.c_int, *[c.POINTER(c.c_int)] * 3, c.c_int]
    free.argtypes = [c.c_void_p]
    width, height, channels = c.c_int(), c.c_int(), c.c_int()
    found = load(data, len(data), c.byref(width), c.byref(height), c.byref(channels), CHANNELS)
    if not found:
        raise ValueError((reason() or b"no reason given").decode("utf-8", "replace"))
    if width.value * height.value > MOST_PIXELS or max(width.value, height.value) > LONGEST_SIDE:
        raise ValueError("it has too many pixels")
    try:
        return width.value, height.value, c.string_at(found, width.value * height.value * CHANNELS)
    finally:
        free(found)


def _limit() -> None:
    with suppress(ImportError, OSError, ValueError):  # not on Windows; not all on macOS
        import resource

        for kind, most in (("CPU", _SECONDS), ("AS", _MEMORY), ("CORE", 0), ("FSIZE", 0), ("NOFILE", 0)):
            number = getattr(resource, f"RLIMIT_{kind}")
            hard = resource.getrlimit(number)[1]
            resource.setrlimit(number, (most if hard < 0 else min(most, hard), hard))


def main() -> None:
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # native code may print
    data = sys.stdin.buffer.read()
    try:
        width, height, pixels = _decoded(data)
        out.write(json.dumps({"width": width, "height": height}).encode() + b"\n")
        out.write(pixels)
    except (ValueError, MemoryError) as error:
        out.write(json.dumps({"error": str(error) or "it takes too much memory"}).encode() + b"\n")
    out.close()


if __name__ == "__main__":
    main()
