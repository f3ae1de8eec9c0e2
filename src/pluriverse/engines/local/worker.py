"""The engine's own process, started by `client`: frames in on stdin, frames out on stdout.

It holds one model's weights. A reader thread takes requests and cancellations while the main thread loads and decodes;
when stdin ends, because the one that asked is gone, so does this process. A native crash ends this process and nothing
else; what goes wrong with one request ends that request, in words, and the others go on.

    in   {"op": "load", "path", "options", "projector"}       -> {"op": "ready", ...} or {"op": "refused", "error"}
         {"op": "generate", "requests": [{"id", "messages", "sampling", "guide", "adapter", "lead", "quotable",
          "likeliest", "pictures"}], "pictures": [{"digest", "width", "height"}]} + their pixels, in that order
                                                              -> {"op": "events", "events": [...]}
         {"op": "cancel", "ids": [...]}
         {"op": "score", "id", "prefix" | "messages", "continuations", "logits", "guide", "adapter"}
                                                              -> {"op": "scores", "id", ...} + bytes
         {"op": "score_many", "jobs": [{"id", "prefix" | "messages", "continuations", "guide", "adapter"}]}
                                                              -> "scores" for each
         {"op": "tokens", "id", "prefix" | "ids" | "messages", "likeliest"}
                                                              -> {"op": "told", "id", "tokens" | "error"}
         {"op": "embed", "id", "texts"}                       -> of a model that embeds: see `embedding`
         {"op": "count", "id", "text"}                        -> {"op": "counted", "id", "tokens" | "error"}
    out  {"op": "waiting"}: other engines of this user have had the turn for long
"""

import os
import queue
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import asdict, astuple
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ...errors import EngineError, PluriverseError, UnsupportedError, UsageError
from ...store.gguf import Header, read_header
from ...store.kinds import check_kind, check_projector, embeds
from ...values import Digest, Message, Picture, Role, Sampling
from ..contract import Chosen, EngineEvent, Failed, Token, no_adapter, no_pictures
from . import wire
from .batch_scoring import BatchScorer
from .embedding import EmbeddingWorker
from .library import open_library
from .model import Model
from .options import EngineOptions
from .pace import Pace
from .pixels import CHANNELS, Pixels
from .projector import Projector
from .prompts import ChatTemplate, Contrast, Prompt
from .renderer import Renderer
from .scheduler import Scheduler
from .scoring import Scorer, TokenScores
from .sizes import cache_bytes_per_token
from .template_process import die_with_parent
from .turns import Turns
from .vision import VisionLibrary
from .wire import Document


