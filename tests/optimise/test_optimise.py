"""`optimise` says first what it does, claims only what was measured, and keeps what was measured when it is stopped."""

import asyncio
import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gguf import GGUFWriter

from pluriverse.cli.commands.optimise import _verdict
from pluriverse.engines.native import trial
from pluriverse.measure.schema.figure import Figure
from pluriverse.measure.stats.intervals import Interval
from pluriverse.optimise import optimise as optimising
from pluriverse.optimise.losses import Losses
from pluriverse.optimise.optimise import Loss, Optimised, Optimising, OptimisingAhead, optimise
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings
from pluriverse.store import Store, pull
from pluriverse.values import PathSource, Pullable

FOUND = {"tokens": [4, 4], "kl": [[0.01, 0.02]], "same": [[4, 3]]}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store with one small F16 file, which no library loads."""
    writer = GGUFWriter(str(tmp_path / "small.gguf"), "llama")
    writer.add_name("small")
    writer.add_file_type(1)
    writer.add_context_length(64)
    writer.add_block_count(1)
    writer.add_embedding_length(64)
    writer.add_head_count(1)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(["a", "b", "c"])
    writer.add_token_scores([0.0, 0.0, 0.0])
    writer.add_tensor("blk.0.attn_q.weight", np.ones((64, 64), np.float16))
    for write in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file):
        write()
    writer.close()
    made = Settings(home=tmp_path / "home", base="scripted", offline=True)

    async def fetch() -> None:
        here = Pullable("small", "small", (PathSource(tmp_path / "small.gguf"),), None)
        async for _ in pull(Store.at(made), here, made):
            pass

    asyncio.run(fetch())
    return made


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """The batches of texts that were compared; nothing is really run."""
    asked: list[list[str]] = []

    def run(document: dict[str, Any]) -> dict[str, Any]:
        if document["do"] == "speed":
            return {"prefill": {"512": 1.0}, "decode 8": {"40": 1.0}, "decode 1": {"40": 1.0}}
        if len(asked) in stops:
            stops.clear()
            raise KeyboardInterrupt
        asked.append(document["texts"])
        count = len(document["texts"])
        return {"tokens": [4] * count, "kl": [[0.01] * count], "same": [[4] * count]}

    async def truths(_: Settings) -> list[SimpleNamespace]:
        return [SimpleNamespace(question=f"Is it {n}? " * 200, true=["Yes"]) for n in range(20)]

    stops: set[int] = set()
    asked_with_stops = asked
    monkeypatch.setattr(trial, "run", run)
    monkeypatch.setattr(optimising, "truthfulqa", truths)
    run.stops = stops  # type: ignore[attr-defined]
    yield asked_with_stops


def go(settings: Settings, **options: Any) -> list[Any]:
    async def all_of_it() -> list[Any]:
        async with Workspace(settings) as workspace:
            return [event async for event in optimise(workspace, "small", "Q8_0", **{"items": 0, **options})]

    return asyncio.run(all_of_it())


def test_what_will_be_done_is_said_first(settings: Settings, compared: list) -> None:
    ahead, *steps, made = go(settings, tokens=5000)
    assert isinstance(ahead, OptimisingAhead) and isinstance(made, Optimised) and ahead.about_s > 0
    assert [words.split()[0] for words in ahead.steps] == ["write", "compare", "measure"]
    assert {each.steps for each in steps} == {3} and [each.step for each in steps] == sorted(e.step for e in steps)
    assert all(isinstance(each, Optimising) and each.total for each in steps)
    ahead, *_ = go(settings, tokens=0, speeds=False)
    assert [words.split()[0] for words in ahead.steps] == ["write"]


def test_what_was_compared_is_kept_and_nothing_of_the_copy(settings: Settings, compared: list) -> None:
    trial.run.stops.add(2)  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        go(settings, tokens=20_000)
    store = Store.at(settings)
    assert {each.suffix for each in store.home.incoming.glob("optimise-*")} <= {".lock"} and [
        each.name for each in store.models()
    ] == ["small"]
    first = list(compared)
    made = go(settings, tokens=20_000)[-1]
    assert len(first) == 2 and len({tuple(each) for each in compared}) == len(compared) > 2
    assert made.loss.kl.value == pytest.approx(0.01 / 4)
    before = len(compared)
    assert go(settings, tokens=20_000)[-1].loss == made.loss and len(compared) == before


def test_losses_that_cannot_be_read_are_measured_again(tmp_path: Path) -> None:
    with Losses(tmp_path, "a", "b", None) as losses:
        losses.add(["x", "y"], FOUND)
    (place,) = tmp_path.glob("*.jsonl")
    with Losses(tmp_path, "a", "b", None) as losses:
        assert losses.of(["x", "y"], 1) == FOUND and losses.of(["x"], 1) is None and losses.of(["x", "y"], 3) is None
    with Losses(tmp_path, "a", "c", None) as losses:
        assert losses.of(["x", "y"], 1) is None
    torn = place.read_text("utf-8")
    for damage in (torn[:30], torn.replace("[4, 4]", "[4]"), json.dumps({"texts": "x"}) + "\n"):
        place.write_text(damage, "utf-8")
        with Losses(tmp_path, "a", "b", None) as losses:
            assert losses.of(["x", "y"], 1) is None


def made(gain: float | None, kl: float | None, changed: bool | None = None) -> Optimised:
    copy = SimpleNamespace(name="small.q8_0")
    speeds = ({"prefill": {"512": 1.0}, "decode 8": {"40": 1.0}},) if gain else None
    after = {"prefill": {"512": gain}, "decode 8": {"40": gain}}
    loss = Loss(Interval(kl, kl, kl, 9), 0.99, 90) if kl is not None else None
    low = 0.1 if changed else -0.1
    changes = () if changed is None else (Figure("c", "truthfulqa", "difference", 0.2, low, 0.3, 60),)
    return Optimised(
        copy, copy, "Q8_0", loss, None, None, (*speeds, after) if speeds else None, changes  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gain", "kl", "changed", "words"),
    [
        (None, None, None, "was not measured (--no-speed)"),
        (None, 0.01, False, "was not measured (--no-speed)"),
        (None, 0.2, None, "differ noticeably"),
        (1.1, 0.01, False, "hardly faster here; to delete it: pluriverse rm small.q8_0"),
        (2.0, None, None, "what it loses was not measured (--tokens 0)"),
        (2.0, 0.01, True, "its answers to truthfulqa change"),
        (2.0, 0.01, False, "worth it here: up to 2.0 times as fast"),
    ],
)
def test_no_verdict_without_a_measurement(gain: float, kl: float, changed: bool, words: str) -> None:
    told = _verdict(made(gain, kl, changed))
    assert words in told and (gain is not None or "worth" not in told)


def test_the_recorded_run_says_the_whole_command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from pluriverse.cli.commands import optimise as command
    from pluriverse.cli.terminal.output import Output

    seen: list[str] = []

    async def noted(*_: Any, command: str, **__: Any) -> Any:
        seen.append(command)
        return
        yield

    monkeypatch.setattr(optimising, "optimise", noted)
    args = Namespace(format="q4_0", tokens=100, items=8, no_speed=True, use=False)
    with pytest.raises(Exception, match="the copy was not made"):
        asyncio.run(command._optimised("small", args, Output(), replace(settings)))
    assert seen == ["pluriverse optimise small --as q4_0 --tokens 100 --items 8 --no-speed"]
