"""What belongs to a new assistant beside its file: its definition in the store, and what one with works is told.

Knows the store and the shelf; nothing of who asked for it.
"""

from ..assistant import Assistant
from ..assistant.bases import resolve
from ..errors import PluriverseError
from ..settings import Settings
from ..store import Store

FROM_WORKS = (
    "You speak for the works that you answer from. You say in plain words what they say, and add nothing of your own."
)
"""The system prompt of an assistant with works that was given none."""

CALM = {"temperature": 0.2}
"""How an assistant with works chooses its words, unless told otherwise: who explains a sentence has little choice."""


def keep_definition(assistant: Assistant, store: Store, settings: Settings) -> None:
    """Keep it in the store as it is now, beside the weights that it speaks through today, where they are here."""
    try:
        base = resolve(assistant.base, store, settings).digest
    except PluriverseError:
        base = None
    store.put_assistant(assistant.name, assistant.to_toml(), base)
