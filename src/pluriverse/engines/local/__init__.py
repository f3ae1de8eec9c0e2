"""The local engine: llama.cpp in a child process, many assistants in one batch over one copy of the weights."""

from typing import TYPE_CHECKING, Any

from .options import EngineOptions

if TYPE_CHECKING:
    from .client import LocalEngine

__all__ = ["EngineOptions", "LocalEngine"]


def __getattr__(name: str) -> Any:
    # The engine's process imports this package too, and should not wait for the asking side's asyncio.
    if name == "LocalEngine":
        from .client import LocalEngine

        return LocalEngine
    raise AttributeError(name)
