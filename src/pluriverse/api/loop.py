"""The async core for callers that are not async: an event loop on a thread of its own.

It works in scripts, in threads, and in notebooks, where the caller's thread already runs a loop. Knows nothing of what
it runs.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future, wait
from typing import Any, TypeVar

from ..errors import PluriverseError

T = TypeVar("T")

_END = object()
_PATIENCE_S = 10.0  # for a cancelled task or a closing loop to end


class LoopThread:
    """Runs coroutines for other threads. The thread starts with the first use; `finish` is awaited at the end."""

    def __init__(self, finish: Callable[[], Awaitable[None]]) -> None:
        self._finish = finish
        self._lock = threading.RLock()  # the garbage collector may close a stream while it is held
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._streams: set[AsyncIterator[Any]] = set()
        self._closed = False
        self._process = os.getpid()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it to its end and return its result. An interrupted wait (Ctrl-C) cancels it before it is passed on."""
        future: Future[T] = Future()
        started: list[asyncio.Task[T]] = []

        def start() -> None:
            task = asyncio.get_running_loop().create_task(coroutine)
            task.add_done_callback(lambda task: _hand_over(task, future))
            task.add_done_callback(self._tasks.discard)
            started.append(task)
            self._tasks.add(task)

        try:
            loop = self._schedule(start)
        except BaseException:
            coroutine.close()
            raise
        try:
            return future.result()
        except CancelledError as error:
            raise PluriverseError("it was closed while it was being asked") from error
        except BaseException:
            if not future.done():
                loop.call_soon_threadsafe(lambda: started[0].cancel())
                wait([future], _PATIENCE_S)
            raise

    def iterate(self, stream: AsyncIterator[T]) -> Iterator[T]:
        """The stream's values, one at a time; closing this generator closes the stream."""
        self._streams.add(stream)
        try:
            while (value := self.run(_next(stream))) is not _END:
                yield value  # type: ignore[misc]  # mypy does not follow the sentinel
        finally:
            self._streams.discard(stream)
            if not self._closed and self._process == os.getpid():
                self._close_stream(stream)

    def close(self) -> None:
        """Cancel what runs, await `finish`, end the thread. Safe to call twice, and in a forked child."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is None or self._process != os.getpid() or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        if thread is not threading.current_thread():
            thread.join(_PATIENCE_S)

    def _close_stream(self, stream: AsyncIterator[Any]) -> None:
        if threading.current_thread() is self._thread:  # the garbage collector closes it there: waiting would hang
            task = asyncio.get_running_loop().create_task(_close(stream))
            task.add_done_callback(self._tasks.discard)
            self._tasks.add(task)
        else:
            self.run(_close(stream))

    def _schedule(self, start: Callable[[], None]) -> asyncio.AbstractEventLoop:
        if self._process != os.getpid():
            raise PluriverseError("this was opened before the process forked", "open a new one in the child process")
        with self._lock:
            if self._closed:
                raise PluriverseError("this is closed", "make a new one: pluriverse.Pluriverse()")
            if threading.current_thread() is self._thread:
                raise PluriverseError("a sync call cannot wait inside its own loop", "use pluriverse.aio")
            if self._thread is None:
                ready = threading.Event()
                # A daemon, because Python waits for other threads before it runs the exit functions that end this one.
                self._thread = threading.Thread(target=self._main, args=(ready,), name="pluriverse", daemon=True)
                self._thread.start()
                ready.wait()
            assert self._loop is not None
            self._loop.call_soon_threadsafe(start)  # under the lock: so it comes before a `close`, which cancels it
            return self._loop

    def _main(self, ready: threading.Event) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        await self._stop.wait()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Left to the loop's own end, a stream and the one inside it would be closed at once, in each other's way.
        await asyncio.gather(*map(_close, list(self._streams)), return_exceptions=True)
        await self._finish()


def _hand_over(task: "asyncio.Task[T]", future: "Future[T]") -> None:
    if task.cancelled():
        future.cancel()
        future.set_running_or_notify_cancel()
    elif error := task.exception():
        future.set_exception(error)
    else:
        future.set_result(task.result())


async def _close(stream: AsyncIterator[Any]) -> None:
    aclose = getattr(stream, "aclose", None)  # a plain iterator has none
    if aclose is not None:
        await aclose()


async def _next(stream: AsyncIterator[T]) -> T | object:
    return await anext(stream, _END)
