"""Who comes in: each line of the threat model in docs/server.md names one of these tests."""

import json
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fastapi.testclient import TestClient

from pluriverse.errors import PluriverseError, UsageError
from pluriverse.server.access import Access, Address
from pluriverse.server.errors import RefusedError
from pluriverse.server.house import House, Limits
from pluriverse.server.running import listen
from pluriverse.server.tokens import Readers
from pluriverse.settings import Settings

from .conftest import ADDRESS, Served, inside

ASK = {"question": "Is lying ever right?", "assistants": ["duty"], "stream": False}


def test_nobody_comes_in_without_the_token(house: House) -> None:
    for token in ("", "wrong", house.readers["owner"].cookie):
        with inside(house, token) as client:
            for path in ("/v1/models", "/api/tags", "/metrics", "/openapi.json", "/nothing"):
                assert client.get(path).status_code == 401, path
            assert client.post("/api/ask", json=ASK).json()["error"]["kind"] == "refused"
            assert client.get("/health").json()["status"] == "ok"


def test_every_api_takes_the_token_where_its_clients_put_it(house: House) -> None:
    token = house.readers["owner"].token
    with inside(house, "") as client:
        for headers in ({"authorization": f"Bearer {token}"}, {"x-api-key": token}):
            assert client.get("/v1/models", headers=headers).status_code == 200


