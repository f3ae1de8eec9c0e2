"""The public verbs for scripts and notebooks: `pluriverse.aio` without `await`.

Thin on purpose: every call runs its async twin on the loop of a `Pluriverse`. The functions of this module share one
that is opened with the first call and closed when the program ends.
"""

import os
import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self, Unpack

from . import aio
from .aio import Options, Who
from .bridge import LoopThread

if TYPE_CHECKING:
    from .assistants import Assistant, Panel
    from .chats.chat import Turn
    from .engines.contract import Score
    from .measure.measuring import MeasureOptions
    from .measure.run.events import Measured
    from .panelcheck.check import CheckOptions
    from .panelcheck.report import PanelReport
    from .runtime.events import AskEvent
    from .runtime.replies import Replies, Reply
    from .settings import Settings
    from .store import Pulled, StoredModel
    from .values import Message


class Pluriverse:
    """The assistants of this machine, ready to be asked; engines stay loaded from call to call.

    May be used from several threads, also where an event loop runs (a notebook). Close it or use `with`; when it is
    dropped or the program ends it closes itself.
    """

    def __init__(self, settings: "Settings | None" = None) -> None:
        self._aio = aio.Pluriverse(settings)
        self._loop = LoopThread(self._aio.aclose)
        self._finalizer = weakref.finalize(self, self._loop.close)

    def ask(
        self,
        question: str,
        assistants: Who | Sequence[Who] | None = None,
        *,
        panel: str | None = None,
        keep: bool = False,
        **options: Unpack[Options],
    ) -> "Replies":
        """Ask `assistants`, or a panel, or (neither given) the starter panel, all at once.

        `options`: max_tokens, temperature, seed, system, base, guidance. An error of one assistant is in its reply's
        `error`; one that leaves nobody with a word is raised. UsageError and NotFoundError for what cannot be asked.
        Nothing is kept, unless `keep=True` puts question and replies into the history.
        """
        return self._loop.run(self._aio.ask(question, assistants, panel=panel, keep=keep, **options))

    def stream(
        self,
        question: str,
        assistants: Who | Sequence[Who] | None = None,
        *,
        panel: str | None = None,
        keep: bool = False,
        **options: Unpack[Options],
    ) -> "Iterator[AskEvent]":
        """The same as events while they happen. Leaving the loop half way stops all decoding."""
        return self._loop.iterate(self._aio.stream(question, assistants, panel=panel, keep=keep, **options))

    def chat(self, assistant: Who, *, keep: bool = True, **options: Unpack[Options]) -> "Chat":
        """A conversation with one assistant. `keep=False` keeps nothing of it in the history."""
        return Chat(self._aio.chat(assistant, keep=keep, **options), self)

    def score(
        self,
        prefix: "str | Sequence[Message]",
        continuations: Sequence[str],
        *,
        base: str = "default",
        logits: bool = False,
    ) -> "tuple[Score, ...]":
        """Log-probability (natural log) of each continuation after `prefix`; raises as `Engine.score` does."""
        return self._loop.run(self._aio.score(prefix, continuations, base=base, logits=logits))

    def check(
        self,
        assistants: Who | Sequence[Who] | None = None,
        *,
        panel: str | None = None,
        options: "CheckOptions | None" = None,
    ) -> "PanelReport":
        """How plural these assistants are, measured; see docs/guidance.md. Takes minutes."""
        return self._loop.run(self._aio.check(assistants, panel=panel, options=options))

    def measure(
        self,
        instruments: "str | Sequence[str]",
        assistants: Who | Sequence[Who] | None = None,
        *,
        panel: str | None = None,
        options: "MeasureOptions | None" = None,
    ) -> "Measured":
        """Measure with instruments, by name: `.figures`, `.proofs`, `.run`. What is known is not asked anew."""
        return self._loop.run(self._aio.measure(instruments, assistants, panel=panel, options=options))

    def pull(self, ref: str) -> "Pulled":
        """Fetch a model: a catalogue name, `hf:owner/repo/file.gguf`, address or path. Raises as the store does."""
        return self._loop.run(self._aio.pull(ref))

    def assistants(self) -> "list[Assistant]":
        """All assistants at hand: the user's own and the starter set."""
        return self._aio.assistants()

    def panels(self) -> "list[Panel]":
        """All panels at hand."""
        return self._aio.panels()

    def models(self) -> "list[StoredModel]":
        """All models and adapters in the stores of this machine."""
        return self._aio.models()

    def close(self) -> None:
        """End the engines. Safe to call twice."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Chat:
    """A conversation; see `pluriverse.ask.conversation` for who hears what when several take part."""

    def __init__(self, chat: aio.Chat, pluriverse: Pluriverse) -> None:
        self._chat = chat
        self._pluriverse = pluriverse  # held, so that its engines live as long as the chat

    @property
    def assistant(self) -> str:
        """Who speaks now."""
        return self._chat.assistant

    @property
    def id(self) -> str | None:
        """Its id in the history; None when nothing is kept."""
        return self._chat.id

    @property
    def turns(self) -> "tuple[Turn, ...]":
        """All that was said, in order."""
        return self._chat.turns

    def say(self, text: str) -> "Reply":
        """Say something; the reply. Raises its error when there was no word of it."""
        return self._pluriverse._loop.run(self._chat.say(text))

    def stream(self, text: str) -> "Iterator[AskEvent]":
        """Say something; the reply as events while they happen."""
        return self._pluriverse._loop.iterate(self._chat.stream(text))

    def with_(self, assistant: Who) -> "Reply | None":
        """Go on with another assistant: its reply to the last message. None when there is none to reply to."""
        return self._pluriverse._loop.run(self._chat.with_(assistant))

    def forget_oldest(self, rounds: int = 1) -> int:
        """Leave the oldest rounds out of what is heard from now on; how many were left out."""
        return self._chat.forget_oldest(rounds)


def ask(
    question: str,
    assistants: Who | Sequence[Who] | None = None,
    *,
    panel: str | None = None,
    keep: bool = False,
    **options: Unpack[Options],
) -> "Replies":
    """Ask `assistants`, or a panel, or (neither given) the starter panel, all at once.

    `options`: max_tokens, temperature, seed, system (replaces every system prompt), base (all speak through it),
    guidance (a strength for all; 0: nobody is guided). The default model is fetched when it is not here yet. An error
    of one assistant is in its reply's `error`; one that leaves nobody with a word is raised. Nothing is kept, unless
    `keep=True` puts question and replies into the history.
    """
    return _shared().ask(question, assistants, panel=panel, keep=keep, **options)


def stream(
    question: str,
    assistants: Who | Sequence[Who] | None = None,
    *,
    panel: str | None = None,
    keep: bool = False,
    **options: Unpack[Options],
) -> "Iterator[AskEvent]":
    """The same as events while they happen. Leaving the loop half way stops all decoding."""
    return _shared().stream(question, assistants, panel=panel, keep=keep, **options)


def chat(assistant: Who, *, keep: bool = True, **options: Unpack[Options]) -> Chat:
    """A conversation with one assistant. `keep=False` keeps nothing of it in the history."""
    return _shared().chat(assistant, keep=keep, **options)


def score(
    prefix: "str | Sequence[Message]", continuations: Sequence[str], *, base: str = "default", logits: bool = False
) -> "tuple[Score, ...]":
    """Log-probability (natural log) of each continuation after `prefix`, a raw text or messages."""
    return _shared().score(prefix, continuations, base=base, logits=logits)


def pull(ref: str) -> "Pulled":
    """Fetch a model: a catalogue name, `hf:owner/repo/file.gguf`, an address or a path."""
    return _shared().pull(ref)


def assistants() -> "list[Assistant]":
    """All assistants at hand: the user's own and the starter set."""
    return _shared().assistants()


def panels() -> "list[Panel]":
    """All panels at hand."""
    return _shared().panels()


def models() -> "list[StoredModel]":
    """All models and adapters in the stores of this machine."""
    return _shared().models()


_shared_by_process: dict[int, Pluriverse] = {}  # a forked child opens its own


def _shared() -> Pluriverse:
    process = os.getpid()
    if process not in _shared_by_process:
        _shared_by_process.setdefault(process, Pluriverse())  # of two threads here at once, one wins
    return _shared_by_process[process]
