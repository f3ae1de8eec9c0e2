"""Our own API: one event stream that names who speaks."""

import json

from fastapi.testclient import TestClient

from pluriverse.server.house import House

BODY = {"question": "Is lying ever right?", "assistants": ["duty", "outcomes"], "temperature": 0}


def events_of(text: str) -> list[tuple[str, dict]]:
    """Names and documents of server-sent events; comments are left out."""
    found = []
    for frame in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in frame.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines.get("event", ""), json.loads(lines["data"])))
    return found


def test_one_stream_names_who_speaks(client: TestClient) -> None:
    answer = client.post("/api/ask", json=BODY)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = events_of(answer.text)
    assert events[0] == ("asked", {"assistants": ["duty", "outcomes"], "machine_written": True})
    (done,) = (document for name, document in events if name == "done")
    for reply in done["replies"]:
        said = [each["text"] for name, each in events if name == "chunk" and each["assistant"] == reply["assistant"]]
        assert "".join(said) == reply["text"] != ""


def test_one_document_says_the_same(client: TestClient) -> None:
    whole = client.post("/api/ask", json={**BODY, "stream": False}).json()
    assert [each["assistant"] for each in whole["replies"]] == ["duty", "outcomes"]
    assert whole["machine_written"] and all(each["definition"] for each in whole["replies"])


def test_asks_are_kept_unless_the_reader_says_no(client: TestClient, house: House) -> None:
    from pluriverse.chats.shelf import chats_of

    client.post("/api/ask", json={**BODY, "keep": False})
    chats = chats_of(house.settings)
    assert chats and not chats.file.exists()
    client.post("/api/ask", json=BODY)
    assert len(chats.list()) == 1


def test_earlier_turns_are_each_assistants_own(client: TestClient) -> None:
    earlier = {"duty": [{"role": "user", "content": "Hello " * 50}, {"role": "assistant", "content": "Hello."}]}
    whole = client.post("/api/ask", json={**BODY, "stream": False, "earlier": earlier}).json()
    alone = client.post("/api/ask", json={**BODY, "stream": False}).json()
    more = [a["prompt_tokens"] - b["prompt_tokens"] for a, b in zip(whole["replies"], alone["replies"], strict=True)]
    assert more[0] > 50 and more[1] == 0


def test_what_cannot_be_asked_has_a_status_and_the_next_step(client: TestClient) -> None:
    for change, status, kind in (
        ({"assistants": ["dutty"]}, 404, "not_found"),
        ({"question": " "}, 400, "usage"),
        ({"assistants": ["duty", "duty"]}, 400, "usage"),
        ({"temperature": 99}, 400, "usage"),
        ({"guidance": 99}, 400, "usage"),
        ({"foo": 1}, 400, "usage"),
        ({"assistants": "duty"}, 400, "usage"),
        ({"assistants": ["duty"], "panel": "works"}, 400, "usage"),
    ):
        answer = client.post("/api/ask", json={**BODY, **change})
        assert (answer.status_code, answer.json()["error"]["kind"]) == (status, kind), change
