"""What is known of a reply while it is decoded: its conversations, what it said, how much it may still say.

Knows tokens and counts. Does not know batches or when somebody's turn is; that is `scheduler`.
"""

import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import ContextOverflowError, UsageError
from ...values import Sampling
from ..contract import Chunk, EngineEvent, Finished, FinishReason, Thought
from ..quoting import check_lead
from ..thinking import Piece, ReplyStream
from .holding import Hold, Mask
from .model import Model
from .prompts import ChatTemplate, Prompt
from .sampling import Sampler

ENDING = 16  # tokens of a prompt that tell whether it opens thinking
CLOSING = 64  # tokens that ending somebody's thinking may cost, again and again


@dataclass(slots=True, eq=False)
class Track:
    """A conversation that is decoded. Its position in `Scheduler._tracks` is its stream."""

    reply: "Reply"
    prompt: Prompt
    tokens: list[int] = field(default_factory=list)  # in the stream's memory: prompt, then what was said

    @property
    def read(self) -> tuple[int, ...]:
        """What is read before it speaks: the prompt, and the words that it is given to begin with."""
        return self.prompt.tokens + self.reply.lead

    @property
    def cuts(self) -> tuple[int, ...]:
        """Ends of the pieces that it is read in."""
        return (*self.prompt.cuts[:-1], len(self.read))

    @property
    def position(self) -> int:
        """Of the next token."""
        return self.prompt.position(len(self.tokens))


@dataclass(slots=True, eq=False)
class Reply:
    """One request on its way: the voice's own track and, if it is guided, the one that it is contrasted with."""

    id: int
    sampling: Sampling
    seed: int
    sampler: Sampler
    text: ReplyStream
    budget: int | None = None  # tokens of thinking, besides those of the answer; None: it is not expected to think
    quotable: tuple[str, ...] = ()
    hold: Hold | None = None
    lead: tuple[int, ...] = ()  # tokens that it is given to begin with
    tracks: tuple[Track, ...] = ()
    next_token: int = 0  # chosen, not yet in memory
    said: int = 0
    thought: int = 0  # of these, thinking
    likeliest: int | None = None  # of each chosen token so many are told beside it; None: it is not told
    forced: deque[int] = field(default_factory=deque)  # tokens that end its thinking, still to be said

    @property
    def prompt_tokens(self) -> int:
        return len(self.tracks[0].prompt.tokens)

    @property
    def mask(self) -> Mask | None:
        """What it may say next, where it is held to texts. Thinking quotes what it likes."""
        if self.hold is None:
            return None
        return self.hold.thinking if self.text.unfinished else self.hold.mask()

    def begin(self, lead: bytes) -> list[EngineEvent]:
        """The bytes of its first words, which it is given."""
        self.said = len(self.lead)
        return self._told(self.text.push(lead))

    def hear(self, piece: bytes) -> list[EngineEvent]:
        """The bytes of one more token."""
        thinking = self.text.unfinished
        pieces = self.text.push(piece)
        self.said += 1
        if self.hold and (thinking or self.text.unfinished):
            self.hold.forget()
        elif self.hold:
            self.hold.hear(piece)
        return self._told(pieces)

    def over(self, context_length: int) -> FinishReason | None:
        """Why it ends here, where it does."""
        if self.text.stopped:
            return "stop"
        if self.full:
            return "length"
        return "context" if self.longest + 1 >= context_length else None

    def finish(self, reason: FinishReason) -> list[EngineEvent]:
        """What was held back of its text, and its end. Half a character is no part of a quotation or a lead."""
        if self.hold or self.lead:
            self.text.cut()
        pieces = self.text.finish()
        return [*self._told(pieces), self.finished(reason, self.text.unfinished)]

    def finished(self, reason: FinishReason, unfinished: bool = False) -> Finished:
        return Finished(self.id, reason, self.prompt_tokens, self.said, unfinished)

    def _told(self, pieces: list[Piece]) -> list[EngineEvent]:
        return [Thought(self.id, each.text) if each.thinking else Chunk(self.id, each.text) for each in pieces]

    @property
    def longest_prompt(self) -> int:
        return max(len(track.prompt.tokens) for track in self.tracks)

    @property
    def longest(self) -> int:
        return max(len(track.tokens) for track in self.tracks)

    @property
    def worst_length(self) -> int:
        return self.longest_prompt + self.most

    @property
    def most(self) -> int:
        """Tokens that it may say in all."""
        return self.sampling.max_tokens + (0 if self.budget is None else self.budget + CLOSING)

    @property
    def full(self) -> bool:
        answered = self.said if self.budget is None else self.said - self.thought
        return answered >= self.sampling.max_tokens or self.said >= self.most


def new_reply(
    id: int,
    model: Model,
    template: ChatTemplate,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    strength: float,
    lead: tuple[int, ...],
    quotable: tuple[str, ...],
) -> Reply:
    """One that has not begun. `prompts`: its own and, if it is guided, the other's; `strength`: of guidance.

    ContextOverflowError for prompts that are too long, UsageError for a grammar beside texts to quote or a false lead.
    """
    longest = max(len(each.tokens) for each in prompts) + len(lead)
    if longest >= model.context_length:
        raise ContextOverflowError(
            f"the conversation has {longest:,} tokens; the model reads {model.context_length:,}",
            "shorten it, or start a new conversation",
        )
    if quotable and sampling.grammar is not None:
        raise UsageError("a reply is held to a grammar or to texts that it may quote, not to both")
    if quotable:
        check_lead(model.spelling(lead), quotable)
    seed = secrets.randbelow(2**32) if sampling.seed is None else sampling.seed
    sampler = Sampler(model, sampling, seed, strength)
    ending = model.spelling([token for token in prompts[0].tokens[-ENDING:] if token >= 0])
    text = ReplyStream(sampling.stop + template.stop, ending)
    thinks = template.thinks or text.unfinished
    budget = 0 if sampling.think is False else sampling.thinking_tokens
    reply = Reply(id, sampling, seed, sampler, text, budget if thinks and not lead else None, quotable)
    reply.lead = lead[: sampling.max_tokens]
    reply.tracks = tuple(Track(reply, each) for each in prompts)
    return reply
