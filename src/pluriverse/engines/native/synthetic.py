"""How fast matrices of one format, attention and the choosing of words are here: measured on models made for that.

Such a model has the layers of a usual one and no vocabulary; what its weights are does not matter to the clock. Knows
contexts; runs in the process of a trial.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ...catalogue.needs import NARROW, WIDE
from ...catalogue.shape import TYPES
from ...values import Sampling
from ..local.context import Context
from ..local.library import Library
from ..local.model import Model
from ..local.sampling import Sampler
from . import bench

WEIGHTS = 140_000_000  # bytes of matrices: more than most processors' caches hold
READ, HELD = 256, 1536  # tokens of a prompt; tokens that are held where attention is measured
_TIMES = 3
_STEPS = 5
_FEEDS = 3  # times the width that the feed-forward part has
# Width, feed-forward width and layers: next to no weights, and more keys and values than caches hold. A head has 64.
_SMALL, _LONG = (256, 256, 32), (512, 256, 64)
_WORDS = (1024, 65536)
# Bytes whose repetition is a small number in each format, and none that processors are slow with.
_BYTE, _FLOAT_BYTE = 0x11, 0x3C


def kernels(library: Library, type: str, how: dict[str, Any], layer: float) -> dict[str, Any]:
    """Seconds per weight of matrices in this format, wide and narrow ones, and whether the library keeps a copy of
    them. `layer`: seconds of a layer besides its matrices, which are not theirs."""
    (wide, copied), (narrow, _) = (_timing(library, type, width, how, layer) for width in (WIDE, NARROW))
    return {"wide": wide, "narrow": narrow, "copied": copied}


def _timing(library: Library, type: str, width: int, how: dict[str, Any], layer: float) -> tuple[dict[str, Any], bool]:
    """Of a model of that width; and whether it was copied."""
    feed = _FEEDS * width
    a_layer = 2 * width * width + width * width // 2 + 3 * width * feed
    _, per_block, size = TYPES[type]
    layers = max(round(WEIGHTS / (a_layer * size / per_block)), 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        write(path, type, layers, width, feed)
        before = _own_memory()
        model = Model(library, path)
        copied = _own_memory() - before > WEIGHTS // 2
        try:
            decode: dict[int, float] = {}
            least = float("inf")
            for rows in (16, 8, 4, 2, 1):  # fewer never take longer, but where something else disturbed
                with bench.context_of(model, rows, 256, **how) as context:
                    least = decode[rows] = min(max(_step(context, 0) / layers - layer, 0.0) / a_layer, least)
            with bench.context_of(model, 1, READ, **how) as context:
                read = min(_reading(context, 0, READ) for _ in range(_TIMES)) / (layers * a_layer * READ)
        finally:
            model.close()
    return {"decode": decode, "read": read}, copied


def rest(library: Library, how: dict[str, Any]) -> dict[str, float]:
    """What a step costs besides its matrices: see `catalogue.needs.Profile`."""
    with tempfile.TemporaryDirectory() as folder:
        small, long = Path(folder) / "small.gguf", Path(folder) / "long.gguf"
        for path, (width, feed, layers) in ((small, _SMALL), (long, _LONG)):
            write(path, "Q8_0", layers, width, feed)
        model = Model(library, small)
        try:
            with bench.context_of(model, 1, 256, **how) as context:
                layer = _step(context, 0) / _SMALL[2]
            chosen = [_choosing(model, words) for words in _WORDS]
        finally:
            model.close()
        attention, attention_read = _attention(library, long, how)
    word = max(chosen[1] - chosen[0], 0.0) / (_WORDS[1] - _WORDS[0])
    token = max(chosen[0] - word * _WORDS[0], 0.0)
    return {"attention": attention, "attention_read": attention_read, "layer": layer, "word": word, "token": token}


def _attention(library: Library, path: Path, how: dict[str, Any]) -> tuple[float, float]:
    """Per element of the queries and token that is held: while speaking, and while reading."""
    model = Model(library, path)
    try:
        with bench.context_of(model, 1, HELD + READ, **how) as context:
            short = _step(context, 0)
            first = min(_reading(context, 0, READ) for _ in range(_TIMES))
            _fill(context, READ, HELD)
            later = min(_reading(context, HELD, READ) for _ in range(_TIMES))
            long = _step(context, HELD)
    finally:
        model.close()
    queries = _LONG[0] * _LONG[2] * HELD
    return max(long - short, 0.0) / queries, max(later - first, 0.0) / (queries * READ)


def write(path: Path, type: str, layers: int, width: int, feed: int) -> None:
    """A model of so many layers whose matrices are in this format."""
    import gguf

    number, per_block, size = TYPES[type]
    byte = _FLOAT_BYTE if per_block == 1 else _BYTE

    def matrix(name: str, columns: int, rows: int) -> None:
        data = np.full((rows, columns // per_block * size), byte, np.uint8)
        writer.add_tensor(name, data, raw_dtype=gguf.GGMLQuantizationType(number))

    def norm(name: str) -> None:
        writer.add_tensor(name, np.ones(width, np.float32))

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(layers)
    writer.add_context_length(8192)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(feed)
    writer.add_head_count(width // 64)
    writer.add_head_count_kv(width // 256)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(256)
    writer.add_tokenizer_model("none")
    matrix("token_embd.weight", width, 256)
    norm("output_norm.weight")
    for layer in range(layers):
        place = f"blk.{layer}."
        norm(f"{place}attn_norm.weight")
        norm(f"{place}ffn_norm.weight")
        for name, columns, rows in (
            ("attn_q", width, width), ("attn_k", width, width // 4), ("attn_v", width, width // 4),
            ("attn_output", width, width), ("ffn_gate", width, feed), ("ffn_up", width, feed),
            ("ffn_down", feed, width),
        ):  # fmt: skip
            matrix(f"{place}{name}.weight", columns, rows)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _step(context: Context, held: int) -> float:
    """Seconds of one token of each stream, which hold `held` tokens; the best of some times."""
    count, best = context.shape.streams, float("inf")
    streams = range(count)
    for _ in range(_TIMES):
        for place in range(held, held + _STEPS):
            began = time.perf_counter()
            context.decode([1] * count, [place] * count, streams, list(streams))
            best = min(best, time.perf_counter() - began)
        for stream in streams:
            context.remove(stream, held)
    return best


def _reading(context: Context, start: int, tokens: int) -> float:
    began = time.perf_counter()
    bench.feed(context, 0, [1] * tokens, start)
    seconds = time.perf_counter() - began
    context.remove(0, start)
    return seconds


def _fill(context: Context, step: int, tokens: int) -> None:
    for start in range(0, tokens, step):
        bench.feed(context, 0, [1] * step, start)


def _choosing(model: Model, words: int) -> float:
    """Seconds of choosing one of so many words, as a reply does it."""
    logits = np.random.default_rng(0).normal(size=words).astype(np.float32)
    sampler, best = Sampler(model, Sampling(), 0), float("inf")
    try:
        for _ in range(12):
            began = time.perf_counter()
            sampler.choose([logits])
            best = min(best, time.perf_counter() - began)
    finally:
        sampler.close()
    return best


def _own_memory() -> int:
    """Bytes of this process that lie in no file; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)
