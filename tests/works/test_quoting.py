"""Which sentences may be quoted: true words, and never with a false meaning."""

import pytest

from pluriverse.values import Digest, Work
from pluriverse.works import quoting
from pluriverse.works.passages import passages
from pluriverse.works.quoting import Nearness, best, quotables
from pluriverse.works.schema import Passage
from pluriverse.works.sentences import Sentence, sentences

WORK = Work("work", "A Work", Digest("sha256:" + "0" * 64), "en")


def passage(text: str, within: str = "", language: str = "en") -> tuple[Passage, str]:
    """A passage with just `within` (else the whole text) in it."""
    work = Work("work", "A Work", WORK.digest, language)
    start = text.index(within) if within else 0
    end = start + len(within or text)
    return Passage(work, 0, start, end, "paragraph 1", " ".join(text[start:end].split())), text


def quoted(text: str, within: str = "", language: str = "en") -> list[str]:
    return [each.shown for each in quotables(*passage(text, within, language))]


def alone(sentence: str, text: str, within: str = "", language: str = "en") -> bool:
    return sentence in quoted(text, within, language)


@pytest.mark.parametrize(
    ("sentence", "after"),
    [
        (
            "It would often be expedient to tell a lie.",
            "But the cultivation of a feeling for truth is the most useful.",
        ),
        ("A ruler may well be hated by his people.", "However, nobody who is hated is safe for long."),
        ("A ruler may well be hated by his people.", "Nobody, however, who is hated is safe for long."),
        ("All men seek only their own pleasure in life.", "This doctrine is false, and easily seen to be so."),
        ("All men seek only their own pleasure in life.", "I deny it, and the world is my witness."),
        ("All men seek only their own pleasure in life.", "Far from it: they seek the pleasure of others."),
    ],
)
def test_a_sentence_that_the_next_one_turns_round_brings_it_along(sentence: str, after: str) -> None:
    text = f"The question is an old one among us. {sentence} {after} There is more to be said of life."
    assert not alone(sentence, text)
    assert alone(f"{sentence} {after}", text)


def test_also_where_the_next_one_stands_in_the_next_passage() -> None:
    sentence, after = "It would often be expedient to tell a lie.", "But truth is more useful still, and that is known."
    assert not alone(sentence, f"{sentence} {after}", within=sentence)
    assert alone(sentence, f"{sentence} Truth is more useful still, and that is known.", within=sentence)
    assert not alone(sentence, f"{sentence}\n\n{after}", within=sentence)


@pytest.mark.parametrize(
    ("language", "sentence", "after"),
    [
        ("fr", "Le mensonge est souvent utile à celui qui ment.", "Mais la vérité est plus utile encore."),
        ("es", "La mentira es a menudo útil para quien miente.", "Pero la verdad es más útil todavía."),
        ("ar", "الكذب نافع في أحيان كثيرة لمن يكذب.", "لكن الصدق أنفع منه للناس جميعا."),
        ("zh", "小人之言多有利於己。", "然君子之言利於天下。"),
        ("sv", "Lögnen är ofta nyttig för den som ljuger.", "Men sanningen är ändå nyttigare för oss."),
    ],
)
def test_in_other_languages_too(language: str, sentence: str, after: str) -> None:
    joined = sentence + ("" if language == "zh" else " ") + after
    assert not alone(sentence, joined, language=language)
    assert len(quoted(joined, language=language)) == 1


@pytest.mark.parametrize("told", ["It may be said that the poor are idle.", "Some people say that the poor are idle."])
def test_what_others_say_comes_with_the_answer_to_it(told: str) -> None:
    more, answer = "The rich have worked for what they own.", "But nobody works harder than the poor do."
    text = f"{told} {more} {answer}"
    assert quoted(text) == [text]
    assert quoted(f"{text} Bread is dear this year in all the towns.") == [
        text,
        "Bread is dear this year in all the towns.",
    ]


@pytest.mark.parametrize(
    "start",
    [
        "This is",
        "He is",
        "They are",
        "These are",
        "Such men are",
        "It makes us",
        "So they are",
        "Secondly, man is",
        "He who does otherwise is",
    ],
)
def test_what_hangs_on_the_sentence_before_brings_it_along(start: str) -> None:
    before, sentence = "The honest man has no fear of the law.", f"{start} free in every country of the world."
    assert not alone(sentence, f"{before} {sentence}")
    assert alone(f"{before} {sentence}", f"{before} {sentence}")
    assert not quoted(f"{before} {sentence}", within=sentence)


@pytest.mark.parametrize("start", ["It is better to", "He who fears nothing will", "Those who fear nothing"])
def test_what_only_looks_like_it_stands_alone(start: str) -> None:
    sentence = f"{start} live in peace with every neighbour."
    assert alone(sentence, f"The honest man has no fear of the law. {sentence}")


def test_questions_and_headings_are_not_quoted_alone() -> None:
    text = "# Of lies and truth in general\n\nIs it right to tell a lie to a friend? No man may do so without harm."
    assert quoted(text)[0] == "Is it right to tell a lie to a friend? No man may do so without harm."
    assert not quoted("Is it right to tell a lie to a friend? By no means, as every honest man knows.")[1:]
    assert quoted("The heart is deep. Who can know what lies at the bottom of it?") == ["The heart is deep."]


