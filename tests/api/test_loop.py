"""The async core for sync callers: from any thread, beside a running loop, through interrupts and ends."""

import asyncio
import gc
import os
import sys
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pluriverse.api.loop import LoopThread
from pluriverse.errors import NotFoundError, PluriverseError

from ..patience import PATIENCE_S


class Ends:
    """Counts how often `finish` ran."""

    count = 0

    async def __call__(self) -> None:
        await asyncio.sleep(0)
        self.count += 1


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def loop(ends: Ends) -> Iterator[LoopThread]:
    thread = LoopThread(ends)
    yield thread
    thread.close()


async def after(seconds: float, result: Any) -> Any:
    await asyncio.sleep(seconds)
    return result


def test_results_and_errors_come_through(loop: LoopThread) -> None:
    async def fail() -> None:
        raise NotFoundError("no such thing", "look elsewhere")

    assert loop.run(after(0, 5)) == 5
    with pytest.raises(NotFoundError) as caught:
        loop.run(fail())
    assert caught.value.hint == "look elsewhere"


def test_it_works_beside_a_running_loop(loop: LoopThread) -> None:
    async def cell() -> Any:
        return loop.run(after(0, "from a notebook"))

    assert asyncio.run(cell()) == "from a notebook"


def test_threads_share_one_loop(loop: LoopThread) -> None:
    here: set[int] = set()
    others = set(threading.enumerate())  # of tests before this one

    async def together(number: int) -> int:
        """Ends when all are under way."""
        here.add(number)
        while len(here) < 8:
            await asyncio.sleep(0.001)
        return number

    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda number: loop.run(asyncio.wait_for(together(number), PATIENCE_S)), range(8))
        assert list(found) == list(range(8))
    assert sum(thread.name == "pluriverse" for thread in set(threading.enumerate()) - others) == 1


def test_an_interrupt_cancels_what_was_waited_for(loop: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    import concurrent.futures

    state: list[str] = []

    async def long() -> None:
        state.append("started")
        try:
            await asyncio.sleep(30)
        finally:
            state.append("ended")

    def interrupted(self: Any, timeout: float | None = None) -> Any:
        while not state:
            time.sleep(0.001)
        raise KeyboardInterrupt

    monkeypatch.setattr(concurrent.futures.Future, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.run(long())
    assert state == ["started", "ended"]


def test_a_loop_left_half_way_closes_the_stream(loop: LoopThread) -> None:
    closed = threading.Event()

    async def numbers() -> AsyncGenerator[int, None]:
        try:
            for number in range(100):
                yield number
        finally:
            closed.set()

    assert next(iter(loop.iterate(numbers()))) == 0
    gc.collect()
    assert closed.wait(2)
    assert list(loop.iterate(numbers())) == list(range(100))


def test_a_stream_collected_on_the_loops_own_thread_does_not_hang_it(loop: LoopThread) -> None:
    closed = threading.Event()

    async def numbers() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            closed.set()

    streams = [loop.iterate(numbers())]
    next(streams[0])

    async def collect() -> None:
        streams.clear()

    loop.run(collect())
    assert closed.wait(2) and loop.run(after(0, 1)) == 1


def test_an_error_of_the_stream_comes_through(loop: LoopThread) -> None:
    async def numbers() -> AsyncGenerator[int, None]:
        yield 1
        raise NotFoundError("no more")

    stream = loop.iterate(numbers())
    assert next(stream) == 1
    with pytest.raises(NotFoundError):
        next(stream)


def test_closing_ends_what_runs_and_the_thread(ends: Ends) -> None:
    others = set(threading.enumerate())
    loop = LoopThread(ends)
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            loop.run(after(30, None))
        except PluriverseError as error:
            caught.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    while loop._loop is None:
        time.sleep(0.001)
    time.sleep(0.05)
    loop.close()
    loop.close()
    waiter.join(PATIENCE_S)
    assert ends.count == 1 and len(caught) == 1 and "closed" in str(caught[0])
    with pytest.raises(PluriverseError, match="is closed"):
        loop.run(after(0, None))
    assert not any(thread.name == "pluriverse" for thread in set(threading.enumerate()) - others)


def test_a_stream_that_outlives_the_loop_ends_quietly(ends: Ends) -> None:
    loop = LoopThread(ends)

    async def numbers() -> AsyncGenerator[int, None]:
        yield 1
        yield 2

    stream = loop.iterate(numbers())
    assert next(stream) == 1
    loop.close()
    stream.close()  # type: ignore[attr-defined]


def test_unused_it_starts_no_thread(ends: Ends) -> None:
    LoopThread(ends).close()
    assert ends.count == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_a_forked_child_is_told_to_open_its_own(loop: LoopThread) -> None:
    loop.run(after(0, None))
    child = os.fork()
    if child == 0:
        try:
            loop.run(after(0, None))
        except PluriverseError as error:
            os._exit(7 if "forked" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
