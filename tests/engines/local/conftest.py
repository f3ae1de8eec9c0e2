"""One loaded default model for the in-process tests of the local engine's parts."""

import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pluriverse.engines.contract import Chunk, EngineEvent, Failed, Finished, Started
from pluriverse.engines.local.library import Library, find
from pluriverse.engines.local.model import Model
from pluriverse.engines.local.options import EngineOptions
from pluriverse.engines.local.scheduler import Scheduler
from pluriverse.engines.local.sizes import physical_cores
from pluriverse.engines.local.turns import Turns
from pluriverse.values import Message, Sampling

BYTES_PER_TOKEN = 23_040  # 30 layers x 3 heads x 64 values x (key + value) x 2 bytes


@pytest.fixture(scope="session")
def model(default_model: Path) -> Iterator[Model]:
    loaded = Model(Library(find()), default_model)
    yield loaded
    loaded.close()


@pytest.fixture
def make_scheduler(model: Model) -> Iterator[Callable[..., Scheduler]]:
    made: list[Scheduler] = []

    def make(**options: object) -> Scheduler:
        given = EngineOptions(threads=physical_cores(), **options)  # type: ignore[arg-type]
        made.append(Scheduler(model, given, BYTES_PER_TOKEN, Turns(None)))
        return made[-1]

    yield make
    for scheduler in made:
        scheduler.close()


@pytest.fixture
def scheduler(make_scheduler: Callable[..., Scheduler]) -> Scheduler:
    return make_scheduler()


@dataclass
class Heard:
    text: str = ""
    started: Started | None = None
    finished: Finished | None = None
    failed: Failed | None = None
    events: list[EngineEvent] = field(default_factory=list)


def messages(system: str, question: str) -> list[Message]:
    return [Message("system", system), Message("user", question)]


def submit(scheduler: Scheduler, id: int, system: str, question: str, **sampling: object) -> None:
    given = Sampling(**{"temperature": 0.0, "max_tokens": 12, **sampling})  # type: ignore[arg-type]
    scheduler.submit(id, scheduler.template.prompt(messages(system, question)), given)


def collect(heard: dict[int, Heard], events: Sequence[EngineEvent]) -> None:
    for event in events:
        entry = heard.setdefault(event.index, Heard())
        entry.events.append(event)
        match event:
            case Started():
                entry.started = event
            case Chunk():
                entry.text += event.text
            case Finished():
                entry.finished = event
            case Failed():
                entry.failed = event


def run(scheduler: Scheduler, heard: dict[int, Heard] | None = None) -> dict[int, Heard]:
    """Step until nothing is left; what was heard, by id."""
    heard = {} if heard is None else heard
    while not scheduler.idle:
        collect(heard, scheduler.step())
    return heard


@pytest.fixture
def play() -> types.SimpleNamespace:
    """What tests do with a scheduler: submit, collect, run."""
    return types.SimpleNamespace(submit=submit, collect=collect, run=run)
