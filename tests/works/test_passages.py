"""Texts cut into sentences and passages that know their place: prose, verse, any script, and one line without end."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluriverse.values import Digest
from pluriverse.works.passages import fold, passages
from pluriverse.works.schema import Work
from pluriverse.works.sentences import sentences

WORK = Work("book", "Book", Digest("sha256:" + "0" * 64))


def said(text: str) -> list[str]:
    return [fold(text[each.start : each.end]) for each in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is so. It was so!  Was it?", ["It is so.", "It was so!", "Was it?"]),
        ("Mr. Burke met J. S. Mill, i.e. Him. They spoke.", ["Mr. Burke met J. S. Mill, i.e. Him.", "They spoke."]),
        ("So am I. So are you.", ["So am I.", "So are you."]),
        ("See No. 5 of it. No. They did not.", ["See No. 5 of it.", "No.", "They did not."]),
        ('"Why?" he said. “Never!” Then he left.', ['"Why?" he said.', "“Never!”", "Then he left."]),
        ("Alas! how he fell ... into it. Yes.", ["Alas! how he fell ... into it.", "Yes."]),
        ("# A heading. With a stop.\nText here.", ["Text here."]),
        ("1. All that we are.\n\n2. So it is.", ["All that we are.", "So it is."]),
        ("3:16 For God so loved the world.", ["For God so loved the world."]),
        ("بسم الله (1:1)\n\nهل هذا؟ نعم.", ["بسم الله", "هل هذا؟", "نعم."]),
        ("子曰：「不亦說乎？不亦樂乎？」有子曰。", ["子曰：「不亦說乎？", "不亦樂乎？」", "有子曰。"]),
        ("The river glideth\nat will:\nDear God! the houses", ["The river glideth at will: Dear God! the houses"]),
        ("One.\n\n* * *\n\nTwo", ["One.", "Two"]),
        ("", []),
        ("\n \n# Only\n", []),
    ],
)  # fmt: skip
def test_sentences_end_where_readers_see_them_end(text: str, expected: list[str]) -> None:
    assert said(text) == expected


def prose(words: int, word: str = "word") -> str:
    return " ".join(f"{word.capitalize()} {word} {word} {word} {word}." for _ in range(words // 5))


def test_passages_have_about_120_words_and_end_with_a_sentence() -> None:
    text = f"# Chapter I\n\n{prose(600)}\n\n{prose(30)}\n\n# Chapter II\n\n{prose(20)}"
    found = passages(WORK, text)
    assert [each.number for each in found] == list(range(len(found)))
    assert all(100 <= len(each.text.split()) <= 180 for each in found[:-1])
    assert all(each.text.endswith(".") and each.text.startswith("Word") for each in found)
    assert all(fold(text[each.start : each.end]) == each.text for each in found)
    assert found[0].place == "Chapter I, 1"
    assert found[-2].place == "Chapter I, 1–2"
    assert found[-1].place == "Chapter II, 1"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"{prose(90)}\n\n{prose(90)}", "paragraph 1"),
        (f"{prose(20)}\n\n{prose(20)}", "paragraphs 1–2"),
        ("# Job 1\n\n1:1 There was a man.\n\n1:2 He had sons.", "Job 1:1–2"),
        ("# The Twin-Verses\n\n7. He who lives.\n\n8. He who dies.", "The Twin-Verses, 7–8"),
        ("# سورة الفاتحة (1)\n\nبسم الله (1:1)\n\nالحمد لله (1:2)", "سورة الفاتحة (1), 1:1–2"),
        (
            "# BOOK I.\n\nCHAP. II. 1. He said.\n\n2. And more.\n\nCHAP. III. The end.",
            "BOOK I, CHAP. II, 1 – CHAP. III",
        ),
        ("# PART II\n\n40. 1. The movement.\n\n2. All things.\n\n41.\n\nHe who knows.", "PART II, 40, 1 – 41"),
        ("# PART II\n\n# Of the Sky\n\nBlue it is.", "PART II, Of the Sky, 1"),
        ("# The Isa\n\nOm.\n\n# II\n\nPeace.", "The Isa, 1"),
        (f"# {'very ' * 40}long\n\nYes.", f"{('very ' * 13).strip()}…, 1"),
        ("# Lists\n\nFirst.\n\n1. A thing.\n\nLast.\n\nReally last.", "Lists, 1–4"),
    ],
)
def test_a_passage_knows_its_place(text: str, place: str) -> None:
    assert passages(WORK, text)[0].place == place


def test_a_number_alone_is_a_part_of_the_chapter_that_has_a_name() -> None:
    assert passages(WORK, "# The Isa\n\nOm.\n\n# II\n\nPeace.")[1].place == "The Isa, II, 1"


def test_text_without_full_stops_is_cut_between_words_after_a_pause_where_there_is_one() -> None:
    text = "one two three four five six seven eight nine ten, " * 200
    found = passages(WORK, text)
    assert all(each.text.endswith(",") for each in found)
    assert all(80 <= len(each.text.split()) <= 130 for each in found[:-1])
    assert " ".join(each.text for each in found) == fold(text)


def test_scripts_without_spaces_have_passages_of_the_same_weight() -> None:
    found = passages(WORK, "道可道，非常道。" * 500)
    assert all(150 <= len(each.text) <= 320 for each in found)
    assert all(each.text.endswith("。") for each in found)


@pytest.mark.parametrize(
    "unit",
    ["word ", "a", "道", ".", ". ", "\n", " ", "\n ", "x\n", "# a\n", ",", "Mr. ", "\u0301", "1. ", "(", "1:1 ", "。"],
)  # fmt: skip
def test_one_unit_without_end_takes_time_that_grows_with_it(unit: str) -> None:
    """Twice the text takes about twice the time; four times would be the square."""

    def seconds(length: int) -> float:
        text = "x" + unit * (length // len(unit))
        started = time.process_time()
        found = passages(WORK, text)
        sentences(text)
        assert all(len(each.text) < 5_000 for each in found)
        return time.process_time() - started

    short, long = min(seconds(20_000) for _ in range(2)), seconds(160_000)
    assert long < 24 * short + 0.5


@given(st.text(alphabet=st.sampled_from("ab .!?\n#1:()“”'道。؟\t\u0301I"), max_size=400))
def test_whatever_the_text_nothing_is_lost_and_nothing_is_twice(text: str) -> None:
    found = passages(WORK, text)
    assert all(before.end <= after.start for before, after in pairwise(found))
    kept = "".join("".join(each.text.split()) for each in found)
    whole = "".join("".join(line.split()) for line in text.split("\n") if not heading(line))
    assert kept == whole
    for each in sentences(text):
        assert text[each.start : each.end].strip() == text[each.start : each.end] != ""


def heading(line: str) -> bool:
    return line[:1] == "#" and line[1:2].isspace() and line[1:].strip() != ""
