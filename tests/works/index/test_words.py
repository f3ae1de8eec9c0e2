"""The words index: the same text gives the same bytes, what is found is where it says, and nothing broken is read."""

import math
import random
from hashlib import sha256

import pytest

from pluriverse.values import Digest, Work
from pluriverse.works.index import words
from pluriverse.works.index.folding import asked, terms
from pluriverse.works.passages import passages

WORDS = """duty love law reason virtue king people God nature liberty soul war peace truth lie friend city stone été
仁""".split()  # noqa: SIM905


def book(seed: int, paragraphs: int = 60, language: str = "en") -> tuple[Work, str]:
    drawn = random.Random(seed)
    lines = [" ".join(drawn.choices(WORDS, k=drawn.randint(20, 90))).capitalize() + "." for _ in range(paragraphs)]
    text = "# Chapter I\n\n" + "\n\n".join(lines)
    return Work(f"book-{seed}", f"Book {seed}", digest_of(text), language), text


def digest_of(text: str) -> Digest:
    return Digest(f"sha256:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}")


def index_of(work: Work, text: str) -> words.WordsIndex:
    return words.opened(words.build(work, text, passages(work, text)), work)


def test_passages_come_back_as_they_were_cut() -> None:
    work, text = book(1)
    cut = passages(work, text)
    data = words.build(work, text, cut)
    index = words.opened(data, work)
    assert [index.passage(work, number, text.encode()) for number in range(len(index))] == cut
    assert words.build(work, text, passages(work, text)) == data


def test_scores_are_bm25_over_all_works_together() -> None:
    """Against the formula written out over plain lists."""
    works = [book(seed) for seed in (1, 2, 3)]
    question = "Is a lie to a friend against nature and truth?"
    cut = [(number, each) for number, (work, text) in enumerate(works) for each in passages(work, text)]
    bags = [list(terms(each.text, "en")) for _, each in cut]
    mean = sum(map(len, bags)) / len(bags)
    scores = []
    for bag in bags:
        score = 0.0
        for term in (word["en"] for word in asked(question, ["en"])):
            having = sum(term in other for other in bags)
            weight = math.log(1 + (len(bags) - having + 0.5) / (having + 0.5))
            count = bag.count(term)
            score += weight * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(bag) / mean))
        scores.append(score)
    best = sorted(range(len(cut)), key=lambda place: -scores[place])[:10]
    found = words.ranks([index_of(*each) for each in works], question, 10)
    assert [(number, passage) for number, passage, _ in found] == [(cut[n][0], cut[n][1].number) for n in best]
    assert [score for *_, score in found] == pytest.approx([scores[n] for n in best], rel=1e-4)


def test_each_work_is_asked_in_its_own_language() -> None:
    english, french = book(1), book(2, language="fr")
    found = words.ranks([index_of(*english), index_of(*french)], "liberty", 50)
    assert {number for number, *_ in found} == {0, 1}


@pytest.mark.parametrize("question", ["", "???", "zebra", "the of and"])
def test_nothing_is_found_by_nothing(question: str) -> None:
    assert words.ranks([index_of(*book(1))], question, 5) == []
    assert words.ranks([], question, 5) == []


@pytest.mark.parametrize("text", ["", "\n\n", "# Only a heading", "..."])
def test_texts_without_words_have_an_index(text: str) -> None:
    work = Work("a", "A", digest_of(text))
    assert words.ranks([index_of(work, text)], "heading", 5) == [] or text.startswith("#")


def test_what_is_broken_is_told_and_never_read() -> None:
    work, text = book(1)
    data = words.build(work, text, passages(work, text))
    other = Work(work.id, work.title, digest_of("another"), work.language)
    for broken in (b"", data[:7], data[:100], data[:-9], data[: len(data) // 2], b"x" * 1000, b"\0" * 100, data[::-1]):
        with pytest.raises(words.BrokenIndex):
            words.opened(broken, work)
    with pytest.raises(words.BrokenIndex):
        words.opened(data, other)
    with pytest.raises(words.BrokenIndex):
        words.opened(data, Work(work.id, work.title, work.digest, "de"))
    drawn = random.Random(0)
    for _ in range(200):  # in the heading, where it says what the rest is
        garbled = bytearray(data)
        garbled[drawn.randrange(900)] = drawn.randrange(256)
        try:
            index = words.opened(bytes(garbled), work)
        except words.BrokenIndex:
            continue
        assert len(index) == len(passages(work, text)) or bytes(garbled) != data


def test_an_index_of_a_stranger_is_searched_or_told() -> None:
    """One may have the digest that its store names, and still say anything of itself."""
    work, text = book(1)
    text = text.replace("a", "é")
    work = Work(work.id, work.title, digest_of(text), work.language)
    data = words.build(work, text, passages(work, text))
    begin, asked = 12 + int.from_bytes(data[8:12], "little"), " ".join(text.split()[:40])
    drawn, read = random.Random(0), 0
    for _ in range(400):
        garbled = bytearray(data)
        for _ in range(drawn.randrange(1, 5)):
            garbled[drawn.randrange(12 if drawn.random() < 0.3 else begin, len(data))] = drawn.randrange(256)
        try:
            index = words.opened(bytes(garbled), work)
        except words.BrokenIndex:
            continue
        read += 1
        for _, number, _ in words.ranks([index], asked, 20):
            index.passage(work, number, text.encode())
    assert read


def test_another_version_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    work, text = book(1)
    data = words.build(work, text, passages(work, text))
    monkeypatch.setattr(words, "_made_by", lambda: "another")
    with pytest.raises(words.BrokenIndex, match="version"):
        words.opened(data, work)
