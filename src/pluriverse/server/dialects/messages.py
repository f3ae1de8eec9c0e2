"""Anthropic's messages: POST /v1/messages, text, pictures and thinking, whole or as events.

Knows that API's bodies and answers. A field that it has and we do not do is refused by name.
"""

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from ...runtime.replies import Reply
from ...values import Message
from ..errors import FieldError, document_of
from ..events import marked
from ..house import House
from ..speaking import Body, Name, Ours, Words, decoded, options_of, reply_of, spoken, told
from ..streaming import Events, collected, event, pinged, while_connected


class TextBlock(Body):
    type: Literal["text"]
    text: str
    citations: None = None
    cache_control: dict[str, Any] | None = None  # prefixes are kept here anyway


class Base64Source(Body):
    type: Literal["base64"]
    media_type: str
    data: str


class ImageBlock(Body):
    type: Literal["image"]
    source: Base64Source
    cache_control: dict[str, Any] | None = None


class ThinkingBlock(Body):
    """Of an earlier reply; models do not hear again what they thought."""

    type: Literal["thinking"]
    thinking: str
    signature: str = ""


class Turn(Body):
    role: Literal["user", "assistant"]
    content: str | list[Annotated[TextBlock | ImageBlock | ThinkingBlock, Field(discriminator="type")]]

    def message(self) -> Message:
        if isinstance(self.content, str):
            return Message(self.role, self.content)
        text = "\n".join(each.text for each in self.content if isinstance(each, TextBlock))
        pictures = [decoded(each.source.data) for each in self.content if isinstance(each, ImageBlock)]
        return Message(self.role, text, tuple(pictures))


class Thinking(Body):
    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = None
    display: str | None = None


class Metadata(Body):
    user_id: str | None = None  # who asks is known by the token


class Asked(Body):
    """`model`: an assistant, or a base as it is. `system` is told behind the assistant's own prompt."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"model": "duty", "max_tokens": 60, "messages": [{"role": "user", "content": "Is lying ever right?"}]}
            ]
        },
    )
    model: Name
    max_tokens: int
    messages: list[Turn]
    system: str | list[TextBlock] | None = None
    stream: bool = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    thinking: Thinking | None = None
    metadata: Metadata | None = None
    tools: list[Any] | None = None
    pluriverse: Ours | None = None

    def asked(self) -> dict[str, Any]:
        """What `speaking.spoken` is told. FieldError, UsageError for what does not fit."""
        if self.tools:
            raise FieldError("tools", "assistants here call no tools", "leave tools out")
        system = self.system if isinstance(self.system, str) else told([each.text for each in self.system or ()])
        decoding = {"top_p": self.top_p, "top_k": self.top_k, "stop": tuple(self.stop_sequences or ()) or None}
        options = options_of(
            self.pluriverse, max_tokens=self.max_tokens, temperature=self.temperature, instructions=system,
            think=None if self.thinking is None else self.thinking.type != "disabled",
            thinking_tokens=self.thinking and self.thinking.budget_tokens,
            decoding={name: each for name, each in decoding.items() if each is not None},
        )  # fmt: skip
        turns = [each.message() for each in self.messages]
        keep = bool(self.pluriverse and self.pluriverse.keep)
        return {"model": self.model, "turns": turns, "options": options, "keep": keep}


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.post("/v1/messages")
    async def messages(body: Asked, request: Request) -> Response:
        words = await while_connected(request, spoken(house, request, **body.asked()))
        if isinstance(words, Response):
            return words
        if body.stream:
            return Events(pinged(_events(body, words), _event("ping", {})))
        found = await while_connected(request, collected(words))
        return found if isinstance(found, Response) else JSONResponse(_whole(body, reply_of(found)))

    return routes


def _head(body: Asked) -> dict[str, Any]:
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": body.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage(reply: Reply) -> dict[str, int]:
    return {"input_tokens": reply.prompt_tokens or 0, "output_tokens": reply.completion_tokens or 0}


def _reason(reply: Reply) -> str:
    match reply.finish_reason:
        case "length":
            return "max_tokens"
        case "context":
            return "model_context_window_exceeded"
    return "end_turn"


def _block(thinking: bool, text: str = "") -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": ""} if thinking else {"type": "text", "text": text}


def _whole(body: Asked, reply: Reply) -> dict[str, Any]:
    if reply.error is not None:
        raise reply.error
    blocks = [_block(True, reply.thinking)] if reply.thinking is not None else []
    blocks.append(_block(False, reply.text))
    end = {"stop_reason": _reason(reply), "content": blocks, "usage": _usage(reply), "pluriverse": marked(reply)}
    return {**_head(body), **end}


def _event(name: str, document: dict[str, Any]) -> str:
    return event({"type": name, **document}, name)


async def _events(body: Asked, words: AsyncGenerator[Words | Reply, None]) -> AsyncGenerator[str, None]:
    usage = {"input_tokens": 0, "output_tokens": 0}
    yield _event("message_start", {"message": {**_head(body), "usage": usage}})
    index, kind = -1, None
    async with aclosing(words):
        async for each in words:
            if isinstance(each, Words):
                if each.thinking != kind:
                    if kind is not None:
                        yield _event("content_block_stop", {"index": index})
                    index, kind = index + 1, each.thinking
                    yield _event("content_block_start", {"index": index, "content_block": _block(kind)})
                name = "thinking" if each.thinking else "text"
                delta = {"type": f"{name}_delta", name: each.text}
                yield _event("content_block_delta", {"index": index, "delta": delta})
                continue
            if kind is not None:
                yield _event("content_block_stop", {"index": index})
            if each.error is not None:
                yield event(document_of(each.error, "anthropic"), "error")
                return
            end = {"stop_reason": _reason(each), "stop_sequence": None}
            yield _event("message_delta", {"delta": end, "usage": _usage(each), "pluriverse": marked(each)})
    yield _event("message_stop", {})
