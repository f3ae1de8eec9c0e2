"""A sentence encoder as its makers publish it (safetensors, tokenizer.json, settings, in a zip) as one GGUF file.

Only BERT with a WordPiece vocabulary and the mean of its tokens. The same archive gives the same bytes wherever this
runs, so that the result has a digest. Nothing of the archive is imported or run. Names, keys and the spelling of words
are those that llama.cpp reads (conversion/bert.py, gguf-py/gguf/constants.py and src/llama-vocab.cpp of llama.cpp).
"""

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import IntegrityError

_ALIGNMENT = 32  # bytes; GGUF's own default
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9  # GGUF value types
_F32, _Q8_0 = 0, 8  # ggml types
_FILE_TYPE = 7  # "mostly Q8_0"
_BLOCK = 32  # values that share a scale in Q8_0
_NORMAL, _CONTROL = 1, 3  # kinds of tokens
_MEAN = 1  # pooling
_MOST = 512 * 1024**2  # bytes of one file in the archive
_FIRST = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.LayerNorm": "token_embd_norm",
}
_LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_FLOATS = ("token_types.weight", "position_embd.weight")  # small, and added to every word


def write_encoder(archive: Path, target: Path, name: str) -> None:
    """Write the encoder in the zip file `archive` to the GGUF file `target`, which says that it is called `name`.

    Matrices are kept in Q8_0. IntegrityError where the archive is not what it should be.
    """
    try:
        with zipfile.ZipFile(archive) as files:
            settings = json.loads(_read(files, "config.json"))
            tokenizer = json.loads(_read(files, "tokenizer.json"))
            metadata = [*_shape(settings, name), *_vocabulary(tokenizer)]
            with files.open("model.safetensors") as weights, target.open("wb") as file:
                _write(file, metadata, dict(_tensors(weights, settings["num_hidden_layers"])))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise IntegrityError(f"{archive.name} is no sound zip file: {error}") from error
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise IntegrityError(f"{archive.name} does not hold the sentence encoder that it should: {error!r}") from error


def _read(files: zipfile.ZipFile, member: str) -> bytes:
    if files.getinfo(member).file_size > _MOST:
        raise ValueError(f"{member} is too large")
    return files.read(member)


def _shape(settings: Mapping[str, Any], name: str) -> Iterator[tuple[str, int, Any]]:
    """Metadata as (key, GGUF type, value)."""
    if settings["model_type"] != "bert" or settings["position_embedding_type"] != "absolute":
        raise ValueError(f"a model of the type {settings['model_type']!r}")
    yield "general.architecture", _STRING, "bert"
    yield "general.type", _STRING, "model"
    yield "general.name", _STRING, name
    yield "general.file_type", _UINT32, _FILE_TYPE
    for key, given in (
        ("block_count", "num_hidden_layers"),
        ("context_length", "max_position_embeddings"),
        ("embedding_length", "hidden_size"),
        ("feed_forward_length", "intermediate_size"),
        ("attention.head_count", "num_attention_heads"),
    ):
        yield f"bert.{key}", _UINT32, settings[given]
    yield "bert.attention.layer_norm_epsilon", _FLOAT32, settings["layer_norm_eps"]
    yield "bert.attention.causal", _BOOL, False
    yield "bert.pooling_type", _UINT32, _MEAN


def _vocabulary(tokenizer: Mapping[str, Any]) -> Iterator[tuple[str, int, Any]]:
    model = tokenizer["model"]
    words = sorted(model["vocab"], key=model["vocab"].__getitem__)
    if [model["vocab"][word] for word in words] != list(range(len(words))):
        raise ValueError("a vocabulary with gaps")
    special = {each["content"] for each in tokenizer["added_tokens"] if each["special"]}
    yield "tokenizer.ggml.model", _STRING, "bert"
    yield "tokenizer.ggml.pre", _STRING, "default"
    yield "tokenizer.ggml.token_type_count", _UINT32, 2
    yield "tokenizer.ggml.tokens", _STRING, [_spelt(word, word in special) for word in words]
    yield "tokenizer.ggml.token_type", _INT32, [_CONTROL if word in special else _NORMAL for word in words]
    for key, word in (
        ("unknown", "[UNK]"), ("seperator", "[SEP]"), ("padding", "[PAD]"), ("cls", "[CLS]"), ("mask", "[MASK]"),
    ):  # fmt: skip
        yield f"tokenizer.ggml.{key}_token_id", _UINT32, model["vocab"][word]


