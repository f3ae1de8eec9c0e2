"""A decoding context: streams of key/value memory over one model, and the call that advances them.

Every reply has a stream of its own (kv_unified off), because only then is what it says independent, bit for bit, of
what else is decoded beside it (docs/decisions/0001-engine.md). Batches of scores share one memory instead
(docs/decisions/0007). Knows tokens, positions and logits; does not know requests.
"""

import ctypes as c
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import EngineError
from . import layouts
from .model import Model
from .pace import Pace
from .turns import Turns

Logits = NDArray[np.float32]

LENGTH_STEP = 256  # streams grow in these steps; the library rounds to them anyway
_STRLEN = (c.cdll.msvcrt if sys.platform == "win32" else c.CDLL(None)).strlen
_CACHE_TYPES = {"f16": layouts.TYPE_F16, "f32": layouts.TYPE_F32, "q8_0": layouts.TYPE_Q8_0}


class Aborted(Exception):
    """The running decode was told to stop; sequences in it must be removed or rewound."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a context is laid out. `length` is tokens per stream, rounded up to 256 by the library."""

    streams: int
    length: int
    outputs: int  # rows of logits that one decode may give, at least `streams`
    threads: int
    flash_attention: bool = True
    cache_type: str = "f16"
    chunk: int = 512  # most tokens that one decode computes at once
    embeddings: bool = False  # a decode gives one vector for each stream, and no logits
    pooling: int = -1  # how that is made of its tokens, as the library numbers it; -1: as the model's file says
    unified: bool = False  # `streams` sequences share `length` tokens of one memory: for trees (`scoring`)


