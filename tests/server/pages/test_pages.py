"""The other pages: kept conversations, voices, a new one, results, models; who is let in, and what comes with each."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pluriverse.server.house import House

from ..conftest import inside
from .conftest import furnished, text_of
from .test_conversing import ask


def test_a_browser_without_a_cookie_is_shown_the_way_in(house: House) -> None:
    stranger = inside(house, "")
    shown = stranger.get("/history", headers={"accept": "text/html"})
    assert (shown.status_code, shown.headers["location"]) == (303, "/enter")
    assert "token" in stranger.get("/enter").text
    assert stranger.get("/history").status_code == 401


def test_each_page_holds_the_browser_to_this_server(client: TestClient) -> None:
    for path in (
        "/",
        "/history",
        "/assistants",
        "/assistants/green",
        "/assistants/new",
        "/results",
        "/models",
        "/choices",
    ):
        page = client.get(path)
        assert page.status_code == 200, path
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy and "script-src 'self'" in policy
        assert not re.search(r"<style|<script(?! type=\"module\" src=)| style=| on\w+=", page.text), path
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page.text), path


def test_an_address_typed_wrong_is_told_on_a_page(client: TestClient) -> None:
    for method, path, status in (("GET", "/kept", 404), ("GET", "/ask", 405)):
        shown = client.request(method, path, headers={"accept": "text/html,*/*"})
        assert shown.status_code == status
        assert "That did not work" in text_of(shown.text) and 'href="/history"' in shown.text
        assert "error" in client.request(method, path, headers={"accept": "*/*"}).json()


def test_plain_forms_of_browsers_show_where_they_come_from(client: TestClient) -> None:
    """With no-referrer a browser would send `Origin: null` with each form, and the guard turn it away."""
    assert client.get("/").headers["referrer-policy"] == "same-origin"


def test_kept_conversations_are_found_taken_along_and_deleted(client: TestClient) -> None:
    where = ask(client, "Shall we fell the oak?")
    ask(client, "And the elm?")
    key = where.rpartition("/")[2]
    assert text_of(client.get("/history").text).count("Markdown") == 2
    found = text_of(client.get("/history?q=oak").text)
    assert "fell the oak" in found and "elm" not in found
    taken = client.get(f"/history/{key}.md")
    assert "attachment" in taken.headers["content-disposition"] and "## green" in taken.text
    assert json.loads(client.get(f"/history/{key}.json").text)["machine_written"] is True
    assert client.get(f"/history/{key}.exe").status_code == 400
    client.post("/history/delete", data={"id": key})
    assert client.get(where).status_code == 404
    client.post("/history/delete", data={"all": "no"})
    assert "elm" in client.get("/history").text
    client.post("/history/delete", data={"all": "yes"})
    assert "Nothing is kept yet." in client.get("/history").text


def test_a_browser_can_keep_nothing_from_now_on(client: TestClient) -> None:
    client.post("/history/keep", data={"keep": "no"})
    assert re.search(r'name="forget" value="1" checked', client.get("/").text)
    client.post("/history/keep", data={"keep": "yes"})
    assert not re.search(r'name="forget" value="1" checked', client.get("/").text)


def test_a_voices_page_says_who_it_is(client: TestClient) -> None:
    page = text_of(client.get("/assistants/burke").text)
    for words in ("Works that it answers from", "Nothing yet. Whoever measures it gives it figures:", "Definition"):
        assert words in page
    assert client.get("/assistants/burke?as=json").json()["works"]
    assert client.get("/assistants/nobody-there").status_code == 404
    assert "Green" in text_of(client.get("/assistants?q=green side").text)
    assert "No voice has all of these words." in client.get("/assistants?q=zzz").text


def test_a_new_voice_is_made_by_a_form(client: TestClient, house: House) -> None:
    given = {"name": "gardener", "title": "An old gardener", "system": "You are an old gardener.",
             "languages": "en, fr",
             "dimension": "expertise", "position": "soil", "guidance": "1,5"}  # fmt: skip
    assert client.post("/assistants", data=given).headers["location"] == "/assistants/gardener"
    made = house.workspace.shelf.assistant("gardener")
    assert (made.title, made.languages, made.outlook.position) == ("An old gardener", ("en", "fr"), "soil")
    assert made.guidance is not None and (made.guidance.against, made.guidance.strength) == ("plain", 1.5)
    again = client.post("/assistants", data=given)
    assert again.status_code == 400 and "gardener already" in again.text and 'value="An old gardener"' in again.text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "No Good!", "No Good!"), ("system", " ", "the prompt is empty"), ("languages", "english!", "language"),
        ("guidance", "much", "guidance is a number"), ("guidance", "99", "strength"),
        ("dimension", "weather", "weather"), ("base", "/etc/passwd", "no model called"),
    ],
)  # fmt: skip
def test_a_new_voice_that_does_not_fit_is_asked_for_again(
    client: TestClient, field: str, value: str, words: str
) -> None:
    given = {"name": "gardener", "system": "You are an old gardener."} | {field: value}
    response = client.post("/assistants", data=given)
    assert response.status_code == 400 and words in text_of(response.text)


def test_only_the_owner_makes_voices(client: TestClient, house: House) -> None:
    pupil = {"authorization": f"Bearer {house.readers['pupil'].token}", "accept": "text/html"}
    assert client.post("/assistants", data={"name": "mine", "system": "x"}, headers=pupil).status_code == 403
    assert "Make a new one" not in client.get("/assistants", headers=pupil).text
    assert client.get("/assistants/new", headers=pupil).status_code == 403


@pytest.mark.model
def test_nobody_speaks_through_what_only_embeds(tmp_path: Path, model_home: Path, embedding_model: Path) -> None:
    settings = replace(furnished(tmp_path), stores=(model_home / "store",))
    with inside(House(settings)) as client:
        form = client.get("/assistants/new").text
        assert "smollm2" in form and "all-minilm" not in form
        given = {"name": "mute", "system": "x", "base": "all-minilm-l6-v2"}
        response = client.post("/assistants", data=given)
        assert response.status_code == 400 and "embedding model" in response.text


def test_models_and_results_are_there_before_anything_is(client: TestClient) -> None:
    assert "pluriverse measure" in client.get("/results").text
    assert client.get("/results?as=json").json()["rows"] == []
    assert client.get("/results/compare?a=green&b=green").status_code == 400
    assert client.get("/results/compare?a=green&b=red").status_code == 404
    entry = client.get("/models?as=json").json()["entries"][0]["id"]
    page = client.get(f"/models/{entry}")
    assert page.status_code == 200 and "Licence" in page.text
    assert client.get("/models/none-such").status_code == 404
    assert (
        client.get("/static/nothing.js").status_code == 404 and client.get("/static/..%2frouter.py").status_code == 404
    )
