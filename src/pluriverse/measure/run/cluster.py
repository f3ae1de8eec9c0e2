"""A measuring run spread over a Ray cluster: shards go out to workers, rows come back as they are answered.

One worker on each machine, with all processors that Ray counts there; two for a cluster that is started on this one.
A worker that dies is started anew, and its shard asked again. Knows Ray, workers and shards; no records, no figures.
"""

import asyncio
import importlib
import logging
import site
import socket
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import EngineCrashedError, EngineError, UnreachableError, UsageError, from_dict
from ...settings import tell_libraries
from ..schema.responses import Response
from .cluster_worker import Order, Shard, Worker

LOCAL = "local"  # the address of a cluster that is started on this machine and ends with the run
LOCAL_WORKERS = 2
TRIES = 3  # of one shard, and of one machine without an answer between
PATIENCE = 120.0  # seconds in which some worker must have been started
_KNOCK = 5.0  # seconds for an address to answer
_OBJECTS = 200 * 2**20  # bytes of shared memory of a local cluster: shards and rows are small
_HOW = "start one: ray start --head; where it wants a token, set RAY_AUTH_MODE=token; or take --cluster local"
_AGAIN = "call again: it goes on where it was"


@dataclass(frozen=True, slots=True)
class Joined:
    """A worker is ready to ask."""

    place: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker died; `asking`: its shard will be asked again."""

    place: str
    why: str
    asking: bool


@dataclass(frozen=True, slots=True)
class Answered:
    shard: Shard
    responses: list[Response]


ClusterEvent = Joined | Lost | Answered


@contextmanager
def connected(address: str | None) -> Iterator["Cluster | None"]:
    """The cluster at this address, as `ray.init` takes it, or a local one; None for no address.

    Raises UsageError where Ray is missing or the address is none, UnreachableError where nobody answers there.
    """
    if address is None:
        yield None
        return
    ray = _ray()
    if ray.is_initialized():  # the caller's own: it stays
        with closing(Cluster(ray, address)) as cluster:
            yield cluster
        return
    tell_libraries(RAY_USAGE_STATS_ENABLED="0")  # nothing is reported to anybody
    job = ray.job_config.JobConfig()
    job._py_driver_sys_path = _Closed()
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "job_config": job}
    if address == LOCAL:
        if not _of_the_user(ray.__file__, __file__):
            tell_libraries(PYTHONNOUSERSITE="1")  # for the workers, which are started by Ray
        quiet |= {"num_cpus": LOCAL_WORKERS, "include_dashboard": False, "object_store_memory": _OBJECTS}
    else:
        _knock(address)
    try:
        ray.init(address, **quiet)
    except ValueError as error:
        raise UsageError(f"{address} is no address of a cluster: {error}", "e.g. --cluster HOST:6379") from error
    except (OSError, RuntimeError, SystemExit) as error:
        words = f"the Ray cluster at {address} cannot be reached: {error}"
        raise UnreachableError(words, _HOW) from error
    try:
        with closing(Cluster(ray, address)) as cluster:
            yield cluster
    finally:
        ray.shutdown()


class _Closed(list[str]):
    """Where Ray notes the current folder and the program's for its workers to import from: it notes nothing."""

    def extend(self, folders: Iterable[str]) -> None:
        pass


def _of_the_user(*files: str) -> bool:
    """Whether one of them lies in the user's site, which is searched then."""
    return any(Path(each).is_relative_to(site.getusersitepackages()) for each in files)


def _ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise UsageError("a cluster needs Ray, which is not installed", "pip install 'pluriverse[ray]'") from error


def _knock(address: str) -> None:
    """Ray itself tries for two minutes, and then ends the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return  # "auto" and the like; Ray says what it makes of them
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK).close()
    except (OSError, OverflowError) as error:
        words = f"no Ray cluster answers at {address}: {error}"
        raise UnreachableError(words, "see that it runs: ray status --address " + address) from error


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a worker may be: a machine of the cluster, with the processors that are its."""

    node: str
    name: str
    processors: float


