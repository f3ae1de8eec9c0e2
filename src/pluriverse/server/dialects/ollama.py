"""Ollama's API, as far as its clients need it to talk: /api/tags, show, version, ps, chat, generate, embed.

Knows that API's bodies and answers. Fields that it has and we do not do are refused. Names may end in `:latest`.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from ... import __version__
from ...engines.json_schema import ANY, grammar_of
from ...errors import NotFoundError
from ...runtime.replies import Reply
from ...values import Message
from ..asking import workspace_for
from ..embedding import embedded
from ..errors import FieldError, document_of
from ..events import marked
from ..house import House
from ..names import Named, listed, speaker
from ..speaking import Body, Name, Ours, Words, decoded, options_of, reply_of, spoken, stops, told
from ..streaming import Events, collected, line, while_connected

LINES = "application/x-ndjson"


class Options(Body):
    """Of these, how memory and threads are used is the server's own business, and heard without effect."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    num_predict: int | None = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    stop: list[str] | None = None
    num_ctx: int | None = None
    num_batch: int | None = None
    num_gpu: int | None = None
    num_thread: int | None = None
    num_keep: int | None = None


class Turn(Body):
    role: Literal["system", "user", "assistant"]
    content: str = ""
    images: list[str] | None = None
    thinking: str | None = None


class Common(Body):
    model: Name
    stream: bool = True
    format: dict[str, Any] | Literal["json", ""] | None = None
    options: Options | None = None
    think: bool | Literal["low", "medium", "high"] | None = None
    keep_alive: str | float | None = None  # when an engine ends is decided by memory
    pluriverse: Ours | None = None

    def ways(self, system: str) -> dict[str, Any]:
        """What `speaking.spoken` is told beside the turns."""
        o = self.options or Options()
        decoding = {
            "top_p": o.top_p, "top_k": o.top_k, "min_p": o.min_p, "repeat_penalty": o.repeat_penalty,
            "repeat_last_n": o.repeat_last_n, "frequency_penalty": o.frequency_penalty,
            "presence_penalty": o.presence_penalty, "stop": tuple(stops(o.stop)) or None,
            "grammar": grammar_of(ANY if self.format == "json" else self.format) if self.format else None,
        }  # fmt: skip
        options = options_of(
            self.pluriverse, decoding, temperature=o.temperature,
            max_tokens=o.num_predict if (o.num_predict or 0) > 0 else None,
            seed=o.seed, instructions=system, think=None if self.think is None else bool(self.think),
        )  # fmt: skip
        keep = bool(self.pluriverse and self.pluriverse.keep)
        return {"model": _name(self.model), "options": options, "keep": keep}


class Chat(Common):
    messages: list[Turn]
    tools: list[Any] | None = None


class Generate(Common):
    prompt: str = ""
    system: str = ""
    images: list[str] | None = None


class Show(Body):
    model: Name
    verbose: bool | None = None


class Embed(Body):
    model: Name
    input: str | list[str] = Field(default_factory=list)
    truncate: bool | None = None
    options: Options | None = None
    keep_alive: str | float | None = None


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.get("/api/version")
    async def version() -> dict[str, str]:
        return {"version": __version__}

    @routes.get("/api/tags")
    async def tags(request: Request) -> dict[str, Any]:
        return {"models": [_entry(house, each) for each in listed(workspace_for(house, request))]}

    @routes.get("/api/ps")
    async def running() -> dict[str, Any]:
        return {"models": []}

    @routes.post("/api/show")
    async def show(body: Show, request: Request) -> dict[str, Any]:
        return _shown(house, request, _name(body.model))

    @routes.post("/api/chat")
    async def chat(body: Chat, request: Request) -> Response:
        if body.tools:
            raise FieldError("tools", "assistants here call no tools", "leave tools out")
        system = told([each.content for each in body.messages if each.role == "system"])
        turns = [_message(each.role, each.content, each.images) for each in body.messages if each.role != "system"]
        return await _answered(house, request, body, turns, system, chats=True)

    @routes.post("/api/generate")
    async def generate(body: Generate, request: Request) -> Response:
        turns = [_message("user", body.prompt, body.images)]
        if not body.prompt:  # how that API's clients have a model loaded
            speaker(workspace_for(house, request), _name(body.model))
            return JSONResponse({**_head(body), "response": "", "done": True, "done_reason": "load"})
        return await _answered(house, request, body, turns, body.system, chats=False)

    @routes.post("/api/embed")
    async def embed(body: Embed, request: Request) -> Response:
        texts = [body.input] if isinstance(body.input, str) else body.input
        found = await while_connected(request, embedded(workspace_for(house, request), _name(body.model), texts))
        if isinstance(found, Response):
            return found
        vectors, tokens = found
        return JSONResponse({"model": body.model, "embeddings": vectors.tolist(), "prompt_eval_count": tokens})

    return routes


