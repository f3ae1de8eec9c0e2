"""The public verbs for scripts and notebooks: those of `asynchronous` without `await`.

Thin on purpose: every call runs its async twin on the loop of a `Pluriverse`. The functions of this module share one
that is opened with the first call and closed when the program ends.
"""

import os
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar, Unpack

from . import asynchronous
from .asynchronous import Options, Who
from .loop import LoopThread
from .twins import Twin, function_of, iterated, passed, waited

if TYPE_CHECKING:
    from ..chats.chat import Turn
    from ..settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


class Pluriverse(Twin[asynchronous.Pluriverse]):
    """The assistants of this machine, ready to be asked; engines stay loaded from call to call.

    May be used from several threads, also where an event loop runs (a notebook). Close it or use `with`; when it is
    dropped or the program ends it closes itself.
    """

    def __init__(self, settings: "Settings | None" = None) -> None:
        twin = asynchronous.Pluriverse(settings)
        super().__init__(twin, LoopThread(twin.aclose))
        self._finalizer = weakref.finalize(self, self._loop.close)

    ask = waited(asynchronous.Pluriverse.ask)
    stream = iterated(asynchronous.Pluriverse.stream)
    score = waited(asynchronous.Pluriverse.score)
    check = waited(asynchronous.Pluriverse.check)
    measure = waited(asynchronous.Pluriverse.measure)
    new = waited(asynchronous.Pluriverse.new)
    search_works = waited(asynchronous.Pluriverse.search_works)
    pull = waited(asynchronous.Pluriverse.pull)
    fit = waited(asynchronous.Pluriverse.fit)
    assistants = passed(asynchronous.Pluriverse.assistants)
    panels = passed(asynchronous.Pluriverse.panels)
    models = passed(asynchronous.Pluriverse.models)

    def chat(self, assistant: Who, *, keep: bool = True, **options: Unpack[Options]) -> "Chat":
        """A conversation with one assistant. `keep=False` keeps nothing of it in the history."""
        return Chat(self._twin.chat(assistant, keep=keep, **options), self)

    def close(self) -> None:
        """End the engines. Safe to call twice."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Chat(Twin[asynchronous.Chat]):
    """A conversation; see `pluriverse.asking.conversation` for who hears what when several take part."""

    def __init__(self, chat: asynchronous.Chat, pluriverse: Pluriverse) -> None:
        super().__init__(chat, pluriverse._loop)
        self._pluriverse = pluriverse  # held, so that its engines live as long as the chat

    @property
    def assistant(self) -> str:
        """Who speaks now."""
        return self._twin.assistant

    @property
    def id(self) -> str | None:
        """Its id in the history; None when nothing is kept."""
        return self._twin.id

    @property
    def turns(self) -> "tuple[Turn, ...]":
        """All that was said, in order."""
        return self._twin.turns

    say = waited(asynchronous.Chat.say)
    stream = iterated(asynchronous.Chat.stream)
    with_ = waited(asynchronous.Chat.with_)
    forget_oldest = passed(asynchronous.Chat.forget_oldest)


def _with_shared(method: Callable[Concatenate[Pluriverse, P], T]) -> Callable[P, T]:
    @function_of(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return method(_shared(), *args, **kwargs)

    return call


ask = _with_shared(Pluriverse.ask)
stream = _with_shared(Pluriverse.stream)
chat = _with_shared(Pluriverse.chat)
score = _with_shared(Pluriverse.score)
new = _with_shared(Pluriverse.new)
search_works = _with_shared(Pluriverse.search_works)
pull = _with_shared(Pluriverse.pull)
fit = _with_shared(Pluriverse.fit)
assistants = _with_shared(Pluriverse.assistants)
panels = _with_shared(Pluriverse.panels)
models = _with_shared(Pluriverse.models)


_shared_by_process: dict[int, Pluriverse] = {}  # a forked child opens its own


def _shared() -> Pluriverse:
    process = os.getpid()
    if process not in _shared_by_process:
        _shared_by_process.setdefault(process, Pluriverse())  # of two threads here at once, one wins
    return _shared_by_process[process]
