"""What embeds works is made ready, or it is said why words alone serve."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pluriverse.engines.pool import EnginePool
from pluriverse.engines.scripted import ScriptedEngine
from pluriverse.errors import UnreachableError
from pluriverse.runtime.events import Fetching
from pluriverse.runtime.meaning import WordsAlone, of_question, ready_meaning
from pluriverse.settings import Settings
from pluriverse.store import Store
from pluriverse.works.index.meaning import embed_question
from pluriverse.works.index.models import ENGLISH, MULTILINGUAL, Model
from pluriverse.works.index.vectors import Meaning


def steps(settings: Settings, languages: list[str], **more: Any) -> list[Any]:
    async def run() -> list[Any]:
        async with EnginePool(settings) as pool:
            found = [step async for step in ready_meaning(languages, Store.at(settings), pool, settings, **more)]
            if isinstance(found[-1], Meaning):
                found.append(await embed_question(found[-1].engine, "May I lie?", found[-1].model))
            return found

    return asyncio.run(run())


@pytest.mark.model
def test_the_model_is_fetched_when_it_is_first_needed(embedding_model: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", folders=(_folder(embedding_model, tmp_path),), offline=True)
    *fetching, meaning, vector = steps(settings, ["en", "en-GB"])
    assert fetching and all(isinstance(each, Fetching) and each.base == ENGLISH for each in fetching)
    assert meaning.model.name == ENGLISH and meaning.model.digest
    assert vector.shape == (384,) and abs(np.linalg.norm(vector) - 1) < 1e-5
    meaning, _ = steps(settings, ["en"])
    assert isinstance(meaning, Meaning)


def _folder(model: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "minilm.gguf").write_bytes(model.read_bytes())
    return folder


@pytest.mark.parametrize(("languages", "model"), [(["en"], ENGLISH), (["en", "zh"], MULTILINGUAL)])
def test_without_a_network_words_serve_alone(languages: list[str], model: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", offline=True)
    last = steps(settings, languages)[-1]
    assert isinstance(last, WordsAlone) and (last.why, last.model) == ("offline", model)
    assert isinstance(last.error, UnreachableError) and last.error.hint


def test_a_question_in_another_language_is_not_compared() -> None:
    english, many = (Meaning(Model(name, None), ScriptedEngine()) for name in (ENGLISH, MULTILINGUAL))
    asked = "Est-ce que je peux mentir pour sauver un ami ?"
    assert of_question(english, asked) == WordsAlone("language", ENGLISH)
    assert of_question(many, asked) is many and of_question(english, "May I lie?") is english
    offline = WordsAlone("offline", ENGLISH)
    assert of_question(offline, asked) is offline
