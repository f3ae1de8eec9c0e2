"""How near words are to a question, and whether works speak of it."""

from pluriverse.values import Digest, Work
from pluriverse.works.index.words import WordsIndex, build, opened
from pluriverse.works.nearness import Evidence, Weighed
from pluriverse.works.passages import passages


def index(text: str, language: str = "en") -> list[WordsIndex]:
    work = Work("work", "A Work", Digest("sha256:" + "0" * 64), language)
    return [opened(build(work, text, passages(work, text)), work)]


TEXT = "\n\n".join(f"A society number {n} is a contract of its members. {'word ' * 90}" for n in range(9))


def test_rare_words_weigh_more_and_words_that_are_nowhere_count_against() -> None:
    weighed = Weighed.of("Is the telephone of society number 3 a contract?", index(TEXT))
    assert weighed.weights["3"] > weighed.weights["contract"]
    assert weighed.shared("A society number 3 is a contract.", "en") > weighed.shared("A society is a contract.", "en")
    assert 0 < weighed.unknown < 0.5
    assert Weighed.of("Which telephone?", index(TEXT)).unknown == 1.0


def test_forms_of_a_word_are_the_same() -> None:
    weighed = Weighed.of("Contracts of societies?", index(TEXT))
    assert weighed.shared("The society has a contract.", "en") == 1.0


def test_pairs_of_characters_that_straddle_words_do_not_count_against() -> None:
    there = index("孟子道性善，言必稱堯舜。人性之善也，猶水之就下也。", "zh")
    assert Weighed.of("人性本善嗎？", there).unknown == 0.0
    assert Weighed.of("電話好嗎？", there).unknown == 1.0


def test_without_words_or_passages_they_do_not_speak_of_it() -> None:
    assert Weighed.of("?", []).unknown == 1.0
    assert Evidence(0.0, 1.0).value < 0 and Evidence(0.0, 1.0, 0.1).value < 0
    assert Evidence(1.0, 0.0).value > 0 and Evidence(0.3, 0.2, 0.6).value > 0
