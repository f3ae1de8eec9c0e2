"""Asking assistants: together, in a conversation, and what is kept of it.

Start with `Workspace`, `ask` and `Conversation`; the events they yield are in `events`, the answers in `reply`.
"""

from .asking import Asking, ask
from .conversation import Conversation
from .drafts import AskOptions, Heard
from .events import AskEvent, AskFinished, Fetching, Loading, ReplyChunk, ReplyFinished, ReplyStarted, ReplyThought
from .history import History
from .kept import Kept, Summary, Turn
from .reply import Replies, Reply
from .workspace import DEFAULT_PANEL, Workspace

__all__ = [
    "DEFAULT_PANEL",
    "AskEvent",
    "AskFinished",
    "AskOptions",
    "Asking",
    "Conversation",
    "Fetching",
    "Heard",
    "History",
    "Kept",
    "Loading",
    "Replies",
    "Reply",
    "ReplyChunk",
    "ReplyFinished",
    "ReplyStarted",
    "ReplyThought",
    "Summary",
    "Turn",
    "Workspace",
    "ask",
]
