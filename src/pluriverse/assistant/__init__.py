"""What can be talked to: assistants and panels as files, the starter set, and the bases they speak through.

Knows files and the names in them; never engines, questions or replies. The chat API's message role "assistant" is
another thing.
"""

from .assistant import DIMENSIONS, Assistant, Outlook
from .bases import Base, NotPulled, resolve
from .guidance import Guidance
from .opposites import Opposite, counterpart_of, opposite_of
from .panel import Panel
from .shelf import Shelf

__all__ = [
    "DIMENSIONS",
    "Assistant",
    "Base",
    "Guidance",
    "NotPulled",
    "Opposite",
    "Outlook",
    "Panel",
    "Shelf",
    "counterpart_of",
    "opposite_of",
    "resolve",
]
