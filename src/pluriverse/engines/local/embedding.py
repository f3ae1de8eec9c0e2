"""The process of an engine whose model embeds: texts in on stdin, vectors out on stdout, frames as those of `worker`.

    in   {"op": "embed", "id", "texts"}    -> {"op": "vectors", "id", "width"} + float32 bytes, or {..., "error"}
         {"op": "count", "id", "text"}     -> {"op": "counted", "id", "tokens"}
         {"op": "cancel", "ids": [...]}

Each text is computed alone, on one thread, so that its vector depends on nothing but the text, bit for bit; as many at
once as there are threads, which is faster than many threads on a small text. BERT is computed by numpy (`bert`). What a
model that writes is asked for ends with UnsupportedError.
"""

import ctypes as c
import queue
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import EngineError, PluriverseError, UsageError
from ...store.gguf import Header
from ...store.kinds import writes_none
from ..contract import Failed
from .bert import Bert, computes
from .context import Context, Shape
from .library import open_library
from .model import Model
from .options import EngineOptions
from .turns import Turns
from .wire import Document

Vectors = NDArray[np.float32]

_MOST = 2048  # tokens of a text that are read at most: what a decode takes in must be computed in one piece
_LONGEST = 64  # characters of a token, about; what lies beyond is not looked at
_AT_ONCE = 4  # texts of each thread between two looks at the inbox
_MEAN = 1  # of all tokens, where the file does not say how to make one vector of them


class Embedder:
    """Vectors of texts: from contexts of one thread each over one model, or from `bert`, where that computes it."""

    def __init__(self, model: Model, options: EngineOptions, pooling: int, bert: Bert | None = None) -> None:
        self._model, self._bert = model, bert
        self._width: int = model.library.llama_model_n_embd(model.handle)
        self.length = min(model.context_length, _MOST)
        shape = Shape(1, self.length, self.length, 1, options.flash_attention, chunk=self.length,
                      embeddings=True, pooling=pooling)  # fmt: skip
        turns = Turns(None)  # who asks takes them
        self._make: Callable[[], Context] = lambda: Context(model, shape, turns)
        self._contexts: list[Context] = []
        self._threads = max(options.threads, 1)
        self._pool = ThreadPoolExecutor(self._threads)

    def embed(self, texts: list[str]) -> Vectors:
        """float32 [len(texts), width]. UsageError for a text without a token."""
        rows = [self._tokens(text) for text in texts]
        # One thread takes those of a share; the longest first, so that all end at about the same time.
        order = sorted(range(len(rows)), key=lambda place: -len(rows[place]))
        shares = [order[start :: self._threads] for start in range(min(self._threads, len(rows)))]
        vectors = np.empty((len(rows), self._width), np.float32)
        if self._bert is None:
            self._contexts += [self._make() for _ in range(len(shares) - len(self._contexts))]

        def compute(number: int, share: list[int]) -> None:
            for place in share:
                vectors[place] = self._vector(number, rows[place])

        for done in [self._pool.submit(compute, *each) for each in enumerate(shares)]:
            done.result()
        return vectors

    def _vector(self, number: int, tokens: list[int]) -> Vectors:
        """Of one text, in the context of that number."""
        if self._bert is not None:
            vector = self._bert.vector(tokens)
        else:
            context, everything = self._contexts[number], range(len(tokens))
            context.forget()
            context.decode(tokens, everything, [0] * len(tokens), everything)
            vector = context.vector(0, self._width).copy()
        length = np.sqrt(np.square(vector, dtype=np.float64).sum())
        if not np.isfinite(length) or length == 0:
            raise EngineError("the model gave a vector that has no direction", "pluriverse verify")
        normed: Vectors = (vector / length).astype(np.float32)
        return normed

    def _tokens(self, text: str) -> list[int]:
        """With the marks that the model has around a text; cut before the last of them where it is too long."""
        head, tail = self._marks
        room = self.length - len(head) - len(tail)
        tokens = self._model.tokenize(text[: room * _LONGEST], special=False)[:room]
        if not (tokens or head or tail):
            raise UsageError("a text is empty")
        return [*head, *tokens, *tail]

    @cached_property
    def _marks(self) -> tuple[list[int], list[int]]:
        text = "a"
        own = self._model.tokenize(text, special=False)
        room = len(own) + 8
        ids = (c.c_int32 * room)()
        data = text.encode()
        n = self._model.library.llama_tokenize(self._model.vocabulary, data, len(data), ids, room, True, False)
        whole = ids[: max(n, 0)]
        start = next((at for at in range(len(whole)) if whole[at : at + len(own)] == own), None)
        if start is None:
            raise EngineError("the model's own marks around a text were not found")
        return whole[:start], whole[start + len(own) :]


class EmbeddingWorker:
    """Answers documents one after the other, a few texts at a time."""

    def __init__(
        self, send: Callable[[Document, bytes], None], header: Header, path: Path, options: EngineOptions
    ) -> None:
        self._send = send
        self._model = Model(open_library(Path(options.library) if options.library else None), path)
        folder = Path(options.turns) if options.turns else None
        self._turns = Turns(folder)
        given = f"{header.metadata['general.architecture']}.pooling_type" in header.metadata
        bert = Bert(header, path) if computes(header) else None
        self._embedder = Embedder(self._model, options, -1 if given else _MEAN, bert)
        self._at_once = _AT_ONCE * max(options.threads, 1)
        self._waiting: deque[tuple[int, list[str], list[Vectors]]] = deque()

    def cancel(self, ids: list[int]) -> None:
        """The main thread does it, when it has read so itself."""

    def serve(self, inbox: "queue.SimpleQueue[Document]") -> None:
        self._send(
            {
                "op": "ready",
                "embeds": True,
                "context_length": self._embedder.length,
                "vocabulary_size": self._model.vocabulary_size,
                "memory": self._model.bytes,
            },
            b"",
        )
        while True:
            while not (inbox.empty() and self._waiting):
                self._handle(inbox.get())
            self._step()

    def _handle(self, document: Document) -> None:
        op = document["op"]
        if op == "embed":
            self._waiting.append((document["id"], document["texts"], []))
        elif op == "cancel":
            gone = set(document["ids"])
            self._waiting = deque(each for each in self._waiting if each[0] not in gone)
        elif op == "count":
            tokens = len(self._model.tokenize(document["text"], special=False))
            self._send({"op": "counted", "id": document["id"], "tokens": tokens}, b"")
        elif op == "generate":
            refused = [Failed(each["id"], writes_none("this")) for each in document["requests"]]
            events = [{"type": "Failed", **asdict(each), "error": each.error.as_dict()} for each in refused]
            self._send({"op": "events", "events": events}, b"")
        else:
            for job in document.get("jobs", [document]):
                self._refuse(job["id"], writes_none("this"))

    def _step(self) -> None:
        """A few texts of the oldest question."""
        id, texts, found = self._waiting[0]
        done = sum(map(len, found))
        try:
            with self._turns.taken():
                found.append(self._embedder.embed(texts[done : done + self._at_once]))
        except Exception as error:
            self._waiting.popleft()
            words = f"the engine could not embed: {type(error).__name__}: {error}"[:300]
            self._refuse(id, error if isinstance(error, PluriverseError) else EngineError(words))
            return
        if done + len(found[-1]) == len(texts):
            self._waiting.popleft()
            vectors = np.concatenate(found)
            self._send({"op": "vectors", "id": id, "width": vectors.shape[1]}, vectors.tobytes())

    def _refuse(self, id: int, error: PluriverseError) -> None:
        self._send({"op": "vectors", "id": id, "error": error.as_dict()}, b"")
