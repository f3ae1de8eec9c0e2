"""One question, many assistants: their engines' event streams become one.

Knows bases, engines and drafts of replies; nothing of terminals, JSON or conversations. An error of one base or of one
reply ends that reply only; the others go on.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from ..assistant import Assistant
from ..assistant.bases import LOCAL, Base, NotPulled, meant, resolve
from ..assistant.default_base import BaseChosen
from ..chats.chat import turns_of
from ..chats.shelf import chats_of
from ..engines.contract import Engine, no_pictures
from ..errors import EngineError, PluriverseError, UnsupportedError, UsageError
from ..pictures import MOST_PICTURES
from ..runtime.events import AskEvent, AskFinished, Fetching, Loading, ReplyFinished
from ..runtime.grounding import Grounding
from ..runtime.grounds import Grounds
from ..runtime.grouping import Group, group
from ..runtime.ready import Ready
from ..runtime.replies import Replies
from ..runtime.requests import AskOptions, Draft, Heard
from ..store.kinds import writes_none
from ..values import Message, Picture

if TYPE_CHECKING:
    from ..runtime.workspace import Workspace

_WAITING_EVENTS = 256  # a listener this far behind makes the engines wait


def ask(
    workspace: "Workspace",
    question: str,
    assistants: Sequence[Assistant],
    options: AskOptions | None = None,
    *,
    pictures: Sequence[Picture] = (),
    keep: bool = False,
) -> "Asking":
    """Ask all `assistants` the same question; iterate over what is returned for the events.

    `pictures`: what they see before they read it; a reply through a base that sees none ends with UnsupportedError.
    `keep`: when it ends, question and replies go into the history (`Asking.keep`). Times count from this call.
    UsageError for an empty question, too many pictures, nobody to ask, or one assistant named twice.
    """
    if not question.strip():
        raise UsageError("the question is empty", 'ask something, e.g. pluriverse ask "What is a fair tax?"')
    if len(pictures) > MOST_PICTURES:
        raise UsageError(f"{len(pictures)} pictures are asked about; the most is {MOST_PICTURES}", "ask about fewer")
    turn = (Message("user", question, tuple(pictures)),)
    return Asking(workspace, question, [Heard(assistant, turn) for assistant in assistants], options, keep=keep)


class Asking(AsyncIterator[AskEvent]):
    """The events of one ask. `aclose()`, or cancelling whoever iterates, stops all decoding within one step.

    `replies` can be read at any time, also after a cancellation: an unfinished reply counts as "cancelled" and has the
    text so far. As an async context manager it closes itself.
    """

    def __init__(
        self,
        workspace: "Workspace",
        question: str,
        heard: Sequence[Heard],
        options: AskOptions | None = None,
        *,
        keep: bool = False,
    ) -> None:
        check_heard(heard)
        drafts = [
            Draft(
                index,
                each,
                options or AskOptions(),
                meant("default", workspace.store, workspace.settings),
                workspace.shelf,
            )
            for index, each in enumerate(heard)
        ]
        self.question = question
        self.pictures = heard[0].turns[-1].pictures
        self._work = _Work(workspace, drafts)
        self._events = _merged(self._work, question, self.pictures)
        self._keeps = keep
        self._kept: str | None = None

    @property
    def replies(self) -> Replies:
        now = self._work.now()
        so_far = [draft.so_far(now) for draft in self._work.drafts]
        return Replies(self.question, so_far, max(reply.total_s for reply in so_far), self.pictures)

    def keep(self) -> str | None:
        """Keep question and replies in the history, as far as they came, once; the id. None where nothing is kept: the
        history is switched off, or nobody said a word. Raises as the history does."""
        replies, history = self.replies, chats_of(self._work.workspace.settings)
        if self._kept is None and history is not None and replies.answered:
            self._kept = history.keep(self.question, turns_of(replies))
        return self._kept

    async def __anext__(self) -> AskEvent:
        try:
            return await anext(self._events)
        except StopAsyncIteration:
            if self._keeps:
                self.keep()
            raise

    async def aclose(self) -> None:
        await self._events.aclose()
        if self._keeps:
            self.keep()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


class _Work:
    """What the tasks of one ask share.

    It never refers to the iterator: so an iterator that is dropped half way is collected, and its end ends the tasks.
    """

    def __init__(self, workspace: "Workspace", drafts: Sequence[Draft]) -> None:
        self.workspace = workspace
        self.drafts = drafts
        self.grounding = Grounding(workspace)
        self.queue: asyncio.Queue[AskEvent | Exception] = asyncio.Queue(_WAITING_EVENTS)
        self._asked_at = time.perf_counter()

    def now(self) -> float:
        """Seconds from the moment of asking."""
        return time.perf_counter() - self._asked_at


async def _merged(work: _Work, question: str, pictures: tuple[Picture, ...]) -> AsyncGenerator[AskEvent, None]:
    # No TaskGroup: it would wrap the GeneratorExit of a closed iterator, and cancel whoever iterates when a task fails.
    tasks: list[asyncio.Task[None]] = []
    try:
        workspace = work.workspace
        refs = [draft.assistant.base for draft in work.drafts]
        # Not in a thread: it reads a few small files, and Python starts no threads once the main one has ended.
        groups = group(refs, workspace.store, workspace.settings)
        tasks += [asyncio.create_task(_speak(work, each)) for each in groups]
        unfinished = len(work.drafts)
        while unfinished:
            event = await work.queue.get()
            if isinstance(event, Exception):
                raise event
            unfinished -= isinstance(event, ReplyFinished)
            yield event
        replies = [draft.so_far(work.now()) for draft in work.drafts]
        total_s = max(reply.total_s for reply in replies)
        yield AskFinished(Replies(question, replies, total_s, pictures), total_s)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for draft in work.drafts:
            draft.cut(work.now())


async def _speak(work: _Work, group: Group) -> None:
    """Let one group's assistants answer; every one of them ends with a ReplyFinished."""
    drafts = [work.drafts[index] for index in group.members]
    try:
        await _ground(work, drafts)
        drafts = [draft for draft in drafts if draft.reply is None]
        if not drafts:
            return
        check_eyes(group.ref, drafts, work.workspace)
        base, engine = await _ready(work, group, drafts)
        if not engine.capabilities.writes:
            raise writes_none(base.name)
        able = []
        for draft in drafts:
            try:
                if draft.pictures and not engine.capabilities.images:
                    raise no_pictures(base.name, "its engine shows it none")
                draft.can(engine.capabilities)
                settle_guidance(draft, engine, base, work.workspace)
                able.append(draft)
            except PluriverseError as error:
                await work.queue.put(draft.fail(error, work.now()))
        await _listen(work, engine, able)
    except PluriverseError as error:
        for draft in drafts:
            if draft.reply is None:
                await work.queue.put(draft.fail(error, work.now()))
    except Exception as mistake:  # a programming error must reach the caller instead of dying in this task
        await work.queue.put(mistake)


