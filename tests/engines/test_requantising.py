"""A copy in another format is a sound file with the same names and metadata and nearly the same numbers."""

import struct
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants

from pluriverse.engines.requantising import FORMATS, requantise
from pluriverse.errors import EngineError, UsageError
from pluriverse.store.gguf import read_header

pytestmark = pytest.mark.model
NAMES = ("blk.0.attn_q.weight", "blk.29.ffn_down.weight", "blk.7.ffn_norm.weight")


@pytest.fixture(scope="module")
def excerpt(default_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model's metadata, three of its tensors, and the first rows of its vocabulary."""
    header = read_header(default_model)
    data = default_model.read_bytes()
    path = tmp_path_factory.mktemp("excerpt") / "excerpt.gguf"
    infos, weights = b"", b""
    for tensor in header.tensors:
        if tensor.name not in (*NAMES, "token_embd.weight"):
            continue
        columns, *rows = tensor.shape
        shape = (columns, *(min(64, each) if tensor.name.startswith("token") else each for each in rows))
        size = tensor.bytes * int(np.prod(shape)) // int(np.prod(tensor.shape))
        infos += struct.pack("<Q", len(tensor.name)) + tensor.name.encode() + struct.pack("<I", len(shape))
        infos += struct.pack(f"<{len(shape)}QIQ", *shape, tensor.type, len(weights))
        start = header.data_offset + tensor.offset
        weights += data[start : start + size] + bytes(-size % header.alignment)
    head = bytearray(data[: header.metadata_end]) + infos
    struct.pack_into("<Q", head, 8, 4)  # how many tensors there are
    path.write_bytes(head + bytes(-len(head) % header.alignment) + weights)
    return path


def values(path: Path, name: str) -> np.ndarray:
    """float32 values of one tensor, read without the code under test."""
    header = read_header(path)
    tensor = next(each for each in header.tensors if each.name == name)
    with path.open("rb") as file:
        file.seek(header.data_offset + tensor.offset)
        rows = np.frombuffer(file.read(tensor.bytes), np.uint8).reshape(*reversed(tensor.shape[1:]), -1)
    kind = GGMLQuantizationType(tensor.type)
    plain = {"F32": np.float32, "F16": np.float16}.get(kind.name)
    return rows.view(plain).astype(np.float32) if plain else quants.dequantize(rows, kind)


@pytest.mark.parametrize(("format", "error"), [("Q8_0", 0.01), ("Q4_0", 0.12), ("F16", 0.001), ("Q5_0", 0.06)])
def test_numbers_stay_near_and_metadata_stay_equal(excerpt: Path, tmp_path: Path, format: str, error: float) -> None:
    copy = tmp_path / "copy.gguf"
    *_, last = requantise(excerpt, copy, format)
    assert last.done == last.total == copy.stat().st_size
    before, after = read_header(excerpt), read_header(copy)
    assert [(each.name, each.shape) for each in before.tensors] == [(each.name, each.shape) for each in after.tensors]
    changed = {key for key in before.metadata if before.metadata[key] != after.metadata[key]}
    assert changed <= {"general.file_type"} and after.metadata["general.file_type"] == FORMATS[format][1]
    for name in NAMES:
        old, new = values(excerpt, name), values(copy, name)
        assert np.sqrt(((old - new) ** 2).mean() / (old**2).mean()) < error


def test_an_unknown_format_is_wrong_usage(excerpt: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Q3_X"):
        next(requantise(excerpt, tmp_path / "copy.gguf", "Q3_X"))


def test_a_full_disk_is_a_sentence(excerpt: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(EngineError, match="could not be written"):
        list(requantise(excerpt, Path("/dev/full"), "Q8_0"))
