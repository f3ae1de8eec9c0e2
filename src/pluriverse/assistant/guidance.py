"""Guidance as an assistant declares it. Knows definitions; nothing of engines or of who stands on the other side."""

from dataclasses import dataclass

from ..errors import UsageError
from ..values import check_strength

COUNTERPART, PLAIN = "counterpart", "plain"


@dataclass(frozen=True, slots=True)
class Guidance:
    """What a file's `[guidance]` says. UsageError for a strength out of range."""

    against: str = COUNTERPART  # COUNTERPART, PLAIN (the base without a system prompt), or the text the other is told
    strength: float = 2.0

    def __post_init__(self) -> None:
        if not self.against:
            raise UsageError("[guidance] against is empty", 'write against = "counterpart", "plain" or a text')
        try:
            object.__setattr__(self, "strength", check_strength(self.strength))
        except UsageError as error:
            raise UsageError(f"[guidance] {error.message}", error.hint) from error
