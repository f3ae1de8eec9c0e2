"""MCP by the protocol's official client: inside the process, and over stdin and stdout of the command."""

import asyncio
import sys
from pathlib import Path

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from pluriverse.server.house import House
from pluriverse.server.mcp import mcp_server

from .conftest import Served

ASK = {"question": "Is lying ever right?", "assistants": ["duty", "outcomes"], "max_tokens": 8}


def test_three_tools(house: House) -> None:
    async def use() -> None:
        async with house, Client(mcp_server(house)) as client:
            assert {each.name for each in (await client.list_tools()).tools} == {
                "ask_panel", "list_assistants", "compare_answers",
            }  # fmt: skip
            told = (await client.call_tool("ask_panel", ASK)).structured_content
            assert told and [each["assistant"] for each in told["replies"]] == ["duty", "outcomes"]
            assert told["machine_written"]
            known = (await client.call_tool("list_assistants", {})).structured_content
            assert known and "works" in known["panels"] and known["assistants"][0]["name"]
            compared = (await client.call_tool("compare_answers", ASK)).structured_content
            assert compared and 0 <= compared["pairs"][0]["alike"] <= 1
            wrong = await client.call_tool("ask_panel", {**ASK, "assistants": ["dutty"]})
            assert wrong.is_error and "dutty" in wrong.content[0].text  # type: ignore[union-attr]

    asyncio.run(use())


def test_the_command_speaks_it_on_stdin_and_stdout(tmp_path: Path) -> None:
    environment = {"PLURIVERSE_HOME": str(tmp_path), "PLURIVERSE_BASE": "scripted", "PLURIVERSE_OFFLINE": "1"}
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "pluriverse", "serve", "--mcp"], env=environment
    )

    async def use() -> None:
        async with Client(command) as client:
            told = (await client.call_tool("ask_panel", ASK)).structured_content
            assert told and all(each["text"] for each in told["replies"])

    asyncio.run(use())


def test_it_is_spoken_over_http_with_the_token(scripted: Served) -> None:
    async def use(token: str) -> list[str]:
        http = httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=60)
        async with http, Client(streamable_http_client(f"{scripted.url}/mcp", http_client=http)) as client:
            told = (await client.call_tool("ask_panel", ASK)).structured_content
            return [each["assistant"] for each in told["replies"]] if told else []

    assert asyncio.run(use(scripted.token)) == ["duty", "outcomes"]
    with pytest.raises(BaseException):  # noqa: B017  the package wraps it in groups of its own
        asyncio.run(use("wrong"))


@pytest.mark.parametrize("question", ["", " "])
def test_an_empty_question_is_told(house: House, question: str) -> None:
    async def use() -> None:
        async with house, Client(mcp_server(house)) as client:
            assert (await client.call_tool("ask_panel", {"question": question})).is_error

    asyncio.run(use())
