"""The public verbs for async code; `pluriverse.facade` has the same ones without `await`.

    from pluriverse import aio

    async with aio.Pluriverse() as pluriverse:
        replies = await pluriverse.ask("What is a fair tax?", panel="starter")

Engines run as long as the `Pluriverse` is open. The functions of this module open one for a single call: use them for
single questions, and a `Pluriverse` for more.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from .ask.asking import Asking
from .ask.asking import ask as _ask
from .ask.conversation import Conversation
from .assistants import Assistant, Panel
from .chats.chat import Turn
from .errors import PluriverseError, command
from .runtime.events import AskEvent, AskFinished
from .runtime.replies import Replies, Reply
from .runtime.requests import AskOptions
from .runtime.workspace import Workspace
from .settings import Settings
from .values import Message

if TYPE_CHECKING:
    from .engines.contract import Score
    from .measure.measuring import MeasureOptions
    from .measure.run.events import Measured
    from .panelcheck.check import CheckOptions
    from .panelcheck.report import PanelReport
    from .store import Pulled, StoredModel

Who = str | Assistant


class Options(TypedDict, total=False):
    """What may be set for one question; what is left out is as the assistant defined it.

    max_tokens: at most so many tokens in each reply. temperature: 0 takes the likeliest token each time. seed: the same
    seed gives the same reply. system: replaces the system prompt of every assistant asked. base: all speak through it.
    guidance: all are guided with this strength; 0: nobody is.
    """

    max_tokens: int | None
    temperature: float | None
    seed: int | None
    system: str | None
    base: str | None
    guidance: float | None


class Pluriverse:
    """The assistants of this machine, ready to be asked. Belongs to one event loop; close it, or use `async with`."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._workspace = Workspace(settings)

    async def ask(
        self,
        question: str,
        assistants: Who | Sequence[Who] | None = None,
        *,
        panel: str | None = None,
        keep: bool = False,
        **options: Unpack[Options],
    ) -> Replies:
        """Ask `assistants`, or a panel, or (neither given) the starter panel, all at once.

        An error of one assistant is in its reply's `error`; one that leaves nobody with a word is raised. UsageError,
        NotFoundError as in `Workspace.choose`. Nothing is kept, unless `keep=True` puts it into the history.
        """
        async with self.stream(question, assistants, panel=panel, keep=keep, **options) as events:
            return _outcome([event async for event in events])

    def stream(
        self,
        question: str,
        assistants: Who | Sequence[Who] | None = None,
        *,
        panel: str | None = None,
        keep: bool = False,
        **options: Unpack[Options],
    ) -> Asking:
        """The same as events while they happen; an async iterator and context manager that can be closed half way."""
        asked = self._workspace.choose(_several(assistants), panel)
        return _ask(self._workspace, question, asked, AskOptions(**options), keep=keep)

    def chat(self, assistant: Who, *, keep: bool = True, **options: Unpack[Options]) -> "Chat":
        """A conversation with one assistant. `keep=False` keeps nothing of it in the history."""
        (chosen,) = self._workspace.choose([assistant])
        return Chat(self._workspace, Conversation(self._workspace, chosen, AskOptions(**options), keep=keep))

    async def score(
        self,
        prefix: str | Sequence[Message],
        continuations: Sequence[str],
        *,
        base: str = "default",
        logits: bool = False,
    ) -> "tuple[Score, ...]":
        """Log-probability (natural log) of each continuation after `prefix`; raises as `Engine.score` does."""
        texts = [prefix] if isinstance(prefix, str) else [message.content for message in prefix]
        longest = max((len(text.encode()) for text in continuations), default=0)
        context = max(2048, sum(len(text.encode()) for text in texts) + longest)
        engine = await self._workspace.engine(base, context=context)
        return await engine.score(prefix, continuations, logits=logits)

    async def check(
        self,
        assistants: Who | Sequence[Who] | None = None,
        *,
        panel: str | None = None,
        options: "CheckOptions | None" = None,
    ) -> "PanelReport":
        """How plural these assistants are, measured; see docs/guidance.md. Takes minutes; raises as `measure.check`."""
        from .panelcheck.check import PanelChecked, check

        asked = self._workspace.choose(_several(assistants), panel)
        title = panel or ("starter" if assistants is None else ",".join(each.name for each in asked))
        async with aclosing(check(self._workspace, title, asked, options)) as events:
            async for event in events:
                if isinstance(event, PanelChecked):
                    return event.report
        raise PluriverseError("the check ended without a result", "check again")

    async def measure(
        self,
        instruments: "str | Sequence[str]",
        assistants: Who | Sequence[Who] | None = None,
        *,
        panel: str | None = None,
        options: "MeasureOptions | None" = None,
    ) -> "Measured":
        """Measure assistants with instruments, by name; all is kept, a second call asks nothing anew.

        Raises NotFoundError for an unknown instrument and as `measure.measuring.measure`.
        """
        from .measure.data.instruments import find
        from .measure.measuring import measure
        from .measure.run.events import Measured

        names = (instruments,) if isinstance(instruments, str) else instruments
        chosen, asked = [find(name) for name in names], self._workspace.choose(_several(assistants), panel)
        async with aclosing(measure(self._workspace, chosen, asked, options)) as events:
            async for event in events:
                if isinstance(event, Measured):
                    return event
        raise PluriverseError("the measurement ended without a result", "call again: it goes on")

    async def pull(self, ref: str) -> "Pulled":
        """Fetch a model: a catalogue name, `hf:owner/repo/file.gguf`, address or path. Raises as the store does."""
        from .catalogue import parse
        from .engines.admitting import pull_usable
        from .store import Pulled

        workspace = self._workspace
        async with aclosing(pull_usable(workspace.store, parse(ref), workspace.settings)) as events:
            async for event in events:
                if isinstance(event, Pulled):
                    return event
        raise PluriverseError(f"{ref} was not pulled", command("pull", ref))

    def assistants(self) -> list[Assistant]:
        """All assistants at hand: the user's own and the starter set."""
        return self._workspace.shelf.assistants()

    def panels(self) -> list[Panel]:
        """All panels at hand."""
        return self._workspace.shelf.panels()

    def models(self) -> "list[StoredModel]":
        """All models and adapters in the stores of this machine."""
        return self._workspace.store.models()

    async def aclose(self) -> None:
        """End the engines. Safe to call twice."""
        await self._workspace.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


