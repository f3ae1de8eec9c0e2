"""Guided logits against thirty lines of transformers, on the same weights in F32.

Runs where `pip install -e '.[reference]'` has been: torch and transformers are large, so that CI goes without.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pluriverse.engines.contract import Guide, Score
from pluriverse.engines.local import EngineOptions, LocalEngine
from pluriverse.engines.local.sizes import physical_cores
from pluriverse.settings import Settings
from pluriverse.values import Message

pytestmark = pytest.mark.model

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
QUESTION = "What should be done about poverty?"
SIDES = ("You are a liberal. You want equality.", "You are a conservative. You want order and low taxes.")
ANSWER = "The state should help those who cannot help themselves, and leave the others alone."
STRENGTH = 2.0


def hearing(system: str) -> tuple[Message, ...]:
    return (Message("system", system), Message("user", QUESTION))


def prompt(system: str) -> str:
    """The default model's chat template, written out."""
    turns = f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{QUESTION}<|im_end|>\n"
    return f"{turns}<|im_start|>assistant\n"


def reference(model: Any, voice: list[int], against: list[int], answer: list[int]) -> np.ndarray:
    """log p_g for every token of the answer: float64 [answer, vocabulary]."""
    import torch

    def rows(head: list[int]) -> Any:
        with torch.inference_mode():
            logits = model(torch.tensor([head + answer])).logits[0, len(head) - 1 : -1].double()
        return torch.log_softmax(logits, -1)

    v, c = rows(voice), rows(against)
    return torch.log_softmax(v + STRENGTH * (v - c), -1).numpy()  # type: ignore[no-any-return]


async def scored(path: Path) -> Score:
    options = EngineOptions(threads=physical_cores(), flash_attention=False, cache_type="f32")
    engine = LocalEngine("f32", None, path, Settings(home=path.parent), options)
    try:
        guide = Guide(hearing(SIDES[1]), STRENGTH)
        (score,) = await engine.score(hearing(SIDES[0]), [ANSWER], logits=True, guide=guide)
    finally:
        await engine.aclose()
    return score


def test_guided_logits_equal_the_reference(
    default_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("torch", "transformers", "gguf"):
        pytest.importorskip(package)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    logits = __import__("logits")
    path = logits.dequantised(default_model, tmp_path)
    score = asyncio.run(scored(path))

    from pluriverse.engines.local.library import Library, find
    from pluriverse.engines.local.model import Model

    tokenizer = Model(Library(find()), path)
    heads = [tokenizer.tokenize(prompt(side), special=True) for side in SIDES]
    expected = reference(logits.reference(path), *heads, list(score.tokens))
    assert score.logits is not None
    ours = score.logits.astype(np.float64)
    ours -= np.log(np.exp(ours - ours.max(1, keepdims=True)).sum(1, keepdims=True)) + ours.max(1, keepdims=True)
    difference = float(np.abs(ours - expected).max())
    print(f"largest difference {difference:.5f}", file=sys.stderr)
    assert difference < 0.02
