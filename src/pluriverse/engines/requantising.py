"""A copy of a GGUF file with its matrices in another format. Metadata and names stay byte for byte.

The numbers are those of the package gguf, which the makers of llama.cpp keep; the file's frame is written here. Knows
files and formats; runs no model.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..errors import EngineError, UnsupportedError, UsageError
from ..store.gguf import Header, Tensor, read_header

if TYPE_CHECKING:
    import numpy as np
    from gguf import GGMLQuantizationType
    from numpy.typing import NDArray

# name: (ggml type, general.file_type); ggml/include/ggml.h and include/llama.h of llama.cpp
FORMATS = {"F32": (0, 0), "F16": (1, 1), "BF16": (30, 32), "Q4_0": (2, 2), "Q5_0": (6, 8), "Q8_0": (8, 7)}
_F32, _Q8_0 = 0, 8
_FINE = ("Q4_0", "Q5_0")  # with these the vocabulary's matrices are kept in Q8_0: they decide most of what is lost
_VOCABULARY = ("token_embd.weight", "output.weight", "per_layer_token_embd.weight")
# Small or delicate matrices that llama.cpp's own quantiser leaves alone too (src/llama-quant.cpp).
_LEFT = ("_norm.weight", "ffn_gate_inp.weight", "position_embd.weight", "token_types.weight", "ssm_conv1d.weight")


@dataclass(frozen=True, slots=True)
class Requantised:
    """Bytes written of all that there will be; the last one has them all."""

    done: int
    total: int


def requantise(source: Path, target: Path, format: str) -> Iterator[Requantised]:
    """Write the GGUF file `source` to `target` with its matrices in `format`, a key of FORMATS.

    Yields how far it is. UsageError for an unknown format, UnsupportedError for one that a matrix cannot have,
    EngineError when the disk is full. The target is whole only when this generator has ended.
    """
    if format not in FORMATS:
        raise UsageError(f"{format} is no format to change to", f"one of {', '.join(FORMATS)}")
    header = read_header(source)
    kinds = {tensor.name: _kind(tensor, header, format) for tensor in header.tensors}
    sizes = {tensor.name: _bytes(tensor, kinds[tensor.name]) for tensor in header.tensors}
    try:
        with source.open("rb") as old, target.open("wb") as new:
            start = _write_header(old, new, header, kinds, sizes, FORMATS[format][1])
            total = start + sum(_padded(size, header.alignment) for size in sizes.values())
            for tensor in header.tensors:
                new.write(_changed(old, header, tensor, kinds[tensor.name]))
                new.write(bytes(-new.tell() % header.alignment))
                yield Requantised(new.tell(), total)
    except OSError as error:
        raise EngineError(
            f"{target.name} could not be written: {error.strerror}", "free some disk and try again"
        ) from error
    read_header(target)


def _kind(tensor: Tensor, header: Header, format: str) -> int:
    """The ggml type that a tensor will have."""
    matrix = len(tensor.shape) > 1 and tensor.name.endswith("weight") and not tensor.name.endswith(_LEFT)
    float_file = header.metadata.get("general.file_type", 0) == 0
    if not matrix or (tensor.type == _F32 and not float_file):
        return tensor.type
    kind = _Q8_0 if format in _FINE and tensor.name in _VOCABULARY else FORMATS[format][0]
    return kind if tensor.shape[0] % _block(kind)[0] == 0 else FORMATS["F16"][0]


def _changed(old: BinaryIO, header: Header, tensor: Tensor, kind: int) -> bytes:
    from gguf import GGMLQuantizationType, quants

    old.seek(header.data_offset + tensor.offset)
    data = old.read(tensor.bytes)
    if kind == tensor.type:
        return data
    try:
        values = _values(data, tensor, GGMLQuantizationType(tensor.type))
        return bytes(quants.quantize(values, GGMLQuantizationType(kind)).tobytes())
    except NotImplementedError as error:
        name = GGMLQuantizationType(tensor.type).name
        raise UnsupportedError(f"matrices in {name} cannot be changed: {error}", "pull the model as F16") from error


def _values(data: bytes, tensor: Tensor, kind: "GGMLQuantizationType") -> "NDArray[np.float32]":
    """float32 [..., rows, columns]; a shape in GGUF has the columns first."""
    import numpy as np
    from gguf import quants

    rows = np.frombuffer(data, np.uint8).reshape(*reversed(tensor.shape[1:]), -1)
    if kind.name in {"F32", "F16"}:
        return rows.view(np.dtype(kind.name.lower().replace("f", "float"))).astype(np.float32)
    return quants.dequantize(rows, kind)


def _write_header(
    old: BinaryIO, new: BinaryIO, header: Header, kinds: Mapping[str, int], sizes: Mapping[str, int], file_type: int
) -> int:
    """Metadata as it was but for `general.file_type`; then the list of tensors. Where the data begin."""
    metadata = bytearray(old.read(header.metadata_end))
    key = b"general.file_type"
    place = metadata.find(struct.pack("<Q", len(key)) + key + struct.pack("<I", 4))
    if place >= 0:
        struct.pack_into("<I", metadata, place + 8 + len(key) + 4, file_type)
    new.write(metadata)
    offset = 0
    for tensor in header.tensors:
        name = tensor.name.encode()
        dimensions = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
        new.write(struct.pack("<Q", len(name)) + name + dimensions + struct.pack("<IQ", kinds[tensor.name], offset))
        offset += _padded(sizes[tensor.name], header.alignment)
    new.write(bytes(-new.tell() % header.alignment))
    return new.tell()


def _bytes(tensor: Tensor, kind: int) -> int:
    values = 1
    for length in tensor.shape:
        values *= length
    per_block, block_bytes = _block(kind)
    return values // per_block * block_bytes


def _block(kind: int) -> tuple[int, int]:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    return GGML_QUANT_SIZES[GGMLQuantizationType(kind)]


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
