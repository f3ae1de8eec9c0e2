"""Which words a search takes for the same, in the languages and spellings of old books."""

import tomllib
from pathlib import Path

import pytest

from pluriverse.works.index.folding import asked, language_of, plain, terms

QUESTIONS = Path(__file__).parents[3] / "benchmarks" / "works" / "questions.toml"


def term(word: str, language: str) -> str:
    (found,) = terms(word, language)
    return found


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "love loved loves loving loveth"),
        ("en", "speak speaks speaketh"),
        ("en", "give gives giveth giue"),
        ("en", "Justice justice iustice"),
        ("en", "happiness happinesse"),
        ("en", "war warre wars"),
        ("en", "honour honor"),
        ("en", "publick public publique"),
        ("en", "political politicall"),
        ("en", "congreſs congress"),
        ("fr", "liberté libertés LIBERTÉ liberte"),
        ("fr", "avait avoit"),
        ("fr", "disaient disoient"),
        ("fr", "connaître connoître"),
        ("fr", "enfants enfans enfant"),
        ("fr", "œuvre oeuvre"),
        ("es", "razón razon razones"),
        ("es", "dijo dixo"),
        ("ar", "كتاب كِتَابٌ كـــتاب"),
        ("ar", "أحمد احمد"),
        ("ar", "الخلافة خلافه"),
        ("de", "Häuser häusern"),
        ("und", "Ｆｕｌｌ full"),
    ],
)
def test_they_are_the_same(language: str, words: str) -> None:
    assert len({term(word, language) for word in words.split()}) == 1, {w: term(w, language) for w in words.split()}


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "duty", "beauty"),
        ("fr", "mois", "mais"),
        ("fr", "loi", "lai"),
        ("ar", "كتاب", "كلام"),
        ("zh", "仁", "禮"),
    ],
)
def test_others_are_not(language: str, one: str, other: str) -> None:
    assert term(one, language) != term(other, language)


def test_chinese_is_pairs_and_characters_in_one_script() -> None:
    assert list(terms("孝順父母", "zh")) == list(terms("孝顺父母", "zh"))
    assert list(terms("學而", "zh")) == ["学", "而", "学而"]
    assert list(terms("版本2的AI書", "zh")) == ["版", "本", "版本", "2", "的", "ai", "书"]


def test_letters_of_other_scripts_stay() -> None:
    assert list(terms("हिंदी में が か", "hi"))[:2] == ["हिंदी", "में"]
    assert len(set(terms("が か", "ja"))) == 2
    assert plain("한국어") == "한국어"


def words_of(question: str, language: str) -> list[str]:
    return [word[language] for word in asked(question, [language])]


def test_a_question_is_what_it_is_about() -> None:
    assert words_of("Is it ever right to tell a lie?", "en") == ["right", "lie"]
    assert words_of("Qu’est-ce que la liberté ?", "fr") == ["libert"]
    assert words_of("To be or not to be", "en")  # nothing else stands there


def test_a_word_is_another_term_in_each_language() -> None:
    assert asked("What is right for the living?", ["en", "es"]) == [
        {"en": "right", "es": "right"},
        {"en": "live", "es": "living"},
    ]
    assert asked("應該孝順嗎", ["en", "zh"])[0] == {"en": "孝", "zh": "孝"}
    assert asked("???", ["en"]) == asked("", []) == []


@pytest.mark.parametrize("language", ["en", "zh", "ar", ""])
def test_anything_is_taken(language: str) -> None:
    for text in ("", " ", "\0\x1b[31m", "\u202eabc", "a" * 100_000, "字" * 1000, "\ud800", "ّ", "'" * 50):
        assert all(found for found in terms(text, language))


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("May I lie to spare a friend?", "en"),
        ("Est-ce que je peux mentir pour sauver un ami ?", "fr"),
        ("¿Puedo mentir para salvar a un amigo?", "es"),
        ("Darf ich lügen, um einen Freund zu retten?", "de"),
        ("我可以为了朋友说谎吗？", "zh"),
        ("友達のために嘘をついてもいいですか", "ja"),
        ("هل يجوز الكذب لإنقاذ صديق؟", "ar"),
        ("Можно ли солгать ради друга?", "ru"),
        ("Is 君子 the same as gentleman?", "en"),
        ("Liberty?", ""),
        ("", ""),
        ("No me, no you", "en"),
        ("Una bona vita", ""),
    ],
)
def test_the_language_of_a_question(question: str, language: str) -> None:
    assert language_of(question) == language


def test_english_questions_are_never_taken_for_others() -> None:
    asked = tomllib.loads(QUESTIONS.read_text("utf-8"))["question"]
    assert {language_of(each["question"]) for each in asked} <= {"en", ""}
