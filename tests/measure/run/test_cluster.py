"""A run spread over a Ray cluster asks what a run on one machine asks, and survives the loss of a worker."""

import asyncio
import os
import site
import socket
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.assistant import Assistant
from pluriverse.assistant.guidance import Guidance
from pluriverse.errors import EngineCrashedError, EngineError, PluriverseError, UnreachableError, UsageError
from pluriverse.measure.measuring import Measured, MeasureNote, MeasureOptions, MeasureStarted, MeasureStep, measure
from pluriverse.measure.run import cluster
from pluriverse.measure.run.asking import TOGETHER, VOICES, parts
from pluriverse.measure.run.cluster_worker import Failure, Shard, Worker, order_of
from pluriverse.measure.run.record import read_run
from pluriverse.measure.run.respondents import participant_of
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import Response
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from ..handmade import QUIZ, TALK

RAW = [Item(f"q{n}", f"Question {n}:", "raw", (" yes", " no"), target=(n % 2,)) for n in range(150)]
SAID = [Item(f"t{n}", f"What do you think of {n}?", "chat", max_tokens=12, draws=2) for n in range(40)]
A = Assistant("ana", system="You are Ana.", base="scripted", counterpart="bo", guidance=Guidance())
B = Assistant("bo", system="You are Bo.", base="scripted", counterpart="ana")
CELLS = 2 * (150 + 80)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", base="scripted", offline=True)


def run(
    settings: Settings, who: Sequence[Assistant] = (A, B), items: dict[str, list[Item]] | None = None, **options: object
) -> list:
    asked = {"quiz": RAW, "talk": SAID} if items is None else items

    async def go() -> list:
        async with Workspace(settings) as workspace:
            for each in who:
                workspace.shelf.write(each, overwrite=True)
            chosen = MeasureOptions(**{"limit": None, **options})  # type: ignore[arg-type]
            return [event async for event in measure(workspace, [QUIZ, TALK], who, chosen, asked)]

    return asyncio.run(go())


def rows(settings: Settings, events: list) -> dict:
    """By respondent, instrument and cell, without the times; every cell once."""
    assert isinstance(events[-1], Measured)
    found = read_run(settings.home, events[-1].run.id).responses
    assert max(Counter((row.respondent, row.instrument, row.cell) for row in found).values()) == 1
    return {(row.respondent, row.instrument, row.cell): replace(row, seconds=0.0) for row in found}


def values(events: list) -> list:
    return [(each.assistant, each.metric, each.value, each.n) for each in events[-1].figures]


@pytest.fixture(scope="module")
def started() -> Iterator[None]:
    """A local Ray for several tests: a run leaves alone what it did not start."""
    ray = pytest.importorskip("ray")
    with cluster.connected("local"):
        yield
        assert ray.is_initialized()
    assert not ray.is_initialized()


class Dying(Worker):
    """Its process ends at the first shard that anybody is asked, or at all of them."""

    marker: Path
    always = False

    async def ask(self, shard: Shard) -> list[Response] | Failure:
        if self.always or not self.marker.exists():
            self.marker.touch()
            os._exit(1)
        return await super().ask(shard)


@pytest.fixture
def dying(started: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Dying]]:
    import ray.cloudpickle as pickling

    pickling.register_pickle_by_value(sys.modules[__name__])  # workers do not have the tests
    monkeypatch.setattr(Dying, "marker", tmp_path / "died", raising=False)
    monkeypatch.setattr(cluster, "Worker", Dying)
    yield Dying
    pickling.unregister_pickle_by_value(sys.modules[__name__])


def test_what_goes_together_is_the_same_here_and_on_a_cluster() -> None:
    cells = [(item, draw) for item in [*SAID, *RAW] for draw in range(item.draws)]
    cut = list(parts(cells))
    assert [len(part) for part in cut] == [TOGETHER, TOGETHER, 150 - 2 * TOGETHER, VOICES, VOICES, 80 - 2 * VOICES]
    assert Counter(map(repr, cells)) == Counter(repr(cell) for part in cut for cell in part)


def test_without_ray_a_sentence_says_what_to_install(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="Ray, which is not installed") as error:
        run(settings, cluster="local")
    assert error.value.hint == "pip install 'pluriverse[ray]'"


def test_an_address_where_nobody_answers(settings: Settings) -> None:
    pytest.importorskip("ray")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(UnreachableError, match=f"no Ray cluster answers at 127.0.0.1:{port}") as error:
        run(settings, cluster=f"127.0.0.1:{port}")
    assert error.value.hint and "ray status" in error.value.hint
    with pytest.raises(UsageError, match="nonsense is no address"):
        run(settings, cluster="nonsense")


def test_a_cluster_answers_what_one_machine_answers(settings: Settings, started: None, tmp_path: Path) -> None:
    alone = replace(settings, home=tmp_path / "alone")
    here, there = run(alone), run(settings, cluster="local")
    assert rows(settings, there) == rows(alone, here) and len(rows(settings, there)) == CELLS
    assert values(there) == values(here)
    assert there[-1].run.id == here[-1].run.id and there[-1].items_per_s > 0
    steps = [event.done for event in there if isinstance(event, MeasureStep)]
    assert steps == sorted(steps) and steps[-1] == CELLS
    assert not [event for event in there if isinstance(event, MeasureNote)]


def test_a_lost_worker_s_shard_is_asked_again(settings: Settings, tmp_path: Path, dying: type[Dying]) -> None:
    alone = replace(settings, home=tmp_path / "alone")
    there = run(settings, cluster="local")
    assert dying.marker.exists()
    (note,) = [event.words for event in there if isinstance(event, MeasureNote)]
    assert "was lost; its questions are asked again" in note
    assert rows(settings, there) == rows(alone, run(alone)) and len(rows(settings, there)) == CELLS


