"""Models that lie split into several GGUF files, as llama.cpp's gguf-split leaves them, and the one file that they
become here: the first one's metadata, all tensors in order, their data.

One file has one digest, and all that reads models takes it as any other. Knows headers and bytes; fetches nothing.
"""

import struct
from collections.abc import Sequence
from dataclasses import replace

from ..errors import IntegrityError
from .gguf import Header, Tensor

_COUNT = "split.count"
_AGAIN = "look whether all its parts come from one place, and are of one model; then pull it again"
_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 10: 8, 11: 8}  # of GGUF's whole numbers


def check_piece(header: Header, called: str, number: int, of: int) -> None:
    """That it is part `number` (from 1) of `of`, as its name says. IntegrityError."""
    no, count = header.metadata.get("split.no"), header.metadata.get(_COUNT)
    if (no, count) != (number - 1, of):
        told = "no part of a model" if count is None or no is None else f"part {no + 1} of {count}"
        raise IntegrityError(f"{called} is, by its header, {told}", "give the file its own name again")


def combined(headers: Sequence[Header], called: str) -> Header:
    """The header of the file that the parts become. IntegrityError where they are not all of one model."""
    first = headers[0]
    tensors: dict[str, Tensor] = {}
    offset = listed = 0
    for header in headers:
        for tensor in header.tensors:
            if tensor.name in tensors:
                raise IntegrityError(f"two parts of {called} have the tensor {tensor.name[:60]!r}", _AGAIN)
            tensors[tensor.name] = replace(tensor, offset=offset)
            offset += _padded(tensor.bytes, first.alignment)
            listed += 8 + len(tensor.name.encode()) + 4 + 8 * len(tensor.shape) + 12
    meant = first.metadata.get("split.tensors.count", len(tensors))
    if meant != len(tensors):
        raise IntegrityError(f"the parts of {called} have {len(tensors):,} tensors together, not {meant:,}", _AGAIN)
    return Header(
        first.version,
        {key: value for key, value in first.metadata.items() if key != _COUNT},
        tuple(tensors.values()),
        first.alignment,
        _padded(first.metadata_end + listed, first.alignment),
        first.metadata_end,
    )


def head_of(header: Header, beginning: bytes) -> bytes:
    """All that comes before the data. `beginning`: of the first part, up to where its tensors are listed."""
    metadata = bytearray(beginning)
    struct.pack_into("<Q", metadata, 8, len(header.tensors))
    key = _COUNT.encode()
    place = metadata.find(struct.pack("<Q", len(key)) + key)
    if place >= 0:  # 0 parts: it is whole
        place += 8 + len(key)
        (kind,) = struct.unpack_from("<I", metadata, place)
        size = _BYTES[kind]
        metadata[place + 4 : place + 4 + size] = bytes(size)
    for tensor in header.tensors:
        name = tensor.name.encode()
        shape = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
        metadata += struct.pack("<Q", len(name)) + name + shape + struct.pack("<IQ", tensor.type, tensor.offset)
    return bytes(metadata.ljust(header.data_offset, b"\0"))


def data_bytes(header: Header, alignment: int | None = None) -> int:
    """Of all tensors, each up to where the next may begin."""
    return sum(_padded(tensor.bytes, alignment or header.alignment) for tensor in header.tensors)


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
