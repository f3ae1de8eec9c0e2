"""From the bytes of tokens to text that may be shown: whole characters, and nothing of a stop string.

Knows bytes and stop strings. Does not know tokens or engines.
"""

import codecs


class TextStream:
    """Feed bytes as they come; take out text as soon as it can no longer change.

    Held back: the first bytes of an unfinished character, and an end of text that may still become a stop string.
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._stop = stop
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.stopped = False

    def push(self, data: bytes) -> str:
        """The new text that may be shown; "" once a stop string has been met."""
        return self.take(self._decoder.decode(data))

    def finish(self) -> str:
        """What was held back, when no more bytes will come; unfinished characters become U+FFFD."""
        if self.stopped:
            return ""
        rest = self.take(self._decoder.decode(b"", final=True))
        held, self._held = self._held, ""
        return rest + ("" if self.stopped else held)

    def cut(self) -> None:
        """Forget the first bytes of an unfinished character."""
        self._decoder.reset()

    def take(self, text: str) -> str:
        """The same for what is text already."""
        if self.stopped:
            return ""
        self._held += text
        found = [place for stop in self._stop if (place := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            shown, self._held = self._held[: min(found)], ""
            return shown
        keep = self._possible_start()
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown

    def _possible_start(self) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        for length in range(min(len(self._held), max(map(len, self._stop), default=1) - 1), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stop):
                return length
        return 0