async def _answered(
    house: House, request: Request, body: Common, turns: list[Message], system: str, *, chats: bool
) -> Response:
    words = await while_connected(request, spoken(house, request, turns=turns, **body.ways(system)))
    if isinstance(words, Response):
        return words
    if body.stream:
        return Events(_lines(body, words, chats), LINES)
    found = await while_connected(request, collected(words))
    if isinstance(found, Response):
        return found
    reply = reply_of(found)
    if reply.error is not None:
        raise reply.error
    return JSONResponse({**_said(body, reply.text, reply.thinking, chats), **_end(reply)})


async def _lines(body: Common, words: AsyncGenerator[Words | Reply, None], chats: bool) -> AsyncGenerator[str, None]:
    async with aclosing(words):
        async for each in words:
            if isinstance(each, Words):
                thought = each.text if each.thinking else None
                said = "" if each.thinking else each.text
                yield line({**_said(body, said, thought, chats), "done": False})
            elif each.error is not None:
                yield line(document_of(each.error, "ollama"))
            else:
                yield line({**_said(body, "", None, chats), **_end(each)})


def _message(role: str, text: str, images: list[str] | None) -> Message:
    pictures = tuple(decoded(each) for each in images or ())
    return Message("assistant" if role == "assistant" else "user", text, pictures)


def _name(model: str) -> str:
    return model.removesuffix(":latest")


def _head(body: Common) -> dict[str, Any]:
    return {"model": body.model, "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")}


def _said(body: Common, text: str, thinking: str | None, chats: bool) -> dict[str, Any]:
    thought = {} if thinking is None else {"thinking": thinking}
    if chats:
        return {**_head(body), "message": {"role": "assistant", "content": text, **thought}}
    return {**_head(body), "response": text, **thought}


def _end(reply: Reply) -> dict[str, Any]:
    first = reply.first_token_s if reply.first_token_s is not None else reply.total_s
    return {
        "done": True,
        "done_reason": "length" if reply.finish_reason in {"length", "context"} else "stop",
        "total_duration": _nanoseconds(reply.total_s),
        "load_duration": 0,
        "prompt_eval_count": reply.prompt_tokens or 0,
        "prompt_eval_duration": _nanoseconds(first),
        "eval_count": reply.completion_tokens or 0,
        "eval_duration": _nanoseconds(max(reply.total_s - first, 0)),
        "pluriverse": marked(reply),
    }


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _details(named: Named) -> dict[str, Any]:
    return {
        "parent_model": named.parent or "", "format": "gguf", "family": named.architecture,
        "families": [named.architecture] if named.architecture else [], "parameter_size": "",
        "quantization_level": named.quantization,
    }  # fmt: skip


def _entry(house: House, named: Named) -> dict[str, Any]:
    name = f"{named.name}:latest"
    digest = named.definition or named.weights
    return {
        "name": name, "model": name, "size": named.bytes, "digest": digest.hex if digest else "",
        "modified_at": datetime.fromtimestamp(house.started, UTC).isoformat(), "details": _details(named),
        "pluriverse": named.as_dict(),
    }  # fmt: skip


def _shown(house: House, request: Request, name: str) -> dict[str, Any]:
    workspace = workspace_for(house, request)
    for each in listed(workspace):
        if each.name == name:
            system = speaker(workspace, name).system
            return {
                "license": each.licence or "", "modelfile": "", "parameters": "", "template": "", "system": system,
                "details": _details(each), "model_info": {"general.architecture": each.architecture},
                "capabilities": ["completion"], "pluriverse": each.as_dict(),
            }  # fmt: skip
    raise NotFoundError(f"model {name[:200]!r} not found", "see them all: GET /api/tags")
