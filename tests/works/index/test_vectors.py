"""Vectors of works in a store: made once, kept, gone on with, made anew when they are no use, and searched."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from pluriverse.engines.scripted import ScriptedEngine
from pluriverse.errors import EngineError
from pluriverse.settings import Settings
from pluriverse.store import Store
from pluriverse.values import Digest, Work
from pluriverse.works.index import meaning as meaning_module
from pluriverse.works.index.keeping import index_words
from pluriverse.works.index.meaning import MeaningIndex, opened, packed
from pluriverse.works.index.models import ENGLISH, Model
from pluriverse.works.index.search import fused, search
from pluriverse.works.index.vectors import Embedding, Meaning, embed_works, made_of

TEXT = "\n\n".join(f"The {word} of day {n} was long. " * 25 for n in range(50) for word in ("bread", "king", "sea"))


class Counting(ScriptedEngine):
    """How many texts were embedded; `fails_after` as many."""

    def __init__(self, fails_after: int = 10**9) -> None:
        super().__init__()
        self.texts, self.fails_after = 0, fails_after

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        if self.texts >= self.fails_after:
            raise EngineError("it broke off")
        self.texts += len(texts)
        return await super().embed(texts)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def work(store: Store) -> Work:
    work = Work("days", "Days", Digest(f"sha256:{sha256(TEXT.encode()).hexdigest()}"), "en")
    store.add_work(work, {"text": TEXT.encode()})
    return work


def embedded(store: Store, works: list[Work], engine: ScriptedEngine) -> list[Embedding]:
    async def run() -> list[Embedding]:
        meaning = Meaning(Model(ENGLISH, None), engine)
        return [step async for step in embed_works(store, settings_of(store), works, meaning)]

    return asyncio.run(run())


def settings_of(store: Store) -> Settings:
    return Settings(home=store.home.root.parent, offline=True)


def test_they_are_made_once(store: Store, work: Work) -> None:
    engine = Counting()
    steps = embedded(store, [work, work], engine)
    total = steps[-1].total
    assert steps[0] == Embedding(work, 0, total) and steps[-1].done == total == engine.texts > 100
    assert embedded(store, [work], engine) == [] and engine.texts == total
    assert not list(store.home.incoming.glob("*.part"))


def test_what_broke_off_is_gone_on_with(store: Store, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning_module, "_KEEP_S", 0.0)
    with pytest.raises(EngineError):
        embedded(store, [work], Counting(fails_after=64))
    assert embedded(store, [work], Counting())[0].done == 64


def test_what_was_changed_in_the_store_is_made_anew(store: Store, work: Work) -> None:
    embedded(store, [work], Counting())
    part = store.works({work.digest})[work.digest].path(f"vectors.{ENGLISH}")
    assert part
    part.chmod(0o600)
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    engine = Counting()
    assert embedded(store, [work], engine)[-1].done == engine.texts > 0
    assert embedded(store, [work], engine) == []


def test_vectors_of_some_passages_only_are_made_anew(store: Store, work: Work) -> None:
    embedded(store, [work], Counting())
    (indexed,) = index_words(store, settings_of(store), [work])
    of = made_of(work, indexed.index, Model(ENGLISH, None))
    part = store.works({work.digest})[work.digest].path(f"vectors.{ENGLISH}")
    assert part
    whole = opened(part.read_bytes(), of)
    fewer = MeaningIndex(whole.scales[:-1], whole.vectors[:-1])
    store.add_work(work, {f"vectors.{ENGLISH}": packed(fewer, of)})
    assert embedded(store, [work], Counting())[-1].done == len(whole)


def test_a_search_says_by_what_it_found(store: Store, work: Work) -> None:
    engine = Counting()
    meaning = Meaning(Model(ENGLISH, None), engine)
    settings = settings_of(store)
    words_alone = asyncio.run(search(store, settings, [work], "Who is king?", 3, meaning))
    assert {each.by for each in words_alone} == {("words",)}, "nobody embedded the work"
    embedded(store, [work], engine)
    found = asyncio.run(search(store, settings, [work], "Who is king?", 3, meaning))
    assert "king" in found[0].passage.text and set(found[0].by) == {"words", "meaning"}
    nothing_in_words = asyncio.run(search(store, settings, [work], "xyzzy", 3, meaning))
    assert {each.by for each in nothing_in_words} == {("meaning",)}


def test_words_count_by_how_much_of_the_question_they_are() -> None:
    """One everyday word puts no passage before those that are near in meaning; all of its words do."""
    near = [np.array([0.0, 0.0, 0.6, 0.0, 0.0, 0.4, 0.0, 0.0, 0.1, 0.0], np.float32)]
    one_word = fused([(0, 9, 2.0)], near, 20.0, depth=3)
    assert [each.place[1] for each in one_word] == [2, 5, 8, 9]
    all_words = fused([(0, 5, 20.0)], near, 20.0, depth=2)
    assert [each.place[1] for each in all_words] == [5, 2] and set(all_words[0].by) == {"words", "meaning"}
    alone = fused([(0, 4, 3.0), (0, 5, 2.0)], [None], 20.0, depth=2)
    assert [each.place[1] for each in alone] == [4, 5] and alone[0].score > alone[1].score > 0
