"""The journeys of a reader whose browser runs no JavaScript, and the stream that one with JavaScript gets."""

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pluriverse.assistant import Assistant
from pluriverse.server.house import House

from .conftest import text_of


def ask(client: TestClient, text: str = "Road or trees?", path: str = "/ask", **form: Any) -> str:
    """The address of the page with the answers."""
    response = client.post(path, data={"text": text, **form})
    assert response.status_code == 303, response.text
    return str(response.headers["location"])


def events(client: TestClient, path: str, **form: Any) -> list[tuple[str, Any]]:
    response = client.post(path, data=form, headers={"accept": "text/event-stream"})
    assert response.headers["content-type"].startswith("text/event-stream")
    return [(kind, json.loads(data)) for kind, data in re.findall(r"event: (\w+)\ndata: (.*)\n\n", response.text)]


def test_the_first_page_has_one_box_and_the_default_panel(client: TestClient) -> None:
    page = client.get("/").text
    assert page.count("<textarea") == 1
    assert re.search(r'value="two" checked', page) and page.count(" checked") == 1
    assert "Green, Red" in text_of(page)


def test_a_form_gives_a_whole_page_with_all_answers(client: TestClient) -> None:
    where = ask(client)
    page = client.get(where)
    assert page.status_code == 200
    words = text_of(page.text)
    assert "Green says: keep the trees." in words and "Red says: build the road." in words
    assert words.index("Road or trees?") < words.index("Green says")
    assert 'class="answers columns"' in page.text and "Somebody else" not in words


def test_each_answer_says_that_a_machine_wrote_it_and_how(client: TestClient) -> None:
    page = client.get(ask(client, seed="7")).text
    (article,) = re.findall(r'<article class="answer"[^>]*data-assistant="green"[^>]*>', page)
    for mark in ('data-machine-written="true"', 'data-seed="7"', 'data-weights="unknown"', 'data-guidance="0"'):
        assert mark in article
    assert "Written by a machine" in text_of(page)
    document = client.get(ask(client), headers={"accept": "application/json"}).json()
    assert [each.get("machine_written") for each in document["turns"]] == [None, True, True]


def test_more_than_four_answers_are_a_list_that_unfolds(client: TestClient) -> None:
    where = ask(client, panel="five")
    page = client.get(where).text
    assert 'class="answers list"' in page and page.count('<details class="fold">') == 5
    assert client.get(f"{where}?open=all").text.count('<details class="fold" open>') == 5


def test_asking_on_goes_to_those_that_are_ticked_each_with_its_memory(client: TestClient, house: House) -> None:
    where = ask(client)
    ask(client, "And then?", where, voice=["red"])
    page = text_of(client.get(where).text)
    assert page.count("Red says") == 2 and page.count("Green says") == 1
    turns = client.get(where, headers={"accept": "application/json"}).json()["turns"]
    assert [each["speaker"] for each in turns] == [None, "green", "red", None, "red"]


def test_another_takes_the_place_of_one_and_is_asked_alone(client: TestClient) -> None:
    where = ask(client)
    there = ask(client, "", f"{where}/again", voice="blue", out="red")
    page = client.get(there).text
    shown, _, past = page.partition("Answers of voices that were replaced")
    assert "Green says" in shown and "Somebody else speaks" in shown and "Red says" not in shown
    assert "Red says" in past
    assert re.search(r'value="blue" checked', page) and not re.search(r'value="red" checked', page)


def test_nothing_is_kept_where_the_reader_says_so(client: TestClient) -> None:
    where = ask(client, forget="1")
    assert where.startswith("/talk/now-")
    ask(client, "And then?", where, voice=["green", "red"])
    assert text_of(client.get(where).text).count("Green says") == 2
    assert client.get("/history", headers={"accept": "application/json"}).json() == {"conversations": []}
    assert client.get("/talk/now-gone").status_code == 404


def test_the_stream_has_the_same_answers(client: TestClient) -> None:
    told = events(client, "/ask", text="Road or trees?")
    assert told[0][0] == "begin" and told[-1][0] == "end"
    assert told[0][1]["html"].count("answer waiting") == 2
    said: dict[str, str] = {}
    for kind, each in told:
        if kind == "say":
            said[each["id"]] = said.get(each["id"], "") + each["text"]
    assert said["a0-0"].startswith("Green says") and said["a0-1"].startswith("Red says")
    answers = {each["id"]: each["html"] for kind, each in told if kind == "answer"}
    page = client.get(told[-1][1]["url"]).text
    for html in answers.values():
        assert re.sub(r"\s+", "", html) in re.sub(r"\s+", "", page)


