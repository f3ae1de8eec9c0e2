"""What is shown of a reply: quotations apart from own words, their passages, a preview that ends at a word."""

from typing import Any

from pluriverse.server.pages.showing import Answer, passages, pieces

OAK = "The oak stands on the hill, and has stood there since before anybody was born who could remember it."


def cited(*quotes: str) -> list[dict[str, Any]]:
    return [
        {"n": 1, "source": "A. Forester, Trees, Chapter I, 2", "passage": f"Before. {OAK} After.", "quotes": quotes}
    ]


def test_a_quotation_stands_apart_with_its_number_and_place() -> None:
    found = pieces(f"“{OAK}” So it says. It “stands on the hill”, not “in the valley”.", cited(OAK))
    assert [each.kind for each in found] == ["quote", "own", "inline", "own", "unfound", "own"]
    assert (found[0].n, found[0].source) == (1, "A. Forester, Trees, Chapter I, 2")
    paragraphs = Answer("a", 0, "x", "X", pieces=found).paragraphs
    assert [len(each) for each in paragraphs] == [1, 5]


def test_a_short_quotation_that_an_answer_begins_with_stands_apart_too() -> None:
    found = pieces("“The oak stands” is what it says, and “the hill”.", cited("The oak stands", "the hill"))
    assert [each.kind for each in found] == ["quote", "own", "inline", "own"]


def test_without_works_marks_are_marks() -> None:
    assert [each.kind for each in pieces('He said "no".', [])] == ["own"]
    assert [each.kind for each in pieces("They do not speak of “trees”.", cited(), declined=True)] == ["own"]
    assert pieces("", []) == ()


def test_the_passage_shows_what_is_quoted_of_it() -> None:
    (passage,) = passages(cited(OAK, "The oak stands", "not there"))
    assert passage.parts == (("Before. ", False), (OAK, True), (" After.", False))
    assert passages(cited()) == () and len(passages(cited(), declined=True)) == 1


def test_what_could_turn_or_colour_the_text_is_taken_out() -> None:
    assert pieces("a\u202eb\x1b[31m", [])[0].text == "ab[31m"


def test_a_preview_ends_at_a_word_in_any_script() -> None:
    def preview(text: str) -> str:
        return "".join(each.text for each in Answer("a", 0, "x", "X", pieces=pieces(text, [])).preview)

    assert preview("short… and whole") == "short… and whole"
    long = preview("word " * 200)
    assert long.endswith("word…") and len(long) <= 321
    assert preview("字" * 400) == "字" * 320 + "…"
