"""Requests that no honest client sends: each is refused in words, and nothing of it stays."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pluriverse.server.access import Address
from pluriverse.server.app import build
from pluriverse.server.house import House

from .conftest import ADDRESS

HALF = "\ud800"  # of a letter: JSON can name it, UTF-8 cannot
ASKED = [{"role": "user", "content": HALF}]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"model": "duty", "messages": ASKED}),
        ("/v1/chat/completions", {"model": "duty", "messages": [{"role": "user", "content": "x"}], "stop": HALF}),
        ("/v1/responses", {"model": "duty", "input": HALF}),
        ("/v1/completions", {"model": "scripted", "prompt": [HALF]}),
        ("/v1/messages", {"model": "duty", "max_tokens": 5, "messages": ASKED}),
        ("/api/ask", {"question": HALF, "assistants": ["duty"]}),
        ("/api/chat", {"model": "duty", "messages": ASKED}),
        ("/api/generate", {"model": "duty", "prompt": HALF}),
        (
            "/v1/systemone",
            {"model": "duty", "state": [HALF], "questions": {"a": {"type": "noul", "instructions": "?"}}},
        ),
        (
            "/v1/systemone",
            {"model": "duty", "state": "x", "questions": {"a": {"type": "noul", "instructions": [float("nan")]}}},
        ),
    ],
)
def test_what_is_no_text_is_refused(client: TestClient, path: str, body: dict[str, Any]) -> None:
    answer = client.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("codec", ["unicode_escape", "utf-7", "undefined"])
@pytest.mark.parametrize("path", ["/ask", "/assistants", "/language", "/history/delete", "/talk/now-x/stop"])
def test_forms_are_text_whatever_codec_they_name(client: TestClient, path: str, codec: str) -> None:
    text = "+2AA-" if codec == "utf-7" else "\\ud800"
    form = f'--X\r\nContent-Disposition: form-data; name="text"\r\n\r\n{text}\r\n--X--\r\n'
    headers = {"content-type": f"multipart/form-data; boundary=X; charset={codec}"}
    assert client.post(path, content=form, headers=headers).status_code == 400


def test_a_form_takes_no_files(client: TestClient) -> None:
    assert client.post("/ask", data={"voice": "duty"}, files={"text": b"What is law?"}).status_code == 400


def test_a_name_too_long_for_a_file_is_not_there(client: TestClient) -> None:
    assert client.get("/static/" + "a" * 5000).status_code == 404


@pytest.mark.parametrize("base", ["../small", "https://example.org/model.gguf", "hf:owner/repo:Q4_K_M"])
def test_the_page_makes_no_assistant_of_what_is_not_here(client: TestClient, house: House, base: str) -> None:
    answer = client.post("/assistants", data={"name": "odd", "system": "You are odd.", "base": base})
    assert answer.status_code == 400
    assert "odd" not in {each.name for each in house.workspace.shelf.assistants()}


def call(house: House, path: str, come: list[dict[str, Any]]) -> list[MutableMapping[str, Any]]:
    """What is answered to a client that goes away after these messages."""
    sent: list[MutableMapping[str, Any]] = []
    messages = iter([*come, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = {"host": "127.0.0.1:7070", "authorization": f"Bearer {house.readers['owner'].token}"}
    kind = "application/json" if path.startswith("/api") else "application/x-www-form-urlencoded"
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "scheme": "http",
        "headers": [(name.encode(), each.encode()) for name, each in (headers | {"content-type": kind}).items()],
    }  # fmt: skip
    app = build(house, Address("127.0.0.1", ADDRESS.port))
    asyncio.run(asyncio.wait_for(app(scope, receive, send), 10))
    return sent


def test_a_client_that_goes_before_the_first_event_ends_its_ask(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    async def asked(*_: object, **__: object) -> AsyncIterator[None]:
        try:
            await asyncio.sleep(60)
            yield
        finally:
            ended.append(True)

    monkeypatch.setattr("pluriverse.server.dialects.ask.asked", asked)
    body = json.dumps({"question": "Is lying ever right?", "assistants": ["duty"]}).encode()
    call(house, "/api/ask", [{"type": "http.request", "body": body}])
    assert ended


def test_a_client_that_goes_within_its_form_is_no_mistake_of_ours(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert not call(house, "/ask", [{"type": "http.request", "body": b"text=What", "more_body": True}])
    assert not caplog.records


def test_a_mistake_is_logged_in_one_line_whatever_its_path(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a secret")

    monkeypatch.setattr("pluriverse.server.dialects.models.listed", broken)
    client.get("/v1/models/%1b[31m" + "a" * 5000)
    (line,) = (each.getMessage() for each in caplog.records if each.name == "pluriverse.server")
    assert line.isprintable() and len(line) < 400