def _spelt(word: str, special: bool) -> str:
    """llama.cpp marks where words begin; WordPiece marks where they go on."""
    if special:
        return word
    return word[2:] if word.startswith("##") else "\u2581" + word


def _tensors(weights: IO[bytes], layers: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Those that a sentence's vector needs, by llama.cpp's names."""
    (length,) = struct.unpack("<Q", weights.read(8))
    if length > _MOST:
        raise ValueError("a header that is too large")
    listed = json.loads(weights.read(length))
    data = weights.read(_MOST)

    def tensor(name: str) -> NDArray[np.float32]:
        if listed[name]["dtype"] != "F32":
            raise ValueError(f"{name} in {listed[name]['dtype']}")
        begin, end = listed[name]["data_offsets"]
        return np.frombuffer(data[begin:end], "<f4").reshape(listed[name]["shape"])

    for theirs, ours in _FIRST.items():
        if theirs in listed:
            yield ours, tensor(theirs)
        else:
            yield f"{ours}.weight", tensor(f"{theirs}.weight")
            yield f"{ours}.bias", tensor(f"{theirs}.bias")
    for layer in range(layers):
        for theirs, ours in _LAYER.items():
            for part in ("weight", "bias"):
                yield f"blk.{layer}.{ours}.{part}", tensor(f"encoder.layer.{layer}.{theirs}.{part}")


def _write(file: IO[bytes], metadata: list[tuple[str, int, Any]], tensors: dict[str, NDArray[np.float32]]) -> None:
    kinds = {name: _Q8_0 if each.ndim == 2 and name not in _FLOATS else _F32 for name, each in tensors.items()}
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    head += b"".join(_text(key) + _typed(kind, value) for key, kind, value in metadata)
    offset = 0
    for name, each in tensors.items():
        shape = each.shape[::-1]  # GGUF names the fastest dimension first
        head += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kinds[name], offset)
        offset += _padded(each.nbytes if kinds[name] == _F32 else each.size // _BLOCK * (_BLOCK + 2))
    file.write(head.ljust(_padded(len(head)), b"\0"))
    for name, each in tensors.items():
        data = each.tobytes() if kinds[name] == _F32 else _q8_0(each)
        file.write(data.ljust(_padded(len(data)), b"\0"))


def _q8_0(matrix: NDArray[np.float32]) -> bytes:
    """Blocks of 32 values: their scale in float16, then each as a multiple of it in a byte."""
    blocks = matrix.reshape(-1, _BLOCK)
    scale = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    with np.errstate(divide="ignore"):
        inverse = np.where(scale == 0, np.float32(0), np.float32(1) / scale)
    scaled = blocks * inverse
    rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int8)
    return np.hstack([scale.astype("<f2").view(np.int8), rounded]).tobytes()


def _padded(size: int) -> int:
    return size + -size % _ALIGNMENT


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _typed(kind: int, value: Any) -> bytes:
    if isinstance(value, list):
        return struct.pack("<IIQ", _ARRAY, kind, len(value)) + b"".join(_value(kind, each) for each in value)
    return struct.pack("<I", kind) + _value(kind, value)


def _value(kind: int, value: Any) -> bytes:
    return (
        _text(value)
        if kind == _STRING
        else struct.pack({_UINT32: "<I", _INT32: "<i", _FLOAT32: "<f", _BOOL: "<?"}[kind], value)
    )
