"""Every rung of the ladder answers: pulled as a user pulls it, asked through the real engine."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse import settings as settings_module
from pluriverse.asking.asking import ask
from pluriverse.catalogue import find
from pluriverse.catalogue.ladder import rungs
from pluriverse.runtime.requests import AskOptions
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings
from pluriverse.store import Pulled, Store, pull


@pytest.mark.slow
@pytest.mark.parametrize("rung", rungs(), ids=lambda rung: rung.name)
def test_it_answers(rung: "object", model_home: Path, tmp_path: Path) -> None:
    name, model = rung.name, rung.model  # type: ignore[attr-defined]
    pullable = find(name)
    assert pullable

    async def work() -> None:
        there = replace(settings_module.load(), home=model_home)
        async for event in pull(Store.at(there), pullable, there):
            if isinstance(event, Pulled):
                assert event.digest == pullable.digest
        settings = Settings(home=tmp_path, stores=(model_home / "store",), offline=True, base=name)
        async with Workspace(settings) as workspace:
            asking = ask(workspace, "Is it ever right to lie?", workspace.choose(["duty"]), AskOptions(max_tokens=24))
            async for _ in asking:
                pass
            (reply,) = asking.replies
            assert reply.error is None and len(reply.text.split()) > 5
            assert (reply.base, reply.digest) == (model, pullable.digest)

    asyncio.run(asyncio.wait_for(work(), 600))
