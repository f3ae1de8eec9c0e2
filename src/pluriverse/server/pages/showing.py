"""What a page shows of a kept reply: its text in pieces, its passages, how it was made, how it ended.

Knows the records of replies (`Reply.as_dict`) and names; nothing of HTML or of who is reading.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ...asking.conversation import Conversation
from ...assistant import Assistant, Shelf
from ...chats.chat import Turn
from ...engines.quoting import quotations, standing
from ...errors import PluriverseError
from ...measure.classify.rules import SILENT, classify
from ...report.markup import cleaned

Kind = Literal["own", "quote", "inline", "unfound"]
COLUMNS = 4  # answers that stand beside each other
_BLOCK = 60  # characters from which a quotation stands apart
_PREVIEW = 320  # characters of an answer that is folded


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # in the place of names that are hidden


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a text: the model's `own` words, words of a work (`quote`, or `inline` where they are few) with the
    number of their passage and where that stands, or what pretends to be a quotation (`unfound`)."""

    kind: Kind
    text: str
    n: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """One that is quoted: number, where it stands, and its text in parts, of which those that are quoted are True."""

    n: int
    source: str
    parts: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply as a template draws it. `state`: "waiting", or a finish reason."""

    id: str
    place: int
    name: str
    title: str
    position: str = ""
    state: str = "waiting"
    pieces: tuple[Piece, ...] = ()
    passages: tuple[Passage, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    hint: str = ""
    known: bool = True  # it is still on the shelf
    read_as: str = ""  # "refusal" or "evasive", where the rules that measuring uses take it for one

    def at(self, number: int, place: int) -> "Answer":
        """The same at another place of a round."""
        return replace(self, id=_id(number, place), place=place)

    @property
    def declined(self) -> bool:
        return bool(self.record.get("declined"))

    @property
    def beyond(self) -> bool:
        return bool(self.record.get("beyond_works"))

    @property
    def speed(self) -> float | None:
        """Tokens a second after the first."""
        tokens, first = self.record.get("completion_tokens"), self.record.get("first_token_s")
        spent = (self.record.get("total_s") or 0.0) - (first or 0.0)
        return tokens / spent if tokens and tokens > 1 and first is not None and spent > 0.05 else None

    @property
    def preview(self) -> tuple[Piece, ...]:
        """Its first words, for where it is folded."""
        shown, left = [], _PREVIEW
        for each in self.pieces:
            text = " ".join(each.text.split())
            if len(text) > left:
                cut = text[:left]
                shown.append(replace(each, text=(cut.rpartition(" ")[0] or cut).rstrip(",;:-– ") + "…"))
                break
            if text:
                shown.append(replace(each, text=text))
                left -= len(text)
        return tuple(shown)

    @property
    def paragraphs(self) -> list[list[Piece]]:
        """Paragraphs of the text, in each its pieces; a quotation that stands apart is one by itself."""
        found: list[list[Piece]] = []
        current: list[Piece] = []

        def close() -> None:
            if any(each.text.strip() for each in current):
                found.append(current.copy())
            current.clear()

        for each in self.pieces:
            if each.kind == "quote":
                close()
                found.append([each])
                continue
            parts = re.split(r"\n\s*\n", each.text) if each.kind == "own" else [each.text]
            for place, part in enumerate(parts):
                if place:
                    close()
                if part:
                    current.append(Piece(each.kind, part if current else part.lstrip(), each.n, each.source))
        close()
        return found


@dataclass(frozen=True, slots=True)
class Round:
    """A question and the answers to it, in their order. `past`: answers of those who were replaced since."""

    number: int
    question: str
    answers: tuple[Answer, ...]
    past: tuple[Answer, ...] = ()

    @property
    def folds(self) -> bool:
        """Whether they are a list that unfolds: too many to stand beside each other."""
        return len(self.answers) > COLUMNS


def pieces(text: str, citations: Sequence[Mapping[str, Any]], declined: bool = False) -> tuple[Piece, ...]:
    """A text cut at its quotations. What has no passages quotes nothing; nor does what declines."""
    text = cleaned(text)
    if declined or not citations:
        return (Piece("own", text),) if text else ()
    passages = [str(each["passage"]) for each in citations]
    found: list[Piece] = []
    end = 0
    for each in quotations(text):
        place = standing(each, passages)
        if own := text[end : each.start]:
            found.append(Piece("own", own))
        if place is None:
            found.append(Piece("unfound", text[each.start : each.end]))
        else:
            about = citations[place.text]
            first = not text[: each.start].strip()  # what a voice with works begins with
            kind: Kind = "quote" if first or len(each.said) >= _BLOCK else "inline"
            found.append(Piece(kind, text[each.start : each.end], int(about["n"]), str(about["source"])))
        end = each.end
    if own := text[end:]:
        found.append(Piece("own", own))
    return tuple(found)


def passages(citations: Sequence[Mapping[str, Any]], declined: bool = False) -> tuple[Passage, ...]:
    """Those that are quoted; where a reply declines, the nearest."""
    return tuple(
        Passage(int(each["n"]), str(each["source"]), _parts(str(each["passage"]), [str(q) for q in each["quotes"]]))
        for each in citations
        if each["quotes"] or declined
    )


def _parts(text: str, quotes: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """The text in turns: what is quoted is True."""
    spans: list[tuple[int, int]] = []
    for quote in quotes:
        start = text.find(quote)
        if start >= 0 and all(start >= end or start + len(quote) <= begin for begin, end in spans):
            spans.append((start, start + len(quote)))
    parts, at = [], 0
    for begin, end in sorted(spans):
        parts += [(text[at:begin], False), (text[begin:end], True)]
        at = end
    return tuple(part for part in [*parts, (text[at:], False)] if part[0])


class Showing:
    """Makes answers of turns; looks each assistant up once."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._known: dict[str, Assistant | None] = {}

    def assistant(self, name: str) -> Assistant | None:
        """None where it is no longer on the shelf, or its file cannot be read."""
        if name not in self._known:
            try:
                self._known[name] = self._shelf.assistant(name)
            except PluriverseError:
                self._known[name] = None
        return self._known[name]

    def title(self, name: str) -> str:
        who = self.assistant(name)
        return (who.title if who else "") or name

    def waiting(self, number: int, place: int, name: str) -> Answer:
        who = self.assistant(name)
        position = who.outlook.position if who else ""
        return Answer(_id(number, place), place, name, self.title(name), position, known=who is not None)

    def answer(self, number: int, place: int, turn: Turn, question: str) -> Answer:
        name, record = turn.speaker or "", turn.record or {}
        citations, declined = record.get("citations") or [], bool(record.get("declined"))
        error = record.get("error") or {}
        blank = self.waiting(number, place, name)
        return Answer(
            blank.id, place, name, blank.title, blank.position, turn.state,
            pieces(turn.content, citations, declined), passages(citations, declined), record,
            error.get("message") or "", error.get("hint") or "", blank.known,
            _read_as(turn, question, declined),
        )  # fmt: skip

    def rounds(self, turns: Sequence[Turn], voices: Sequence[str] | None = None) -> list[Round]:
        """Of each assistant its last answer. `voices`: who is in the panel now; in the last round the others' answers
        are past."""
        found: list[Round] = []
        asked: list[tuple[str, dict[str, Turn]]] = []
        for turn in turns:
            if turn.speaker is None:
                asked.append((turn.content, {}))
            elif asked:
                asked[-1][1][turn.speaker] = turn
        for number, (question, said) in enumerate(asked):
            answers = [self.answer(number, place, turn, question) for place, turn in enumerate(said.values())]
            past: list[Answer] = []
            if voices and number == len(asked) - 1:
                past = [each for each in answers if each.name not in voices]
                answers = [each for each in answers if each.name in voices] or answers
                past = past if len(answers) + len(past) == len(said) else []
            found.append(Round(number, cleaned(question), tuple(answers), tuple(past)))
        return found


def _read_as(turn: Turn, question: str, declined: bool) -> str:
    """A voice that declines says so itself."""
    if declined or not turn.content.strip():
        return ""
    kind = classify(turn.content, question=question, finish_reason=turn.state).kind
    return kind if kind in SILENT else ""


def speakers(conversation: Conversation) -> list[str]:
    """Who replied to the last message."""
    names: dict[str, None] = {}
    for turn in conversation.turns:
        if turn.speaker is None:
            names = {}
        else:
            names[turn.speaker] = None
    return list(names)


def _id(number: int, place: int) -> str:
    return f"a{number}-{place}"
