"""What is on this machine's disk: weights and manifests by digest, and how they come here."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .events import Progress, Pulled, PullEvent, SourceFailed, StartedOver, Trying, Whole
    from .gguf import Header, read_header
    from .manifests import StoredModel
    from .pulling import pull
    from .store import Collected, Removed, Store
    from .verifying import Bad, Verified, VerifyProgress

_WHERE = {
    "events": ("Progress", "PullEvent", "Pulled", "SourceFailed", "StartedOver", "Trying", "Whole"),
    "gguf": ("Header", "read_header"),
    "manifests": ("StoredModel",),
    "pulling": ("pull",),
    "store": ("Collected", "Removed", "Store"),
    "verifying": ("Bad", "Verified", "VerifyProgress"),
}

__all__ = [
    "Bad", "Collected", "Header", "Progress", "PullEvent", "Pulled", "Removed", "SourceFailed", "StartedOver", "Store",
    "StoredModel", "Trying", "Verified", "VerifyProgress", "Whole", "pull", "read_header",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import on first use: an engine's process needs the header check, and nothing else of this."""
    import importlib

    for module, names in _WHERE.items():
        if name in names:
            return getattr(importlib.import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
