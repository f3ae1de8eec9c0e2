"""Strict reading of a GGUF header, before any native code sees the file.

Every count, length and offset must lie within the file; anything else is an IntegrityError in words. Reads metadata and
the table of tensors, never a weight. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import mmap
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import IntegrityError

MAX_HEADER = 512 * 1024**2  # bytes; the largest vocabularies take a few dozen megabytes
MAX_DIMENSIONS = 4
_ARRAY, _STRING = 9, 8
# GGUF value type: struct code of one value
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# ggml type: (values per block, bytes per block), from ggml/src/ggml.c; types that no file may hold are left out
_TENSOR_TYPES = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74),
    18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2),
    26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tensor:
    name: str
    shape: tuple[int, ...]
    type: int  # ggml type
    offset: int  # bytes from `Header.data_offset`
    bytes: int


@dataclass(frozen=True, slots=True)
class Header:
    """`metadata` holds scalars and strings; an array is shown by its length only (key -> ArrayInfo)."""

    version: int
    metadata: Mapping[str, Any]
    tensors: tuple[Tensor, ...]
    alignment: int
    data_offset: int
    metadata_end: int  # bytes from the file's beginning; tensors are listed from there on


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """An array in the metadata: its GGUF element type and how many there are. The elements are not kept."""

    type: int
    count: int


def read_header(path: Path) -> Header:
    """The checked header of the GGUF file at `path`. IntegrityError when it is none, or lies about itself."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(data, path.name).header()
    except ValueError:  # mmap of an empty file
        raise IntegrityError(f"{path.name} is empty", _AGAIN) from None
    except OSError as error:
        raise IntegrityError(f"{path.name} cannot be read: {error.strerror}", _AGAIN) from error


_AGAIN = "pluriverse verify; then pull it again, from another source if there is one"


class _Reader:
    def __init__(self, data: mmap.mmap, name: str) -> None:
        self._data, self._name = data, name
        self._size = len(data)
        self._end = min(self._size, MAX_HEADER)
        self._at = 0

    def header(self) -> Header:
        if self._data[:4] != b"GGUF":
            raise self._bad("it does not begin with GGUF")
        self._at = 4
        version = self._number("I")
        if version not in (2, 3):
            raise self._bad(f"its version is {version}; 2 and 3 are known")
        tensor_count, pair_count = self._number("Q"), self._number("Q")
        # The smallest pair has 13 bytes, the smallest tensor 24: a count that cannot fit is refused before any loop.
        if pair_count * 13 + tensor_count * 24 > self._size:
            raise self._bad(f"it claims {tensor_count:,} tensors and {pair_count:,} values, more than it could hold")
        metadata = self._metadata(pair_count)
        metadata_end = self._at
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 8 or alignment > 2**20 or alignment & (alignment - 1):
            raise self._bad(f"its alignment is {alignment!r}, not a power of two")
        tensors = self._tensors(tensor_count)
        data_offset = -(-self._at // alignment) * alignment
        self._check_places(tensors, alignment, data_offset)
        return Header(version, metadata, tensors, alignment, data_offset, metadata_end)

    def _metadata(self, count: int) -> dict[str, Any]:
        metadata: dict[str, Any] = {}
        for _ in range(count):
            key = self._string(limit=65535)
            if not key or key in metadata:
                raise self._bad(f"the key {key!r} is empty or stands twice")
            metadata[key] = self._value(self._number("I"))
        return metadata

    def _value(self, kind: int) -> Any:
        if kind in _SCALARS:
            return self._number(_SCALARS[kind])
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            raise self._bad(f"it has a value of unknown type {kind}")
        kind, count = self._number("I"), self._number("Q")
        if kind == _STRING:
            self._skip_strings(count)
        elif kind in _SCALARS:
            self._skip(count * struct.calcsize("<" + _SCALARS[kind]))
        else:
            raise self._bad(f"it has an array of type {kind}")
        return ArrayInfo(kind, count)

    def _tensors(self, count: int) -> tuple[Tensor, ...]:
        tensors: dict[str, Tensor] = {}
        for _ in range(count):
            name = self._string(limit=1024)
            dimensions = self._number("I")
            if name in tensors or not 1 <= dimensions <= MAX_DIMENSIONS:
                raise self._bad(f"the tensor {name!r} stands twice or has {dimensions} dimensions")
            shape = tuple(self._number("Q") for _ in range(dimensions))
            kind, offset = self._number("I"), self._number("Q")
            tensors[name] = Tensor(name, shape, kind, offset, self._tensor_bytes(name, shape, kind))
        return tuple(tensors.values())

    def _tensor_bytes(self, name: str, shape: tuple[int, ...], kind: int) -> int:
        if kind not in _TENSOR_TYPES:
            raise self._bad(f"the tensor {name!r} is of unknown type {kind}")
        values = 1
        for length in shape:
            values *= length
        per_block, block_bytes = _TENSOR_TYPES[kind]
        if min(shape) == 0 or values >= 2**63 or shape[0] % per_block:
            raise self._bad(f"the tensor {name!r} has the impossible shape {shape}")
        return values // per_block * block_bytes

    def _check_places(self, tensors: tuple[Tensor, ...], alignment: int, data_offset: int) -> None:
        end = 0
        for tensor in sorted(tensors, key=lambda each: each.offset):
            if tensor.offset % alignment or tensor.offset < end:
                raise self._bad(f"the tensor {tensor.name!r} is misplaced or overlaps another")
            end = tensor.offset + tensor.bytes
            if data_offset + end > self._size:
                raise self._bad(f"the tensor {tensor.name!r} ends beyond the file, which may have been cut short")

    def _number(self, code: str) -> Any:
        size = struct.calcsize("<" + code)
        start = self._at
        self._skip(size)
        return struct.unpack_from("<" + code, self._data, start)[0]

    def _string(self, limit: int | None = None) -> str:
        length = self._number("Q")
        if limit is not None and length > limit:
            raise self._bad(f"a name in it has {length:,} bytes")
        start = self._at
        self._skip(length)
        try:
            return str(self._data[start : self._at], "utf-8")
        except UnicodeDecodeError:
            raise self._bad("a text in it is not UTF-8") from None

    def _skip(self, size: int) -> None:
        if size > self._end - self._at:
            raise self._bad("it ends in the middle of its header")
        self._at += size

    def _skip_strings(self, count: int) -> None:
        """Vocabularies have hundreds of thousands of strings: this loop is kept as tight as Python allows."""
        if count * 8 > self._end - self._at:
            raise self._bad(f"it claims a list of {count:,} texts, more than it could hold")
        unpack: Callable[..., tuple[int]] = struct.Struct("<Q").unpack_from
        data, at, last = self._data, self._at, self._end - 8
        for _ in range(count):
            if at > last:
                raise self._bad("it ends in the middle of its header")
            at += 8 + unpack(data, at)[0]
        self._at = at
        self._skip(0)

    def _bad(self, why: str) -> IntegrityError:
        return IntegrityError(f"{self._name} is not a sound GGUF file: {why}", _AGAIN)
