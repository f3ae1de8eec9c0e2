"""What quotations are, and which of them stand in a text."""

import pytest

from pluriverse.engines.quoting import held, quotations, standing, truthful

TEXTS = (
    "It is a partnership; don't say “can’t”, nor un-American 1,000 men. L'homme est né libre. End.... Next he said, "
    '"Go on." And "more" follows.',
    "人生而自由，在尊严和权利上一律平等。",
    "ولد الناس أحراراً متساوين. เด็กดี ไทย",
    "He thought </think> and <|channel|>final<|message|> said. Quoi ! & la mer -- so — and _not_ this ; «oui»",
)

TRUE = (
    'so "a partnership" is',
    "“don't say”",
    "“nor … libre. End....”",
    "“It ... libre”",
    "“don't say “can’t”, nor”",
    "«homme est né»",
    "« homme … libre. »",
    "“… men …”",
    "“It is\n a partnership”",
    "「生而自由」『权利』",
    "「人 … 平等。」",
    "«أحراراً متساوين» “ولد”",
    "“เด็กดี”",
    "“he said, “Go on.” And”".replace("“Go on.”", '"Go on."'),
    '“"Go on."”',
    "„It is“ and ”is a” »is a« »is a»",
    "It “is a part",  # cut, and true as far as it goes
    "“nor un-American 1,0",
    "“",
    "“& la” “— and” “-- so” “_not_” “not”",
    "no marks 」 at all",
)
FALSE = (
    '"a partnership," he says',  # a comma of typography
    "“don”",
    "“can”",
    "“American 1,000”",
    "“000 men”",
    "“1 men”",
    "“t say”",
    "“partner … ship”",
    "“libre ... It”",  # backwards
    "“partnership … 人”",  # from one text into another
    "“…”",
    "“ ”",
    "“it is”",
    "“It is a part..",
    "“It is\n\na union” “it",
    "「自 由」",
    "«أحرارا متساوين»",
    "＂a union＂",
    "“! & la”",
    "“thought </think> and”",
    "“and <|channel|>final<|message|> said”",
)


@pytest.mark.parametrize("text", TRUE)
def test_what_stands_in_a_text(text: str) -> None:
    assert all(held(text, TEXTS))
    assert truthful(text, TEXTS) == text


@pytest.mark.parametrize("text", FALSE)
def test_what_does_not(text: str) -> None:
    assert not all(held(text, TEXTS))
    assert all(held(truthful(text, TEXTS), TEXTS))


def test_where_they_stand() -> None:
    text = "He says “is a … libre” and «自由»."
    first, second = quotations(text)
    assert text[first.start : first.end] == "“is a … libre”" and first.said == "is a … libre" and first.closed
    found = standing(first, TEXTS)
    assert found is not None and (found.text, found.pieces) == (0, ("is a", "libre"))
    assert standing(second, TEXTS).text == 1  # type: ignore[union-attr]


def test_an_ellipsis_of_the_text_may_stand_before_what_begins_no_word() -> None:
    text = "«Drawn, we shall run...» She said more, and went on. («So....») End."
    for said in ("“«Drawn, we shall run...»”", "“we shall run...» She … on. («So....»)”"):
        assert held(said, [text]) == [True]
    assert held("“run...» … went»”", [text]) == [False]
    assert standing(quotations("“shall run... She said”")[0], [text]).pieces == ("shall run", "She said")  # type: ignore[union-attr]


def test_other_marks_inside_belong_to_the_text() -> None:
    (only,) = quotations("“one “two” three «four»” five")
    assert only.said == "one “two” three «four»"


def test_marks_of_what_is_false_are_taken_away() -> None:
    assert truthful('It is "a union", “It is a partnership”.', TEXTS) == "It is a union, “It is a partnership”."
