"""The local engine as the rest of pluriverse sees it: starts the engine's process, sends requests, sorts events.

Knows frames and futures. Does not know tokens, templates or libllama: those live in the process (`worker`).
"""

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ... import children
from ...errors import EngineCrashedError, EngineError, from_dict
from ...settings import Settings, turns_folder
from ...values import Digest, Message
from ..contract import (
    Capabilities,
    Chosen,
    Chunk,
    EngineEvent,
    Failed,
    Finished,
    Guide,
    Identity,
    Request,
    Score,
    Scored,
    ScoreRequest,
    Started,
    Thought,
    Token,
    Waiting,
)
from . import wire
from .calibration import Calibrations
from .documents import asked, guide_of, read, scored, token_of
from .layouts import WHEEL
from .libraries import Kept
from .options import EngineOptions
from .showing import decoded, nothing_shown
from .sizes import physical_cores
from .wire import Document

if TYPE_CHECKING:
    import numpy as np

    from ...assistant.bases import Base

_EVENTS: dict[str, type[Started] | type[Chunk] | type[Thought] | type[Finished]] = {
    "Started": Started,
    "Chunk": Chunk,
    "Thought": Thought,
    "Finished": Finished,
}
_LAST_WORDS = 2000  # characters of the process's stderr to quote from when it dies


