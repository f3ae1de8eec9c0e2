"""What of a model decides how much memory it takes and how fast it speaks: layers, widths, and matrices by format.

Made from a file's header, which is exact, or from the facts of an entry, which leave some things open: then `low` and
`high` shapes are made. Knows GGUF names and how llama.cpp's quantiser mixes formats; opens no file, knows no machine.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Role = Literal["layer", "expert", "embedding", "output"]

# name: (ggml type, values per block, bytes per block); ggml/src/ggml-common.h of llama.cpp
TYPES = {
    "F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q5_0": (6, 32, 22),
    "Q5_1": (7, 32, 24), "Q8_0": (8, 32, 34), "Q2_K": (10, 256, 84), "Q3_K": (11, 256, 110), "Q4_K": (12, 256, 144),
    "Q5_K": (13, 256, 176), "Q6_K": (14, 256, 210), "IQ4_NL": (20, 32, 18), "IQ4_XS": (23, 256, 136),
    "BF16": (30, 1, 2), "MXFP4": (39, 32, 17),
}  # fmt: skip
_NAMES = {number: name for name, (number, _, _) in TYPES.items()}
# What the quantiser takes where rows cannot be cut into blocks of 256 (llama.cpp, src/llama-quant.cpp).
_INSTEAD = {"Q2_K": "IQ4_NL", "Q3_K": "IQ4_NL", "IQ4_XS": "IQ4_NL", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
# Format of most matrices, of the values and the down projection in some layers, of the vocabulary's output.
_MIXES = {
    "Q4_K_M": ("Q4_K", "Q6_K", "Q6_K"), "Q5_K_M": ("Q5_K", "Q6_K", "Q6_K"), "Q6_K": ("Q6_K", "Q6_K", "Q6_K"),
    "Q8_0": ("Q8_0", "Q8_0", "Q8_0"), "Q4_0": ("Q4_0", "Q4_0", "Q6_K"), "Q3_K_L": ("Q3_K", "Q5_K", "Q6_K"),
    "Q2_K": ("Q2_K", "Q3_K", "Q6_K"), "F16": ("F16", "F16", "F16"), "BF16": ("BF16", "BF16", "BF16"),
}  # fmt: skip
QUANTISATIONS = tuple(_MIXES)
"""Those of which it is known how they are mixed, as far as a file has not been seen."""
_ROWS = 8  # rows that a copy in another order must have a multiple of
_HEADER = 6 * 1024**2  # bytes of a header, mostly its vocabulary; where it has not been seen
_LAYER = re.compile(r"blk\.(\d+)\.(.+)\.weight")


class Listed(Protocol):
    """A tensor as a header lists it."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def type(self) -> int: ...
    @property
    def bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Matrix:
    """Weights of one format that do the same. `orderable`: the engine may keep a copy of them in another order."""

    role: Role
    type: str
    weights: int
    bytes: int
    orderable: bool = True


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Counts of elements, not bytes, where not said otherwise.

    `cached`: keys and values of one token over all layers. `queries`: of one token over all layers; the work of
    attention grows with them. `experts`: share of the experts' weights that one token uses. `memories`: key/value
    memories beside each other, two where windows slide. `fixed`: streams cannot be added one by one.
    """

    layers: int
    width: int
    feed: int  # of the feed-forward layers, of all experts that one token uses
    cached: int
    queries: int
    words: int
    merges: int
    matrices: tuple[Matrix, ...]
    header: int  # bytes
    experts: float = 1.0
    memories: int = 1
    fixed: bool = False
    context_length: int | None = None
    seen: bool = True  # from the file itself

    @property
    def bytes(self) -> int:
        """Of its file."""
        return self.header + sum(each.bytes for each in self.matrices)

    @property
    def types(self) -> tuple[str, ...]:
        """Formats of the matrices, the one with most bytes first; those that hardly count left out."""
        sizes: dict[str, int] = {}
        for each in self.matrices:
            sizes[each.type] = sizes.get(each.type, 0) + each.bytes
        total = sum(sizes.values())
        return tuple(sorted((name for name in sizes if sizes[name] > total / 100), key=lambda name: -sizes[name]))


def from_header(metadata: Mapping[str, Any], tensors: Iterable[Listed], header: int) -> ModelShape:
    """Of a GGUF file with this header, `header` bytes long. ValueError where it is none of a language model."""
    architecture = metadata.get("general.architecture", "")

    def number(key: str) -> int:
        value = metadata.get(f"{architecture}.{key}")
        return value if type(value) is int and value > 0 else 0

    def listed(key: str) -> int:
        return int(getattr(metadata.get(f"tokenizer.ggml.{key}"), "count", 0))

    tensors = tuple(tensors)
    width, layers = number("embedding_length"), number("block_count")
    if not width or not layers:
        raise ValueError("it does not say how many layers it has and how wide they are")
    embedding = next((each for each in tensors if each.name == "token_embd.weight"), None)
    used, all_experts = number("expert_used_count"), number("expert_count")
    cached, queries, feed = _attention(tensors, number)
    slides = number("attention.sliding_window") > 0
    return ModelShape(
        layers, width, feed, cached, queries,
        words=listed("tokens") or (embedding.shape[1] if embedding and len(embedding.shape) > 1 else 0),
        merges=listed("merges"),
        matrices=tuple(_matrices(tensors)),
        header=header,
        experts=used / all_experts if used and all_experts else 1.0,
        memories=2 if slides else 1,
        fixed=slides or any(".ssm_" in each.name or ".time_mix_" in each.name for each in tensors),
        context_length=number("context_length") or None,
    )  # fmt: skip


def _attention(tensors: tuple[Listed, ...], number: Any) -> tuple[int, int, int]:
    """Keys and values of a token, its queries, and the width of the feed-forward layers, from what the layers hold."""
    cached = queries = feed = 0
    names = {each.name for each in tensors}
    heads = number("attention.head_count") or 1
    head = number("attention.key_length") or max(number("embedding_length") // heads, 1)
    value = number("attention.value_length") or head
    for each in tensors:
        match = _LAYER.fullmatch(each.name)
        if not match or len(each.shape) < 2:
            continue
        rows, kind = each.shape[1], match[2]
        if kind == "attn_k":
            cached += rows + (0 if f"blk.{match[1]}.attn_v.weight" in names else rows)
        elif kind == "attn_v":
            cached += rows
        elif kind == "attn_q" or kind == "attn_q_b":
            queries += rows
        elif kind == "attn_qkv":
            cached, queries = cached + max(rows - heads * head, 0), queries + heads * head
        elif kind == "attn_kv_a_mqa":  # keys and values come compressed, or where they are not, for each head
            compressed = f"blk.{match[1]}.attn_k_b.weight" in names
            cached += rows + number("attention.kv_lora_rank") if compressed else heads * (head + value)
        elif kind in ("ffn_up", "ffn_gate"):
            feed = max(feed, rows)
        elif kind == "ffn_up_exps":
            feed = max(feed, rows * (number("expert_used_count") or 1))
    return cached, queries, feed


def _matrices(tensors: Iterable[Listed]) -> Iterator[Matrix]:
    """Weights summed by what they do and by format."""
    sums: dict[tuple[Role, str, bool], tuple[int, int]] = {}
    tied = True
    for each in tensors:
        weights = 1
        for length in each.shape:
            weights *= length
        role = _role(each.name)
        tied = tied and role != "output"
        orderable = role != "embedding" and len(each.shape) > 1 and each.shape[1] % _ROWS == 0
        key = (role, _NAMES.get(each.type, str(each.type)), orderable)
        before = sums.get(key, (0, 0))
        sums[key] = before[0] + weights, before[1] + each.bytes
    for (role, type, orderable), (weights, size) in sums.items():
        yield Matrix(role, type, weights, size, orderable)
        if tied and role == "embedding":  # read again for each token that is chosen, but there only once
            yield Matrix("output", type, weights, 0, False)


def _role(name: str) -> Role:
    if name.endswith("_exps.weight"):
        return "expert"
    return "embedding" if name == "token_embd.weight" else "output" if name == "output.weight" else "layer"


_WORDS = 128_000  # of a vocabulary that nobody told


def from_facts(
    architecture: Mapping[str, str | int | float],
    params: float,
    quantisation: str,
    context_length: int | None = None,
) -> tuple[ModelShape, ModelShape]:
    """The smallest and the largest shape that these facts leave open; the same twice where they leave nothing.

    `params`: how many parameters it has in all. KeyError for a quantisation that is not among QUANTISATIONS.
    """

    def fact(name: str) -> int:
        value = architecture.get(name)
        return int(value) if isinstance(value, int | float) and value > 0 else 0

    layers, width, heads = fact("layers"), fact("hidden_size"), fact("heads")
    if not layers or not width:  # a width of 128 for each layer is what most have
        layers = max(round((params / (12 * 128**2)) ** (1 / 3)), 1)
        width = 128 * layers
    told = fact("kv_heads")
    # Else from one head in eight to all.
    rows = (width * told // heads,) * 2 if heads and told else (width // 8, width)
    words, feed = fact("vocab") or _WORDS, fact("ffn") or 4 * width
    active, every = fact("experts_active"), fact("experts")
    share = active / every if active and every else 1.0
    windows = "sliding" in str(architecture.get("attention", "")) or architecture.get("llama_cpp") in _SLIDING
    low, high = (
        ModelShape(
            layers, width, feed * (active or 1), 2 * layers * row, layers * width, words, words,
            tuple(_mixed(params, layers, width, fact("ffn"), row, words, quantisation, every)), _HEADER, share,
            2 if windows else 1, windows, context_length, seen=False,
        )
        for row in rows
    )  # fmt: skip
    return low, high


_SLIDING = ("gemma2", "gemma3", "gemma3n", "gpt-oss", "cohere2")


def _mixed(
    params: float, layers: int, width: int, feed: int, row: int, words: int, quantisation: str, experts: int
) -> Iterator[Matrix]:
    """Matrices as the quantiser would make them, scaled to the number of parameters."""
    most, finer, output = _MIXES[quantisation]
    vocabulary = width * words
    rest = max(params - 2 * vocabulary, params - vocabulary if params < 3e9 else 0, params / 2)
    tied = params < 3e9 and 2 * vocabulary > params / 3
    down = layers * feed * width * max(experts, 1) if feed else rest * 0.27
    down = min(down, rest * 0.4)
    values = layers * row * width
    fine = (down + values) / 2 if quantisation != "Q3_K_L" else down + values
    role: Role = "expert" if experts else "layer"
    yield _of(role, most, rest - fine, width)
    yield _of(role, finer, fine, feed or 256)
    if tied:
        yield _of("embedding", output, vocabulary, width)
        yield Matrix("output", _fitting(output, width), vocabulary, 0, False)
    else:
        yield _of("embedding", most, vocabulary, width)
        yield _of("output", output, vocabulary, width)


def _of(role: Role, type: str, weights: float, columns: int) -> Matrix:
    name = _fitting(type, columns)
    _, per_block, size = TYPES[name]
    return Matrix(role, name, round(weights), round(weights / per_block * size), role != "embedding")


def _fitting(type: str, columns: int) -> str:
    return type if columns % TYPES[type][1] == 0 else _INSTEAD.get(type, "F16")
