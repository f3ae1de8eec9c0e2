"""Sentence encoders of the BERT kind, computed with numpy: states of a text's tokens from a GGUF file.

Numpy's matrix products are faster here than the engine's library is at texts of this size
(docs/decisions/0018-meaning.md). Knows tensors and their names in a GGUF file; nothing of text or of other models,
which the library computes.
"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...store.gguf import Header, Tensor

Array = NDArray[np.float32]

_F32, _F16, _Q8_0 = 0, 1, 8  # ggml types
_BLOCK = 32  # values that share a scale in Q8_0
_MEAN = 1  # pooling
_HALF_ROOT = np.float32((2 / np.pi) ** 0.5)
_LAYER = ("attn_q", "attn_k", "attn_v", "attn_output", "attn_output_norm", "ffn_up", "ffn_down", "layer_output_norm")


class Pair(NamedTuple):
    weight: Array  # of a product as its right side: [from, to]; of a norm [width]
    bias: Array


class Layer(NamedTuple):
    heads: Pair  # queries, keys and values side by side, the queries scaled
    output: Pair
    output_norm: Pair
    up: Pair
    down: Pair
    norm: Pair


class Bert:
    """The weights of one encoder in float32. Threads may share it."""

    def __init__(self, header: Header, path: Path) -> None:
        """Of a file that `computes` is true of."""
        numbers = {key.removeprefix("bert."): value for key, value in header.metadata.items()}
        self._heads: int = numbers["attention.head_count"]
        self._width: int = numbers["embedding_length"]
        self._epsilon = np.float32(numbers["attention.layer_norm_epsilon"])
        self._mean = np.full((self._width, 1), 1 / self._width, np.float32)
        self._tensors = {each.name: each for each in header.tensors}
        self._data = np.memmap(path, np.uint8, "r", header.data_offset)
        self._places = self._read("position_embd.weight") + self._read("token_types.weight")[0]
        self._norm = self._pair("token_embd_norm")
        self._layers = [self._layer(f"blk.{number}.") for number in range(numbers["block_count"])]

    def vector(self, tokens: Sequence[int]) -> Array:
        """float32 [width]: the mean of the tokens' states. `tokens`: at most as many as the model has places."""
        states = self._normed(self._read("token_embd.weight", tokens) + self._places[: len(tokens)], self._norm)
        for layer in self._layers:
            states = self._normed(states + self._attended(states, layer), layer.output_norm)
            inner = _gelu(_product(states, layer.up))
            states = self._normed(states + _product(inner, layer.down), layer.norm)
        mean: Array = states.mean(axis=0)
        return mean

    def _attended(self, states: Array, layer: Layer) -> Array:
        count, head = len(states), self._width // self._heads
        heads = _product(states, layer.heads).reshape(count, 3, self._heads, head).transpose(1, 2, 0, 3)
        weights = heads[0] @ heads[1].transpose(0, 2, 1)
        weights -= weights.max(axis=-1, keepdims=True)
        np.exp(weights, out=weights)
        mixed = weights @ heads[2]
        mixed /= weights.sum(axis=-1, keepdims=True)
        return _product(mixed.transpose(1, 0, 2).reshape(count, self._width), layer.output)

    def _normed(self, states: Array, norm: Pair) -> Array:
        states -= states @ self._mean
        spread = np.sqrt(np.einsum("ij,ij->i", states, states) / np.float32(self._width) + self._epsilon)
        states /= spread[:, None]
        states *= norm.weight
        states += norm.bias
        return states

    def _layer(self, stem: str) -> Layer:
        parts = [self._pair(stem + name) for name in ("attn_q", "attn_k", "attn_v")]
        scale = np.float32((self._width // self._heads) ** -0.5)
        parts[0] = Pair(parts[0].weight * scale, parts[0].bias * scale)
        heads = Pair(np.hstack([each.weight for each in parts]), np.hstack([each.bias for each in parts]))
        return Layer(heads, *(self._pair(stem + name) for name in _LAYER[3:]))

    def _pair(self, name: str) -> Pair:
        return Pair(np.ascontiguousarray(self._read(f"{name}.weight").T), self._read(f"{name}.bias"))

    def _read(self, name: str, rows: Sequence[int] | None = None) -> Array:
        """A tensor as float32, its slowest dimension first; only these `rows` of a matrix."""
        tensor = self._tensors[name]
        data = self._data[tensor.offset : tensor.offset + tensor.bytes]
        shape = tensor.shape[::-1]
        if rows is not None:
            data = data.reshape(shape[0], -1)[list(rows)].reshape(-1)
            shape = (len(rows), *shape[1:])
        if tensor.type == _Q8_0:
            blocks = data.reshape(-1, _BLOCK + 2)
            values = blocks[:, 2:].view(np.int8) * np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
        else:
            values = data.view("<f4" if tensor.type == _F32 else "<f2").astype(np.float32)
        return np.asarray(values, np.float32).reshape(shape)


def computes(header: Header) -> bool:
    """Whether a file is an encoder of just this form: BERT whose vector is the mean, in types that are read here."""
    about, tensors = header.metadata, {each.name: each for each in header.tensors}
    if about.get("general.architecture") != "bert" or about.get("bert.pooling_type", _MEAN) != _MEAN:
        return False
    layers, width, heads, inner = (
        about.get(f"bert.{key}", 0)
        for key in ("block_count", "embedding_length", "attention.head_count", "feed_forward_length")
    )
    epsilon = about.get("bert.attention.layer_norm_epsilon")
    sound = all(isinstance(each, int) and 0 < each < 2**16 for each in (layers, width, heads, inner))
    if not sound or not isinstance(epsilon, float) or width % heads or layers > len(tensors):
        return False
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd_norm": (width,),
        "attn_output_norm": (width,),
        "layer_output_norm": (width,),
    }
    shapes |= dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), (width, width))
    shapes |= {"ffn_up": (width, inner), "ffn_down": (inner, width)}
    pairs = chain(["token_embd_norm"], (f"blk.{n}.{name}" for n in range(layers) for name in _LAYER))
    wanted: dict[str, tuple[int, ...]] = {}
    for name in pairs:
        shape = shapes[name.rpartition(".")[2]]
        wanted |= {f"{name}.weight": shape, f"{name}.bias": shape[-1:]}
    tables = ("token_embd.weight", "position_embd.weight", "token_types.weight")
    others: dict[str, tuple[int, ...]] = {name: (width, tensors[name].shape[-1]) for name in tables if name in tensors}
    return (
        len(others) == len(tables)
        and tensors.keys() == {*wanted, *others}
        and all(_fits(tensors[name], shape) for name, shape in (wanted | others).items())
    )


def _fits(tensor: Tensor, shape: tuple[int, ...]) -> bool:
    return tensor.shape == shape and tensor.type in (_F32, _F16, _Q8_0)


def _product(states: Array, pair: Pair) -> Array:
    found: Array = states @ pair.weight
    found += pair.bias
    return found


def _gelu(inner: Array) -> Array:
    """By its approximation with a hyperbolic tangent, as the engine's library has it."""
    bent = inner * inner
    bent *= _HALF_ROOT * np.float32(0.044715)
    bent += _HALF_ROOT
    bent *= inner
    np.tanh(bent, out=bent)
    bent += 1
    bent *= inner
    bent *= np.float32(0.5)
    return bent
