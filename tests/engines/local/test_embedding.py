"""Models that embed: vectors by their texts alone, and what such a model does not do said in words."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pluriverse.cli import main
from pluriverse.engines.contract import Engine, EngineEvent, Failed, Request
from pluriverse.engines.local import EngineOptions, LocalEngine
from pluriverse.engines.local.bert import Bert, computes
from pluriverse.engines.local.embedding import Embedder
from pluriverse.engines.local.library import open_library
from pluriverse.engines.local.model import Model
from pluriverse.errors import UnsupportedError, UsageError
from pluriverse.settings import Settings
from pluriverse.store.gguf import read_header
from pluriverse.values import Message

from .tiny import write_tiny

REFERENCE = json.loads((Path(__file__).parent / "minilm.json").read_text("utf-8"))  # benchmarks/encoder_reference.py


def asked(path: Path, work: Callable[[Engine], Coroutine[Any, Any, Any]], threads: int = 1) -> Any:
    async def run() -> Any:
        engine = LocalEngine("mine", None, path, Settings(home=path.parent), EngineOptions(threads=threads))
        try:
            return await work(engine)
        finally:
            await engine.aclose()

    return asyncio.run(asyncio.wait_for(run(), 60))


@pytest.mark.model
def test_vectors_are_those_of_the_published_weights(embedding_model: Path) -> None:
    async def work(engine: Engine) -> tuple[np.ndarray, list[int]]:
        texts = [each["text"] for each in REFERENCE]
        return await engine.embed(texts), [await engine.count_tokens(text) for text in texts]

    vectors, tokens = asked(embedding_model, work)
    assert tokens == [each["tokens"] - 2 for each in REFERENCE], "without the marks around a text"
    for vector, wanted in zip(vectors, REFERENCE, strict=True):
        assert vector @ np.array(wanted["vector"]) > 0.999


@pytest.mark.model
def test_a_vector_depends_on_nothing_but_its_text(embedding_model: Path) -> None:
    texts = [each["text"] for each in REFERENCE] * 2 + ["word " * 3000, ""]
    together = asked(embedding_model, lambda engine: engine.embed(texts), threads=2)
    one_thread = asked(embedding_model, lambda engine: engine.embed(texts[::-1]))
    assert np.array_equal(together, one_thread[::-1])
    assert np.array_equal(together[:6], together[6:12])


@pytest.mark.parametrize("pooling", [1, 3])
def test_causal_models_that_were_made_to_embed_do(pooling: int, tmp_path: Path) -> None:
    """Pooled over all tokens, or the last one; what came before in the same memory does not matter."""

    async def work(engine: Engine) -> list[np.ndarray]:
        return [await engine.embed(texts) for texts in (["abc", "defg"], ["defg"], ["abc"])]

    both, second, first = asked(write_tiny(tmp_path / "m.gguf", pooling=pooling), work)
    assert both.shape == (2, 32) and np.allclose(np.linalg.norm(both, axis=1), 1, atol=1e-6)
    assert np.array_equal(both[0], first[0]) and np.array_equal(both[1], second[0])


def test_a_text_without_a_token_is_refused(tmp_path: Path) -> None:
    """Where the model puts no marks around a text; those that do have a vector of nothing."""
    path = write_tiny(tmp_path / "m.gguf", pooling=1, architecture="llama", without=())

    async def work(engine: Engine) -> np.ndarray:
        return await engine.embed([""])

    try:
        assert asked(path, work).shape == (1, 32)
    except UsageError as error:
        assert "empty" in error.message


def test_what_it_does_not_do_is_said(tmp_path: Path) -> None:
    async def work(engine: Engine) -> list[EngineEvent]:
        await engine.start()
        can = engine.capabilities
        assert can.embeds and not (can.logprobs or can.logits or can.guidance or can.grammar)
        with pytest.raises(UnsupportedError, match="writes none"):
            await engine.score("a", ["b"])
        return [event async for event in engine.generate([Request((Message("user", "hi"),))])]

    (failed,) = asked(write_tiny(tmp_path / "m.gguf", pooling=1), work)
    assert isinstance(failed, Failed) and isinstance(failed.error, UnsupportedError)


def test_a_model_that_writes_gives_no_vectors(tmp_path: Path) -> None:
    async def work(engine: Engine) -> None:
        await engine.start()
        assert not engine.capabilities.embeds
        with pytest.raises(UnsupportedError, match="was not made to compare"):
            await engine.embed(["a"])

    asked(write_tiny(tmp_path / "m.gguf"), work)


def test_who_asks_no_more_waits_for_nothing(tmp_path: Path) -> None:
    async def work(engine: Engine) -> np.ndarray:
        await engine.start()
        long = asyncio.create_task(engine.embed(["word " * 50] * 20_000))
        await asyncio.sleep(0.1)
        long.cancel()
        return await asyncio.wait_for(engine.embed(["abc"]), 20)

    assert asked(write_tiny(tmp_path / "m.gguf", pooling=1), work).shape == (1, 32)


def test_who_asks_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pull", str(write_tiny(tmp_path / "vectors.gguf", pooling=1))]) == 0
    assert "turns texts into vectors" in capsys.readouterr().err
    for asked_for in (["ask", "Hi?", "--base", "vectors"], ["new", "mine", "--system", "Hi.", "--base", "vectors"]):
        assert main(asked_for) == 1
        told = capsys.readouterr().err
        assert "vectors is an embedding model" in told and "hint: " in told


@pytest.mark.model
def test_what_numpy_computes_is_what_the_library_computes(embedding_model: Path) -> None:
    header = read_header(embedding_model)
    assert computes(header)
    model, options = Model(open_library(), embedding_model), EngineOptions(threads=1)
    texts = [each["text"] for each in REFERENCE] + ["word " * 3000, ""]
    own = Embedder(model, options, -1, Bert(header, embedding_model)).embed(texts)
    theirs = Embedder(model, options, -1).embed(texts)
    assert (own * theirs).sum(axis=1).min() > 0.998


@pytest.mark.model
def test_numpy_computes_only_what_it_knows(embedding_model: Path) -> None:
    header = read_header(embedding_model)
    for change in (
        {"general.architecture": "nomic-bert"},
        {"bert.pooling_type": 2},
        {"bert.block_count": 5},
        {"bert.attention.head_count": 7},
        {"bert.attention.layer_norm_epsilon": None},
    ):
        assert not computes(replace(header, metadata={**header.metadata, **change}))
    first, *rest = header.tensors
    for other in (
        [],
        [replace(first, type=2)],
        [replace(first, shape=first.shape[::-1])],
        [replace(first, name="new")],
    ):
        assert not computes(replace(header, tensors=(*other, *rest)))
