"""Vectors of a work: made, kept, gone on with, refused when they are of something else; ranking and joining ranks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pluriverse.engines.contract import Engine
from pluriverse.engines.scripted import Script, ScriptedEngine
from pluriverse.errors import UnsupportedError
from pluriverse.values import Digest
from pluriverse.works.index import meaning
from pluriverse.works.index.meaning import BrokenMeaning, Embedded, MadeOf
from pluriverse.works.index.models import ENGLISH, MULTILINGUAL, Model, model_for

MODEL = Model(ENGLISH, Digest("sha256:" + "a" * 64))
TEXT = Digest("sha256:" + "b" * 64)
TEXTS = [f"passage {number} speaks of {word}" for number, word in enumerate(["bread", "kings", "the sea"] * 40)]
MADE_OF = MadeOf(TEXT, "cut", MODEL)


def made(part: Path, texts: list[str] = TEXTS, engine: Engine | None = None) -> tuple[list[Embedded], bytes]:
    async def collect(steps: AsyncIterator[Embedded | bytes]) -> list[Any]:
        return [step async for step in steps]

    *events, data = asyncio.run(collect(meaning.build(engine or ScriptedEngine(), MADE_OF, texts, part)))
    return events, data


def question(text: str) -> Any:
    return asyncio.run(meaning.embed_question(ScriptedEngine(), text, MODEL))


def test_what_a_question_shares_words_with_comes_first(tmp_path: Path) -> None:
    events, data = made(tmp_path / "part")
    assert [events[0], events[-1]] == [Embedded(0, 120), Embedded(120, 120)]
    index = meaning.opened(data, MADE_OF)
    likenesses = meaning.likenesses([index, None, index], question("kings"))
    found = meaning.ranks(likenesses[:2], 5)
    assert len(found) == 5 and all(passage % 3 == 1 for _, passage, _ in found)
    assert [score for *_, score in found] == sorted((score for *_, score in found), reverse=True)
    assert meaning.ranks(likenesses, 1)[0][:2] == found[0][:2] and likenesses[1] is None
    assert meaning.likenesses([index], question("kings")[:5]) == [None], "vectors of another width are none"


def test_what_stands_beside_a_passage_counts_with_it() -> None:
    mixed = meaning.with_neighbours(np.array([0.5, 0.1, 0.4, 0.1, 0.1], np.float32))
    assert mixed.argsort()[::-1].tolist()[:3] == [0, 2, 1] and mixed[1] > mixed[3] > mixed[4]
    assert meaning.with_neighbours(np.array([0.5], np.float32)).tolist() == pytest.approx([0.5])
    assert not len(meaning.with_neighbours(np.empty(0, np.float32)))


def test_whole_numbers_lose_next_to_nothing() -> None:
    vectors = np.random.default_rng(1).standard_normal((500, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = meaning.whole_numbers(vectors)
    assert np.abs(index.likeness(vectors[0]) - vectors @ vectors[0]).max() < 0.005


def test_the_same_gives_the_same_bytes(tmp_path: Path) -> None:
    assert made(tmp_path / "a")[1] == made(tmp_path / "b")[1]


def test_what_was_begun_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "_KEEP_S", 0.0)
    part = tmp_path / "part"

    async def broken_off() -> None:
        async for step in meaning.build(ScriptedEngine(), MADE_OF, TEXTS, part):
            if isinstance(step, Embedded) and step.done == 64:
                return

    asyncio.run(broken_off())
    events, data = made(part)
    assert events[0] == Embedded(64, 120) and data == made(tmp_path / "other")[1]
    meaning.forget(part)
    meaning.forget(part)
    assert not part.exists()


@pytest.mark.parametrize("garbage", [b"", b"PVMEANS\n", b"PVMEANS\n\xff\xff\xff\x7f{", b"x" * 5000])
def test_a_part_that_is_none_is_begun_anew(garbage: bytes, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(garbage)
    assert made(tmp_path / "part")[0][0] == Embedded(0, 120)


def test_what_is_of_something_else_is_refused(tmp_path: Path) -> None:
    data = made(tmp_path / "part")[1]
    others = (
        MadeOf(Digest("sha256:" + "c" * 64), "cut", MODEL),
        MadeOf(TEXT, "other", MODEL),
        MadeOf(TEXT, "cut", Model(ENGLISH, Digest("sha256:" + "d" * 64))),
    )
    for other in others:
        with pytest.raises(BrokenMeaning, match="another"):
            meaning.opened(data, other)
    for cut in (data[:-1], data[:50], data[:9], data + b"x", b"{}"):
        with pytest.raises(BrokenMeaning):
            meaning.opened(cut, MADE_OF)


def test_an_empty_work_has_no_passages(tmp_path: Path) -> None:
    index = meaning.opened(made(tmp_path / "part", [])[1], MADE_OF)
    assert len(index) == 0 and meaning.ranks(meaning.likenesses([index], question("kings")), 5) == []


def test_an_engine_that_does_not_embed_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError):
        made(tmp_path / "part", engine=ScriptedEngine("s", Script.parse("embeds = false")))


def test_cuts_are_told_apart() -> None:
    assert meaning.cut_of([(0, 10), (10, 20)]) == meaning.cut_of([(0, 10), (10, 20)])
    assert meaning.cut_of([(0, 10), (10, 20)]) != meaning.cut_of([(0, 11), (11, 20)])


def test_the_model_goes_by_the_languages_of_the_works() -> None:
    assert model_for(["en", "en-GB", ""]) == ENGLISH
    assert model_for(["en", "fr"]) == model_for(["zh-Hant"]) == MULTILINGUAL
    e5 = Model(MULTILINGUAL, None)
    assert (e5.question("a"), e5.passage("a"), MODEL.question("a")) == ("query: a", "passage: a", "a")