def test_a_link_lets_one_browser_in_once(house: House) -> None:
    with inside(house, "") as client:
        link = client.app.state.access.link()  # type: ignore[attr-defined]
        first = client.get(link)
        assert (first.status_code, first.headers["location"]) == (303, "/")
        cookie = first.headers["set-cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
        assert house.readers["owner"].token not in cookie
        assert client.get("/v1/models").status_code == 200
        assert client.get(link).status_code == 303  # the same browser, with its cookie
        client.cookies.clear()
        assert client.get(link).status_code == 401
        assert client.get("/v1/models").status_code == 401
        assert client.post("/enter", data={"token": house.readers["owner"].token}).status_code == 303


def test_the_token_is_private_and_stays(tmp_path: Path) -> None:
    first = Readers(tmp_path)
    assert first.made and stat.S_IMODE(first.file.stat().st_mode) == 0o600
    assert Readers(tmp_path)["owner"] == first["owner"] and not Readers(tmp_path).made
    first.file.write_text("[]")
    with pytest.raises(UsageError, match="holds no tokens"):
        Readers(tmp_path)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7070", "127.0.0.1.evil.example", "", "192.168.0.7"])
def test_other_names_are_not_answered_to(house: House, host: str) -> None:
    with inside(house) as client:
        assert client.get("/v1/models", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:7070", "127.0.0.1", "[::1]:7070", "LOCALHOST"])
def test_own_names_are_answered_to(house: House, host: str) -> None:
    with inside(house) as client:
        assert client.get("/v1/models", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1:7070.evil"])
def test_pages_of_other_sites_are_turned_away(house: House, origin: str) -> None:
    with inside(house) as client:
        assert client.post("/api/ask", json=ASK, headers={"origin": origin}).status_code == 403
        assert client.post("/api/ask", json=ASK, headers={"origin": ADDRESS.url}).status_code == 200


def test_bodies_have_a_limit_with_and_without_a_length(tmp_path: Path) -> None:
    house = House(Settings(home=tmp_path, base="scripted"), limits=Limits(body=1000))
    with inside(house) as client:
        assert client.post("/api/ask", json={"question": "x" * 2000}).status_code == 413
        parts = (b"x" * 500 for _ in range(5))
        assert client.post("/v1/chat/completions", content=parts).json()["error"]["type"] == "invalid_request_error"
        assert client.post("/api/ask", content=(b"x" * 500 for _ in range(5))).status_code == 413
        for length in ("9" * 5000, "-1", "1e3"):
            assert client.post("/api/ask", headers={"content-length": length}).status_code == 400


def test_a_token_has_a_rate(tmp_path: Path) -> None:
    house = House(Settings(home=tmp_path, base="scripted"), limits=Limits(burst=3, requests_per_s=0.1))
    with inside(house) as client:
        answers = [client.get("/v1/models") for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10


def test_too_many_replies_at_once_are_refused_with_when_to_come_again(house: House) -> None:
    limited = House(house.settings, readers=house.readers, limits=Limits(replies=4))
    with limited.room_for(3), inside(limited) as client:
        answer = client.post("/api/ask", json={**ASK, "assistants": ["duty", "outcomes"], "stream": True})
        assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1
    assert limited.busy == 0


@pytest.mark.parametrize(
    "path, body",
    [
        ("/api/ask", ASK),
        ("/v1/chat/completions", {"model": "duty", "messages": []}),
        ("/v1/completions", {"model": "default", "prompt": "a"}),
        ("/v1/responses", {"model": "duty", "input": "a"}),
        ("/v1/embeddings", {"model": "default", "input": "a"}),
        ("/v1/messages", {"model": "duty", "max_tokens": 3, "messages": []}),
        ("/api/chat", {"model": "duty", "messages": []}),
        ("/api/generate", {"model": "duty", "prompt": "a"}),
        ("/tokenize", {"prompt": "a"}),
    ],
)
def test_unknown_fields_are_refused_in_the_shape_of_the_api(client: TestClient, path: str, body: dict) -> None:
    for sent in ({**body, "no_such_field": 1}, None, [], "text"):
        answer = client.post(path, json=sent)
        assert answer.status_code == 400, (path, sent)
        error = answer.json()["error"]
        assert "no_such_field" in json.dumps(error) or sent != {**body, "no_such_field": 1}
    assert client.post(path, content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert client.post(path, content=b"[" * 100_000, headers={"content-type": "application/json"}).status_code == 400


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "<script>alert(1)</script>",
        "\x1b[31mred",
        "a\u202eb",
        "x" * 199,
        "hf:a/b:Q4",
        "",
    ],
)
def test_hostile_names_open_nothing(client: TestClient, name: str) -> None:
    said = client.post("/v1/chat/completions", json={"model": name, "messages": [{"role": "user", "content": "a"}]})
    base = client.post("/api/ask", json={**ASK, "base": name})
    assert said.status_code == base.status_code == 404
    assert said.headers["content-type"] == base.headers["content-type"] == "application/json"
    assert client.post("/api/show", json={"model": name}).status_code == 404
    assert client.get(f"/v1/models/{quote(name, safe='')}").status_code in {200, 404}  # 200: no name is the list


def test_every_answer_carries_headers_that_protect(house: House) -> None:
    with inside(house) as client:
        for answer in (client.get("/health"), client.get("/v1/models"), client.get("/nothing"), client.get("/enter")):
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            assert "server" not in answer.headers


def test_others_on_the_network_need_tls_or_a_flag() -> None:
    with pytest.raises(UsageError, match="others on the network"):
        listen("0.0.0.0", 0)
    listen("0.0.0.0", 0, insecure=True).close()
    listen("0.0.0.0", 0, tls=True).close()
    public = Address("0.0.0.0", 7070, names=("school.lan",))
    assert public.answers_to("192.168.0.7:7070") and public.answers_to("school.lan") and not public.answers_to("evil")


def test_links_of_readers_lead_here_from_other_machines(tmp_path: Path) -> None:
    house = House(Settings(home=tmp_path, base="scripted"), readers=Readers(tmp_path, ["anna", "anna", "owner"]))
    assert house.readers.named == Readers(tmp_path, ["anna"]).named == ("anna",)  # a link that was lost is made anew
    for names, host in ((("school.lan", "192.168.0.7"), "school.lan"), ((), "127.0.0.1")):
        access = Access(house, Address("0.0.0.0", 7070, tls=True, names=names))
        assert access.link("anna").startswith(f"https://{host}:7070/enter?once=")
        assert access.link().startswith("https://127.0.0.1:7070/")
    assert Access(house, Address("127.0.0.1", 7070, names=("a.b",))).link("anna").startswith("http://127.0.0.1:7070/")
    assert Access(house, Address("192.168.0.7", 7070)).link("anna").startswith("http://192.168.0.7:7070/")


def test_a_port_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(PluriverseError, match="cannot be listened at"):
            listen("127.0.0.1", first.getsockname()[1])


def test_readers_see_no_history_but_their_own(tmp_path: Path) -> None:
    from pluriverse.chats.shelf import chats_of

    settings = Settings(home=tmp_path, base="scripted", offline=True)
    house = House(settings, readers=Readers(tmp_path, ["anna", "ben"]))
    with inside(house, house.readers["anna"].token) as client:
        assert client.post("/api/ask", json=ASK).status_code == 200
    kept = {name: chats_of(house.workspace_of(house.readers[name]).settings) for name in ("owner", "anna", "ben")}
    assert {name: chats.file.exists() for name, chats in kept.items() if chats} == {
        "owner": False, "anna": True, "ben": False,
    }  # fmt: skip
    assert house.workspace_of(house.readers["anna"]).pool is house.workspace.pool


def test_metrics_name_nobody(client: TestClient) -> None:
    client.post("/api/ask", json=ASK)
    told = client.get("/metrics").text
    assert 'route="/api/ask",status="200"} 1' in told and "replies_total" in told
    assert "lying" not in told and "duty" not in told


def test_mistakes_tell_no_secrets(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a secret")

    monkeypatch.setattr("pluriverse.server.dialects.models.listed", broken)
    with inside(house) as client:
        answer = client.get("/v1/models")
    assert answer.status_code == 500 and "secret" not in answer.text and "ValueError" in answer.text


def test_a_slow_body_ends(tmp_path: Path) -> None:
    import asyncio

    from pluriverse.server.access import Body

    async def never() -> dict:
        await asyncio.sleep(60)
        return {}

    with pytest.raises(RefusedError) as error:
        asyncio.run(Body(never, Limits(body_s=0.05))())  # type: ignore[arg-type]
    assert error.value.status == 408


def test_a_client_that_goes_frees_its_replies(scripted: Served) -> None:
    headers = {"authorization": f"Bearer {scripted.token}"}
    with httpx.Client(base_url=scripted.url, headers=headers) as client:
        for _ in range(10):
            with client.stream("POST", "/api/ask", json={**ASK, "stream": True}) as answer:
                next(answer.iter_lines())
        until = time.monotonic() + 10
        while "pluriverse_replies_now 0" not in client.get("/metrics").text:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_serving_says_one_line_and_ends_by_a_signal(scripted: Served) -> None:
    assert httpx.get(f"{scripted.url}/health").json()["status"] == "ok"
    done = subprocess.run(
        [sys.executable, "-m", "pluriverse", "serve", "--host", "0.0.0.0", "--json"], capture_output=True, text=True
    )
    assert done.returncode == 2 and json.loads(done.stdout)["error"]["kind"] == "usage"


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_a_number_that_is_no_port_is_told(port: int) -> None:
    with pytest.raises(UsageError, match="no port"):
        listen("127.0.0.1", port)
