"""The official clients of strangers' APIs, as they are, against a server with the scripted engine."""

import asyncio

import anthropic
import ollama
import openai
import pytest

from .conftest import Served

QUESTION = "Is lying ever right?"
ASKED = [{"role": "user", "content": QUESTION}]


@pytest.fixture(scope="module")
def client(scripted: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{scripted.url}/v1", api_key=scripted.token, max_retries=0)


@pytest.fixture(scope="module")
def claude(scripted: Served) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=scripted.url, api_key=scripted.token, max_retries=0)


@pytest.fixture(scope="module")
def llama(scripted: Served) -> ollama.Client:
    return ollama.Client(scripted.url, headers={"Authorization": f"Bearer {scripted.token}"})


def test_openai_lists_assistants_and_says_whose_base_they_have(client: openai.OpenAI) -> None:
    found = {each.id: each for each in client.models.list()}
    assert found["duty"].parent == "scripted"
    assert client.models.retrieve("duty").pluriverse["definition"] == found["duty"].pluriverse["definition"]


def test_openai_chat(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="duty", messages=ASKED, temperature=0, max_tokens=8, seed=7)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage and answer.usage.completion_tokens == 8
    assert answer.pluriverse["machine_written"] and answer.pluriverse["seed"] == 7
    assert answer.pluriverse["assistant"] == "duty" and answer.pluriverse["guidance"]["against"] == "outcomes"


def test_openai_chat_streams_the_same_text(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="duty", messages=ASKED, temperature=0)
    stream = client.chat.completions.create(
        model="duty", messages=ASKED, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert [chunk.usage for chunk in chunks if chunk.usage] == [whole.usage]
    assert [chunk for chunk in chunks if getattr(chunk, "pluriverse", None)]


def test_openai_asynchronous(scripted: Served) -> None:
    async def ask() -> str | None:
        async with openai.AsyncOpenAI(base_url=f"{scripted.url}/v1", api_key=scripted.token) as client:
            answers = await asyncio.gather(
                *(client.chat.completions.create(model=each, messages=ASKED) for each in ("duty", "outcomes"))
            )
        return answers[0].choices[0].message.content

    assert asyncio.run(ask())


def test_openai_stop_and_several_messages(client: openai.OpenAI) -> None:
    messages = [
        {"role": "system", "content": "You are brief."},
        *ASKED,
        {"role": "assistant", "content": "No."},
        *ASKED,
    ]
    whole = client.chat.completions.create(model="duty", messages=messages, temperature=0)
    text = whole.choices[0].message.content
    assert text and "You are brief." not in text  # the script says the first sentence of what it is told
    word = text.split()[3]
    cut = client.chat.completions.create(model="duty", messages=messages, temperature=0, stop=[word])
    assert cut.choices[0].message.content == text[: text.index(word)]
    more = client.chat.completions.create(model="duty", messages=ASKED, temperature=0)
    assert whole.usage and more.usage and whole.usage.prompt_tokens > more.usage.prompt_tokens + 5


def test_openai_errors_are_its_own(client: openai.OpenAI, scripted: Served) -> None:
    with pytest.raises(openai.NotFoundError, match="no assistant and no model"):
        client.chat.completions.create(model="nobody", messages=ASKED)
    with pytest.raises(openai.BadRequestError, match="'foo' is not known") as error:
        client.chat.completions.create(model="duty", messages=ASKED, extra_body={"foo": 1})
    assert error.value.param == "foo"
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.chat.completions.create(model="duty", messages=ASKED, temperature=99)
    with pytest.raises(openai.BadRequestError, match="max_tokens is 0"):
        client.chat.completions.create(model="duty", messages=ASKED, max_tokens=0)
    with pytest.raises(openai.BadRequestError, match="tools"):
        client.chat.completions.create(model="duty", messages=ASKED, tools=[{"type": "function"}])  # type: ignore
    with pytest.raises(openai.BadRequestError, match="data:image"):
        part = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
        client.chat.completions.create(model="duty", messages=[{"role": "user", "content": [part]}])  # type: ignore
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{scripted.url}/v1", api_key="wrong", max_retries=0).models.list()


def test_openai_responses(client: openai.OpenAI) -> None:
    whole = client.responses.create(model="duty", input=QUESTION, temperature=0)
    assert whole.output_text and whole.status == "completed"
    with client.responses.stream(model="duty", input=ASKED, temperature=0) as stream:
        told = "".join(each.delta for each in stream if each.type == "response.output_text.delta")
        assert stream.get_final_response().output_text == told == whole.output_text
    cut = client.responses.create(model="duty", input=QUESTION, max_output_tokens=3)
    assert cut.status == "incomplete"


def test_openai_embeddings(client: openai.OpenAI) -> None:
    found = client.embeddings.create(model="scripted", input=["a fair tax", "a fair wage"])
    assert len(found.data) == 2 and sum(each * each for each in found.data[0].embedding) == pytest.approx(1, abs=1e-5)


def test_anthropic_messages(claude: anthropic.Anthropic) -> None:
    asked = {
        "model": "duty",
        "max_tokens": 200,
        "messages": ASKED,
        "system": "You are brief.",
        "extra_body": {"temperature": 0},
    }
    whole = claude.messages.create(**asked)
    assert whole.content[0].text and whole.stop_reason == "end_turn"
    with claude.messages.stream(**asked) as stream:
        told = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert told == final.content[0].text == whole.content[0].text
    assert final.usage.output_tokens == whole.usage.output_tokens > 0
    assert claude.messages.create(**{**asked, "max_tokens": 2}).stop_reason == "max_tokens"
    assert "duty" in [each.id for each in claude.models.list()]


def test_anthropic_errors_are_its_own(claude: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.create(model="nobody", max_tokens=9, messages=ASKED)
    with pytest.raises(anthropic.BadRequestError, match="tools"):
        claude.messages.create(model="duty", max_tokens=9, messages=ASKED, tools=[{"name": "x"}])  # type: ignore


def test_ollama(llama: ollama.Client) -> None:
    assert "duty:latest" in [each.model for each in llama.list().models]
    assert llama.show("duty").details
    whole = llama.chat("duty", ASKED, options={"temperature": 0})
    assert whole.message.content and whole.done_reason == "stop"
    told = "".join(
        each.message.content or "" for each in llama.chat("duty", ASKED, options={"temperature": 0}, stream=True)
    )
    assert told == whole.message.content
    made = llama.generate("duty", QUESTION, options={"temperature": 0, "num_predict": 4})
    assert made.done_reason == "length" and made.eval_count == 4
    assert len(llama.embed("scripted", ["one", "two"]).embeddings) == 2
    with pytest.raises(ollama.ResponseError, match="no assistant"):
        llama.chat("nobody", ASKED)