class Sender:
    """Puts frames on the wire, from any thread."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._sending = threading.Lock()

    def __call__(self, document: Document, data: bytes = b"") -> None:
        with self._sending:
            self._out.write(wire.pack(document, data))
            self._out.flush()


def worker_of(
    send: Sender, path: Path, options: EngineOptions, projector: Path | None = None
) -> "Worker | EmbeddingWorker":
    """The one for this kind of model. What `check_kind` and loading raise."""
    header = read_header(path)  # before any native code sees the file
    check_kind(header, path.name)
    if embeds(header):
        return EmbeddingWorker(send, header, path, options)
    return Worker(send, header, path, options, projector)


class Worker:
    """Drives one scheduler and one scorer from a queue of documents."""

    def __init__(
        self, send: "Sender", header: Header, path: Path, options: EngineOptions, projector: Path | None
    ) -> None:
        self.send, self._options, self._projector = send, options, projector
        renderer = Renderer()  # first, because it starts while the weights load
        self._model = Model(open_library(Path(options.library) if options.library else None), path)
        self._bytes_per_token = cache_bytes_per_token(header.metadata, options.cache_type)
        folder = Path(options.turns) if options.turns else None
        self._turns = turns = Turns(folder, lambda: self.send({"op": "waiting"}))
        pace = Pace(options.threads)
        template = ChatTemplate(self._model, renderer)
        self._scheduler = Scheduler(self._model, options, self._bytes_per_token, turns, pace, template)
        self._scorer = Scorer(self._model, options, turns, pace)
        self._batches = BatchScorer(self._model, options, turns, pace)
        self._scoring: deque[tuple[int, Generator[None, None, list[TokenScores] | list[Token]]]] = deque()
        self._told_memory = 0
        self._pictures: dict[Digest, Pixels] = {}  # of the document in hand

    def cancel(self, ids: list[int]) -> None:
        """Called by the reader thread, while the main thread may be decoding."""
        self._scheduler.cancel(ids)

    def serve(self, inbox: "queue.SimpleQueue[Document]") -> None:
        self.send(
            {
                "op": "ready",
                "context_length": self._model.context_length,
                "vocabulary_size": self._model.vocabulary_size,
                "memory": self._memory(),
            }
        )
        while True:
            busy = bool(self._scoring) or not (self._scheduler.idle and self._batches.idle)
            if not busy:
                self._turns.rest()
            self._take(inbox, wait=not busy)
            if not self._scheduler.idle:
                self._send_events(self._scheduler.step())
            self._score_a_little()
            for id, found in self._batches.step():
                self._send_scores(id, found)

    def _take(self, inbox: "queue.SimpleQueue[Document]", wait: bool) -> None:
        try:
            while True:
                self._handle(inbox.get(block=wait))
                wait = False
        except queue.Empty:
            return

    def _handle(self, document: Document) -> None:
        op = document["op"]
        if op == "generate":
            self._pictures = _pixels(document)
            for request in document["requests"]:
                self._submit(request)
            self._pictures = {}
        elif op in {"score", "tokens"}:
            try:
                job = self._score_job(document) if op == "score" else self._token_job(document)
                self._scoring.append((document["id"], job))
            except Exception as error:
                self._send_scores(document["id"], _known(error))
        elif op == "score_many":
            for job in document["jobs"]:
                try:
                    prompt, continuations, contrast = self._read_job(job)
                    self._batches.submit(job["id"], prompt, continuations, contrast)
                except Exception as error:
                    self._send_scores(job["id"], _known(error))
        elif op == "cancel":  # replies heard it already
            self._batches.cancel(document["ids"])
        elif op == "embed":
            words = "this model writes text and was not made to compare it, so that it gives no vectors"
            refused = UnsupportedError(words, "take an embedding model: pluriverse pull all-minilm-l6-v2")
            self.send({"op": "vectors", "id": document["id"], "error": refused.as_dict()})
        elif op == "count":
            try:
                found: Document = {"tokens": len(self._model.tokenize(document["text"], special=False))}
            except Exception as error:
                found = {"error": _known(error).as_dict()}
            self.send({"op": "counted", "id": document["id"], **found})

    def _submit(self, request: Document) -> None:
        try:
            _check_adapters(request)
            sampling = Sampling(**{**request["sampling"], "stop": tuple(request["sampling"]["stop"])})
            guide, template = request["guide"], self._scheduler.template
            lead, texts = request["lead"], tuple(request["quotable"])
            if shown := [Digest(each) for each in request["pictures"]]:
                template.seen = self._eyes().see({each: self._pictures[each] for each in shown})
            prompt = partial(template.prompt, think=False if lead else sampling.think)
            contrast = Contrast(prompt(_messages(guide["messages"])), guide["strength"]) if guide else None
            said = request["messages"] if isinstance(request["messages"], str) else _messages(request["messages"])
            own = template.raw(said) if isinstance(said, str) else prompt(said)
            tokens = template.lead(said, own, lead) if lead else ()
            self._send_events(
                self._scheduler.submit(request["id"], own, sampling, contrast, tokens, texts, request["likeliest"])
            )
        except Exception as error:
            self._send_events([Failed(request["id"], _known(error))])

    def _eyes(self) -> Projector:
        """Loaded when the first picture comes: whoever shows none need not wait for it, nor have the memory."""
        if self._scheduler.projector is None:
            if self._projector is None:
                raise no_pictures(self._model.path.name)
            o, path = self._options, self._projector
            check_projector(read_header(path), path.name)
            vision = VisionLibrary(self._model.library)
            eyes = Projector(vision, self._model, path, o.threads, o.flash_attention, self._turns)
            self._scheduler.projector = eyes
        return self._scheduler.projector

    def _send_events(self, events: list[EngineEvent]) -> None:
        document: Document = {"op": "events", "events": [_event(event) for event in events]}
        if (memory := self._memory()) != self._told_memory:
            document["memory"] = self._told_memory = memory
        if events:
            self.send(document)

    def _memory(self) -> int:
        held = self._scorer.tokens_held + self._batches.tokens_held
        eyes = self._scheduler.projector
        seen = eyes.memory if eyes else 0
        return self._model.bytes + self._scheduler.memory + held * self._bytes_per_token + seen

    def _score_job(self, document: Document) -> Generator[None, None, list[TokenScores]]:
        prompt, continuations, contrast = self._read_job(document)
        if contrast is None:
            return self._scorer.run(prompt, continuations, document["logits"])
        return self._scorer.run_guided(prompt, contrast, continuations, document["logits"])

    def _token_job(self, document: Document) -> Generator[None, None, list[TokenScores] | list[Token]]:
        template, model = self._scheduler.template, self._model
        if "ids" in document:
            tokens = document["ids"]
            if any(not 0 <= each < model.vocabulary_size for each in tokens):
                raise UsageError(f"this model's tokens have ids from 0 to {model.vocabulary_size - 1:,}")
        elif "prefix" in document:
            tokens = template.raw(document["prefix"]).tokens
        else:
            tokens = template.prompt(_messages(document["messages"])).tokens
        if (likeliest := document["likeliest"]) is not None:
            return (yield from self._scorer.read(tokens, likeliest))
        yield from ()
        return [Token(each, model.shown(each)) for each in tokens]

    def _read_job(self, document: Document) -> tuple[Prompt, list[tuple[int, ...]], Contrast | None]:
        """Tokens of what is to be scored."""
        _check_adapters(document)
        template, texts = self._scheduler.template, document["continuations"]
        prefix = _messages(document["messages"]) if "messages" in document else str(document["prefix"])
        prompt = template.raw(prefix) if isinstance(prefix, str) else template.prompt(prefix, closed=True)
        continuations = template.continuations(prefix, prompt, texts)
        if (guide := document["guide"]) is None:
            return prompt, continuations, None
        if isinstance(prefix, str):
            raise UsageError("a guided score needs messages, not raw text")
        other = _messages(guide["messages"])
        against = template.prompt(other, closed=True)
        if continuations != template.continuations(other, against, texts):
            raise EngineError("a continuation falls into other tokens after the other side's conversation")
        return prompt, continuations, Contrast(against, guide["strength"])

    def _score_a_little(self) -> None:
        """One decode of the oldest scoring, so that replies and scores share the machine."""
        if not self._scoring:
            return
        id, job = self._scoring[0]
        try:
            next(job)
            return
        except StopIteration as done:
            self._send_scores(id, done.value)
        except Exception as error:
            self._send_scores(id, _known(error))
        self._scoring.popleft()

    def _send_scores(self, id: int, found: list[TokenScores] | list[Token] | PluriverseError) -> None:
        if isinstance(found, PluriverseError):
            self.send({"op": "scores", "id": id, "error": found.as_dict()})
            return
        if told := [astuple(each) for each in found if isinstance(each, Token)]:
            self.send({"op": "told", "id": id, "tokens": told})
            return
        scores = [each for each in found if isinstance(each, TokenScores)]
        rows = [{"tokens": score.tokens, "logprobs": score.logprobs} for score in scores]
        data = b"".join(score.logits.tobytes() for score in scores if score.logits is not None)
        self.send({"op": "scores", "id": id, "scores": rows}, data)


def _known(error: Exception) -> PluriverseError:
    """An error as one of ours; another kind is a fault of this program, and still ends one request only."""
    if isinstance(error, PluriverseError):
        return error
    return EngineError(f"the engine could not do this request: {type(error).__name__}: {error}"[:300])


def _check_adapters(asked: Document) -> None:
    guide = asked["guide"]
    no_adapter("the local engine", *(Digest(each) for each in (asked["adapter"], guide and guide["adapter"]) if each))


def _messages(triples: list[tuple[Role, str, list[Digest]]]) -> list[Message]:
    """Of pictures only their digests came."""
    return [
        Message(role, content, tuple(Picture(Digest(each), "", 0, 0, b"") for each in pictures))
        for role, content, pictures in triples
    ]


def _pixels(document: Document) -> dict[Digest, Pixels]:
    found, start = {}, 0
    for each in document["pictures"]:
        end = start + CHANNELS * each["width"] * each["height"]
        found[Digest(each["digest"])] = Pixels(each["width"], each["height"], document["data"][start:end])
        start = end
    return found


def _event(event: EngineEvent) -> Document:
    if isinstance(event, Failed):
        return {"type": "Failed", "index": event.index, "error": event.error.as_dict()}
    if isinstance(event, Chosen):
        return {"type": "Chosen", "index": event.index, "token": astuple(event.token)}
    return {"type": type(event).__name__, **asdict(event)}


class Inbox:
    """What the one that asks has sent, read by a thread of its own from the first moment on.

    It hears cancellations in the middle of a decode, and the end of the one that asks, also while weights are loaded.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.documents: queue.SimpleQueue[Document] = queue.SimpleQueue()
        self.cancel: Callable[[list[int]], None] = lambda ids: None
        threading.Thread(target=self._read_forever, daemon=True).start()

    def _read_forever(self) -> None:
        while frame := wire.read(self._stream):
            document, data = frame
            document["data"] = data
            if document["op"] == "cancel":
                self.cancel(document["ids"])
            self.documents.put(document)  # also a cancellation, to wake the main thread
        os._exit(0)


def main() -> None:
    die_with_parent()
    # Native code may print; only frames may reach the wire, so the wire moves away and stdout becomes stderr.
    send = Sender(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    inbox = Inbox(sys.stdin.buffer)
    document = inbox.documents.get()
    try:
        projector = Path(document["projector"]) if document["projector"] else None
        worker = worker_of(send, Path(document["path"]), EngineOptions(**document["options"]), projector)
    except Exception as error:
        known = EngineError(f"the engine could not start: {error}") if isinstance(error, OSError) else _known(error)
        send({"op": "refused", "error": known.as_dict()})
        os._exit(0)
    inbox.cancel = worker.cancel
    try:
        worker.serve(inbox.documents)
    except Exception:  # the error is to be the last word: at Python's own end the reading thread aborts it
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    main()
