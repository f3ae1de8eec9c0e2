"""POST /tokenize and /detokenize, GET /tokenizer_info, in the shape of vLLM, for programs that count tokens themselves.

Knows those bodies and answers, and what a model's header says of its tokenizer.
"""

from typing import Any

from fastapi import APIRouter, Request

from ...assistant.bases import resolve
from ...errors import UnsupportedError
from ...runtime.workspace import Workspace
from ...store.gguf import read_header
from ...values import Message
from ..asking import workspace_for
from ..house import House
from ..names import base_of
from ..speaking import Body, Name
from .completions import shown
from .openai import ChatMessage, turns_of


class Tokenize(Body):
    """A text, or messages up to the start of the reply."""

    model: Name = "default"
    prompt: str | None = None
    messages: list[ChatMessage] | None = None
    add_special_tokens: bool = True  # marks that the model wants are always there
    return_token_strs: bool = False


class Detokenize(Body):
    model: Name = "default"
    tokens: list[int]


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.post("/tokenize")
    async def tokenize(body: Tokenize, request: Request) -> dict[str, Any]:
        workspace = workspace_for(house, request)
        engine = (await workspace.ready(base_of(workspace, body.model))).engine
        if body.messages is None:
            found = await engine.tokens(body.prompt or "")
        else:
            system, turns = turns_of(body.messages)
            found = await engine.tokens([*([Message("system", system)] if system else []), *turns])
        strings = {"token_strs": [shown(each.text) for each in found]} if body.return_token_strs else {}
        most = engine.capabilities.context_length
        return {"count": len(found), "max_model_len": most, "tokens": [each.id for each in found], **strings}

    @routes.post("/detokenize")
    async def detokenize(body: Detokenize, request: Request) -> dict[str, str]:
        workspace = workspace_for(house, request)
        engine = (await workspace.ready(base_of(workspace, body.model))).engine
        found = await engine.tokens(body.tokens)
        return {"prompt": shown("".join(each.text for each in found))}

    @routes.get("/tokenizer_info")
    async def tokenizer_info(request: Request, model: str = "default") -> dict[str, Any]:
        return _info(workspace_for(house, request), model)

    return routes


def _info(workspace: Workspace, model: str) -> dict[str, Any]:
    """What the header of a model's file says. UnsupportedError for a base without a file."""
    base = resolve(base_of(workspace, model), workspace.store, workspace.settings)
    if base.path is None:
        raise UnsupportedError(f"{base.name} has no file that describes its tokenizer")
    told = read_header(base.path).metadata
    words = told.get("tokenizer.ggml.tokens", ())

    def word(kind: str) -> str | None:
        place = told.get(f"tokenizer.ggml.{kind}_token_id")
        return words[place] if isinstance(place, int) and 0 <= place < len(words) else None

    return {
        "tokenizer_class": told.get("tokenizer.ggml.model"),
        "bos_token": word("bos"), "eos_token": word("eos"), "pad_token": word("padding"),
        "chat_template": told.get("tokenizer.chat_template"), "vocab_size": len(words),
    }  # fmt: skip
