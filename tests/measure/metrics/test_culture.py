"""Matching of short answers with people's, and what respondents reach who know everything, one answer, or nothing."""

from pathlib import Path

import pytest

from pluriverse.measure.data.instruments import find
from pluriverse.measure.metrics.culture import culture_match, culture_match_values, folded, weight
from pluriverse.measure.schema.items import Item

from .replaying import DATA, first, items_of, one, written

ANSWERS = [(1, ["té"], ["tea"]), (4, ["pan dulce"], ["sweet bread"]), (2, ["fruta", "frutas"], ["fruit"])]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Pan dulce.", "es", 1),
        ("Comen FRUTAS frescas", "es", 0.5),
        ("They like sweet breads", "en", 1),
        ("I like fruit", "es", 0.5),  # English answers count
        ("Té", "es", 0.25),
        ("tequila", "es", 0),  # begins with an answer, is none
        ("steak", "en", 0),  # holds an answer's letters
        ("", "es", 0),
        ("fruta y pan dulce", "es", 1),  # the most given counts
    ],
)
def test_answers_stand_as_words(text: str, language: str, expected: float) -> None:
    assert weight(text, ANSWERS, language) == expected


@pytest.mark.parametrize(
    ("answer", "text", "language"),
    [
        ("奶酪棒", "孩子们常吃奶酪棒。", "zh"),
        ("과일", "과일을 먹습니다", "ko"),
        ("ميوه", "میوه‌ها", "fa"),  # Arabic and Persian letters, an ending after a joiner
        ("خبز", "الخبز", "ar"),
        ("ভীমকল", "ভীমকল খায়", "as"),
    ],
)
def test_scripts_and_endings(answer: str, text: str, language: str) -> None:
    assert weight(text, [(3, [answer], ["x y z"])], language) == 1


def test_folding_keeps_letters_that_are_no_accents() -> None:
    assert folded("  Café, ¡SÍ! ") == "cafe si"
    assert folded("ভীমকল") == "ভীমকল"
    assert folded("과일") == "과일"


@pytest.mark.skipif(DATA is None, reason="PLURIVERSE_DATA is not set")
def test_who_knows_everything_matches_everything(tmp_path: Path) -> None:
    items = first(items_of("blend", tmp_path), 240)

    def knowing(item: Item) -> tuple[str, str]:
        most = max(item.metadata["answers"], key=lambda each: each[0])
        return str(most[2 if item.language == "en" else 1][0]), "answer"

    def foreign(item: Item) -> tuple[str, str]:
        return ("xylophone" if item.language != "en" else knowing(item)[0]), "answer"

    rows = written("blend", items, "native", knowing) + written("blend", items, "foreign", foreign)
    rows += written("blend", items, "fool", lambda item: ("xylophone", "answer"))
    figures = culture_match(find("blend"), rows)
    native = one(figures, "culture_match", "native")
    assert native.value is not None and native.value > 0.99 and native.n == 240 and "of 16 regions" in native.note
    assert one(figures, "culture_match", "fool").value == 0
    assert one(figures, "culture_match", "foreign", "in the people's language").value == 0
    assert (one(figures, "culture_match", "foreign", "in English").value or 0) > 0.99
    assert one(figures, "culture_match", "native", "Iran").n >= 8
    assert set(culture_match_values(find("blend"), rows)["fool"].values()) == {0.0}