def test_one_that_fails_ends_alone(client: TestClient) -> None:
    told = events(client, "/ask", text="Road or trees?", voice=["green", "broken"])
    (broken,) = [each for kind, each in told if kind == "answer" and each["id"] == "a0-1"]
    assert "It could not answer." in broken["html"] and "It began well" in broken["html"]
    assert "Green says" in client.get(told[-1][1]["url"]).text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"text": " "}, "the question is empty"),
        ({"text": "Why?", "voice": "nobody-there"}, "nobody-there"),
        ({"text": "Why?", "panel": "no-such"}, "no-such"),
        ({"text": "Why?", "seed": "-1"}, "seed is a whole number"),
        ({"text": "Why?", "temperature": "warm"}, "temperature is a number"),
        ({"text": "Why?", "temperature": "nan"}, "temperature"),
        ({"text": "Why?", "max_tokens": "9" * 30}, "max_tokens is a whole number"),
    ],
)
def test_what_does_not_fit_is_said_with_the_next_step(client: TestClient, form: dict[str, str], words: str) -> None:
    response = client.post("/ask", data=form)
    assert response.status_code in (400, 404) and words in text_of(response.text)
    assert "<main" in response.text


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> \"'> \u202e\u2066 \x1b[31m {{ 7777*7 }}"


def test_hostile_words_are_harmless(client: TestClient, house: House) -> None:
    house.workspace.shelf.write(Assistant("evil", f"E{HOSTILE[:25]}", system="You are evil. " + HOSTILE[:60]))
    told = events(client, "/ask", text=HOSTILE, voice=["evil"])
    where = told[-1][1]["url"]
    pages = [client.get(path).text for path in (where, "/assistants/evil", "/history")]
    pages.append(client.get("/history", params={"q": HOSTILE}).text)
    for html in (*pages, *(each.get("html", "") for _, each in told)):
        assert "<script>alert" not in html and "<img" not in html and "54439" not in text_of(html)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", html)


def test_a_conversation_of_another_reader_is_not_found(client: TestClient, house: House) -> None:
    where = ask(client, forget="1")
    other = {"authorization": f"Bearer {house.readers['pupil'].token}"}
    assert client.get(where, headers=other).status_code == 404
    kept = ask(client)
    assert client.get(kept, headers=other).status_code == 404
    assert client.get("/history?as=json", headers=other).json() == {"conversations": []}


def test_names_stay_hidden_until_one_is_chosen(client: TestClient) -> None:
    where = ask(client, blind="1")
    page = client.get(where).text
    assert "Voice A" in page and "Voice B" in page and "blind=1" in where
    for name in ("Green<", "Red<", "the green side", 'data-assistant="', "Written by a machine"):
        assert name not in page
    key = where.partition("?")[0]
    assert client.post(f"{key}/choose", data={"place": "7"}).status_code == 400
    shown = client.post(f"{key}/choose", data={"place": "0"}).headers["location"]
    assert re.search("You chose (Green|Red)\\.", text_of(client.get(shown).text))
    client.post(f"{key}/choose", data={"place": "none"})
    rows = client.get("/choices?as=json").json()
    assert rows["choices"] == 2 and sum(row["chosen"] for row in rows["rows"]) == 1
    assert all(row["low"] < row["value"] < row["high"] for row in rows["rows"])
    assert "1 / 2" in text_of(client.get("/choices").text)
    client.post("/choices/delete")
    assert client.get("/choices?as=json").json() == {"choices": 0, "rows": []}


def test_a_blind_stream_tells_no_name_either(client: TestClient) -> None:
    told = events(client, "/ask", text="Road or trees?", blind="1")
    assert not any(name in json.dumps(each) for _, each in told for name in ("Green<", "Red<", "Green has", "Red has"))


def test_refusals_are_marked_with_how_often_the_rules_are_right(client: TestClient, house: House) -> None:
    refuses = house.settings.home / "refuses.toml"
    refuses.write_text('[[rule]]\nreplies = ["I cannot help with that request. I am sorry."]\n', "utf-8")
    house.workspace.shelf.write(Assistant("silent", base=f"scripted:{refuses}", system="You are silent."))
    page = text_of(client.get(ask(client, voice=["silent", "green"])).text)
    assert page.count("Rules take this for a refusal. They are right on 88 % of 590 labelled texts.") == 1


def test_too_much_at_once_is_refused_and_nothing_breaks(client: TestClient, house: House) -> None:
    house.busy = house.limits.replies
    refused = client.post("/ask", data={"text": "Why?"})
    assert refused.status_code == 429 and refused.headers["retry-after"]
    told = events(client, "/ask", text="Why?", forget="1")
    assert told[-1][0] == "end" and "ask again in a while" in told[-1][1]["html"]
    house.busy = 0
    key = re.search(r"/talk/(now-[^/]+)/stop", told[0][1]["html"])
    assert key is not None
    assert client.post(f"/talk/{key[1]}/again", data={"voice": "red"}).status_code == 400
    assert client.get(f"/talk/{key[1]}").status_code == 200
