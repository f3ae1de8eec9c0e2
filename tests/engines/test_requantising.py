"""A copy in another format is a sound file with the same names and metadata and nearly the same numbers."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants

from pluriverse.engines.requantising import FORMATS, requantise
from pluriverse.errors import EngineError, UsageError
from pluriverse.store.gguf import read_header

pytestmark = pytest.mark.model


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
def test_numbers_stay_near_and_metadata_stay_equal(
    default_model: Path, tmp_path: Path, format: str, error: float
) -> None:
    copy = tmp_path / "copy.gguf"
    *_, last = requantise(default_model, copy, format)
    assert last.done == last.total == copy.stat().st_size
    before, after = read_header(default_model), read_header(copy)
    assert [(each.name, each.shape) for each in before.tensors] == [(each.name, each.shape) for each in after.tensors]
    changed = {key for key in before.metadata if before.metadata[key] != after.metadata[key]}
    assert changed <= {"general.file_type"} and after.metadata["general.file_type"] == FORMATS[format][1]
    for name in ("blk.0.attn_q.weight", "blk.29.ffn_down.weight", "blk.7.ffn_norm.weight"):
        old, new = values(default_model, name), values(copy, name)
        assert np.sqrt(((old - new) ** 2).mean() / (old**2).mean()) < error


def test_an_unknown_format_is_wrong_usage(default_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Q3_X"):
        next(requantise(default_model, tmp_path / "copy.gguf", "Q3_X"))


def test_a_full_disk_is_a_sentence(default_model: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(EngineError, match="could not be written"):
        list(requantise(default_model, Path("/dev/full"), "Q8_0"))
