"""What can be talked to: assistants and panels as files, the starter set, and the bases they speak through.

Knows files and the names in them; never engines, questions or replies. The chat API's message role "assistant" is
another thing.
"""

from .assistant import Assistant, Outlook
from .guidance import Guidance
from .opposites import Opposite, opposite_of
from .panel import Panel
from .shelf import Shelf

__all__ = ["Assistant", "Guidance", "Opposite", "Outlook", "Panel", "Shelf", "opposite_of"]