class Context:
    """Owns one native context. Not thread-safe, except `abort`, which is made to be called from another thread."""

    def __init__(self, model: Model, shape: Shape, turns: Turns, pace: Pace | None = None) -> None:
        self.model = model
        self.shape = shape
        self._turns = turns
        self._pace = pace  # None: always all threads
        self._threads = shape.threads
        self._rows = 0  # of the last decode
        self._lib = model.library
        # The abort callback runs for every graph node on the compute threads. A Python function there would need the
        # interpreter's lock thousands of times a second; the C library's strlen on a two-byte flag needs none:
        # "\0\0" is 0, false, and "\1\0" is 1, true.
        self._flag = c.create_string_buffer(2)
        self._lib.log = []
        self.handle: int = self._lib.llama_init_from_model(model.handle, self._params())
        if not self.handle:
            reason = self._lib.reason("not enough memory")
            raise EngineError(f"no context of {shape.streams} x {shape.length} tokens: {reason}", "ask fewer at once")
        self._prove()
        self._memory = self._lib.llama_get_memory(self.handle)
        self._tree = np.zeros(0, np.int32)
        self._make_batch(self.chunk)

    @property
    def chunk(self) -> int:
        """Most tokens that one decode computes."""
        return min(self.shape.chunk, self._total)

    @property
    def _total(self) -> int:
        return self.shape.length if self.shape.unified else self.shape.streams * self.shape.length

    @property
    def length(self) -> int:
        """Tokens that one stream holds; in a unified memory all sequences together."""
        return int(self._lib.llama_n_ctx_seq(self.handle))

    def decode(
        self, tokens: Sequence[int], positions: Sequence[int], streams: Sequence[int], outputs: Sequence[int]
    ) -> None:
        """Compute one batch of at most `chunk` rows. `outputs` lists the rows whose logits are wanted.

        Raises Aborted after `abort()`, EngineError when the library refuses.
        """
        n = len(tokens)
        self._seq[:n], self._count[:n] = streams, 1
        self._seq_pointers[:n] = self._seq.ctypes.data + 4 * np.arange(n, dtype=np.uint64)
        self._decode(tokens, positions, outputs)

    def decode_tree(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[Sequence[int]],
        outputs: Sequence[int],
    ) -> None:
        """As `decode`, in a unified memory: each row belongs to all of its `sequences`, which it is a part of."""
        n = len(tokens)
        flat = np.fromiter((each for row in sequences for each in row), np.int32)
        counts = np.fromiter(map(len, sequences), np.int32, n)
        self._tree = flat  # the library reads it while it decodes
        self._count[:n] = counts
        self._seq_pointers[:n] = flat.ctypes.data + 4 * (np.cumsum(counts) - counts).astype(np.uint64)
        self._decode(tokens, positions, outputs)

    def decode_embeddings(
        self, embeddings: NDArray[np.float32], positions: NDArray[np.int32], stream: int, *, causal: bool
    ) -> None:
        """As `decode`, of rows that are no tokens: embeddings [rows, width] at positions [axes, rows] of one stream.

        The last row's logits are wanted. Where they are not `causal`, every row attends to all of them.
        """
        n = len(embeddings)
        places = np.ascontiguousarray(positions, np.int32)
        self._seq[:n], self._count[:n], self._want[:n] = stream, 1, 0
        self._want[n - 1] = 1
        self._seq_pointers[:n] = self._seq.ctypes.data + 4 * np.arange(n, dtype=np.uint64)
        mine = self._batch
        batch = layouts.Batch(
            n, None, embeddings.ctypes.data, places.ctypes.data_as(c.POINTER(c.c_int32)), mine.n_seq_id, mine.seq_id,
            mine.logits,
        )  # fmt: skip
        if causal:
            self._run(batch)
            return
        self._lib.llama_set_causal_attn(self.handle, False)
        try:
            self._run(batch)
        finally:
            self._lib.llama_set_causal_attn(self.handle, True)

    def _decode(self, tokens: Sequence[int], positions: Sequence[int], outputs: Sequence[int]) -> None:
        n = len(tokens)
        self._token[:n], self._pos[:n] = tokens, positions
        self._want[:n] = 0
        self._want[outputs] = 1
        self._batch.n_tokens = n
        self._run(self._batch)

    def _run(self, batch: layouts.Batch) -> None:
        self._rows = batch.n_tokens
        if self._pace:
            self._use(self._pace.threads)
        with self._turns.taken() as waited:
            began = time.perf_counter()
            code = self._lib.llama_decode(self.handle, batch)
            took = time.perf_counter() - began
        if code == 2:
            raise Aborted
        if code != 0:
            raise EngineError(f"the engine could not decode (code {code})")
        # Beside an engine of ours steps are slower too, and fewer threads do not help.
        if self._pace and waited < took / 10:
            self._pace.after(batch.n_tokens, took)

    def logits(self, row: int) -> Logits:
        """float32 [vocabulary] of batch row `row`: a view that the next decode overwrites."""
        pointer = self._lib.llama_get_logits_ith(self.handle, row)
        if not pointer:
            raise EngineError(f"the engine gave no logits for row {row}")
        return np.ctypeslib.as_array(pointer, shape=(self.model.vocabulary_size,))

    def vector(self, stream: int, width: int) -> Logits:
        """float32 [width] of all that the last decode read in `stream`: a view that the next decode overwrites."""
        pointer = self._lib.llama_get_embeddings_seq(self.handle, stream)
        if not pointer:
            raise EngineError("the engine gave no vector")
        return np.ctypeslib.as_array(pointer, shape=(width,))

    def last_logits(self) -> Logits:
        """Those of the last row of the last decode."""
        return self.logits(self._rows - 1)

    def remove(self, stream: int, start: int = 0) -> None:
        """Forget a stream's tokens from position `start` on."""
        if not self._lib.llama_memory_seq_rm(self._memory, stream, start, -1):
            raise EngineError("this model's memory cannot be rewound")

    def forget(self) -> None:
        """Forget the tokens of all streams; a model that reads a text in one piece remembers none."""
        if self._memory:
            self._lib.llama_memory_clear(self._memory, False)

    def save(self, stream: int) -> bytes:
        """The stream's keys and values. `restore` puts them, bit for bit, into any stream of any context of this model;
        of a context with as many streams, where the model's memory is not `plain`."""
        size = self.state_size(stream)
        buffer = (c.c_char * size)()
        if self._lib.llama_state_seq_get_data(self.handle, buffer, size, stream) != size:
            raise EngineError("the engine could not save a stream")
        state = bytes(buffer)
        return _without_empty_streams(state) if self.model.plain_memory else state

    def state_size(self, stream: int) -> int:
        """Bytes that `save` would give, or a few more."""
        return int(self._lib.llama_state_seq_get_size(self.handle, stream))

    def restore(self, stream: int, state: bytes) -> None:
        if not state:  # of a stream that held nothing yet
            return
        if self.model.plain_memory:
            state = _with_empty_streams(state, self.shape.streams)
        if self._lib.llama_state_seq_set_data(self.handle, state, len(state), stream) != len(state):
            raise EngineError("the engine could not restore a stream")

    def abort(self) -> None:
        """End the running decode as soon as its current graph node is done. Safe from any thread."""
        self._flag[0] = b"\1"

    def allow(self) -> None:
        """Take `abort` back, before the next decode."""
        self._flag[0] = b"\0"

    def close(self) -> None:
        if self.handle:
            self._lib.llama_free(self.handle)
            self.handle = 0

    def _use(self, threads: int) -> None:
        if threads != self._threads:
            self._lib.llama_set_n_threads(self.handle, threads, threads)
            self._threads = threads

    def _params(self) -> Any:
        shape = self.shape
        params = self._lib.llama_context_default_params()
        params.n_ctx = self._total
        params.n_batch = params.n_ubatch = self.chunk
        params.n_seq_max = shape.streams
        params.n_outputs_max = params.n_outputs_max_per_seq = max(shape.outputs, shape.streams)
        params.n_threads = params.n_threads_batch = shape.threads
        params.flash_attn_type = int(shape.flash_attention)
        params.type_k = params.type_v = _CACHE_TYPES[shape.cache_type]
        params.abort_callback = c.cast(_STRLEN, c.c_void_p)
        params.abort_callback_data = c.cast(self._flag, c.c_void_p)
        params.kv_unified = shape.unified
        params.embeddings = shape.embeddings
        params.pooling_type = shape.pooling
        return params

    def _prove(self) -> None:
        """What was set must be what the context says of itself; else a field is not where we think."""
        lib, shape, handle = self._lib, self.shape, self.handle
        total = lib.llama_n_ctx(handle)
        found = (
            lib.llama_n_seq_max(handle),
            lib.llama_n_batch(handle),
            lib.llama_n_ubatch(handle),
            lib.llama_n_threads(handle),
            lib.llama_n_threads_batch(handle),
            lib.llama_n_ctx_seq(handle),  # equals n_ctx if kv_unified, one of the last fields, were on
            total >= self._total,
        )
        each = total if shape.unified else total // shape.streams
        wanted = (shape.streams, self.chunk, self.chunk, shape.threads, shape.threads, each, True)
        if found != wanted:
            raise EngineError(f"libllama made a context of {found}, not {wanted}: its layout is not {lib.build.name}")

    def _make_batch(self, rows: int) -> None:
        """Arrays that every batch re-uses; llama_batch wants a pointer to the sequence ids of each row."""
        self._token, self._pos, self._seq = (np.zeros(rows, np.int32) for _ in range(3))
        self._count = np.ones(rows, np.int32)
        self._want = np.zeros(rows, np.int8)
        self._seq_pointers = self._seq.ctypes.data + 4 * np.arange(rows, dtype=np.uint64)
        ids = c.POINTER(c.c_int32)
        self._batch = layouts.Batch(
            0,
            self._token.ctypes.data_as(ids),
            None,
            self._pos.ctypes.data_as(ids),
            self._count.ctypes.data_as(ids),
            self._seq_pointers.ctypes.data_as(c.POINTER(ids)),
            self._want.ctypes.data_as(c.POINTER(c.c_int8)),
        )


# A saved sequence is: u32 magic, u32 sequence, u32 number of streams, then for each stream u32 cells and, if there are
# any, the cells (llama.cpp, src/llama-kv-cache.cpp, state_write). Only one stream has cells, and they are read from any
# place. Without the empty ones, the state of a context of two streams fits one of eight.
_HEAD, _COUNT = 8, 4


def _without_empty_streams(state: bytes) -> bytes:
    start = _HEAD + _COUNT
    if not any(state[start:]):
        return b""
    while state[start : start + _COUNT] == bytes(_COUNT):
        start += _COUNT
    (streams,) = struct.unpack_from("<I", state, _HEAD)
    end = len(state) - (streams - 1) * _COUNT + (start - _HEAD - _COUNT)
    return state[:_HEAD] + state[start:end]


def _with_empty_streams(state: bytes, streams: int) -> bytes:
    return b"".join((state[:_HEAD], struct.pack("<I", streams), state[_HEAD:], bytes((streams - 1) * _COUNT)))
