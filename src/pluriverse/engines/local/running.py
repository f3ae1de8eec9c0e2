"""What is known of a reply while it is decoded: its conversations, what it said, how much it may still say.

Knows tokens and counts. Does not know batches or when somebody's turn is; that is `scheduler`.
"""

from collections import deque
from dataclasses import dataclass, field

from ...values import Sampling
from ..thinking import ReplyStream
from .prompts import Prompt
from .sampling import Sampler

CLOSING = 64  # tokens that ending somebody's thinking may cost, again and again


@dataclass(slots=True, eq=False)
class Track:
    """A conversation that is decoded. Its position in `Scheduler._tracks` is its stream."""

    reply: "Reply"
    prompt: Prompt
    tokens: list[int] = field(default_factory=list)  # in the stream's memory: prompt, then what was said

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
    tracks: tuple[Track, ...] = ()
    next_token: int = 0  # chosen, not yet in memory
    said: int = 0
    thought: int = 0  # of these, thinking
    forced: deque[int] = field(default_factory=deque)  # tokens that end its thinking, still to be said

    @property
    def prompt_tokens(self) -> int:
        return len(self.tracks[0].prompt.tokens)

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
