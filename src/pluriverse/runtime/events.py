"""What happens while assistants are asked, as small frozen events.

A surface draws them, a server streams them, a test collects them. `index` is an assistant's place among those asked.
The order for each index is ReplyQuoted where it begins with a quotation, ReplyStarted, ReplyChunk or ReplyThought...,
then exactly one ReplyFinished (which may come alone, with an error), with a ReplyWaits among them where the machine is
busy; AskFinished is the last event of all.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..assistant import Opposite
from ..assistant.default_base import BaseChosen
from ..engines.contract import Token
from ..errors import PluriverseError
from ..values import Work
from ..works.schema import Citation
from .replies import Replies, Reply

if TYPE_CHECKING:
    from ..store import PullEvent


@dataclass(frozen=True, slots=True)
class Fetching:
    """A model of the ladder was not here and is being fetched; `event` is the store's own.

    Where it was chosen for "default", first which one and what it needs, and again for each that is tried instead.
    """

    base: str
    event: "PullEvent | BaseChosen"


@dataclass(frozen=True, slots=True)
class FetchingWork:
    """The text of a work of the library is not here and is being fetched from its public home."""

    work: Work


@dataclass(frozen=True, slots=True)
class Studying:
    """A work is read for the first time, so that it can be searched by meaning: `done` of `total` passages."""

    work: Work
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Loading:
    """An engine is being made ready for this base; it may be loaded already."""

    base: str


@dataclass(frozen=True, slots=True)
class ReplyWaits:
    """Other engines of this user are at work, and this one's turn is long in coming. May come before or after words."""

    index: int


@dataclass(frozen=True, slots=True)
class ReplyQuoted:
    """What a reply begins with stands fast before the model has read a word: `text`, a quotation from a work. Chunks
    go on from it. `citations`: the passages that it will answer from, as far as they are quoted now; `works`: how many
    the assistant has."""

    index: int
    assistant: str
    text: str
    citations: tuple[Citation, ...]
    works: int
    at_s: float


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The prompt has been read."""

    index: int
    assistant: str
    prompt_tokens: int
    cached_tokens: int  # of these, copied from memory instead of computed
    guidance: Opposite | None = None  # whom it is decoded against


@dataclass(frozen=True, slots=True)
class ReplyChunk:
    """New text of one reply; `at_s` counts from the moment of asking."""

    index: int
    text: str
    at_s: float


@dataclass(frozen=True, slots=True)
class ReplyThought:
    """New text of what one assistant writes for itself before it answers; no part of its reply's text."""

    index: int
    text: str
    at_s: float


@dataclass(frozen=True, slots=True)
class ReplyToken:
    """A token that a reply goes on with, where its options ask for tokens; comes before its text."""

    index: int
    token: Token


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """One reply has ended, well or not: see its `finish_reason` and `error`."""

    index: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class AskFinished:
    """All replies have ended."""

    replies: Replies
    total_s: float

    @property
    def failure(self) -> PluriverseError | None:
        """What a surface raises: the error that left every assistant without a word. None when there is text."""
        return self.replies.failure


AskEvent = (
    Fetching
    | BaseChosen
    | FetchingWork
    | Studying
    | Loading
    | ReplyWaits
    | ReplyQuoted
    | ReplyStarted
    | ReplyChunk
    | ReplyThought
    | ReplyToken
    | ReplyFinished
    | AskFinished
)
