"""Memory of computed prompt beginnings: keys and values, copied back instead of computed again.

Knows token ids, the adapter they were computed under and bytes. Does not know contexts.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from .context import Logits

Key = tuple[str, tuple[int, ...]]  # (digest of the adapter or "", token ids)


@dataclass(frozen=True, slots=True)
class Prefix:
    state: bytes
    logits: Logits  # of its last token, so that a whole prompt seen before needs no computing at all

    @property
    def bytes(self) -> int:
        return len(self.state) + self.logits.nbytes


class PrefixCache:
    """Least recently used first out, within a budget of bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: OrderedDict[Key, Prefix] = OrderedDict()
        self.bytes = 0

    def longest(self, adapter: str, tokens: tuple[int, ...], cuts: Iterable[int]) -> tuple[int, Prefix | None]:
        """The longest beginning of `tokens`, cut at one of `cuts`, that is kept: its length and it; else (0, None)."""
        for cut in sorted(cuts, reverse=True):
            key = (adapter, tokens[:cut])
            if key in self._kept:
                self._kept.move_to_end(key)
                return cut, self._kept[key]
        return 0, None

    def keep(self, adapter: str, tokens: tuple[int, ...], prefix: Prefix) -> None:
        key = (adapter, tokens)
        if key in self._kept or prefix.bytes > self._budget:
            return
        self._kept[key] = prefix
        self.bytes += prefix.bytes
        while self.bytes > self._budget:
            _, dropped = self._kept.popitem(last=False)
            self.bytes -= dropped.bytes
