"""Strict reading of a GGUF header, before any native code sees the file.

Every count, length and offset must lie within the file and within what a model can need, and what is decided on must be
of its type; anything else is an IntegrityError in words. Reads metadata and the table of tensors, never a weight, and
takes neither long nor much memory, whatever the file says. What the file is for, `kinds` says.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import IntegrityError

MAX_HEADER = 64 * 1024**2  # bytes; vocabularies of 262,144 words with their merges take about twenty megabytes
MAX_PAIRS = 2**14  # of key and value; models have some dozens
MAX_TENSORS = 2**17
MAX_TEXT = 16 * 1024**2  # bytes of all texts that are kept together; chat templates take some kilobytes
MAX_LISTED = 2**22  # texts in all lists together: words and merges
MAX_WORDS = 2**20  # in the vocabulary
MAX_DIMENSIONS = 4
_ARRAY, _STRING, _FLOAT, _INT = 9, 8, 6, 5
_BLOCK = 1024**2  # bytes read at a time
# GGUF value type: struct code of one value
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# ggml type: (values per block, bytes per block). A test holds this equal to what the pinned library says of its types.
_TENSOR_TYPES = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74),
    18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2),
    26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
    40: (64, 36), 41: (128, 18), 42: (64, 18),
}  # fmt: skip
# What is decided on, here and in the library: key -> type. "*" stands for the architecture. The library ends its
# process over some that are of another type or zero, so they are refused before it sees them.
_DECIDING: dict[str, type] = {
    **dict.fromkeys(("general.architecture", "general.type", "adapter.type"), str),
    **dict.fromkeys(("tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.chat_template"), str),
    **dict.fromkeys(("general.file_type", "general.alignment", "split.no", "split.count", "*.pooling_type"), int),
    "*.attention.causal": bool,
}
_AT_LEAST_ONE = ("*.block_count", "*.context_length", "*.embedding_length", "*.vocab_size")
_LISTS = {  # element types; each entry belongs to the word at its place, but for merges
    "tokenizer.ggml.tokens": (_STRING,),
    "tokenizer.ggml.scores": (_FLOAT,),
    "tokenizer.ggml.token_type": (4, _INT),
    "tokenizer.ggml.merges": (_STRING,),
}
_WORDS = "tokenizer.ggml.tokens"


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


def read_header(path: Path, called: str | None = None, size: int | None = None) -> Header:
    """The checked header of the GGUF file at `path`. IntegrityError when it is none, or lies about itself.

    `called`: what the file is named in the error's words; the last part of its path if not given. `size`: bytes that it
    will have, of a file that is still on its way and has MAX_HEADER bytes at least.
    """
    name = called or path.name
    try:
        with path.open("rb") as file:
            return _Reader(file, name, size).header()
    except OSError as error:
        raise IntegrityError(f"{name} cannot be read: {error.strerror}", _AGAIN) from error


def header_of(file: BinaryIO, name: str, size: int) -> Header:
    """As `read_header`, of the beginning of a file that will have `size` bytes."""
    return _Reader(file, name, size).header()


_AGAIN = "pluriverse verify; then pull it again, from another source if there is one"


class _Reader:
    def __init__(self, file: BinaryIO, name: str, size: int | None) -> None:
        self._file, self._name = file, name
        self._size = size or file.seek(0, 2)
        file.seek(0)
        self._data = bytearray()  # what was read so far; not mapped, for a file that shrinks would end this process
        self._at = 0
        self._kept = self._listed = 0

    def header(self) -> Header:
        if not self._size:
            raise IntegrityError(f"{self._name} is empty", _AGAIN)
        self._skip(min(4, self._size))
        if self._data[:4] != b"GGUF":
            raise self._bad(f"it does not begin with GGUF{_looks_like(bytes(self._data[:256]))}")
        version = self._number("I")
        if version not in (2, 3):
            turned = version in (2 << 24, 3 << 24)
            raise self._bad(
                "its bytes are in the order of big-endian machines"
                if turned
                else f"its version is {version}; 2 and 3 are known"
            )
        tensor_count, pair_count = self._number("Q"), self._number("Q")
        # The smallest pair has 13 bytes, the smallest tensor 24: a count that cannot fit is refused before any loop.
        if pair_count * 13 + tensor_count * 24 > self._size:
            raise self._bad(f"it claims {tensor_count:,} tensors and {pair_count:,} values, more than it could hold")
        if pair_count > MAX_PAIRS or tensor_count > MAX_TENSORS:
            raise self._bad(f"it has {tensor_count:,} tensors and {pair_count:,} values, more than any model needs")
        metadata = self._metadata(pair_count)
        metadata_end = self._at
        self._check_values(metadata)
        alignment: int = metadata.get("general.alignment", 32)
        if not 32 <= alignment <= 2**20 or alignment & (alignment - 1):
            raise self._bad(f"its alignment is {alignment}; it must be a power of two, and 32 at least")
        tensors = self._tensors(tensor_count)
        data_offset = -(-self._at // alignment) * alignment
        self._check_places(tensors, alignment, data_offset)
        return Header(version, metadata, tensors, alignment, data_offset, metadata_end)

    def _metadata(self, count: int) -> dict[str, Any]:
        metadata: dict[str, Any] = {}
        for _ in range(count):
            key = self._string(limit=65535)
            if not key or key in metadata:
                raise self._bad(f"the key {_short(key)} is empty or stands twice")
            metadata[key] = self._value(self._number("I"), key)
        return metadata

    def _check_values(self, metadata: Mapping[str, Any]) -> None:
        """What is decided on has its type, and counts that must be are at least one."""
        architecture = metadata.get("general.architecture", "")
        for pattern, wanted in [*_DECIDING.items(), *((each, int) for each in _AT_LEAST_ONE)]:
            key = pattern.replace("*", str(architecture))
            value = metadata.get(key)
            if value is not None and type(value) is not wanted:
                is_list = "a list" if isinstance(value, ArrayInfo) else _short(value)
                raise self._bad(f"{_short(key)} is {is_list}, not {_TYPES[wanted]}")
            if pattern in _AT_LEAST_ONE and isinstance(value, int) and not 1 <= value < 2**31:
                raise self._bad(f"{_short(key)} is {value:,}")
        words = metadata.get(_WORDS)
        for key, kinds in _LISTS.items():
            value = metadata.get(key)
            if value is None:
                continue
            if not isinstance(value, ArrayInfo) or value.type not in kinds:
                raise self._bad(f"{key} is not a list of the right type")
            if not key.endswith("merges") and isinstance(words, ArrayInfo) and value.count < words.count:
                raise self._bad(f"{key} has {value.count:,} entries for {words.count:,} words")

    def _value(self, kind: int, key: str) -> Any:
        if kind in _SCALARS:
            return self._number(_SCALARS[kind])
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            raise self._bad(f"it has a value of unknown type {kind}")
        kind, count = self._number("I"), self._number("Q")
        if kind == _STRING:
            self._skip_strings(count, distinct=key == _WORDS)
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
                raise self._bad(f"the tensor {_short(name)} stands twice or has {dimensions} dimensions")
            shape = tuple(self._number("Q") for _ in range(dimensions))
            kind, offset = self._number("I"), self._number("Q")
            tensors[name] = Tensor(name, shape, kind, offset, self._tensor_bytes(name, shape, kind))
        return tuple(tensors.values())

    def _tensor_bytes(self, name: str, shape: tuple[int, ...], kind: int) -> int:
        if kind not in _TENSOR_TYPES:
            raise self._bad(f"the tensor {_short(name)} is of unknown type {kind}")
        values = 1
        for length in shape:
            values *= length
        per_block, block_bytes = _TENSOR_TYPES[kind]
        if min(shape) == 0 or values >= 2**63 or shape[0] % per_block:
            raise self._bad(f"the tensor {_short(name)} has the impossible shape {shape}")
        return values // per_block * block_bytes

    def _check_places(self, tensors: tuple[Tensor, ...], alignment: int, data_offset: int) -> None:
        end = 0
        for tensor in sorted(tensors, key=lambda each: each.offset):
            if tensor.offset % alignment or tensor.offset < end:
                raise self._bad(f"the tensor {_short(tensor.name)} is misplaced or overlaps another")
            end = tensor.offset + tensor.bytes
            if data_offset + end > self._size:
                raise self._bad(f"the tensor {_short(tensor.name)} ends beyond the file, which may have been cut short")

    def _number(self, code: str) -> Any:
        size = struct.calcsize("<" + code)
        start = self._at
        self._skip(size)
        return struct.unpack_from("<" + code, self._data, start)[0]

    def _string(self, limit: int | None = None) -> str:
        length = self._number("Q")
        if limit is not None and length > limit:
            raise self._bad(f"a name in it has {length:,} bytes")
        self._kept += length
        if self._kept > MAX_TEXT and length <= self._size:
            raise self._bad(f"its texts have more than {MAX_TEXT:,} bytes, more than any model needs")
        start = self._at
        self._skip(length)
        try:
            return self._data[start : self._at].decode("utf-8")
        except UnicodeDecodeError:
            raise self._bad("a text in it is not UTF-8") from None

    def _skip(self, size: int) -> None:
        """Go on by `size` bytes, which are read; they must be there."""
        self._at += size
        if self._at > len(self._data):
            self._read(self._at)

    def _read(self, end: int) -> None:
        """Read on until there are `end` bytes, or more."""
        if end > self._size:
            raise self._bad("it ends in the middle of its header")
        if end > MAX_HEADER:
            raise self._bad(f"its header has more than {MAX_HEADER:,} bytes, more than any model needs")
        while len(self._data) < end:
            block = self._file.read(_BLOCK)
            if not block:
                raise self._bad("it became shorter while it was read")
            self._data += block

    def _skip_strings(self, count: int, distinct: bool) -> None:
        """Vocabularies have hundreds of thousands of strings: this loop is kept as tight as Python allows."""
        if count * 8 > self._size - self._at:
            raise self._bad(f"it claims a list of {count:,} texts, more than it could hold")
        self._listed += count
        if self._listed > MAX_LISTED or (distinct and count > MAX_WORDS):
            raise self._bad(f"it lists {count:,} texts, more than any model needs")
        unpack: Callable[..., tuple[int]] = struct.Struct("<Q").unpack_from
        data, at, end = self._data, self._at, len(self._data)
        words: set[int] = set()  # their hashes, which take less memory
        for _ in range(count):
            start = at + 8
            if start > end:
                self._read(start)
                end = len(data)
            at = start + unpack(data, at)[0]
            if distinct:
                if at > end:
                    self._read(at)
                    end = len(data)
                words.add(hash(bytes(data[start:at])))
        if distinct and len(words) != count:
            raise self._bad(f"its vocabulary has words that stand twice ({count - len(words):,})")
        self._at = at
        self._skip(0)

    def _bad(self, why: str) -> IntegrityError:
        return IntegrityError(f"{self._name} is not a sound GGUF file: {why}", _AGAIN)


_TYPES = {str: "a text", int: "a whole number", bool: "yes or no"}
# How files begin that are often found under the name of a model.
_BEGINNINGS = {
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"version https://git-lfs": "a pointer of Git LFS, not the file it points to",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"ggjt": "a model of an older format",
    b"tjgg": "a model of an older format",
}


def _looks_like(start: bytes) -> str:
    lower = start.lstrip().lower()
    for beginning, words in _BEGINNINGS.items():
        if lower.startswith(beginning.lower()):
            return f"; it is {words}"
    if start[8:10] in (b'{"', b"{}", b"{ "):
        return "; it is a safetensors file"
    return ""


def _short(value: object) -> str:
    """As a message may quote it: what a stranger's file says can be long, or not printable."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}...{text[-1]}"
