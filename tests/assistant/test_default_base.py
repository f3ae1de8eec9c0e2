"""What "default" stands for on a machine: the best rung that fits, what is here before what is not, one line on why."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pluriverse.assistant import default_base
from pluriverse.assistant.bases import NotPulled, meant, resolve
from pluriverse.assistant.default_base import BaseChosen, chosen
from pluriverse.catalogue.ladder import model_of, rungs
from pluriverse.errors import IntegrityError, NoSpaceError, PluriverseError, UnreachableError
from pluriverse.runtime import ready
from pluriverse.runtime.events import Fetching
from pluriverse.settings import Settings
from pluriverse.store import Store

GB = 1000**3


@dataclass
class Machine:
    memory: int = 16 * GB
    disk: int = 100 * GB


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """On which the best rung is the default."""
    found = Machine()
    monkeypatch.setattr(default_base, "default_rungs", lambda: tuple(reversed(rungs())))
    monkeypatch.setattr(default_base, "physical_memory", lambda: found.memory)
    usage = type("Usage", (), {"free": property(lambda self: found.disk)})
    monkeypatch.setattr(default_base.shutil, "disk_usage", lambda path: usage())
    return found


@dataclass(frozen=True)
class Model:
    name: str
    digest: str = ""


class Shelf:
    """A store of which only the names and digests of its models are read."""

    def __init__(self, *here: str) -> None:
        self.here = [model_of(name) for name in here]

    def models(self) -> list[Model]:
        return [Model(name) for name in self.here]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.mark.parametrize(
    ("here", "memory", "disk", "offline", "rung", "why"),
    [
        ((), 16, 100, False, "better", None),
        (("better",), 16, 0, True, "better", None),
        (("small",), 16, 100, False, "small", "here"),
        (("small", "standard"), 16, 100, True, "standard", "offline"),
        (("small",), 16, 100, True, "small", "offline"),
        ((), 2, 100, False, "standard", "memory"),
        (("small", "better"), 2, 100, False, "small", "memory"),
        ((), 0.5, 100, False, "small", "memory"),
        ((), 16, 0.9, False, "standard", "disk"),
        ((), 16, 0.1, False, "small", "disk"),
        (("small",), 16, 0.9, False, "small", "disk"),
        ((), 16, 100, True, "small", "offline"),
    ],
)  # fmt: skip
def test_the_best_that_is_here_else_the_best_that_fits(
    machine: Machine, settings: Settings, here: Any, memory: float, disk: float, offline: bool, rung: str, why: str
) -> None:
    machine.memory, machine.disk = int(memory * GB), int(disk * GB)
    choice = chosen(Shelf(*here), replace(settings, offline=offline))  # type: ignore[arg-type]
    assert (choice.rung.name, choice.why, choice.here) == (rung, why, rung in here)
    assert choice.wanted.name == "better"


def test_the_users_limit_counts_as_memory(machine: Machine, settings: Settings) -> None:
    assert chosen(Shelf(), replace(settings, memory=GB)).rung.name == "standard"  # type: ignore[arg-type]


def test_a_rungs_name_stands_for_its_model(machine: Machine, settings: Settings) -> None:
    store = Store.at(settings)
    for each in rungs():
        assert meant(each.name, store, settings) == each.model
        assert meant("default", store, replace(settings, base=each.name)) == each.model
        with pytest.raises(NotPulled) as missing:
            resolve(each.name, store, settings)
        assert missing.value.pullable.name == each.model and missing.value.choice is None
    assert meant("other", store, settings) == "other"
    shelf: Any = Shelf()
    shelf.here = ["small"]
    assert meant("small", shelf, settings) == "small", "the user's own model of that name"


@pytest.fixture
def pulls(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, PluriverseError | None]]:
    """What pulling a model ends with, by the rung's name; asked for in this order."""
    ends: dict[str, PluriverseError | None] = {}
    names = {each.model: each.name for each in rungs()}

    async def pull(store: object, wanted: Any, settings: object) -> Any:
        error = ends[names[wanted.name]]
        yield "half"
        if error:
            raise error

    monkeypatch.setattr("pluriverse.store.pull", pull)
    yield ends


async def fetched(settings: Settings) -> list[Any]:
    """The events of fetching, which brings nothing here."""
    events = []
    with pytest.raises(NotPulled):
        async for step in ready.fetched("default", Store.at(settings), settings):
            assert isinstance(step, Fetching)
            events.append(step.event)
    return events


def test_a_file_of_a_rung_under_another_name_is_here(machine: Machine, settings: Settings) -> None:
    standard = rungs()[1]
    shelf: Any = Shelf()
    shelf.models = lambda: [Model("mine", standard.digest)]
    choice = chosen(shelf, replace(settings, offline=True))
    assert (choice.rung, choice.here, choice.why) == (standard, True, "offline")


def test_what_is_here_speaks_and_says_why(machine: Machine, model_settings: Settings) -> None:
    import asyncio

    async def steps(base: str) -> list[Any]:
        own = replace(model_settings, base=base)
        return [step async for step in ready.fetched("default", Store.at(own), own)]

    machine.memory = GB
    choice, base = asyncio.run(steps("default"))
    assert isinstance(choice, BaseChosen) and (choice.here, choice.why) == (True, "memory")
    assert base.name == choice.rung.model == model_of("small")
    assert [step.name for step in asyncio.run(steps("small"))] == [model_of("small")], "chosen by the user: no word"


@pytest.mark.parametrize("kind", [UnreachableError, IntegrityError, NoSpaceError])
def test_a_rung_that_cannot_be_had_falls_to_the_next(
    machine: Machine, settings: Settings, pulls: dict[str, PluriverseError | None], kind: type[PluriverseError]
) -> None:
    import asyncio

    broken = kind("a piece of it is missing")
    pulls |= {"better": broken, "standard": None}
    first, half, second, whole = asyncio.run(fetched(settings))
    assert (first.rung.name, first.why, half) == ("better", None, "half")
    assert (second.rung.name, second.why, second.error, whole) == ("standard", "failed", broken, "half")
    assert first.rung.download > second.rung.download > 0


def test_where_none_can_be_had_the_last_error_is_told(
    machine: Machine, settings: Settings, pulls: dict[str, PluriverseError | None]
) -> None:
    import asyncio

    pulls |= {each.name: UnreachableError(f"no {each.name}") for each in rungs()}
    with pytest.raises(UnreachableError, match="no small"):
        asyncio.run(fetched(settings))