class LocalEngine:
    """One base model in one child process; see `engines.contract.Engine` for what it promises."""

    def __init__(
        self,
        name: str,
        digest: Digest | None,
        path: Path,
        settings: Settings,
        options: EngineOptions | None = None,
        projector: Path | None = None,
    ) -> None:
        self._name, self._digest, self._path, self._home = name, digest, path, settings.home
        self._options = options or self.options_for(settings)
        if projector:  # some models attend to all of a picture at once, of up to so many tokens
            self._options = replace(self._options, chunk=max(self._options.chunk, EngineOptions().chunk))
        self._projector = projector
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._ids = itertools.count()
        self._replies: dict[int, asyncio.Queue[EngineEvent]] = {}
        self._answers: dict[int, asyncio.Future[tuple[Document, bytes]]] = {}
        self._ready: Document = {}
        self._memory = 0
        self._said = ""
        self._closed = False

    @staticmethod
    def options_for(settings: Settings) -> EngineOptions:
        """What the user says comes first, then what was measured here, then what does anywhere."""
        library = Kept(settings.home).used()
        found = Calibrations(settings.home).of(library)
        # More threads than processors wait for each other for ever, almost.
        threads = min(settings.threads or (found.threads if found else physical_cores()), os.cpu_count() or 1)
        flash = settings.flash_attention
        if flash is None:
            flash = found.flash_attention if found else True
        return EngineOptions(
            threads=threads,
            flash_attention=flash,
            chunk=found.chunk if found else EngineOptions().chunk,
            library=str(library.path) if library else None,
            turns=str(turns_folder()),
        )

    @property
    def base(self) -> str:
        return self._name

    @cached_property
    def identity(self) -> Identity:
        options = self._options
        library = WHEEL.name
        if options.library:
            built = (each for each in Kept(self._home).all() if str(each.path) == options.library)
            library = next((f"{each.source} {each.key}" for each in built), options.library)
        settings = {name: getattr(options, name) for name in ("flash_attention", "cache_type", "chunk")}
        if self._projector:  # a blob is called after its digest
            settings["projector"] = self._projector.name
        return Identity("local", self._digest, library, settings)

    @property
    def capabilities(self) -> Capabilities:
        writes = not self._ready.get("embeds", False)
        return Capabilities(
            logprobs=writes,
            logits=writes,
            grammar=writes,
            seed=writes,
            guidance=writes,
            context_length=self._ready.get("context_length"),
            images=self._projector is not None,
            leads=writes,
            quotes=writes,
            embeds=not writes,
            writes=writes,
            tokens=writes,
        )

    @property
    def memory(self) -> int:
        return self._memory if self._alive else 0

    @property
    def pid(self) -> int | None:
        """The engine's process, while it lives."""
        return self._process.pid if self._process and self._alive else None

    @property
    def _alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        async with self._starting:
            if self._closed:
                raise EngineError(f"the engine of {self._name} is closed")
            if not self._alive or not self._ready:
                await self._launch()

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[EngineEvent]:
        await self.start()
        shown = await decoded(requests) if self._projector else nothing_shown(requests, self._name)
        for place, error in shown.failed.items():
            yield Failed(place, error)
        index = {next(self._ids): place for place in range(len(requests)) if place not in shown.failed}
        events: asyncio.Queue[EngineEvent] = asyncio.Queue()
        self._replies |= dict.fromkeys(index, events)
        try:
            sent = [{"id": id, **asked(requests[place])} for id, place in index.items()]
            await self._send({"op": "generate", "requests": sent, "pictures": shown.facts}, shown.data)
            while any(id in self._replies for id in index) or not events.empty():
                event = await events.get()
                yield replace(event, index=index[event.index])
        finally:
            left = [id for id in index if self._replies.pop(id, None)]
            if left and self._alive:
                with contextlib.suppress(EngineCrashedError):
                    await self._send({"op": "cancel", "ids": left})

    async def score(
        self,
        prefix: str | Sequence[Message],
        continuations: Sequence[str],
        *,
        logits: bool = False,
        guide: Guide | None = None,
        adapter: Digest | None = None,
    ) -> tuple[Score, ...]:
        document, data = await self._question(
            {"op": "score", **scored(prefix), "continuations": list(continuations), "logits": logits,
             "guide": guide_of(guide), "adapter": adapter}
        )  # fmt: skip
        arrays = _split(data, [len(row["tokens"]) for row in document["scores"]], self._ready["vocabulary_size"])
        return tuple(
            Score(tuple(row["tokens"]), tuple(row["logprobs"]), array)
            for row, array in zip(document["scores"], arrays, strict=True)
        )

    async def score_all(self, requests: Sequence[ScoreRequest]) -> AsyncIterator[Scored | Failed]:
        await self.start()
        ids = {next(self._ids): index for index in range(len(requests))}
        loop = asyncio.get_running_loop()
        answers = {id: loop.create_future() for id in ids}
        self._answers |= answers
        jobs: list[Document] = []
        for id, request in zip(ids, requests, strict=True):
            jobs.append({"id": id, **scored(request.prefix), "continuations": list(request.continuations),
                         "guide": guide_of(request.guide), "adapter": request.adapter})  # fmt: skip
        try:
            await self._send({"op": "score_many", "jobs": jobs})
            for id, index in ids.items():
                document, _ = await answers[id]
                if "error" in document:
                    yield Failed(index, from_dict(document["error"]))
                    continue
                rows = document["scores"]
                yield Scored(index, tuple(Score(tuple(row["tokens"]), tuple(row["logprobs"])) for row in rows))
        finally:
            left = [id for id in ids if self._answers.pop(id, None)]
            if left and self._alive:
                with contextlib.suppress(EngineCrashedError):
                    await self._send({"op": "cancel", "ids": left})

    async def embed(self, texts: Sequence[str]) -> "np.ndarray":
        import numpy as np

        document, data = await self._question({"op": "embed", "texts": list(texts)})
        vectors = np.frombuffer(data, np.float32) if texts else np.empty(0, np.float32)
        return vectors.reshape(len(texts), document["width"])

    async def count_tokens(self, text: str) -> int:
        document, _ = await self._question({"op": "count", "text": text})
        return int(document["tokens"])

    async def tokens(
        self, prompt: str | Sequence[int] | Sequence[Message], likeliest: int | None = None
    ) -> tuple[Token, ...]:
        document, _ = await self._question({"op": "tokens", **read(prompt), "likeliest": likeliest})
        return tuple(map(token_of, document.get("tokens", ())))

    async def aclose(self) -> None:
        self._closed = True
        process = self._process
        if process and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()  # it holds nothing that needs saving
            await process.wait()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    # -- the process

    async def _launch(self) -> None:
        self._said, self._ready = "", {}
        self._process = await children.start(
            children.python("pluriverse.engines.local.worker"),
            speaks=True,
            GGML_NO_BACKTRACE="1",
            OPENBLAS_NUM_THREADS="1",  # threads of our own compute, each a text (`embedding`)
        )
        self._tasks = [
            asyncio.create_task(self._listen(self._process)),
            asyncio.create_task(self._overhear(self._process)),
        ]
        first: asyncio.Future[tuple[Document, bytes]] = asyncio.get_running_loop().create_future()
        self._answers[-1] = first
        projector = str(self._projector) if self._projector else None
        options = asdict(self._options)
        await self._send({"op": "load", "path": str(self._path), "options": options, "projector": projector})
        document, _ = await first
        if "error" in document:
            await self._process.wait()
            told = document["error"]  # it calls the file by its own name, which of a blob is its digest
            raise from_dict({**told, "message": told["message"].replace(self._path.name, self._name)})
        self._ready = document
        self._memory = document["memory"]

    async def _send(self, document: Document, data: bytes = b"") -> None:
        assert self._process and self._process.stdin
        try:
            self._process.stdin.write(wire.pack(document, data))
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self._crashed() from error

    async def _question(self, document: Document) -> tuple[Document, bytes]:
        await self.start()
        id = next(self._ids)
        answer: asyncio.Future[tuple[Document, bytes]] = asyncio.get_running_loop().create_future()
        self._answers[id] = answer
        try:
            await self._send({**document, "id": id})
            reply, data = await answer
        except asyncio.CancelledError:
            if self._alive:
                with contextlib.suppress(EngineCrashedError):
                    await self._send({"op": "cancel", "ids": [id]})
            raise
        finally:
            self._answers.pop(id, None)
        if "error" in reply:
            raise from_dict(reply["error"])
        return reply, data

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        try:
            while True:
                text, data = wire.lengths(await process.stdout.readexactly(wire.HEAD_SIZE))
                document = wire.unpack(await process.stdout.readexactly(text))
                self._hear(document, await process.stdout.readexactly(data))
        except asyncio.IncompleteReadError:
            await process.wait()
            await asyncio.sleep(0)  # lets `_overhear` take the last words
            self._end_all(self._crashed())

    def _hear(self, document: Document, data: bytes) -> None:
        self._memory = document.get("memory", self._memory)
        if document["op"] == "events":
            for entry in document["events"]:
                self._deliver(_decode(entry))
            return
        if document["op"] == "waiting":
            for id in {events: id for id, events in self._replies.items()}.values():  # one of each call
                self._deliver(Waiting(id))
            return
        id = -1 if document["op"] in {"ready", "refused"} else document["id"]
        answer = self._answers.pop(id, None)
        if answer and not answer.done():
            answer.set_result((document, data))

    def _deliver(self, event: EngineEvent) -> None:
        events = self._replies.get(event.index)
        if events is None:
            return  # cancelled: nobody waits for it any more
        if isinstance(event, Finished | Failed):
            del self._replies[event.index]
        events.put_nowait(event)

    def _end_all(self, error: EngineError) -> None:
        for id in list(self._replies):
            self._deliver(Failed(id, error))
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(error)

    async def _overhear(self, process: asyncio.subprocess.Process) -> None:
        """Read the process's stderr, for its last words; it must be read, or the process would block."""
        assert process.stderr
        while chunk := await process.stderr.read(65536):
            self._said = (self._said + chunk.decode("utf-8", "replace"))[-_LAST_WORDS:]

    def _crashed(self) -> EngineError:
        if self._closed:
            return EngineError(f"the engine of {self._name} was closed")
        words = [line for line in self._said.splitlines() if line.strip()]
        why = f": {words[-1].strip()}" if words else ""
        hint = "ask again: it starts anew"
        if not self._ready:  # it died while it was loading
            hint = "look whether its file is whole: pluriverse verify; or take another: pluriverse catalogue"
            if self._options.library:
                hint = "take the wheel's library again: pluriverse engine use wheel"
        return EngineCrashedError(f"the engine of {self._name} ended unexpectedly{why}", hint)


def open_local(base: "Base", settings: Settings) -> LocalEngine:
    """What stands behind the door `engines`. EngineError for a base without a file."""
    if base.path is None:
        raise EngineError(f"the base {base.name} has no file", "see the models: pluriverse ls")
    return LocalEngine(base.name, base.digest, base.path, settings, projector=base.projector)


def _decode(entry: Document) -> EngineEvent:
    kind = entry.pop("type")
    if kind == "Failed":
        return Failed(entry["index"], from_dict(entry["error"]))
    if kind == "Chosen":
        return Chosen(entry["index"], token_of(entry["token"]))
    return _EVENTS[kind](**entry)


def _split(data: bytes, rows: Sequence[int], vocabulary: int) -> "list[np.ndarray | None]":
    """Cut the logits behind a frame into arrays of [rows, vocabulary]."""
    if not data:
        return [None] * len(rows)
    import numpy as np

    whole = np.frombuffer(data, np.float32).reshape(-1, vocabulary)
    ends = np.cumsum(rows)
    return [whole[end - n : end] for end, n in zip(ends, rows, strict=True)]
