"""The bytes of every token, in order: which tokens go on with a text, found without looking at all of them.

Knows bytes and marks of quotations. Does not know texts that are quoted, models or sampling.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..quoting import CLOSING, MARKS

Node = tuple[int, int, int]
"""Places in `Words.words`: the first word that begins with some bytes, the first that has more than these, the end."""

_MARK = b"|".join(re.escape(mark.encode()) for mark in sorted({*MARKS, *CLOSING}))
# What ends thinking, and a mark behind it in the same token: what follows would be in no quotation that was seen.
_LEAVES = re.compile(rb"[>\]](?s:.*)(?:" + _MARK + rb")")
_MOST_NODES = 200_000


class Words:
    """`pieces`: bytes by token id; b"" for tokens that add none, or that end a reply. A word is a token's bytes."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        order = sorted((id for id, piece in enumerate(pieces) if piece), key=pieces.__getitem__)
        self.ids: NDArray[np.int32] = np.array(order, np.int32)
        self.words = [pieces[id] for id in order]
        marks = re.compile(_MARK)
        found = [(place, mark.start()) for place, word in enumerate(self.words) if (mark := marks.search(word))]
        self.marked = [place for place, _ in found]
        self.tails: dict[bytes, list[int]] = {}  # words by what begins with their first mark
        for place, start in found:
            self.tails.setdefault(self.words[place][start:], []).append(place)
        self.leaving = self.ids[[place for place in self.marked if _LEAVES.search(self.words[place])]]
        self._bytes = frozenset(word[0] for word in self.words if len(word) == 1)
        self._nodes: dict[bytes, Node] = {}

    def node(self, prefix: bytes) -> Node:
        """The words that begin with `prefix`, which is not empty and has no byte 255."""
        if (known := self._nodes.get(prefix)) is None:
            low = bisect_left(self.words, prefix)
            high = bisect_left(self.words, prefix[:-1] + bytes([prefix[-1] + 1]), low)
            known = low, bisect_right(self.words, prefix, low, high), high
            if len(self._nodes) >= _MOST_NODES:
                self._nodes.clear()
            self._nodes[prefix] = known
        return known

    def marked_within(self, low: int, high: int) -> list[int]:
        """Of the places [low, high), those of words with a mark of quotations in them."""
        return self.marked[bisect_left(self.marked, low) : bisect_left(self.marked, high)]

    def continuing(self) -> range:
        """Places of words that begin inside a character."""
        return range(bisect_left(self.words, b"\x80"), bisect_left(self.words, b"\xc0"))

    def spells(self, text: str) -> bool:
        """Whether tokens can say it character by character."""
        for sign in text:
            data = sign.encode("utf-8", "surrogatepass")
            low, more, _ = self.node(data)
            if low == more and not self.finishes(data):
                return False
        return True

    def finishes(self, data: bytes) -> bool:
        """Whether each of these bytes is a token."""
        return self._bytes.issuperset(data)

    def spell(self, data: bytes) -> tuple[int, ...]:
        """Tokens of `data`, the longest first. UsageError where it cannot be said with this vocabulary."""
        found: list[int] = []
        place = 0
        while place < len(data):
            longest, end = (0, -1), place + 1
            while end <= len(data) and (node := self.node(data[place:end]))[0] < node[2]:
                if node[0] < node[1]:
                    longest = end, node[0]
                end += 1
            place, word = longest
            if word < 0:
                raise UsageError("the first words of the reply cannot be said in this model's vocabulary")
            found.append(int(self.ids[word]))
        return tuple(found)
