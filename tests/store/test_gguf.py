"""The header check: sound files pass, everything else is an IntegrityError in words, quickly."""

import contextlib
import struct
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pluriverse.errors import IntegrityError
from pluriverse.store import read_header
from pluriverse.store.gguf import ArrayInfo

from .conftest import gguf, string


def check(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    read_header(path)


def test_a_sound_file_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(gguf(100))
    header = read_header(path)
    assert header.version == 3
    assert header.metadata["general.name"] == "tiny"
    assert header.metadata["llama.context_length"] == 2048
    assert header.metadata["tokenizer.ggml.tokens"] == ArrayInfo(8, 3)
    (tensor,) = header.tensors
    assert (tensor.name, tensor.shape, tensor.bytes) == ("weight", (100,), 400)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04" + bytes(100), "begin with GGUF"),
        (gguf(version=1), "version is 1"),
        (gguf(counts=(2**60, 5)), "more than it could hold"),
        (gguf(counts=(1, 2**63)), "more than it could hold"),
        (gguf()[:-1], "beyond the file"),
        (gguf()[:60], "more than it could hold|middle of its header"),
        (gguf(metadata={"a": (9, struct.pack("<IQ", 8, 2**61))}), "list of"),
        (gguf(metadata={"a": (9, struct.pack("<IQ", 10, 2**61))}), "middle of its header"),
        (gguf(metadata={"a": (9, struct.pack("<IQ", 9, 1))}), "array of type 9"),
        (gguf(metadata={"a": (99, b"")}), "unknown type 99"),
        (gguf(metadata={"general.alignment": (4, struct.pack("<I", 3))}), "alignment"),
        (gguf(metadata={"a": (8, struct.pack("<Q", 2**64 - 1))}), "middle of its header"),
        (gguf(metadata={"a": (8, string(b"\xff\xfe"))}), "UTF-8"),
        (gguf(metadata={"": (0, b"\0")}), "empty or stands twice"),
    ],
)
def test_lies_are_refused_in_words(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(IntegrityError, match=words) as error:
        check(tmp_path, data)
    assert error.value.hint


def tensors(*entries: tuple[str, tuple[int, ...], int, int]) -> bytes:
    """A file with the given tensors (name, shape, type, offset) and 4 KiB of weights."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(entries), 0)
    for name, shape, kind, offset in entries:
        head += string(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", n) for n in shape)
        head += struct.pack("<IQ", kind, offset)
    return head + bytes(-len(head) % 32) + bytes(4096)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tensors(("a", (8,), 0, 0), ("a", (8,), 0, 32)), "twice"),
        (tensors(("a", (16,), 0, 0), ("b", (8,), 0, 32)), "overlaps"),
        (tensors(("a", (8,), 0, 7)), "misplaced"),
        (tensors(("a", (8,), 0, 2**63)), "beyond"),
        (tensors(("a", (2**32, 2**32), 0, 0)), "impossible"),
        (tensors(("a", (0,), 0, 0)), "impossible"),
        (tensors(("a", (33,), 2, 0)), "impossible"),
        (tensors(("a", (8,), 77, 0)), "unknown type 77"),
        (tensors(("a", (1, 1, 1, 1, 1), 0, 0)), "5 dimensions"),
        (tensors(("a", (), 0, 0)), "0 dimensions"),
    ],
)
def test_impossible_tensors_are_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(IntegrityError, match=words):
        check(tmp_path, data)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=1000)
@given(st.data())
def test_any_damage_parses_or_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    """Never another exception, never long, never much memory."""
    whole = bytearray(gguf(64))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.integers(0, len(whole)) | st.just(len(whole)))
    with contextlib.suppress(IntegrityError):
        check(tmp_path, bytes(whole[:cut]))


@pytest.mark.model
def test_the_default_model_is_checked_at_once(default_model: Path) -> None:
    started = time.perf_counter()
    header = read_header(default_model)
    assert time.perf_counter() - started < 0.5
    assert "im_start" in header.metadata["tokenizer.chat_template"]
    assert header.metadata["tokenizer.ggml.tokens"].count == 49_152
