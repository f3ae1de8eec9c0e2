"""What happens while assistants are asked, as small frozen events.

A surface draws them, a server streams them, a test collects them. `index` is an assistant's place among those asked.
The order for each index is ReplyStarted, ReplyChunk or ReplyThought..., then exactly one ReplyFinished (which may come
alone, with an error), with a ReplyWaits among them where the machine is busy; AskFinished is the last event of all.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..assistant import Opposite
from ..errors import PluriverseError
from .replies import Replies, Reply

if TYPE_CHECKING:
    from ..store import PullEvent


@dataclass(frozen=True, slots=True)
class Fetching:
    """The default model was not here and is being fetched; `event` is the store's own."""

    base: str
    event: "PullEvent"


@dataclass(frozen=True, slots=True)
class Loading:
    """An engine is being made ready for this base; it may be loaded already."""

    base: str


@dataclass(frozen=True, slots=True)
class ReplyWaits:
    """Other engines of this user are at work, and this one's turn is long in coming. May come before or after words."""

    index: int


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


AskEvent = Fetching | Loading | ReplyWaits | ReplyStarted | ReplyChunk | ReplyThought | ReplyFinished | AskFinished
