"""OpenAI's completions: POST /v1/completions: raw text that a base goes on with, and exact scores of prompts.

`echo` with `logprobs` gives the log-probability of each token of the prompt; `max_tokens` 0 gives only that. Assistants
speak in turns: raw text goes to a base. Knows that API's bodies and answers.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from ...engines.contract import Chosen, Chunk, Engine, Failed, Finished, FinishReason, Started, Thought, Token
from ...engines.contract import Request as Wanted
from ...errors import PluriverseError, UsageError
from ...runtime.workspace import Workspace
from ...values import Digest, Sampling
from ..asking import workspace_for
from ..errors import document_of
from ..events import MARK
from ..house import House
from ..names import is_base, speaker
from ..speaking import Body, Name, stops
from ..streaming import Events, collected, event, pinged, while_connected
from .openai import FINISH, headed

MOST = 256  # prompts of one request
LIKELIEST = 20


class Completion(Body):
    """`model`: a base. Prompts are texts or token ids, one or several."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"model": "default", "prompt": "One two", "max_tokens": 0, "echo": True, "logprobs": 1}]
        },
    )
    model: Name
    prompt: str | list[str] | list[int] | list[list[int]]
    max_tokens: Annotated[int, Field(ge=0)] = 16
    echo: bool = False
    logprobs: Annotated[int, Field(ge=0, le=LIKELIEST)] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    n: Literal[1] | None = None
    best_of: Literal[1] | None = None
    user: str | None = None

    @property
    def prompts(self) -> list[str | list[int]]:
        """UsageError for none, for too many, or for an empty one."""
        given: Any = self.prompt
        several = isinstance(given, list) and given and not isinstance(given[0], int)
        found = given if several else [given]
        if len(found) > MOST:
            raise UsageError(f"{len(found)} prompts are given; the most is {MOST}", "send fewer at once")
        if not all(found):
            raise UsageError("a prompt is empty", "give at least one token")
        return found

    @property
    def sampling(self) -> Sampling:
        plain = Sampling(
            top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0, temperature=1.0, stop=tuple(stops(self.stop))
        )
        return plain.changed(
            max_tokens=self.max_tokens or None, temperature=self.temperature, top_p=self.top_p, seed=self.seed,
            frequency_penalty=self.frequency_penalty, presence_penalty=self.presence_penalty,
        )  # fmt: skip


@dataclass(slots=True)
class Made:
    """One prompt, and what came of it."""

    index: int
    prompt: str
    read: tuple[Token, ...]  # of the prompt
    said: list[Token] = field(default_factory=list)
    text: str = ""
    reason: FinishReason = "length"
    completion_tokens: int = 0
    seed: int | None = None


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.post("/v1/completions")
    async def completions(body: Completion, request: Request) -> Response:
        prompts, sampling, workspace = body.prompts, body.sampling, workspace_for(house, request)
        base = _base(workspace, body.model)
        if body.stream:
            if len(prompts) > 1 or body.echo:
                raise UsageError("only one prompt is streamed, and without echo", "leave stream out")
            made = await while_connected(request, _streamed(house, workspace, base, body, prompts[0], sampling))
            return made if isinstance(made, Response) else Events(pinged(made))
        found = await while_connected(request, _all(house, workspace, base, body, prompts, sampling))
        return found if isinstance(found, Response) else JSONResponse(found)

    return routes


def _base(workspace: Workspace, name: str) -> str:
    if is_base(workspace, name):
        return name
    base = speaker(workspace, name).base
    raise UsageError(f"{name} speaks in turns, and raw text goes to a base", f"name its base, {base}, as the model")


async def _all(
    house: House, workspace: Workspace, base: str, body: Completion, prompts: list[str | list[int]], sampling: Sampling
) -> dict[str, Any]:
    with house.room_for(len(prompts)):
        ready = await workspace.ready(base)
        made = await asyncio.gather(*(_read(ready.engine, body, *each) for each in enumerate(prompts)))
        if body.max_tokens:
            await collected(_continued(ready.engine, body, made, sampling))
    for each in made:
        house.counts.replies[each.reason] += 1
        house.counts.prompt_tokens += len(each.read)
        house.counts.completion_tokens += each.completion_tokens
    prompt, completion = sum(len(each.read) for each in made), sum(each.completion_tokens for each in made)
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {
        **headed("text_completion", "cmpl", body.model),
        "choices": [_choice(body, each) for each in made],
        "usage": usage,
        "pluriverse": _marked(ready.base.digest, made),
    }


