"""The public verbs for async code, as `pluriverse.aio` shows them.

What an ask, a chat or a measurement takes and gives is written here once: the functions below `Pluriverse` are made of
its methods, and so is the twin in `synchronous`.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypedDict, TypeVar, Unpack

from ..asking.asking import Asking
from ..asking.asking import ask as _ask
from ..asking.conversation import Conversation
from ..assistant import Assistant, Panel
from ..chats.chat import Turn
from ..errors import PluriverseError, command
from ..pictures import Shown, taken
from ..runtime.events import AskEvent, AskFinished
from ..runtime.replies import Replies, Reply
from ..runtime.requests import AskOptions
from ..runtime.workspace import Workspace
from ..settings import Settings
from ..values import Message
from .twins import function_of

if TYPE_CHECKING:
    from ..catalogue.verdict import Fit
    from ..engines.contract import Score
    from ..measure.measuring import MeasureOptions
    from ..measure.run.events import Measured
    from ..panelcheck.check import CheckOptions
    from ..panelcheck.report import PanelReport
    from ..store import Pulled, StoredModel
    from ..works.schema import Found

P = ParamSpec("P")
T = TypeVar("T")

Who = str | Assistant


class Options(TypedDict, total=False):
    """What may be set for one question; what is left out is as the assistant defined it.

    max_tokens: at most so many tokens in each reply. temperature: 0 takes the likeliest token each time. seed: the same
    seed gives the same reply. system: replaces the system prompt of every assistant asked. base: all speak through it.
    guidance: all are guided with this strength; 0: nobody is. think: whether models that can think first do so, for at
    most thinking_tokens tokens. beyond_works: answer also where an assistant's works do not speak of the question.
    """

    max_tokens: int | None
    temperature: float | None
    seed: int | None
    system: str | None
    base: str | None
    guidance: float | None
    think: bool | None
    thinking_tokens: int | None
    beyond_works: bool


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
        images: Shown | Iterable[Shown] = (),
        keep: bool = False,
        **options: Unpack[Options],
    ) -> Replies:
        """Ask `assistants`, or a panel, or (neither given) the panel `works`, all at once.

        `images`: pictures that all see before they read the question (paths, bytes of files), PNG, JPEG, GIF or BMP;
        through a base without a projector nobody can see, and replies end with UnsupportedError.
        `options`: max_tokens, temperature, seed, system (replaces every system prompt), base (all speak through
        it), guidance (a strength for all; 0: nobody is guided), think, thinking_tokens, beyond_works. The default
        model is fetched when it is not here yet. An error of one assistant is in its reply's `error`; one that leaves
        nobody with a word is raised. UsageError, NotFoundError as in `Workspace.choose`. Nothing is kept,
        unless `keep=True` puts question and replies into the history.
        """
        async with self.stream(question, assistants, panel=panel, images=images, keep=keep, **options) as events:
            return _outcome([event async for event in events])

    def stream(
        self,
        question: str,
        assistants: Who | Sequence[Who] | None = None,
        *,
        panel: str | None = None,
        images: Shown | Iterable[Shown] = (),
        keep: bool = False,
        **options: Unpack[Options],
    ) -> Asking:
        """The same as events while they happen; an async iterator and context manager that can be closed half way."""
        asked = self._workspace.choose(_several(assistants), panel)
        return _ask(self._workspace, question, asked, AskOptions(**options), pictures=taken(images), keep=keep)

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
        ready = await self._workspace.ready(base, context=context)
        return await ready.engine.score(prefix, continuations, logits=logits)

    async def check(
        self,
        assistants: Who | Sequence[Who] | None = None,
        *,
        panel: str | None = None,
        options: "CheckOptions | None" = None,
    ) -> "PanelReport":
        """How plural these assistants are, measured; see docs/guidance.md. Takes minutes; raises as `measure.check`."""
        from ..panelcheck.check import PanelChecked, check

        asked = self._workspace.choose(_several(assistants), panel)
        title = panel or (
            self._workspace.settings.panel if assistants is None else ",".join(each.name for each in asked)
        )
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
        from ..measure.data.instruments import find
        from ..measure.measuring import measure
        from ..measure.run.events import Measured

        names = (instruments,) if isinstance(instruments, str) else instruments
        chosen, asked = [find(name) for name in names], self._workspace.choose(_several(assistants), panel)
        async with aclosing(measure(self._workspace, chosen, asked, options)) as events:
            async for event in events:
                if isinstance(event, Measured):
                    return event
        raise PluriverseError("the measurement ended without a result", "call again: it goes on")

    async def new(
        self,
        name: str,
        *,
        works: "Sequence[str | Path]" = (),
        system: str = "",
        title: str = "",
        base: str = "default",
        languages: Sequence[str] = (),
        words_now: bool = False,
        replace: bool = False,
    ) -> Assistant:
        """Make an assistant and write its file; `works` are files, folders, and `library:ID`s that it answers from.

        Works are read and indexed, words and meaning; `words_now` leaves meaning for later. Where nothing embeds here,
        words alone serve. `replace`: also where one of that name is there. UsageError where the name is taken or no
        file has any text; NoSpaceError. Files that gave no text are left out: `pluriverse new` tells of them.
        """
        from dataclasses import replace as changed

        from ..runtime.making import CALM, FROM_WORKS, keep_definition
        from ..runtime.studying import study
        from ..works.adding import Added, add_works

        workspace = self._workspace
        store, settings, shelf = workspace.store, workspace.settings, workspace.shelf
        made = Assistant(name, title or name, base, system or (FROM_WORKS if works else ""), languages=tuple(languages))
        if not replace:
            shelf.free(name)
        with store.holding_works() if works else nullcontext():
            if works:
                async for event in add_works(store, settings, [Path(each) for each in works]):
                    if isinstance(event, Added):
                        languages = made.languages or event.languages
                        made = changed(made, works=event.new, languages=languages, sampling=CALM)
                if not words_now:
                    async for _ in study(workspace, made.works):
                        pass
            shelf.write(made, overwrite=replace)
        keep_definition(made, store, settings)
        return shelf.assistant(name)

    async def search_works(self, assistant: Who, question: str, k: int = 5) -> "list[Found]":
        """The `k` passages of an assistant's works that a question is about, best first.

        By meaning too where the works were read for it. NotFoundError for an unknown assistant, and where the text of a
        work is not on this machine.
        """
        from ..runtime.studying import search_works

        (chosen,) = self._workspace.choose([assistant])
        found, _ = await search_works(self._workspace, chosen.works, question, k)
        return found

    async def pull(self, ref: str, projector: str | None = None) -> "Pulled":
        """Fetch a model: a catalogue name, `hf:owner/repo/file.gguf`, address or path. Raises as the store does.

        `projector`: a reference to the file (mmproj) that lets it see pictures, fetched too; "": the one that lies in
        the model's own hub repository.
        """
        from ..catalogue import parse, projector_of
        from ..catalogue.fit import Machine
        from ..engines.admitting import pull_projector, pull_usable
        from ..store import Pulled

        workspace = self._workspace
        settings = workspace.settings
        pullable = parse(ref, settings.catalogues, Machine.here(settings.home))
        eyes = None if projector is None else projector_of(pullable, projector)
        async with aclosing(pull_usable(workspace.store, pullable, settings)) as events:
            pulled = [event async for event in events if isinstance(event, Pulled)]
        if eyes and pulled:
            async with aclosing(pull_projector(workspace.store, pulled[0].name, eyes, settings)) as events:
                async for _ in events:
                    pass
        if pulled:
            return pulled[0]
        raise PluriverseError(f"{ref} was not pulled", command("pull", ref))

    async def fit(
        self,
        ref: str,
        *,
        context: int = 4096,
        assistants: int = 1,
        guided: bool = False,
        prompt: int | None = None,
        quantisation: str | None = None,
        measure: bool = True,
    ) -> "Fit":
        """Whether a model fits this machine and how fast it would be, before any of its weights are fetched.

        For `assistants` that answer at once, in conversations of `context` tokens of which `prompt` are read before
        (None: half). `quantisation`: another than Q4_K_M. Bytes, tokens per second of all together, seconds. `measure`:
        measure this machine where that was not done yet, some seconds a format; without it, speeds that are not known
        are None. UsageError and NotFoundError for what nobody means, UnreachableError where a header over the network
        cannot be read, IntegrityError where it is not sound.
        """
        from ..catalogue.verdict import Fit
        from ..runtime.fitting import Asked, fit

        asked = Asked(context, assistants, guided, prompt, quantisation)
        async for event in fit(ref, asked, self._workspace.settings, measure=measure):
            if isinstance(event, Fit):
                return event
        raise PluriverseError("nothing was found out", command("fit", ref))

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
    """A conversation; see `pluriverse.asking.conversation` for who hears what when several take part."""

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

    async def say(self, text: str, images: Shown | Iterable[Shown] = ()) -> Reply:
        """Say something, and show pictures; the reply. Raises its error when there was no word of it."""
        async with aclosing(self.stream(text, images)) as events:
            return _outcome([event async for event in events])[0]

    def stream(self, text: str, images: Shown | Iterable[Shown] = ()) -> AsyncGenerator[AskEvent, None]:
        """Say something, and show pictures; the reply as events while they happen."""
        return self._conversation.say(text, taken(images))

    async def with_(self, assistant: Who) -> Reply | None:
        """Go on with another assistant: its reply to the last message. None when there is none to reply to."""
        (chosen,) = self._workspace.choose([assistant])
        async with aclosing(self._conversation.with_(chosen)) as stream:
            events = [event async for event in stream]
        return _outcome(events)[0] if events else None

    def forget_oldest(self, rounds: int = 1) -> int:
        """Leave the oldest rounds out of what is heard from now on; how many were left out."""
        return self._conversation.forget_oldest(rounds)


def _alone(method: Callable[Concatenate[Pluriverse, P], Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    @function_of(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        async with Pluriverse() as pluriverse:
            return await method(pluriverse, *args, **kwargs)

    return call


def _alone_streamed(
    method: Callable[Concatenate[Pluriverse, P], Asking],
) -> Callable[P, AsyncGenerator[AskEvent, None]]:
    @function_of(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[AskEvent, None]:
        async with Pluriverse() as pluriverse, method(pluriverse, *args, **kwargs) as events:
            async for event in events:
                yield event

    return call


def _at_once(method: Callable[Concatenate[Pluriverse, P], T]) -> Callable[P, T]:
    @function_of(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return method(Pluriverse(), *args, **kwargs)

    return call


ask = _alone(Pluriverse.ask)
stream = _alone_streamed(Pluriverse.stream)
score = _alone(Pluriverse.score)
new = _alone(Pluriverse.new)
search_works = _alone(Pluriverse.search_works)
pull = _alone(Pluriverse.pull)
fit = _alone(Pluriverse.fit)
assistants = _at_once(Pluriverse.assistants)
panels = _at_once(Pluriverse.panels)
models = _at_once(Pluriverse.models)


def _several(assistants: Who | Sequence[Who] | None) -> Sequence[Who] | None:
    return [assistants] if isinstance(assistants, str | Assistant) else assistants


def _outcome(events: Sequence[AskEvent]) -> Replies:
    last = events[-1]
    assert isinstance(last, AskFinished)
    if last.failure is not None:
        raise last.failure
    return last.replies