class Chat:
    """A conversation; see `pluriverse.ask.conversation` for who hears what when several take part."""

    def __init__(self, workspace: Workspace, conversation: Conversation) -> None:
        self._workspace = workspace
        self._conversation = conversation

    @property
    def assistant(self) -> str:
        """Who speaks now."""
        return self._conversation.assistant.name

    @property
    def id(self) -> str | None:
        """Its id in the history; None when nothing is kept."""
        return self._conversation.id

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All that was said, in order."""
        return self._conversation.turns

    async def say(self, text: str) -> Reply:
        """Say something; the reply. Raises its error when there was no word of it."""
        async with aclosing(self.stream(text)) as events:
            return _outcome([event async for event in events])[0]

    def stream(self, text: str) -> AsyncGenerator[AskEvent, None]:
        """Say something; the reply as events while they happen."""
        return self._conversation.say(text)

    async def with_(self, assistant: Who) -> Reply | None:
        """Go on with another assistant: its reply to the last message. None when there is none to reply to."""
        (chosen,) = self._workspace.choose([assistant])
        async with aclosing(self._conversation.with_(chosen)) as stream:
            events = [event async for event in stream]
        return _outcome(events)[0] if events else None

    def forget_oldest(self, rounds: int = 1) -> int:
        """Leave the oldest rounds out of what is heard from now on; how many were left out."""
        return self._conversation.forget_oldest(rounds)


async def ask(
    question: str,
    assistants: Who | Sequence[Who] | None = None,
    *,
    panel: str | None = None,
    keep: bool = False,
    **options: Unpack[Options],
) -> Replies:
    """`Pluriverse.ask` for a single question."""
    async with Pluriverse() as pluriverse:
        return await pluriverse.ask(question, assistants, panel=panel, keep=keep, **options)


async def stream(
    question: str,
    assistants: Who | Sequence[Who] | None = None,
    *,
    panel: str | None = None,
    keep: bool = False,
    **options: Unpack[Options],
) -> AsyncGenerator[AskEvent, None]:
    """`Pluriverse.stream` for a single question."""
    async with (
        Pluriverse() as pluriverse,
        pluriverse.stream(question, assistants, panel=panel, keep=keep, **options) as events,
    ):
        async for event in events:
            yield event


async def score(
    prefix: str | Sequence[Message], continuations: Sequence[str], *, base: str = "default", logits: bool = False
) -> "tuple[Score, ...]":
    """`Pluriverse.score` for a single call."""
    async with Pluriverse() as pluriverse:
        return await pluriverse.score(prefix, continuations, base=base, logits=logits)


async def pull(ref: str) -> "Pulled":
    """`Pluriverse.pull` for a single call."""
    async with Pluriverse() as pluriverse:
        return await pluriverse.pull(ref)


def assistants() -> list[Assistant]:
    """All assistants at hand: the user's own and the starter set."""
    return Pluriverse().assistants()


def panels() -> list[Panel]:
    """All panels at hand."""
    return Pluriverse().panels()


def models() -> "list[StoredModel]":
    """All models and adapters in the stores of this machine."""
    return Pluriverse().models()


def _several(assistants: Who | Sequence[Who] | None) -> Sequence[Who] | None:
    return [assistants] if isinstance(assistants, str | Assistant) else assistants


def _outcome(events: Sequence[AskEvent]) -> Replies:
    last = events[-1]
    assert isinstance(last, AskFinished)
    if last.failure is not None:
        raise last.failure
    return last.replies