async def _read(engine: Engine, body: Completion, index: int, prompt: str | list[int]) -> Made:
    likeliest = body.logprobs if body.echo else None
    read = await engine.tokens(prompt, likeliest)
    return Made(index, prompt if isinstance(prompt, str) else _joined(read), read)


async def _continued(
    engine: Engine, body: Completion, made: Sequence[Made], sampling: Sampling
) -> AsyncGenerator[tuple[Made, str], None]:
    """New text of each as it comes. Raises the error of the first that fails."""
    wanted = [Wanted((), sampling, raw=each.prompt, likeliest=body.logprobs) for each in made]
    stream = engine.generate(wanted)
    async with aclosing(stream):  # type: ignore[type-var]
        async for each in stream:
            one = made[each.index]
            match each:
                case Started(seed=seed):
                    one.seed = seed
                case Chosen(token=token):
                    one.said.append(token)
                case Chunk(text=text) | Thought(text=text):
                    one.text += text
                    yield one, text
                case Finished(reason=reason, completion_tokens=tokens):
                    one.reason, one.completion_tokens = reason, tokens
                case Failed(error=error):
                    raise error


async def _streamed(
    house: House, workspace: Workspace, base: str, body: Completion, prompt: str | list[int], sampling: Sampling
) -> AsyncGenerator[str, None]:
    ready = await workspace.ready(base)
    made = await _read(ready.engine, body, 0, prompt)
    return _chunks(
        house, ready.engine, body, made, replace(sampling, max_tokens=max(body.max_tokens, 1)), ready.base.digest
    )


async def _chunks(
    house: House, engine: Engine, body: Completion, made: Made, sampling: Sampling, digest: Digest | None
) -> AsyncGenerator[str, None]:
    head = headed("text_completion", "cmpl", body.model)

    def chunk(text: str, reason: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
        return event({**head, "choices": [choice], **more})

    try:
        with house.room_for():
            async with aclosing(_continued(engine, body, [made], sampling)) as words:
                async for _, text in words:
                    yield chunk(text)
        yield chunk("", FINISH[made.reason], pluriverse=_marked(digest, [made]))
    except PluriverseError as error:
        yield event(document_of(error, "openai"))
    yield "data: [DONE]\n\n"


def _choice(body: Completion, made: Made) -> dict[str, Any]:
    text = (made.prompt if body.echo else "") + made.text
    reason = FINISH[made.reason]
    tokens = [*(made.read if body.echo else ()), *made.said]
    return {"index": made.index, "text": text, "finish_reason": reason,
            "logprobs": None if body.logprobs is None else _logprobs(tokens)}  # fmt: skip


def _logprobs(tokens: Sequence[Token]) -> dict[str, Any]:
    offsets, at = [], 0
    for each in tokens:
        offsets.append(at)
        at += len(shown(each.text))
    return {
        "tokens": [shown(each.text) for each in tokens],
        "token_logprobs": [each.logprob for each in tokens],
        "top_logprobs": [None if each.logprob is None else _top(each) for each in tokens],
        "text_offset": offsets,
    }


def _top(token: Token) -> dict[str, float]:
    """Two tokens that look alike are told apart by their ids."""
    found: dict[str, float] = {}
    for id, text, logprob in token.likeliest:
        name = shown(text)
        found[name if name not in found else f"{name}<{id}>"] = logprob
    return found


def shown(text: str) -> str:
    """A token's text as JSON may hold it; odd bytes are replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _joined(tokens: Sequence[Token]) -> str:
    return "".join(each.text for each in tokens).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _marked(digest: Digest | None, made: Sequence[Made]) -> dict[str, Any]:
    seed = made[0].seed if len(made) == 1 else None
    return {**MARK, "weights": digest, "assistant": None, "guidance": None, "seed": seed}
