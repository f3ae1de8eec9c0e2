"""Decisions instead of prose: POST /v1/systemone, as llama.cpp and Ollama describe it.

A state and named questions; each answer has a probability for every option, from exact scores of options as replies.
Any assistant decides, as it speaks: with its own prompt, adapter and guidance. Knows that API's bodies and answers.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from ...asking.asking import settle_guidance
from ...assistant.bases import meant
from ...engines.contract import Engine
from ...errors import UsageError
from ...runtime.requests import AskOptions, Draft, Heard
from ...runtime.workspace import Workspace
from ...values import Message
from ..asking import workspace_for
from ..events import MARK
from ..house import House
from ..names import speaker
from ..speaking import Body, Name
from ..streaming import while_connected

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Told = str | dict[str, Any] | list[Any]


class Choice(Body):
    """One of several options; each may be described."""

    type: Literal["choice"]
    instructions: Told
    criteria: Annotated[dict[Name, Told | None], Field(min_length=2, max_length=len(LETTERS))]

    def options(self) -> list[str]:
        return [f"{name}: {_text(each)}" if each else name for name, each in self.criteria.items()]

    def answer(self, probabilities: Sequence[float]) -> dict[str, Any]:
        found = dict(zip(self.criteria, probabilities, strict=True))
        return {"choice": max(found, key=lambda each: found[each]), "probabilities": found}


class Score(Body):
    """A level of a scale; each level is described, the lowest first."""

    type: Literal["score"]
    instructions: Told
    criteria: Annotated[list[Told], Field(min_length=2, max_length=10)]

    def options(self) -> list[str]:
        return [_text(each) for each in self.criteria]

    def answer(self, probabilities: Sequence[float]) -> dict[str, Any]:
        return {
            "score": sum(level * each for level, each in enumerate(probabilities)),
            "probabilities": {str(level): each for level, each in enumerate(probabilities)},
            "legend": {str(level): each for level, each in enumerate(self.criteria)},
        }


class Noul(Body):
    """Whether a statement holds."""

    type: Literal["noul"]
    instructions: Told
    criteria: dict[Literal["true", "false"], Told] | None = None

    def options(self) -> list[str]:
        told: Mapping[Any, Told] = self.criteria or {}
        return [
            f"{word}: {_text(told[key])}" if key in told else word for key, word in (("true", "Yes"), ("false", "No"))
        ]

    def answer(self, probabilities: Sequence[float]) -> dict[str, Any]:
        return {"noul": probabilities[0]}


class Asked(Body):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "model": "duty",
                    "state": "A friend asks whether you like the gift. You do not.",
                    "questions": {"lie": {"type": "noul", "instructions": "Is it right to say yes?"}},
                }
            ]
        },
    )
    model: Name
    state: Told
    questions: Annotated[
        dict[Name, Annotated[Choice | Score | Noul, Field(discriminator="type")]], Field(min_length=1, max_length=64)
    ]
    guidance: float | None = None


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.post("/v1/systemone")
    async def systemone(body: Asked, request: Request) -> Response:
        found = await while_connected(request, _decided(house, workspace_for(house, request), body))
        return found if isinstance(found, Response) else JSONResponse(found)

    return routes


async def _decided(house: House, workspace: Workspace, body: Asked) -> dict[str, Any]:
    answers, tokens = {}, 0
    with house.room_for():
        for name, question in body.questions.items():
            prompt = _prompt(body.state, question)
            draft, engine, logprobs = await _scored(workspace, body, prompt, len(question.options()))
            probabilities = [math.exp(each - _log_sum(logprobs)) for each in logprobs]
            told = question.answer(probabilities)
            if question.type != "noul":
                told["confidence"] = _confidence(probabilities)
            answers[name] = {"type": question.type, **told, "option_mass": math.exp(_log_sum(logprobs))}
            tokens += await engine.count_tokens("".join(each.content for each in draft.request.messages))
    marked = {
        **MARK, "assistant": draft.assistant.name, "weights": draft.digest, "definition": draft.assistant.digest,
        "guidance": draft.guidance and draft.guidance.as_dict(), "adapter": draft.assistant.adapter,
    }  # fmt: skip
    usage = {"input_tokens": tokens, "output_tokens": 0}
    return {"model": body.model, "answers": answers, "usage": usage, "pluriverse": marked}


async def _scored(workspace: Workspace, body: Asked, prompt: str, options: int) -> tuple[Draft, Engine, list[float]]:
    """The log-probability of each option's letter as the reply. What engines raise."""
    assistant = speaker(workspace, body.model)
    heard = Heard(assistant, (Message("user", prompt),))
    default = meant("default", workspace.store, workspace.settings)
    draft = Draft(0, heard, AskOptions(guidance=body.guidance), default, workspace.shelf)
    ready = await workspace.ready(assistant.base)
    draft.speaks_through(ready.base.name, ready.engine.identity.weights)
    settle_guidance(draft, ready.engine, ready.base, workspace)
    asked = draft.request
    scores = await ready.engine.score(asked.messages, LETTERS[:options], guide=asked.guide, adapter=asked.adapter)
    return draft, ready.engine, [each.total for each in scores]


def _prompt(state: Told, question: Choice | Score | Noul) -> str:
    options = "\n".join(f"{letter}) {each}" for letter, each in zip(LETTERS, question.options(), strict=False))
    return f"{_text(state)}\n\n{_text(question.instructions)}\n{options}\nAnswer with the letter alone."


def _text(told: Told) -> str:
    try:
        text = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError as error:  # what Python's JSON reads beyond JSON: NaN, lone surrogates
        raise UsageError("a state, a question or a description holds what is no JSON") from error
    if not text.strip():
        raise UsageError("a state, a question or a description is empty")
    return text


def _log_sum(logprobs: Sequence[float]) -> float:
    peak = max(logprobs)
    return peak + math.log(sum(math.exp(each - peak) for each in logprobs))


def _confidence(probabilities: Sequence[float]) -> float:
    """1 where one option has it all, 0 where all are as likely: one less the entropy, as a share of its most."""
    entropy = -sum(each * math.log(each) for each in probabilities if each > 0)
    return 1 - entropy / math.log(len(probabilities))
