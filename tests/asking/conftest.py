"""A workspace whose engines are `stepped` ones, and a way to run coroutines that notices what is left behind."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from pluriverse.asking import asking as asking_module
from pluriverse.assistant.bases import Base
from pluriverse.errors import NotFoundError, PluriverseError
from pluriverse.runtime import grouping, ready
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from ..patience import PATIENCE_S
from .stepped import WEIGHTS, Places, SteppedEngine, SteppedPool


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", offline=True)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Places:
    """What `resolve` knows: bases by the name they are asked for."""
    places: Places = {name: Base(name, WEIGHTS if name == "one" else None, None, "local") for name in ("one", "two")}

    def resolve(ref: str, store: object, settings: object) -> Base:
        place = places.get(ref, NotFoundError(f"no model {ref!r}"))
        if isinstance(place, PluriverseError):
            raise place
        return place

    for module in (grouping, ready, asking_module):
        monkeypatch.setattr(module, "resolve", resolve)
    return places


@pytest.fixture
def engines() -> dict[str, SteppedEngine]:
    return {"one": SteppedEngine("one"), "two": SteppedEngine("two")}


@pytest.fixture
def workspace(settings: Settings, places: Places, engines: dict[str, SteppedEngine]) -> Workspace:
    workspace = Workspace(settings)
    workspace.__dict__["pool"] = SteppedPool(engines)
    return workspace


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a test's coroutine, and fail when it leaves tasks behind."""

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        async def watched() -> Any:
            result = await asyncio.wait_for(coroutine, PATIENCE_S)
            for _ in range(5):
                await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks were left: {left}"
            return result

        return asyncio.run(watched())

    return run
