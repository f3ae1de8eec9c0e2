"""The page in seven languages: which one a reader gets, and that nothing is left untranslated."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from fastapi.testclient import TestClient

from pluriverse.server.pages.languages import LANGUAGES, LOCALE, preferred, translations

from .conftest import text_of

OTHERS = [tag for tag in LANGUAGES if tag != "en"]
_PLACES = re.compile(r"%\(\w+\)s|%%")


@pytest.mark.parametrize(
    ("accepts", "tag"),
    [
        ("", "en"), ("fr", "fr"), ("de-CH, en;q=0.5", "de"), ("ja, ru;q=0.4", "ru"), ("en;q=0.3, ar-EG;q=0.8", "ar"),
        ("xx", "en"), ("zh-Hant-TW", "zh"), ("es;q=bad, fr", "fr"), ("*", "en"), ("," * 5000, "en"), ("\x00;;=", "en"),
    ],
)  # fmt: skip
def test_the_browser_says_which(accepts: str, tag: str) -> None:
    assert preferred(accepts) == tag


@pytest.mark.parametrize("tag", OTHERS)
def test_every_message_is_there_with_its_places(tag: str) -> None:
    with (LOCALE / f"{tag}.po").open("rb") as file:
        catalogue = read_po(file, locale=tag)
    assert len(catalogue) > 150
    for each in catalogue:
        texts = [each.string] if isinstance(each.string, str) else list(each.string)
        assert not each.id or all(texts), each.id
        places = set(_PLACES.findall(each.id if isinstance(each.id, str) else each.id[-1]))
        for text in texts:
            assert set(_PLACES.findall(text)) <= places | {"%%"}, text
            if isinstance(each.id, str):
                assert places - {"%%"} <= set(_PLACES.findall(text)), text


def test_catalogues_have_all_that_the_pages_say() -> None:
    place = Path(__file__).parents[3] / "tools" / "page_messages.py"
    tool = runpy.run_path(str(place))
    said = {each.id for each in tool["messages"]() if each.id}
    for tag in OTHERS:
        with (LOCALE / f"{tag}.po").open("rb") as file:
            assert {each.id for each in read_po(file, locale=tag) if each.id} == said, tag


def test_the_page_is_in_the_language_of_the_browser_or_the_readers_choice(client: TestClient) -> None:
    arabic = client.get("/", headers={"accept-language": "ar"}).text
    assert '<html lang="ar" dir="rtl">' in arabic and "سؤال واحد وأصوات كثيرة" in arabic
    chosen = client.post("/language", data={"language": "de", "back": "/models?q=french"})
    assert chosen.headers["location"] == "/models?q=french"
    page = client.get("/", headers={"accept-language": "ar"}).text
    assert '<html lang="de" dir="ltr">' in page and "Eine Frage, viele Stimmen" in text_of(page)
    answers = client.get(client.post("/ask", data={"text": "Warum?"}).headers["location"]).text
    assert "Von einer Maschine geschrieben" in text_of(answers) and "Green says" in answers


@pytest.mark.parametrize("back", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", ""])
def test_the_way_back_stays_here(client: TestClient, back: str) -> None:
    assert client.post("/language", data={"language": "fr", "back": back}).headers["location"] == "/"


def test_plurals_follow_the_language() -> None:
    def passages(tag: str, count: int) -> Any:
        return translations(tag).ngettext("The passage it quotes", "The %(count)s passages it quotes", count)

    assert len({passages("ru", count) for count in (1, 2, 5)}) == 3
    assert passages("fr", 1) == "Le passage qu’elle cite"
