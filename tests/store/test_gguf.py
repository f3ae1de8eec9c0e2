"""The header check: sound files pass, everything else is an IntegrityError in words, quickly."""

import contextlib
import ctypes
import re
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pluriverse.engines.local.library import open_library
from pluriverse.errors import IntegrityError
from pluriverse.store import read_header
from pluriverse.store.gguf import _TENSOR_TYPES, ArrayInfo

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
        (b"<!DOCTYPE html><title>404</title>" * 9, "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS"),
        (struct.pack("<Q", 2) + b"{}" + bytes(64), "safetensors"),
        (b"GGUF" + struct.pack(">IQQ", 3, 1, 1) + bytes(64), "big-endian"),
    ],
)
def test_lies_are_refused_in_words(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(IntegrityError, match=words) as error:
        check(tmp_path, data)
    assert error.value.hint


def listed(kind: int, count: int, data: bytes) -> tuple[int, bytes]:
    return 9, struct.pack("<IQ", kind, count) + data


U32S = listed(4, 2, struct.pack("<2I", 5, 6))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        *((key, U32S, "is a list, not a") for key in ("general.architecture", "general.type", "general.file_type")),
        *((key, U32S, "is a list, not a") for key in ("llama.context_length", "llama.block_count", "split.count")),
        *((key, U32S, "is a list, not a") for key in ("tokenizer.chat_template", "tokenizer.ggml.model")),
        ("general.alignment", U32S, "is a list, not a whole number"),
        ("general.architecture", (4, struct.pack("<I", 7)), "is 7, not a text"),
        ("llama.context_length", (8, string("long")), "is 'long', not a whole number"),
        ("llama.context_length", (5, struct.pack("<i", -1)), "is -1"),
        ("llama.block_count", (4, bytes(4)), "is 0"),
        ("llama.embedding_length", (4, bytes(4)), "is 0"),
        *(("general.alignment", (4, struct.pack("<I", n)), "32 at least") for n in (0, 1, 8, 16, 48)),
        ("tokenizer.ggml.tokens", listed(8, 3, string("a") + string("b") + string("a")), "stand twice"),
        ("tokenizer.ggml.tokens", (8, string("a")), "not a list of the right type"),
        ("tokenizer.ggml.scores", listed(0, 3, bytes(3)), "not a list of the right type"),
        ("tokenizer.ggml.scores", listed(6, 2, bytes(8)), "2 entries for 3 words"),
    ],
)
def test_what_is_decided_on_has_its_type_and_is_possible(
    tmp_path: Path, key: str, value: tuple[int, bytes], words: str
) -> None:
    with pytest.raises(IntegrityError, match=words):
        check(tmp_path, gguf(metadata={key: value}))


def many_pairs(count: int) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, count)
    return head + b"".join(struct.pack("<Q", 7) + b"%07d" % n + struct.pack("<IB", 0, 0) for n in range(count))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: many_pairs(400_000), "400,000 values, more than any model needs"),
        (lambda: gguf(metadata={"a": (8, string(b"x" * 60_000_000))}), "texts have more than"),
        (lambda: gguf(metadata={f"a{n}": (8, string(b"x" * 9_000_000)) for n in range(5)}), "texts have more than"),
        (lambda: gguf(metadata={"a": listed(8, 5_000_000, bytes(8) * 5_000_000)}), "5,000,000 texts, more than"),
        (lambda: gguf(metadata={"tokenizer.ggml.tokens": listed(8, 2**21, bytes(8) * 2**21)}), "texts, more than"),
        (lambda: gguf(metadata={"a": listed(0, 80_000_000, bytes(80_000_000))}), "header has more than"),
    ],
    ids=["pairs", "one text", "texts", "list", "vocabulary", "numbers"],
)
def test_a_header_that_no_model_needs_is_refused_soon_and_in_little_memory(
    tmp_path: Path, make: Callable[[], bytes], words: str
) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(make())
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(IntegrityError, match=words):
            read_header(path)
        assert time.process_time() - started < 2
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()


def test_the_types_of_tensors_are_those_of_the_pinned_library(tmp_path: Path) -> None:
    """All that it knows and no other: a newer library's types come in here when it is pinned."""
    library = open_library()
    for name, result in (("blck_size", ctypes.c_int64), ("type_size", ctypes.c_size_t)):
        getattr(library._dll, f"ggml_{name}").restype = result
    path = tmp_path / "x.gguf"
    path.write_bytes(tensors(("a", (256,), 250, 0)))
    assert not library.llama_model_load_from_file(str(path).encode(), library.llama_model_default_params())
    (count,) = {int(found[1]) for line in library.log if (found := re.search(r"should be in \[0, (\d+)\)", line))}
    sizes = {n: (library._dll.ggml_blck_size(n), library._dll.ggml_type_size(n)) for n in range(count)}
    assert count == 43
    assert {n: size for n, size in sizes.items() if size[0]} == _TENSOR_TYPES  # no size: a type that was given up


@pytest.mark.parametrize("kind", [40, 41, 42])
def test_tensors_of_the_newest_types_are_accepted(tmp_path: Path, kind: int) -> None:
    check(tmp_path, tensors(("a", (256,), kind, 0)))


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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_damage_parses_or_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    """Never another exception, never long, never much memory."""
    whole = bytearray(gguf(64))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.integers(0, len(whole)) | st.just(len(whole)))
    started = time.process_time()
    with contextlib.suppress(IntegrityError):
        check(tmp_path, bytes(whole[:cut]))
    assert time.process_time() - started < 1


@pytest.mark.model
def test_the_default_model_is_checked_at_once(default_model: Path) -> None:
    started = time.process_time()
    header = read_header(default_model)
    assert time.process_time() - started < 0.5
    assert "im_start" in header.metadata["tokenizer.chat_template"]
    assert header.metadata["tokenizer.ggml.tokens"].count == 49_152