class Cluster:
    """A cluster that is connected; see `connected`. Its workers stay from one `ask` to the next."""

    def __init__(self, ray: Any, address: str) -> None:
        self._ray, self.address = ray, address
        self._asking: _Asking | None = None

    @property
    def here(self) -> bool:
        """Whether it is this machine alone."""
        return self.address == LOCAL and len(self._ray.nodes()) == 1

    async def ask(self, order: Order, shards: Sequence[Shard]) -> AsyncGenerator[ClusterEvent, None]:
        """Ask all shards, in whatever order they are answered; the `order` is the same in every call.

        Raises what a worker raised, with its place; EngineCrashedError for a shard whose workers die again and again,
        and where no worker is left; UnreachableError where none is started in time.
        """
        if self._asking is None:
            self._asking = _Asking(self._ray, order, self._places())
        asking = self._asking
        asking.begin(shards)
        while asking.unfinished:
            for event in await asking.step():
                yield event

    def close(self) -> None:
        """End all workers."""
        if self._asking is not None:
            self._asking.end()

    def _places(self) -> list[_Place]:
        share = LOCAL_WORKERS if self.here else 1
        found = []
        for node in self._ray.nodes():
            processors = float(node.get("Resources", {}).get("CPU", 0))
            if node["Alive"] and processors > 0:
                each = _Place(node["NodeID"], str(node["NodeManagerHostname"]), max(processors // share, 1.0))
                found += [each] * share
        return found


@dataclass(slots=True)
class _Worker:
    """One worker. `doing`: hello, open, ask, or nothing; `ref` is Ray's promise of it."""

    place: _Place
    actor: Any
    doing: str
    ref: Any
    shard: Shard | None = None
    deaths: int = 0  # since its last answer


class _Asking:
    """Shards on their way."""

    def __init__(self, ray: Any, order: Order, places: Sequence[_Place]) -> None:
        self._ray, self._free = ray, deque(places)
        self._waiting: deque[Shard] = deque()
        self._tries: Counter[tuple[str, ...]] = Counter()
        self._order = ray.put(order)
        self._began = time.monotonic()
        self._met = False  # anybody at all
        self._workers: list[_Worker] = []

    def begin(self, shards: Sequence[Shard]) -> None:
        self._waiting.extend(shards)
        while self._free and len(self._workers) < len(shards):  # no more workers than work
            self._workers.append(self._worker(self._free.popleft()))

    @property
    def unfinished(self) -> bool:
        return bool(self._waiting) or any(worker.shard for worker in self._workers)

    async def step(self) -> list[ClusterEvent]:
        """Hand out what waits, then take in what is done; after a second without anything, nothing."""
        if not self._workers:
            raise EngineCrashedError("no worker of the cluster is left", _AGAIN)
        if not self._met and time.monotonic() - self._began > PATIENCE:
            words = f"the cluster started no worker within {PATIENCE:.0f} seconds: its processors are not free"
            raise UnreachableError(words, "see what holds them: ray status")
        for worker in self._workers:
            if not worker.doing and self._waiting:
                worker.shard = self._waiting.popleft()
                worker.doing, worker.ref = "ask", worker.actor.ask.remote(worker.shard)
        refs = [worker.ref for worker in self._workers if worker.doing]
        done, _ = await asyncio.to_thread(self._ray.wait, refs, num_returns=1, timeout=1.0)
        taken = [self._take(worker) for worker in list(self._workers) if worker.doing and worker.ref in done]
        return [event for event in taken if event is not None]

    def end(self) -> None:
        """End all workers, the idle ones gently: their engines first."""
        gentle = [worker.actor.close.remote() for worker in self._workers if not worker.doing]
        if gentle:
            self._ray.wait(gentle, num_returns=len(gentle), timeout=5.0)
        for worker in self._workers:
            self._ray.kill(worker.actor)

    def _worker(self, place: _Place) -> _Worker:
        actor = self._actor(place)
        return _Worker(place, actor, "hello", actor.hello.remote())

    def _actor(self, place: _Place) -> Any:
        strategies = importlib.import_module("ray.util.scheduling_strategies")
        there = strategies.NodeAffinitySchedulingStrategy(place.node, soft=True)  # elsewhere, if that machine is gone
        made = self._ray.remote(num_cpus=place.processors, max_concurrency=1)(Worker)
        return made.options(scheduling_strategy=there).remote(self._order)

    def _take(self, worker: _Worker) -> ClusterEvent | None:
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(worker.ref)
        except errors.RayTaskError:
            raise  # a mistake in the program, with its traceback
        except (
            errors.RayActorError,
            errors.WorkerCrashedError,
            errors.NodeDiedError,
            errors.OutOfMemoryError,
        ) as error:
            return self._lost(worker, error)
        except errors.RayError as error:
            raise EngineCrashedError(f"the cluster failed: {_first_line(error)}", _AGAIN) from error
        if isinstance(answer, dict):
            told = from_dict(answer)
            raise type(told)(f"on {worker.place.name}: {told.message}", told.hint)
        self._met = True
        match worker.doing:
            case "hello":
                worker.doing, worker.ref = "open", worker.actor.open.remote()
                return None
            case "open":
                worker.doing = ""
                return Joined(worker.place.name)
        shard, worker.shard, worker.doing, worker.deaths = worker.shard, None, "", 0
        assert shard is not None
        return Answered(shard, answer)

    def _lost(self, worker: _Worker, error: Exception) -> Lost:
        """Its shard goes to whoever is free first; the worker is started anew, unless it has died too often."""
        name = worker.place.name
        if "No module named 'pluriverse'" in str(error):
            raise EngineError(f"pluriverse is not installed on {name}", "pip install there what is installed here")
        shard, worker.shard = worker.shard, None
        if shard is not None:
            self._tries[shard.name] += 1
            if self._tries[shard.name] >= TRIES:
                words = f"{TRIES} workers died over the same questions of {shard.instrument.name}, the last on {name}"
                raise EngineCrashedError(f"{words}: {_first_line(error)}", _AGAIN)
            self._waiting.appendleft(shard)
        worker.deaths += 1
        self._ray.kill(worker.actor)  # where it was only out of reach, it must not go on
        if worker.deaths >= TRIES:
            self._workers.remove(worker)
        else:
            worker.actor = self._actor(worker.place)
            worker.doing, worker.ref = "hello", worker.actor.hello.remote()
        return Lost(name, _first_line(error), shard is not None)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
