"""Askings of one question that go on beside each other as one stream, of which each can be stopped alone.

Knows askings and their events; nothing of conversations. They share the engines, which decode them in one batch.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from ..assistant.default_base import BaseChosen
from ..runtime.events import (
    AskEvent,
    AskFinished,
    Loading,
    ReplyChunk,
    ReplyFinished,
    ReplyQuoted,
    ReplyStarted,
    ReplyThought,
    ReplyWaits,
)
from ..runtime.replies import Replies
from .asking import Asking

_WAITING_EVENTS = 256  # a listener this far behind makes the askings wait
_OF_REPLIES = ReplyWaits | ReplyQuoted | ReplyStarted | ReplyChunk | ReplyThought | ReplyFinished


class Together(AsyncIterator[AskEvent]):
    """The events of `askings`, each of one assistant; an event's `index` is the place among them.

    `aclose()` stops them all. `replies` can be read at any time, as those of an `Asking`.
    """

    def __init__(self, question: str, askings: Sequence[Asking]) -> None:
        self._question = question
        self._askings = tuple(askings)
        self._stopped: set[int] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._queue: asyncio.Queue[AskEvent | Exception] = asyncio.Queue(_WAITING_EVENTS)
        self._events = self._merged()

    @property
    def replies(self) -> Replies:
        given = [each.replies for each in self._askings]
        replies = [reply for each in given for reply in each]
        return Replies(self._question, replies, max(each.total_s for each in given), given[0].pictures)

    def stop(self, index: int | None = None) -> None:
        """Let one reply, or all of them, end where they are: each still ends with its ReplyFinished."""
        chosen = range(len(self._askings)) if index is None else [index]
        self._stopped.update(chosen)
        for place, task in enumerate(self._tasks):
            if place in chosen:
                task.cancel()

    async def __anext__(self) -> AskEvent:
        return await anext(self._events)

    async def aclose(self) -> None:
        await self._events.aclose()
        for each in self._askings:
            await each.aclose()

    async def _merged(self) -> AsyncGenerator[AskEvent, None]:
        try:
            self._tasks += [asyncio.create_task(self._listen(place)) for place in range(len(self._askings))]
            await asyncio.sleep(0)  # from here on each of them hears that it is stopped
            unfinished, told = len(self._tasks), set[AskEvent]()
            while unfinished:
                event = await self._queue.get()
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, Loading | BaseChosen):  # of all that speak through one base, once
                    if event in told:
                        continue
                    told.add(event)
                unfinished -= isinstance(event, ReplyFinished)
                yield event
            replies = self.replies
            yield AskFinished(replies, replies.total_s)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, place: int) -> None:
        asking = self._askings[place]
        finished = False
        try:
            async with aclosing(asking):
                if place not in self._stopped:
                    async for event in asking:
                        if isinstance(event, _OF_REPLIES):
                            finished |= isinstance(event, ReplyFinished)
                            event = replace(event, index=place)
                        if not isinstance(event, AskFinished):
                            await self._queue.put(event)
        except asyncio.CancelledError:
            if place not in self._stopped:
                raise
        except Exception as mistake:  # a programming error must reach the caller instead of dying in this task
            await self._queue.put(mistake)
            return
        if not finished:
            await self._queue.put(ReplyFinished(place, asking.replies[0]))
