"""Answers that come as they are made: server-sent events or lines of JSON, closed when the reader has gone.

Knows frames and connections. Does not know what is in them.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Send

T = TypeVar("T")

PING_S = 15.0  # silence after which a comment keeps the connection open


class Events(StreamingResponse):
    """Server-sent events. The generator is closed as soon as the connection is, so that its replies end."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[str, None], media_type: str | None = None) -> None:
        super().__init__(
            frames, headers={"cache-control": "no-store", "x-accel-buffering": "no"}, media_type=media_type
        )
        self._frames = frames

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._frames):
            await super().stream_response(send)


def event(document: Any, name: str | None = None) -> str:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {line(document)}\n"


def line(document: Any) -> str:
    """One line of JSON. A lone surrogate of a client's becomes a question mark, never a broken frame."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode() + "\n"


async def pinged(frames: AsyncGenerator[str, None], ping: str = ": ping\n\n") -> AsyncGenerator[str, None]:
    """The frames, and a comment wherever nothing came for a while."""
    async with aclosing(frames):
        coming: asyncio.Task[str] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(frames))
                done, _ = await asyncio.wait([coming], timeout=PING_S)
                if not done:
                    yield ping
                    continue
                try:
                    frame, coming = coming.result(), None
                except StopAsyncIteration:
                    return
                yield frame
        finally:
            if coming and not coming.done():
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)


async def while_connected(request: Request, made: Awaitable[T]) -> T | Response:
    """What `made` gives; it is cancelled when the one that asked goes away, who is told nothing more."""
    making = asyncio.ensure_future(made)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait([making, gone], return_when=asyncio.FIRST_COMPLETED)
        if making.done():
            return making.result()
        return Response(status_code=499)
    finally:
        for each in (making, gone):
            each.cancel()
        await asyncio.gather(making, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def first(
    events: AsyncGenerator[T, None], until: Callable[[T], bool] = lambda _: True
) -> AsyncGenerator[T, None]:
    """The same events once the first has come, or the first of that kind: what goes wrong before is raised here, while
    it can still be an answer's status."""
    come = []
    try:
        async for each in events:
            come.append(each)
            if until(each):
                break
    except BaseException:
        await events.aclose()
        raise
    return _after(come, events)


async def _after(come: list[T], events: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    async with aclosing(events):
        for each in come:
            yield each
        async for each in events:
            yield each


async def collected(events: AsyncIterator[T]) -> list[T]:
    return [each async for each in events]