async def _ground(work: _Work, drafts: Sequence[Draft]) -> None:
    """What the works of those that have some say of the question is shown before any engine is ready."""
    for draft in drafts:
        if draft.assistant.works:
            try:
                async for event in _grounded(work, draft):
                    await work.queue.put(event)
            except PluriverseError as error:
                await work.queue.put(draft.fail(error, work.now()))


async def _grounded(work: _Work, draft: Draft) -> AsyncGenerator[AskEvent, None]:
    async with aclosing(work.grounding.of(draft.assistant, draft.question, draft.beyond_works)) as steps:
        async for step in steps:
            if isinstance(step, Grounds):
                for event in draft.stand_on(step, work.now()):
                    yield event
            else:
                yield step


def check_eyes(ref: str, drafts: Sequence[Draft], workspace: "Workspace") -> None:
    """UnsupportedError where pictures are shown to a model without a projector: said before it is fetched or loaded."""
    if not any(draft.pictures for draft in drafts):
        return
    try:
        base = resolve(ref, workspace.store, workspace.settings)
    except NotPulled as missing:
        raise no_pictures(missing.pullable.name) from missing
    if base.kind == LOCAL and base.projector is None:
        raise no_pictures(base.name)


def settle_guidance(draft: Draft, engine: Engine, base: Base, workspace: "Workspace") -> None:
    """Guide with the strength that was found to hold on this base. UnsupportedError where the engine cannot guide,
    UsageError where the other side speaks through another base."""
    guidance = draft.guidance
    if guidance is None:
        return
    name = draft.assistant.name
    if not engine.capabilities.guidance:
        raise UnsupportedError(
            f"the engine of {base.name} cannot guide {name}",
            "ask without it: --guidance 0; or choose an assistant without guidance, as `pluriverse new` makes them",
        )
    if guidance.base is not None and guidance.base != draft.assistant.base:
        other = resolve(guidance.base, workspace.store, workspace.settings)
        if (other.digest or other.name) != (base.digest or base.name):
            raise UsageError(
                f"{name} speaks through {base.name} and its counterpart {guidance.against} through {other.name}",
                "a guided pair needs one base: --base REF, or --guidance 0",
            )
    if draft.declared:
        strength = workspace.strengths.strength(engine.identity.weights, draft.assistant, guidance)
        draft.guidance = replace(guidance, strength=strength) if strength > 0 else None


async def _ready(work: _Work, group: Group, drafts: Sequence[Draft]) -> tuple[Base, Engine]:
    """The group's base and engine; what it takes to have them is told."""
    context = max(tokens_needed(draft) for draft in drafts)
    async with aclosing(work.workspace.readying(group.ref, context=context)) as steps:
        async for step in steps:
            match step:
                case Fetching() | BaseChosen():
                    await work.queue.put(step)
                case Base():
                    for draft in drafts:
                        draft.speaks_through(step.name, step.digest)
                    await work.queue.put(Loading(step.name))
                case Ready():
                    for draft in drafts:
                        draft.speaks_through(step.base.name, step.engine.identity.weights)
                    return step.base, step.engine
    raise AssertionError("it ends with an engine or an error")


async def _listen(work: _Work, engine: Engine, drafts: Sequence[Draft]) -> None:
    stream = engine.generate([draft.request for draft in drafts])
    try:
        async for event in stream:
            await work.queue.put(drafts[event.index].take(event, work.now()))
    finally:
        aclose = getattr(stream, "aclose", None)  # a plain iterator has none
        if aclose is not None:
            await aclose()
    if any(draft.reply is None for draft in drafts):
        raise EngineError(f"the engine of {engine.base} ended before its replies did", "ask again")


def tokens_needed(draft: Draft) -> int:
    """Room to ask the engine for: an upper guess of prompt and reply, in powers of two so that a growing chat seldom
    needs more. Two bytes a token is on the safe side for text in most scripts; the engine counts exactly."""
    text = sum(len(message.content.encode("utf-8", "replace")) for message in draft.request.messages)
    guess = text // 2 + 16 * len(draft.request.messages) + draft.request.sampling.max_tokens
    return max(2048, 1 << (guess - 1).bit_length())


def check_heard(heard: Sequence[Heard]) -> None:
    """UsageError for nobody, or for one assistant named twice."""
    names = [each.assistant.name for each in heard]
    if not names:
        raise UsageError("nobody is asked", "name assistants, such as --with duty; see them all: pluriverse ls")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{', '.join(twice)} is asked twice in one question", "name each assistant once")
