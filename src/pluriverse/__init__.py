"""pluriverse: ask many open AI assistants side by side, on your own machine.

    import pluriverse

    replies = pluriverse.ask("What is a fair tax?")
    print(replies)

Nothing is imported before it is used, so this import costs next to nothing. The names in `__all__` are the public API;
the same verbs for async code are in `pluriverse.aio`.
"""

import sys
from types import ModuleType

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers know this name; importing typing would be most of the cost of this import

if TYPE_CHECKING:
    from . import aio
    from .assistants import Assistant, Guidance, Panel
    from .assistants.default_base import BaseChosen
    from .engines.contract import Score
    from .errors import (
        ContextOverflowError,
        EngineCrashedError,
        EngineError,
        IntegrityError,
        NoSpaceError,
        NotFoundError,
        PluriverseError,
        UnreachableError,
        UnsupportedError,
        UsageError,
    )
    from .facade import Chat, Pluriverse, ask, assistants, chat, models, panels, pull, score, stream
    from .measure.measuring import MeasureOptions
    from .measure.run.events import Measured
    from .measure.schema.figure import Figure
    from .panelcheck.check import CheckOptions
    from .panelcheck.report import PanelReport
    from .runtime.events import (
        AskEvent,
        AskFinished,
        Fetching,
        Loading,
        ReplyChunk,
        ReplyFinished,
        ReplyStarted,
        ReplyThought,
        ReplyWaits,
    )
    from .runtime.replies import Replies, Reply
    from .settings import Settings
    from .store import Pulled, StoredModel
    from .values import Digest, Message, Sampling

_HOMES = {
    "facade": ("Chat", "Pluriverse", "ask", "assistants", "chat", "models", "panels", "pull", "score", "stream"),
    "runtime.events": (
        *("AskEvent", "AskFinished", "Fetching", "Loading", "ReplyChunk", "ReplyFinished", "ReplyStarted"),
        "ReplyThought",
        "ReplyWaits",
    ),
    "runtime.replies": ("Replies", "Reply"),
    "assistants.default_base": ("BaseChosen",),
    "assistants": ("Assistant", "Guidance", "Panel"),
    "engines.contract": ("Score",),
    "errors": (
        *("ContextOverflowError", "EngineCrashedError", "EngineError", "IntegrityError", "NoSpaceError"),
        *("NotFoundError", "PluriverseError", "UnreachableError", "UnsupportedError", "UsageError"),
    ),
    "panelcheck.check": ("CheckOptions",),
    "panelcheck.report": ("PanelReport",),
    "measure.schema.figure": ("Figure",),
    "measure.run.events": ("Measured",),
    "measure.measuring": ("MeasureOptions",),
    "settings": ("Settings",),
    "store": ("Pulled", "StoredModel"),
    "values": ("Digest", "Message", "Sampling"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AskEvent",
    "AskFinished",
    "Assistant",
    "BaseChosen",
    "Chat",
    "CheckOptions",
    "ContextOverflowError",
    "Digest",
    "EngineCrashedError",
    "EngineError",
    "Fetching",
    "Figure",
    "Guidance",
    "IntegrityError",
    "Loading",
    "MeasureOptions",
    "Measured",
    "Message",
    "NoSpaceError",
    "NotFoundError",
    "Panel",
    "PanelReport",
    "Pluriverse",
    "PluriverseError",
    "Pulled",
    "Replies",
    "Reply",
    "ReplyChunk",
    "ReplyFinished",
    "ReplyStarted",
    "ReplyThought",
    "ReplyWaits",
    "Sampling",
    "Score",
    "Settings",
    "StoredModel",
    "UnreachableError",
    "UnsupportedError",
    "UsageError",
    "__version__",
    "aio",
    "ask",
    "assistants",
    "chat",
    "models",
    "panels",
    "pull",
    "score",
    "stream",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    from importlib import import_module

    if name == "aio":
        return import_module(".aio", __name__)
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """`ask` and `assistants` are public functions and also the names of packages inside.

    When Python imports such a package it binds it here, over the function; that is refused.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in _HOME_OF):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