def test_a_shard_that_kills_every_worker_ends_the_run_and_it_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, dying: type[Dying]
) -> None:
    monkeypatch.setattr(dying, "always", True)
    with pytest.raises(EngineCrashedError, match=r"workers died|no worker") as error:
        run(settings, cluster="local")
    assert error.value.hint and "goes on" in error.value.hint
    assert len(rows(settings, run(settings))) == CELLS


def test_a_run_begun_here_goes_on_there(settings: Settings, started: None) -> None:
    lines = settings.home / "runs" / run(settings)[-1].run.id / "responses.jsonl"
    kept = lines.read_bytes().splitlines(keepends=True)[:100]
    lines.write_bytes(b"".join(kept))
    there = run(settings, cluster="local")
    (started,) = [event for event in there if isinstance(event, MeasureStarted)]
    assert started.kept == 100 and len(rows(settings, there)) == CELLS
    assert lines.read_bytes().splitlines(keepends=True)[:100] == kept


def opened(given: Settings, **changes: object) -> Failure | None:
    """What a worker says to an order that was changed on the way. No Ray: a worker is any process."""

    async def go() -> Failure | None:
        async with Workspace(given) as workspace:
            for each in (A, B):
                workspace.shelf.write(each, overwrite=True)
            participant = await participant_of(workspace, A, None, 0)
            order = order_of(workspace, [participant], None, 0, same_machine=True)
            who = {name: changes.pop(name) for name in ("weights", "engine", "key") if name in changes}
            there = replace(order, respondents=(replace(participant.respondent, **who),), **changes)  # type: ignore[arg-type]
            worker = Worker(there)
            try:
                return await worker.open()
            finally:
                await worker.close()

    return asyncio.run(go())


def test_a_worker_has_what_it_needs_from_the_order_alone(settings: Settings) -> None:
    assert opened(settings) is None
    assert opened(settings, settings=replace(settings, home=settings.home / "another")) is None


@pytest.mark.parametrize(
    ("changes", "words", "hint"),
    [
        ({"weights": "sha256:" + "a" * 64, "key": "k"}, "somebody else there: its weights is", "the same file"),
        ({"engine": "a native library", "key": "k"}, "its engine is scripted", "engine use wheel"),
        ({"key": "k"}, "its other side differs", "same version"),
        ({"version": "0.0.1"}, "0.0.1 here", "same version"),
    ],
)
def test_a_worker_that_would_be_somebody_else_refuses(settings: Settings, changes: dict, words: str, hint: str) -> None:
    failure = opened(settings, **changes)
    assert failure and words in failure["message"] and hint in failure["hint"]


def test_a_worker_s_refusal_ends_the_run_with_its_place(
    settings: Settings, started: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pluriverse.measure.run import cluster_worker

    monkeypatch.setattr(cluster_worker, "_version", lambda: "0.0.1")  # here; the workers are processes of their own
    with pytest.raises(EngineError, match=r"^on .+: pluriverse is .+ there and 0\.0\.1 here") as error:
        run(settings, cluster="local")
    assert isinstance(error.value, PluriverseError) and error.value.hint


def test_stopping_early_looks_at_the_same_items(settings: Settings, started: None, tmp_path: Path) -> None:
    alone = replace(settings, home=tmp_path / "alone")
    here, there = run(alone, until=0.15), run(settings, until=0.15, cluster="local")
    assert rows(settings, there) == rows(alone, here)
    assert values(there) == values(here)


@pytest.mark.slow
def test_a_machine_that_is_lost(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that runs already, of two machines that Ray takes for such; one of them is switched off half way."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    script = tmp_path / "slow.toml"
    script.write_text('pace = 0.1\n[[rule]]\nreplies = ["One two three four five six."]\n')
    paced = replace(settings, base=f"scripted:{script}")
    who = [replace(A, base="default"), replace(B, base="default")]
    machines = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    other = machines.add_node(num_cpus=1)

    async def go() -> list:
        events: list = []
        async with Workspace(paced) as workspace:
            for each in who:
                workspace.shelf.write(each, overwrite=True)
            options = MeasureOptions(limit=None, check_sensitivity=False, cluster=machines.address)
            async for event in measure(workspace, [TALK], who, options, {"talk": SAID}):
                events.append(event)
                if isinstance(event, MeasureStep) and event.done and other in machines.worker_nodes:
                    machines.remove_node(other, allow_graceful=False)
        return events

    try:
        there = asyncio.run(go())
    finally:
        machines.shutdown()
    assert [event for event in there if isinstance(event, MeasureNote)]
    assert len(rows(paced, there)) == 160


@pytest.mark.slow
@pytest.mark.model
def test_the_default_model_says_the_same_on_a_cluster(model_settings: Settings, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    who = [replace(A, base="default"), replace(B, base="default")]
    some = {"quiz": RAW[:70], "talk": SAID[:6]}
    settings = replace(model_settings, base=Settings(home=tmp_path).base)
    alone = replace(settings, home=tmp_path / "alone")
    here, there = (
        run(each, who, some, check_sensitivity=False, **more)
        for each, more in ((alone, {}), (settings, {"cluster": "local"}))
    )
    assert rows(settings, there) == rows(alone, here)
    assert values(there) == values(here)


def test_workers_import_nothing_from_the_current_folder(started: None) -> None:
    ray = pytest.importorskip("ray")
    searched = ray.get(ray.remote(num_cpus=0)(lambda: __import__("sys").path).remote())
    assert searched and not {"", os.getcwd(), site.getusersitepackages()} & set(searched)
