"""Holding a model to texts while it quotes: which tokens may come next, from the bytes said so far.

`engines.quoting` says what a true quotation is; here the same is followed byte by byte, for tokens may begin and end
anywhere, also inside a character. Outside quotations everything may be said but a mark that begins no true one. Inside,
the quotation may stand at several places of the texts until its words tell; each is followed.

Knows texts and bytes of tokens. Does not know logits or requests.

No way leads to where nothing can follow: a quotation begins only where it can also end, a character only where the
vocabulary can finish it.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import UsageError
from ..quoting import CLOSING, ELLIPSES, MARKS, UNQUOTED, borders, folded, quotations
from .words import Words

SAY, CLOSE, SKIP, SPACED, OPEN, PADDED = range(6)
Place = tuple[int, int, bytes, int]
"""A byte of the texts, the stretch where the quotation began, bytes of a mark or ellipsis that are still to come, and
what goes on: SAY the text, CLOSE or SKIP behind these bytes, SPACED behind an ellipsis, OPEN or PADDED at the start."""
State = tuple[str, "bytes | frozenset[Place]"]
"""Outside: "" and the bytes of what may become a mark. Inside: the mark that opened it, and the places."""

_OUTSIDE: State = ("", b"")
_OPENS = {mark.encode(): mark for mark in MARKS}
_CLOSES = frozenset(mark.encode() for mark in CLOSING)
_BEGINNINGS = frozenset(data[:end] for data in (*_OPENS, *_CLOSES) for end in range(1, len(data)))
_PADDED = "«»"  # marks that typography sets apart from what they enclose
_PADS = (" ", "\u00a0", "\u202f")
_GAP_ENDS = frozenset(each.encode()[-1] for each in ELLIPSES)
_BARRIER = b"\xff"  # no quotation goes over it


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """What may be said next: `only` these tokens, or, where that is None, all but `banned`."""

    only: NDArray[np.int32] | None
    banned: NDArray[np.int32]

    def apply(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """A copy with minus infinity for what may not be said."""
        if self.only is None:
            held = scores.copy()
            held[self.banned] = -np.inf
            return held
        held = np.full_like(scores, -np.inf)
        held[self.only] = scores[self.only]
        return held


class Quotable:
    """The texts as bytes, with what quotations may begin and end at. White space is folded."""

    def __init__(self, texts: Sequence[str], words: Words) -> None:
        data = bytearray()
        self.signs: list[tuple[int, str]] = []  # each character and where its bytes begin; "" for what cannot be said
        self.starts: list[int] = []
        self.ends: set[int] = set()
        for text in map(folded, texts):
            edges = borders(text)
            sayable = {sign for sign in set(text) if not "\ud800" <= sign <= "\udfff" and words.spells(sign)}
            text = UNQUOTED.sub(lambda found: "\ud800" * len(found[0]), text)
            for place, sign in enumerate((*text, "")):
                if place in edges.starts:
                    self.starts.append(len(data))
                if place in edges.ends:
                    self.ends.add(len(data))
                self.signs.append((len(data), sign if sign in sayable else ""))
                data += sign.encode() if sign in sayable else _BARRIER
        self.data = bytes(data)
        self.signs_used = {sign for _, sign in self.signs}
        # Whether a token may end behind so many bytes: what is left of the character must be sayable.
        self.whole = bytearray(b"\1" * len(data))
        for place, sign in self.signs:
            for cut in range(1, len(sign.encode())):
                self.whole[place + cut] = words.finishes(self.data[place + cut : place + len(sign.encode())])


class Layout:
    """The texts cut into stretches, for quotations that one mark opens. In a stretch such marks pair: where a quotation
    of it may end, no mark inside is open."""

    def __init__(self, mark: str, texts: Quotable) -> None:
        closes, pairs = MARKS[mark]
        self.stretch = [-1] * (len(texts.data) + 1)
        self.last: list[int] = [-1]  # where the last quotation of a stretch may end
        open_ = [0]
        for place, sign in texts.signs:
            self.stretch[place] = open_[-1]
            if place in texts.ends:
                self.last[open_[-1]] = place
            if pairs and sign == mark:
                open_.append(len(self.last))
            elif pairs and sign in closes and sign and len(open_) > 1:
                open_.pop()
                continue
            elif not sign or sign in closes:
                open_ = [len(self.last)]
            else:
                continue
            self.last.append(-1)
        self.starts: list[list[int]] = [[] for _ in self.last]
        for place in texts.starts:
            if place < self.last[self.stretch[place]]:
                self.starts[self.stretch[place]].append(place)
        self.begins: dict[int, set[Place]] = {}  # what may follow where nothing is said yet
        for stretch, begins in enumerate(self.starts):
            for place in begins:
                self.begins.setdefault(texts.data[place], set()).add((place + 1, stretch, b"", SAY))

    def later(self, place: int, stretch: int) -> list[int]:
        """Where words begin at or behind `place` in its stretch."""
        begins = self.starts[stretch]
        return begins[bisect_left(begins, place) :]


class Family:
    """What quotations of one mark may have beside words: pads behind the mark, ends, gaps that an ellipsis leaves."""

    def __init__(self, mark: str, layout: Layout, words: Words) -> None:
        closes, _ = MARKS[mark]
        self.layout = layout
        pads = [pad for pad in _PADS if mark in _PADDED and words.spells(pad)]
        self.pads = [pad.encode() for pad in pads]
        ends = [sign for sign in closes if words.spells(sign)]
        self.ends = [(pad + sign).encode() for pad in ("", *pads) for sign in ends]
        gaps = [each for each in (*ELLIPSES, *(f" {each}" for each in ELLIPSES)) if words.spells(each)]
        self.gaps = [each.encode() for each in gaps]
        self.first_gaps = [each for each in self.gaps if not each.startswith(b" ")]
        self.usable = bool(self.ends and layout.begins)


class Hold:
    """One reply's quotations. `hear` what it says; `mask` tells what it may say next."""

    def __init__(self, texts: Sequence[str], words: Words, lead: str = "") -> None:
        """`lead`: what was said before, and truly (`quoting.check_lead`). UsageError where nothing can follow it."""
        self._words = words
        self._texts = Quotable(texts, words)
        self._families: dict[str, Family] = {}
        self._moves: dict[State, dict[int, State]] = {}
        self._masks: dict[State, Mask] = {}
        self._free: dict[bytes, NDArray[np.int32]] = {}
        self._layouts: dict[str, Layout] = {}
        self._state = self._begun(lead)
        self.thinking = Mask(None, words.leaving)
        """While a model thinks; a token that ends its thinking must not open a quotation unseen."""

    def _begun(self, lead: str) -> State:
        """Inside the quotation that the lead opens and does not close, where it does."""
        going = next((each.start for each in quotations(lead) if not each.closed), len(lead))
        said = re.sub(r"\s+", " ", lead[going:])
        if (state := self._run(_OUTSIDE, said.encode("utf-8", "replace"))) is None:
            raise UsageError(
                f"the reply cannot go on with the quotation that its lead opens: {said[:60]!r}",
                "end the lead behind a word of the texts, or close the quotation",
            )
        return state

    @property
    def inside(self) -> bool:
        """Whether a quotation is open."""
        return bool(self._state[0])

    def hear(self, data: bytes) -> bool:
        """Follow what is said; False, and nothing is changed, where that quotes falsely."""
        after = self._run(self._state, data)
        self._state = after or self._state
        return after is not None

    def forget(self) -> None:
        """What was said was no answer: no quotation is open."""
        self._state = _OUTSIDE

    def mask(self) -> Mask:
        if (known := self._masks.get(self._state)) is None:
            known = self._masks[self._state] = self._only() if self.inside else self._banned()
        return known

    def _run(self, state: State, data: bytes) -> State | None:
        found: State | None = state
        for byte in data:
            if found is None:
                return None
            found = self._after(found).get(byte) if found[0] else self._beside(found, byte)
        return found if found and self._may_stop(found) else None

    def _may_stop(self, state: State) -> bool:
        """Whether a token may end here: inside a character where others can finish it, inside an ellipsis never."""
        return not state[0] or any(map(self._finished, state[1]))

    def _finished(self, at: "Place | int") -> bool:
        assert isinstance(at, tuple)
        place, _, rest, then = at
        if rest and then == SKIP:
            return False
        if rest:
            left = next((end for end, byte in enumerate(rest) if not 0x80 <= byte < 0xC0), len(rest))
            return self._words.finishes(rest[:left])
        return then != SAY or bool(self._texts.whole[place])

    # -- outside

    def _beside(self, state: State, byte: int) -> State | None:
        pending = state[1]
        assert isinstance(pending, bytes)
        said = pending + bytes((byte,))
        if mark := _OPENS.get(said):
            return (mark, frozenset({(-1, -1, b"", OPEN)})) if self._family(mark).usable else None
        if said in _CLOSES:
            return None
        if said in _BEGINNINGS:
            return "", said
        return self._beside(_OUTSIDE, byte) if pending else _OUTSIDE

    def _banned(self) -> Mask:
        words = self._words
        banned = [place for tail, places in words.tails.items() if not self._run(_OUTSIDE, tail) for place in places]
        if self._state[1]:  # a mark may be completed
            banned += [place for place in words.continuing() if not self._run(self._state, words.words[place])]
        return Mask(None, words.ids[banned])

    # -- inside

    def _family(self, mark: str) -> Family:
        if mark not in self._families:
            closes, pairs = MARKS[mark]
            marks = (mark if pairs else "") + closes
            like = mark if self._texts.signs_used.intersection(marks) else ""  # "": no such mark is there
            if like not in self._layouts:
                self._layouts[like] = Layout(mark, self._texts)
            self._families[mark] = Family(mark, self._layouts[like], self._words)
        return self._families[mark]

    def _after(self, state: State) -> dict[int, State]:
        """The states behind each byte that may follow."""
        if (known := self._moves.get(state)) is not None:
            return known
        mark, places = state
        family = self._family(mark)
        ways: dict[int, set[Place]] = {}
        closed: set[int] = set()
        for place in places:
            assert isinstance(place, tuple)
            if place[0] < 0 and not place[2]:
                for byte, begins in family.layout.begins.items():
                    ways[byte] = begins | ways.get(byte, set())
            for byte, after in self._ways(family, place):
                if after is None:
                    closed.add(byte)
                else:
                    ways.setdefault(byte, set()).add(after)
        moves: dict[int, State] = {byte: (mark, frozenset(after)) for byte, after in ways.items()}
        moves |= dict.fromkeys(closed, _OUTSIDE)
        self._moves[state] = moves
        return moves

    def _ways(self, family: Family, at: Place) -> Iterator[tuple[int, Place | None]]:
        """Each byte that may follow at a place, and the place behind it; None: the quotation is over."""
        place, stretch, rest, then = at
        if rest:
            yield self._said(at, rest, then)
            return
        texts, layout = self._texts, family.layout
        if then == SAY:
            if place < layout.last[stretch]:
                yield texts.data[place], (place + 1, stretch, b"", SAY)
            if place in texts.ends and layout.stretch[place] == stretch:
                yield from (self._said(at, each, CLOSE) for each in family.ends)
                yield from (self._said(at, each, SKIP) for each in family.gaps)
            return
        later = layout.later(place, stretch) if place >= 0 else []
        yield from ((texts.data[start], (start + 1, stretch, b"", SAY)) for start in later)
        if then == SKIP:
            if later or place < 0:
                yield self._said(at, b" ", SPACED)
            if place >= 0:
                yield from (self._said(at, each, CLOSE) for each in family.ends)
        elif then in (OPEN, PADDED):
            yield from (self._said(at, each, SKIP) for each in family.first_gaps)
            if then == OPEN:
                yield from (self._said(at, each, PADDED) for each in family.pads)

    @staticmethod
    def _said(at: Place, data: bytes, then: int) -> tuple[int, Place | None]:
        """The first byte of a mark or an ellipsis, and the place behind it."""
        return data[0], None if then == CLOSE and len(data) == 1 else (*at[:2], data[1:], then)

    def _only(self) -> Mask:
        """The tokens that may follow: the words of the vocabulary along every way from here.

        What an ellipsis leads to is the next token's, or at every end of a word all that follow would be looked at.
        """
        words = self._words
        found: list[NDArray[np.int32]] = []
        todo: list[tuple[bytes, State]] = [(b"", self._state)]
        while todo:
            prefix, state = todo.pop()
            for byte, after in self._after(state).items():
                said = prefix + bytes((byte,))
                low, more, high = words.node(said)
                if not after[0]:
                    found.append(self._behind(said))
                elif low < high:
                    if low < more and self._may_stop(after):
                        found.append(words.ids[low:more])
                    if more < high and not (byte in _GAP_ENDS and _skips(after)):
                        todo.append((said, after))
        return Mask(np.concatenate(found), np.empty(0, np.int32))

    def _behind(self, prefix: bytes) -> NDArray[np.int32]:
        """Tokens that begin with `prefix`, which closes a quotation, and go on as they may."""
        if (known := self._free.get(prefix)) is None:
            words = self._words
            low, _, high = words.node(prefix)
            false = [
                place
                for place in words.marked_within(low, high)
                if not self._run(_OUTSIDE, words.words[place][len(prefix) :])
            ]
            known = self._free[prefix] = np.setdiff1d(words.ids[low:high], words.ids[false])
        return known


def _skips(state: State) -> bool:
    """Whether an ellipsis is over."""
    return any(isinstance(at, tuple) and at[3] == SKIP and not at[2] for at in state[1])
