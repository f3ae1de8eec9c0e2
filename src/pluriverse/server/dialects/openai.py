"""What the OpenAI-shaped APIs have in common: messages, formats of replies, usage, ids.

Knows the shapes of OpenAI's API. Does not know routes.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from ...engines.contract import FinishReason, Token
from ...engines.json_schema import ANY, grammar_of
from ...runtime.replies import Reply
from ...values import Message
from ..speaking import Body, Name, shown, told

FINISH: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "context": "length",
    "cancelled": "stop",
    "error": "stop",
}


class TextPart(Body):
    type: Literal["text"]
    text: str


class Url(Body):
    url: str
    detail: str | None = None  # how closely it is looked at: models here decide that themselves


class ImagePart(Body):
    type: Literal["image_url"]
    image_url: Url


Content = str | list[Annotated[TextPart | ImagePart, Field(discriminator="type")]]


class SystemMessage(Body):
    role: Literal["system", "developer"]
    content: str | list[TextPart]
    name: Name | None = None


class UserMessage(Body):
    role: Literal["user"]
    content: Content
    name: Name | None = None


class AssistantMessage(Body):
    """An earlier reply, as it was given here."""

    role: Literal["assistant"]
    content: str | list[TextPart]
    name: Name | None = None
    refusal: None = None
    reasoning_content: str | None = None


ChatMessage = Annotated[SystemMessage | UserMessage | AssistantMessage, Field(discriminator="role")]


class JsonSchema(Body):
    name: Name
    description: str | None = None
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class ResponseFormat(Body):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @property
    def grammar(self) -> str | None:
        """What a reply is held to. UsageError for a schema that it cannot be held to."""
        if self.type == "text":
            return None
        return grammar_of(self.json_schema.schema_ if self.json_schema else ANY)


def turns_of(messages: Sequence[SystemMessage | UserMessage | AssistantMessage]) -> tuple[str, tuple[Message, ...]]:
    """The instructions, and the turns of the conversation."""
    system = [_text(each.content) for each in messages if isinstance(each, SystemMessage)]
    return told(system), tuple(_turn(each) for each in messages if not isinstance(each, SystemMessage))


def _turn(message: UserMessage | AssistantMessage) -> Message:
    if isinstance(message.content, str):
        return Message(message.role, message.content)
    pictures = [shown(each.image_url.url) for each in message.content if isinstance(each, ImagePart)]
    return Message(message.role, _text(message.content), tuple(pictures))


def _text(content: str | Sequence[TextPart | ImagePart]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(each.text for each in content if isinstance(each, TextPart))


def usage_of(reply: Reply) -> dict[str, int]:
    prompt, completion = reply.prompt_tokens or 0, reply.completion_tokens or 0
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def headed(kind: str, prefix: str, model: str) -> dict[str, Any]:
    """The fields that every object begins with."""
    return {"id": f"{prefix}-{secrets.token_hex(12)}", "object": kind, "created": int(time.time()), "model": model}


def chosen(tokens: Sequence[Token]) -> dict[str, Any] | None:
    """Tokens with their log-probabilities, as chat completions tell them; None for none."""
    if not tokens:
        return None
    told = [
        {
            **_token(each.text, each.logprob),
            "top_logprobs": [_token(text, logprob) for _, text, logprob in each.likeliest],
        }
        for each in tokens
    ]
    return {"content": told, "refusal": None}


def _token(text: str, logprob: float | None) -> dict[str, Any]:
    data = text.encode("utf-8", "surrogateescape")
    return {"token": data.decode("utf-8", "replace"), "logprob": logprob, "bytes": list(data)}
