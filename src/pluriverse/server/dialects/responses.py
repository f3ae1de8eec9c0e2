"""OpenAI's responses: POST /v1/responses, text, whole or as events. Nothing is kept between two of them.

Knows that API's bodies and answers. A field that it has and we do not do is refused by name.
"""

import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from ...engines.json_schema import ANY, grammar_of
from ...runtime.replies import Reply
from ...values import Message
from ..errors import FieldError, document_of
from ..events import marked
from ..house import House
from ..speaking import Body, Name, Ours, Words, options_of, reply_of, shown, spoken, told
from ..streaming import Events, collected, event, pinged, while_connected


class TextPart(Body):
    type: Literal["input_text", "output_text"]
    text: str
    annotations: list[Any] | None = None
    logprobs: list[Any] | None = None


class ImagePart(Body):
    type: Literal["input_image"]
    image_url: str
    detail: str | None = None


class Item(Body):
    """A message; of an earlier response also with its id and status."""

    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Annotated[TextPart | ImagePart, Field(discriminator="type")]]
    id: str | None = None
    status: str | None = None
    phase: str | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(each.text for each in self.content if isinstance(each, TextPart))

    def message(self) -> Message:
        parts = [] if isinstance(self.content, str) else self.content
        pictures = [shown(each.image_url) for each in parts if isinstance(each, ImagePart)]
        return Message("assistant" if self.role == "assistant" else "user", self.text, tuple(pictures))


class Format(Body):
    type: Literal["text", "json_object", "json_schema"]
    name: Name | None = None
    description: str | None = None
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class Text(Body):
    format: Format | None = None
    verbosity: None = None

    @property
    def grammar(self) -> str | None:
        if self.format is None or self.format.type == "text":
            return None
        return grammar_of(self.format.schema_ or ANY)


class Reasoning(Body):
    effort: Literal["none", "minimal", "low", "medium", "high"] | None = None


class Asked(Body):
    """`model`: an assistant, or a base as it is. `instructions` are told behind the assistant's own prompt."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"model": "duty", "input": "Is lying ever right?"}]}
    )
    model: Name
    input: str | list[Item]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    text: Text | None = None
    reasoning: Reasoning | None = None
    store: Literal[False] | None = None
    metadata: dict[str, str] | None = None
    user: str | None = None
    tools: list[Any] | None = None
    pluriverse: Ours | None = None

    def asked(self) -> dict[str, Any]:
        """What `speaking.spoken` is told. FieldError, UsageError for what does not fit."""
        if self.tools:
            raise FieldError("tools", "assistants here call no tools", "leave tools out")
        items = [Item(role="user", content=self.input)] if isinstance(self.input, str) else self.input
        system = [each.text for each in items if each.role in {"system", "developer"}]
        decoding = {"top_p": self.top_p, "grammar": self.text and self.text.grammar}
        effort = self.reasoning.effort if self.reasoning else None
        options = options_of(
            self.pluriverse, decoding, max_tokens=self.max_output_tokens, temperature=self.temperature,
            instructions=told([self.instructions or "", *system]), think=None if effort is None else effort != "none",
        )  # fmt: skip
        turns = [each.message() for each in items if each.role in {"user", "assistant"}]
        keep = bool(self.pluriverse and self.pluriverse.keep)
        return {"model": self.model, "turns": turns, "options": options, "keep": keep}


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.post("/v1/responses")
    async def responses(body: Asked, request: Request) -> Response:
        words = await while_connected(request, spoken(house, request, **body.asked()))
        if isinstance(words, Response):
            return words
        if body.stream:
            return Events(pinged(_events(body, words)))
        found = await while_connected(request, collected(words))
        if isinstance(found, Response):
            return found
        reply = reply_of(found)
        if reply.error is not None:
            raise reply.error
        return JSONResponse(_done(_head(body), _message(), reply))

    return routes


def _head(body: Asked) -> dict[str, Any]:
    return {
        "id": f"resp_{secrets.token_hex(12)}", "object": "response", "created_at": int(time.time()),
        "status": "in_progress", "model": body.model, "output": [], "error": None, "incomplete_details": None,
        "instructions": body.instructions, "metadata": body.metadata or {}, "parallel_tool_calls": False,
        "tool_choice": "none", "tools": [], "temperature": body.temperature, "top_p": body.top_p,
        "max_output_tokens": body.max_output_tokens, "store": False,
    }  # fmt: skip


def _message() -> dict[str, Any]:
    return {"id": f"msg_{secrets.token_hex(12)}", "type": "message", "role": "assistant", "status": "in_progress",
            "content": []}  # fmt: skip


def _part(text: str = "") -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _done(head: dict[str, Any], message: dict[str, Any], reply: Reply) -> dict[str, Any]:
    """The whole response. What was cut is incomplete, as that API says it."""
    cut = reply.finish_reason in {"length", "context"}
    status = "incomplete" if cut else "completed"
    prompt, completion = reply.prompt_tokens or 0, reply.completion_tokens or 0
    usage = {
        "input_tokens": prompt, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": prompt + completion,
    }  # fmt: skip
    return {
        **head,
        "status": status,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": [{**message, "status": status, "content": [_part(reply.text)]}],
        "usage": usage,
        "pluriverse": marked(reply),
    }


async def _events(body: Asked, words: AsyncGenerator[Words | Reply, None]) -> AsyncGenerator[str, None]:
    head, message, number = _head(body), _message(), 0
    place = {"output_index": 0, "content_index": 0, "item_id": message["id"]}

    def told_of(name: str, document: dict[str, Any]) -> str:
        nonlocal number
        number += 1
        return event({"type": name, "sequence_number": number - 1, **document}, name)

    yield told_of("response.created", {"response": head})
    yield told_of("response.in_progress", {"response": head})
    yield told_of("response.output_item.added", {"output_index": 0, "item": message})
    yield told_of("response.content_part.added", {**place, "part": _part()})
    async with aclosing(words):
        async for each in words:
            if isinstance(each, Words):
                if not each.thinking:
                    yield told_of("response.output_text.delta", {**place, "delta": each.text, "logprobs": []})
            elif each.error is not None:
                error = document_of(each.error, "openai")["error"]
                failed = {"code": "server_error", "message": error["message"]}
                yield told_of("response.failed", {"response": {**head, "status": "failed", "error": failed}})
            else:
                whole = _done(head, message, each)
                yield told_of("response.output_text.done", {**place, "text": each.text, "logprobs": []})
                yield told_of("response.content_part.done", {**place, "part": _part(each.text)})
                yield told_of("response.output_item.done", {"output_index": 0, "item": whole["output"][0]})
                yield told_of(f"response.{whole['status']}", {"response": whole})
