"""OpenAI's chat completions: POST /v1/chat/completions.

Knows that API's bodies and answers. A field that it has and we do not do is refused by name.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from ...engines.contract import Token
from ...runtime.replies import Reply
from ..errors import FieldError, document_of
from ..events import marked
from ..house import House
from ..speaking import Body, Name, Ours, Words, options_of, reply_of, spoken, stops
from ..streaming import Events, collected, event, pinged, while_connected
from .openai import FINISH, ChatMessage, ResponseFormat, chosen, headed, turns_of, usage_of


class StreamOptions(Body):
    include_usage: bool = False


class Chat(Body):
    """`model`: an assistant, or a base as it is. System messages are told behind the assistant's own prompt."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"model": "duty", "messages": [{"role": "user", "content": "Is lying ever right?"}]}]
        },
    )
    model: Name
    messages: list[ChatMessage]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = None
    n: Literal[1] | None = None
    user: str | None = None  # who asks is known by the token
    store: Literal[False] | None = None
    tools: list[Any] | None = None
    pluriverse: Ours | None = None

    def asked(self) -> dict[str, Any]:
        """What `speaking.spoken` is told. FieldError, UsageError for what does not fit."""
        if self.tools:
            raise FieldError("tools", "assistants here call no tools", "leave tools out")
        system, turns = turns_of(self.messages)
        decoding = {
            "top_p": self.top_p, "top_k": self.top_k, "min_p": self.min_p, "stop": tuple(stops(self.stop)) or None,
            "frequency_penalty": self.frequency_penalty, "presence_penalty": self.presence_penalty,
            "grammar": self.response_format and self.response_format.grammar,
        }  # fmt: skip
        most = self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens
        options = options_of(
            self.pluriverse, decoding, max_tokens=most, temperature=self.temperature, seed=self.seed,
            think=None if self.reasoning_effort is None else self.reasoning_effort != "none",
            likeliest=(self.top_logprobs or 0) if self.logprobs else None, instructions=system,
        )  # fmt: skip
        keep = bool(self.pluriverse and self.pluriverse.keep)
        return {"model": self.model, "turns": turns, "options": options, "keep": keep}


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.post("/v1/chat/completions")
    async def chat_completions(chat: Chat, request: Request) -> Response:
        words = await while_connected(request, spoken(house, request, **chat.asked()))
        if isinstance(words, Response):
            return words
        if chat.stream:
            return Events(pinged(_chunks(chat, words)))
        found = await while_connected(request, collected(words))
        return found if isinstance(found, Response) else JSONResponse(_whole(chat, found))

    return routes


def _whole(chat: Chat, words: Sequence[Words | Reply]) -> dict[str, Any]:
    reply = reply_of(words)
    if reply.error is not None:
        raise reply.error
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None}
    if reply.thinking is not None:
        message["reasoning_content"] = reply.thinking
    logprobs = chosen([token for each in words if isinstance(each, Words) for token in each.tokens])
    choice = {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": FINISH[reply.finish_reason]}
    return {
        **headed("chat.completion", "chatcmpl", chat.model),
        "choices": [choice],
        "usage": usage_of(reply),
        "pluriverse": marked(reply),
    }


async def _chunks(chat: Chat, words: AsyncGenerator[Words | Reply, None]) -> AsyncGenerator[str, None]:
    head = headed("chat.completion.chunk", "chatcmpl", chat.model)
    counted = chat.stream_options is not None and chat.stream_options.include_usage

    def chunk(delta: dict[str, Any], reason: str | None = None, tokens: Sequence[Token] = (), **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": chosen(tokens), "finish_reason": reason}
        return event({**head, "choices": [choice], **({"usage": None} if counted else {}), **more})

    yield chunk({"role": "assistant", "content": ""})
    async with aclosing(words):
        async for each in words:
            if isinstance(each, Words):
                if each.text or each.tokens:
                    name = "reasoning_content" if each.thinking else "content"
                    yield chunk({name: each.text}, tokens=each.tokens)
            elif each.error is not None:
                yield event(document_of(each.error, "openai"))
            else:
                yield chunk({}, FINISH[each.finish_reason], pluriverse=marked(each))
                if counted:
                    yield event({**head, "choices": [], "usage": usage_of(each)})
    yield "data: [DONE]\n\n"
