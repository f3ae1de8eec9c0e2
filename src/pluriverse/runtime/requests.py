"""A reply while it is being given: engine events go in, what the surfaces see comes out.

Knows one assistant's request and the times at which things happened to it; never which engine answers or who listens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..assistant import Assistant, Opposite, Shelf, opposite_of
from ..assistant.generation import Setting
from ..assistant.per_base import on_base, prompts_differ
from ..engines.contract import (
    Capabilities,
    Chosen,
    Chunk,
    EngineEvent,
    Failed,
    Finished,
    FinishReason,
    Guide,
    Request,
    Started,
    Thought,
    Waiting,
)
from ..engines.thinking import Piece, joined
from ..errors import PluriverseError
from ..values import Digest, Message, Picture, Sampling, check_strength
from .citing import cited
from .events import ReplyChunk, ReplyFinished, ReplyQuoted, ReplyStarted, ReplyThought, ReplyToken, ReplyWaits
from .grounds import Grounds
from .replies import Reply

_PARAGRAPH = "\n\n"  # ends a reply that began with a quotation: what small models say after it is no longer about that
_SHORT = 4  # words of a question that cannot be understood without the one before
_LONGEST = 2000  # characters of a question that are looked for in works


@dataclass(frozen=True, slots=True)
class AskOptions:
    """What is different for this one question; None leaves each assistant as it defined itself.

    `system` replaces the system prompt of every assistant that is asked ("" leaves it out), and `base` lets all of them
    speak through that base. Both make another definition of the assistant, and the reply's `definition` says so.
    Under another system prompt nobody is guided, unless `guidance` says so.
    `instructions` are told behind each one's own system prompt, to the other side of a guided one too; so nobody stops
    being who it is. `decoding`: changes to further fields of `values.Sampling`.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    system: str | None = None
    base: str | None = None
    guidance: float | None = None  # this strength for all; 0 switches guidance off
    think: bool | None = None  # whether models that can think first do so
    thinking_tokens: int | None = None
    beyond_works: bool = False  # answer also where an assistant's works do not speak of the question
    instructions: str = ""
    likeliest: int | None = None  # tokens are told, each with so many of the likeliest beside it
    decoding: Mapping[str, Setting] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.guidance is not None:
            check_strength(self.guidance)

    def assistant(self, assistant: Assistant) -> Assistant:
        """The assistant as it will be asked."""
        if self.system is None and self.base is None and not self.instructions:
            return assistant
        return replace(
            assistant,
            system=self.told(assistant.system if self.system is None else self.system),
            base=assistant.base if self.base is None else self.base,
        )

    def told(self, system: str) -> str:
        """A system prompt with the instructions behind it."""
        if not self.instructions:
            return system
        return f"{system}\n\n{self.instructions}" if system.strip() else self.instructions

    def opposite(self, assistant: Assistant, shelf: Shelf) -> Opposite | None:
        """The other side of the assistant as it will be asked. Raises what `assistant.opposite_of` raises."""
        if self.system is not None and self.guidance is None:
            return None
        return opposite_of(assistant, shelf, self.guidance)

    def sampling(self, assistant: Assistant) -> Sampling:
        """Its generation defaults with this question's on top. UsageError where a value is out of range."""
        defaults = Sampling().changed(**assistant.sampling)
        return defaults.changed(
            max_tokens=self.max_tokens, temperature=self.temperature, seed=self.seed, think=self.think,
            thinking_tokens=self.thinking_tokens, **self.decoding,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """What one assistant hears: the turns up to the one it shall answer, without its system prompt."""

    assistant: Assistant
    turns: tuple[Message, ...]


class Draft:
    """One reply from the moment of asking to its end. `reply` is None until then."""

    def __init__(self, index: int, heard: Heard, options: AskOptions, default_base: str, shelf: Shelf) -> None:
        self.index = index
        self._heard, self._options, self._shelf = heard.assistant, options, shelf
        self.assistant = options.assistant(heard.assistant)
        self.guidance = self._opposite()
        self.declared = options.guidance is None  # the strength is the assistant's own, and may be found too high
        self._turns = heard.turns
        self._sampling = options.sampling(heard.assistant)
        self.base = default_base if self.assistant.base == "default" else self.assistant.base
        self.digest: Digest | None = None
        self.reply: Reply | None = None
        self._pieces: list[Piece] = []
        self._started: Started | None = None
        self._first_token_s: float | None = None
        self._quoted_s: float | None = None
        self._grounds: Grounds | None = None
        self._given = ""  # of what was shown, what the engine has still to say
        self._leads = self._quotes = True

    @property
    def beyond_works(self) -> bool:
        """Whether it is answered also where the works do not speak of it."""
        return self._options.beyond_works

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All that it shows, in earlier turns too."""
        return tuple(picture for turn in self._turns for picture in turn.pictures)

    @property
    def question(self) -> str:
        """What is looked for in the assistant's works: the last turn, and the one before it where that is short."""
        asked = [turn.content for turn in self._turns if turn.role == "user"]
        return "\n".join(asked[-2:] if len(asked[-1].split()) < _SHORT else asked[-1:])[-_LONGEST:]

    @property
    def request(self) -> Request:
        """The passages that it answers from stand in the last turn. Whom it is guided against hears only the question,
        so that the contrast brings out the passages as well as the voice; the first words are given to both."""
        return self._asked(self._leads)

    @property
    def unled(self) -> Request:
        """The same without first words: what is scored continues the prompt, and no reply that has begun."""
        return self._asked(False)

    def _asked(self, led: bool) -> Request:
        guide = None
        if self.guidance is not None:
            other = self.guidance
            guide = Guide(_told(self._options.told(other.system)) + self._turns, other.strength, other.adapter)
        grounds = self._grounds
        turns = _told(self.assistant.system) + (grounds.heard(self._turns, led) if grounds else self._turns)
        return Request(
            turns,
            self._sampling,
            guide,
            adapter=self.assistant.adapter,
            lead=grounds.lead if grounds and led else "",
            quotable=grounds.quotable if grounds and self._quotes else (),
            likeliest=self._options.likeliest,
        )

    def stand_on(self, grounds: Grounds, now: float) -> "list[ReplyQuoted | ReplyChunk | ReplyFinished]":
        """Now it is known what the works say of the question: what can be shown at once. Where they do not speak of it
        the reply has ended."""
        self._grounds = grounds
        if grounds.declined:
            return [ReplyChunk(self.index, grounds.refusal, now), self._decline(grounds, now)]
        if not grounds.opening:
            return []
        self._quoted_s, self._given = now, grounds.opening
        self._sampling = replace(self._sampling, stop=(*self._sampling.stop, _PARAGRAPH, grounds.mark))
        self._say_it_ourselves()
        citations = cited(grounds.opening, grounds, now).citations
        works = len(self.assistant.works)
        return [ReplyQuoted(self.index, self.assistant.name, grounds.opening, citations, works, now)]

    def can(self, able: Capabilities) -> None:
        """Now it is known what the engine can do. One that cannot be led says its own words after the quotation; one
        that cannot be held to texts is looked after when it has ended."""
        self._leads, self._quotes = able.leads, able.quotes
        self._say_it_ourselves()

    def _say_it_ourselves(self) -> None:
        if self._given and not self._leads:
            self._pieces.append(Piece(f"{self._given} "))
            self._given = ""

    def _decline(self, grounds: Grounds, now: float) -> ReplyFinished:
        self._pieces.append(Piece(grounds.refusal))
        self._first_token_s = now
        self.reply = replace(self._as_reply("stop", now), prompt_tokens=0, completion_tokens=0)
        return ReplyFinished(self.index, self.reply)

    def speaks_through(self, base: str, digest: Digest | None) -> None:
        """Now it is known through what: what an assistant is told, and how strongly it is guided, may differ by it."""
        self.base, self.digest = base, digest
        there = on_base(self._heard, digest)
        if there is not self._heard:
            self.assistant = self._options.assistant(there)
            self.guidance = self._opposite()
        if self.guidance is not None and self.guidance.base is not None and prompts_differ(digest):
            other = on_base(self._shelf.assistant(self.guidance.against), digest)
            self.guidance = replace(self.guidance, system=other.system, definition=other.digest)

    def _opposite(self) -> Opposite | None:
        found = self._options.opposite(self.assistant, self._shelf)
        if found is None or self._options.base is None:
            return found
        return replace(found, base=found.base and self._options.base)

    def take(
        self, event: EngineEvent, now: float
    ) -> ReplyStarted | ReplyToken | ReplyChunk | ReplyThought | ReplyFinished | ReplyWaits:
        """Note what the engine said at `now` (seconds from the moment of asking) and tell it in the surfaces' words."""
        match event:
            case Started():
                self._started = event
                return ReplyStarted(
                    self.index, self.assistant.name, event.prompt_tokens, event.cached_tokens, self.guidance
                )
            case Chosen(token=token):
                return ReplyToken(self.index, token)
            case Chunk(text=text):
                self._pieces.append(Piece(text))
                return ReplyChunk(self.index, self._new(text, now), now)
            case Thought(text=text):
                self._pieces.append(Piece(text, thinking=True))
                return ReplyThought(self.index, text, now)
            case Finished():
                self.reply = self._as_reply(event.reason, now, finished=event)
                return ReplyFinished(self.index, self.reply)
            case Failed(error=error):
                return self.fail(error, now)
            case Waiting():
                return ReplyWaits(self.index)

    def _new(self, text: str, now: float) -> str:
        """What is not shown yet of a piece of the reply."""
        shown = min(len(text), len(self._given))
        self._given = self._given[shown:]
        if text[shown:] and self._first_token_s is None:
            self._first_token_s = now
        return text[shown:]

    def fail(self, error: PluriverseError, now: float) -> ReplyFinished:
        self.reply = self._as_reply("error", now, error=error)
        return ReplyFinished(self.index, self.reply)

    def cut(self, now: float) -> None:
        """Nobody listens any more: what there was is the reply."""
        if self.reply is None:
            self.reply = self._as_reply("cancelled", now)

    def so_far(self, now: float) -> Reply:
        return self.reply or self._as_reply("cancelled", now)

    def _as_reply(
        self,
        reason: FinishReason,
        now: float,
        *,
        finished: Finished | None = None,
        error: PluriverseError | None = None,
    ) -> Reply:
        prompt_tokens = self._started.prompt_tokens if self._started else None
        shown = [Piece(self._given)] if reason == "cancelled" else []
        told = joined([*self._pieces, *shown])
        return Reply(
            assistant=self.assistant.name,
            base=self.base,
            digest=self.digest,
            definition=self.assistant.digest,
            text=told.text,
            finish_reason=reason,
            prompt_tokens=finished.prompt_tokens if finished else prompt_tokens,
            completion_tokens=finished.completion_tokens if finished else None,
            first_token_s=self._first_token_s,
            total_s=now,
            seed=self._started.seed if self._started else self._sampling.seed,
            sampling=self._sampling,
            error=error,
            guidance=self.guidance,
            thinking=told.thinking,
            unfinished=finished.unfinished if finished else False,
            adapter=self.assistant.adapter,
            cited=cited(told.text, self._grounds, self._quoted_s) if self._grounds else None,
        )


def _told(system: str) -> tuple[Message, ...]:
    return (Message("system", system),) if system.strip() else ()
