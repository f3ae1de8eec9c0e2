"""POST /tokenize and /detokenize, GET /tokenizer_info, in the shape of vLLM, for programs that count tokens themselves.

Knows those bodies and answers, and what a model's header says of its tokenizer.
"""

from typing import Any

from fastapi import APIRouter, Request

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
        return await _info(workspace_for(house, request), model)

    return routes


async def _info(workspace: Workspace, model: str) -> dict[str, Any]:
    """What the header of a model's file says. UnsupportedError for a base without a file."""
    ready = await workspace.ready(base_of(workspace, model))
    if ready.base.path is None:
        raise UnsupportedError(f"{ready.base.name} has no file that describes its tokenizer")
    told = read_header(ready.base.path).metadata

    async def word(kind: str) -> str | None:
        id = told.get(f"tokenizer.ggml.{kind}_token_id")
        return shown((await ready.engine.tokens([id]))[0].text) if isinstance(id, int) else None

    return {
        "tokenizer_class": told.get("tokenizer.ggml.model"),
        "bos_token": await word("bos"), "eos_token": await word("eos"), "pad_token": await word("padding"),
        "chat_template": told.get("tokenizer.chat_template"),
    }  # fmt: skip
