"""A server with the real model `small`: what only a model and its tokenizer can show."""

import asyncio
import os
import signal
import subprocess

import httpx
import openai
import pytest
from pydantic import BaseModel

from .conftest import Served

pytestmark = pytest.mark.model
ASKED = [{"role": "user", "content": "Name a city."}]


class City(BaseModel):
    name: str
    rivers: list[str]


@pytest.fixture(scope="module")
def client(small: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{small.url}/v1", api_key=small.token, max_retries=0)


def test_structured_output_is_what_its_class_says(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(
        model="small", messages=ASKED, response_format=City, max_tokens=120, temperature=0
    )
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(answer.choices[0].message.parsed, City)


def test_replies_in_company_are_those_given_alone(small: Served, client: openai.OpenAI) -> None:
    def ask(name: str) -> str | None:
        return said(client.chat.completions.create(model=name, messages=ASKED, max_tokens=12, temperature=0))

    async def together(names: list[str]) -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=f"{small.url}/v1", api_key=small.token) as several:
            calls = (
                several.chat.completions.create(model=each, messages=ASKED, max_tokens=12, temperature=0)
                for each in names
            )
            return [said(each) for each in await asyncio.gather(*calls)]

    def said(answer: openai.types.chat.ChatCompletion) -> str | None:
        assert answer.pluriverse["weights"].startswith("sha256:")  # type: ignore[attr-defined]
        return answer.choices[0].message.content

    names = ["small", "outcomes", "duty"]
    assert asyncio.run(together(names)) == [ask(each) for each in names]


def test_prompts_have_exact_scores(client: openai.OpenAI, small: Served) -> None:
    text = "The capital of France is Paris."
    scored = client.completions.create(model="small", prompt=text, max_tokens=0, echo=True, logprobs=2, temperature=0)
    told = scored.choices[0].logprobs
    assert told and told.tokens and told.token_logprobs and told.top_logprobs
    assert "".join(told.tokens) == text == scored.choices[0].text
    assert told.token_logprobs[0] is None and all(each < 0 for each in told.token_logprobs[1:])
    headers = {"authorization": f"Bearer {small.token}"}
    with httpx.Client(base_url=small.url, headers=headers, timeout=60) as plain:
        ids = plain.post("/tokenize", json={"model": "small", "prompt": text}).json()["tokens"]
        assert plain.post("/detokenize", json={"model": "small", "tokens": ids}).json() == {"prompt": text}
        assert plain.get("/tokenizer_info").json()["eos_token"]
    one = client.completions.create(model="small", prompt=ids, max_tokens=1, echo=True, logprobs=1, temperature=0)
    again = one.choices[0].logprobs
    assert again and again.token_logprobs and len(again.token_logprobs) == len(ids) + 1
    assert again.token_logprobs[1:-1] == told.token_logprobs[1:]


def test_chat_tokens_have_log_probabilities(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="small", messages=ASKED, max_tokens=4, temperature=0, logprobs=True, top_logprobs=2
    )
    tokens = answer.choices[0].logprobs
    assert tokens and tokens.content and len(tokens.content) == 4
    assert "".join(each.token for each in tokens.content) == answer.choices[0].message.content
    assert all(len(each.top_logprobs) == 2 and each.logprob <= each.top_logprobs[0].logprob for each in tokens.content)


def test_embeddings(client: openai.OpenAI) -> None:
    found = client.embeddings.create(model="all-minilm-l6-v2", input=["a fair tax", "a just levy", "my old bicycle"])
    near, far = (
        sum(a * b for a, b in zip(found.data[0].embedding, found.data[n].embedding, strict=True)) for n in (1, 2)
    )
    assert near > far
    with pytest.raises(openai.BadRequestError, match="embedding model"):
        client.embeddings.create(model="small", input="text")


@pytest.mark.slow  # the reply may have ended before the engine does
def test_an_engine_that_is_killed_ends_its_replies_and_the_next_ask_works(small: Served, client: openai.OpenAI) -> None:
    asked = {"model": "small", "messages": ASKED, "max_tokens": 200, "temperature": 0}
    stream = client.chat.completions.create(**asked, stream=True)  # type: ignore[call-overload]
    for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    engines = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(small.process.pid)], capture_output=True, text=True
    )
    workers = [line.split()[0] for line in engines.stdout.splitlines() if "local.worker" in line]
    assert workers, "of other bases too, where other tests asked these"
    for worker in workers:
        os.kill(int(worker), signal.SIGKILL)
    with pytest.raises(openai.APIError, match="ended unexpectedly"):
        list(stream)
    assert client.chat.completions.create(**{**asked, "max_tokens": 3}).choices[0].message.content