def test_a_long_sentence_is_cut_at_a_semicolon_and_marked() -> None:
    first = "The state ought not to be considered as a partnership in a trade of pepper and coffee for a little while"
    long = f"{first}; {' '.join(['it', 'is', 'to', 'be', 'looked', 'on', 'with', 'other', 'reverence'] * 6)}."
    assert f"{first} …" in quoted(long)
    turned = long.replace("; it", "; but it", 1)
    assert f"{first} …" not in quoted(turned)


def test_a_sentence_that_turns_round_behind_the_cut_is_not_cut_before() -> None:
    first = (
        "On questions of morality the opinion of the public, though often wrong, is likely to be still oftener right"
    )
    reason = (
        "because on such questions men are only required to judge of their own interests, and of how they would fare"
    )
    other = "the opinion of the many on what a man does alone is quite as likely to be wrong as right, and is so"
    assert quoted(f"{first}; {reason}; and {other}.")[0].startswith(first)
    for text in (f"{first}; {reason}; but {other}.", f"{first}; {reason}. But {other}."):
        for each in quoted(text):
            assert "opinion of the many" in each


def test_a_few_words_that_answer_a_question_are_not_quoted_without_it() -> None:
    text = "On what is the present family based? On capital and private gain. Bread is made of corn in every town."
    assert not alone("On capital and private gain.", text)
    assert alone("Bread is made of corn in every town.", text)


def test_half_a_speech_is_not_quoted() -> None:
    assert not quoted("The master said, “Learning is the way to virtue and to peace. No man is born wise in anything.”")
    assert len(quoted("Hear what the old master said: “Learning is the way to virtue and to peace.” ")) == 1


def test_every_quotation_is_a_piece_of_its_passage() -> None:
    text = "\n\n".join(
        f"Number {n} is a number that follows {n - 1}. But it is\nno better. This is known." for n in range(99)
    )
    for each in passages(WORK, text):
        for one in quotables(each, text):
            assert one.text in each.text


def test_a_book_of_one_line_is_not_read_as_a_whole_for_each_passage(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Bread is good for the people of this town, and wine is not good for them at all. " * 2000
    work = Work("line", "Line", Digest("sha256:" + "0" * 64), "en")
    read: list[int] = []
    split = sentences

    def counted(text: str) -> list[Sentence]:
        read.append(len(text))
        return split(text)

    monkeypatch.setattr(quoting, "sentences", counted)
    assert quotables(passages(work, text)[-2], text)
    assert sum(read) < 40_000 < len(text)


def test_the_nearest_that_reads_well_is_chosen() -> None:
    found, text = passage(
        "Truth is a great good for all of us. And lies are a great evil for all of us. Bread is dear."
    )
    good, evil, *_ = quotables(found, text)
    assert evil.worth < good.worth
    alike = Nearness(0.2, 0.4, 0.4)
    for near, nearer in (
        (Nearness(0.2), Nearness(0.9)),
        (alike, Nearness(0.2, 0.6, 0.4)),
        (alike, Nearness(0.2, 0.4, 0.6)),
    ):
        assert best([(good, near), (evil, near)], {found: 0}) == good
        assert best([(good, near), (evil, nearer)], {found: 0}) == evil
    assert best([], {}) is None


def test_a_quotation_knows_its_sentences_and_those_beside_them() -> None:
    text = "The sea is deep and cold. Ships are many in these days. They sail far on it. Bread is dear in the town."
    quotable = next(each for each in quotables(*passage(text)) if "They" in each.text)
    assert quotable.pieces == ("Ships are many in these days.", "They sail far on it.")
    assert quotable.around == ("The sea is deep and cold.", *quotable.pieces, "Bread is dear in the town.")


def test_the_beginning_of_a_list_is_not_quoted() -> None:
    assert not alone(
        "The sum that is thus given to the poor will be:", "It is so. The sum that is thus given to the poor will be:"
    )


def test_what_points_to_something_that_is_not_named_is_worth_less() -> None:
    later = "These commonwealths will not bear it for long."
    (named,) = quotables(*passage(f"The commonwealths are ruled from Paris. {later}"))[1:]
    (unnamed,) = quotables(*passage(f"The work of the Assembly is its ruin. {later}"))[1:]
    assert later in named.text and later in unnamed.text and named.worth > unnamed.worth + 0.3
    he = [quotables(*passage(f"If {who} speak ill of me, he will act upon it at once."))[0] for who in ("a man", "men")]
    assert he[0].worth > he[1].worth


def test_an_excerpt_is_the_quotation_with_its_short_neighbours() -> None:
    long = " ".join(["Nothing that is very long is read with it,"] * 12) + " never."
    text = f"{long} The state is a ship in a storm. No man may steer it alone in these days. {long}"
    ship = next(each for each in quotables(*passage(text)) if each.text.startswith("The state"))
    assert ship.excerpt == "The state is a ship in a storm. No man may steer it alone in these days."
    alone = quotables(*passage("Truth is a great good for all of us."))[0]
    assert alone.excerpt == alone.text
