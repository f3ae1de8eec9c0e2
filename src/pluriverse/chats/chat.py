"""What the history gives back: turns, summaries and whole conversations, and their forms for other programs and people.

An ask is kept as a conversation of one round: the question, then each reply. Values only; knows nothing of SQLite.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..runtime.citing import numbered
from ..values import Picture

if TYPE_CHECKING:
    from ..runtime.replies import Replies

EMPTY = "(an empty reply)"
# What a viewer of Markdown could take for HTML of its own or for a picture to load.
_ACTIVE = re.compile(r"<(?=[A-Za-z/!?])|!(?=\[)")

_STATES = {
    "length": "cut: the token limit was reached",
    "context": "cut: the conversation was full",
    "cancelled": "stopped",
    "error": "ended with an error",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that was said. `speaker` None is the user; `state` is "said", or a reply's finish reason."""

    speaker: str | None
    content: str
    state: str = "said"
    record: dict[str, Any] | None = field(default=None, hash=False)  # the reply's JSON form
    created: str = ""  # UTC, ISO 8601; set when it is kept


@dataclass(frozen=True, slots=True)
class Summary:
    """One conversation in a list. `excerpt` is where a search found its first word."""

    id: str
    title: str
    created: str
    updated: str
    assistants: tuple[str, ...]
    turns: int
    excerpt: str | None = None

    def as_dict(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "id": self.id,
            "title": self.title,
            "created": self.created,
            "updated": self.updated,
            "assistants": list(self.assistants),
            "turns": self.turns,
        }
        return document if self.excerpt is None else document | {"excerpt": self.excerpt}


@dataclass(frozen=True, slots=True)
class KeptChat:
    """A whole conversation as it was kept."""

    id: str  # empty: it is not in the history
    title: str
    created: str
    turns: tuple[Turn, ...]


def turns_of(replies: "Replies") -> tuple[Turn, ...]:
    """A question and its replies, in the order in which the assistants were named."""
    given = (Turn(each.assistant, each.text, each.finish_reason, each.as_dict()) for each in replies)
    return (asked(replies.question, replies.pictures), *given)


def asked(question: str, pictures: Sequence[Picture] = ()) -> Turn:
    """A user's turn. Of pictures it is kept that they were there, and which; not their bytes."""
    return Turn(None, question, record={"images": [each.as_dict() for each in pictures]} if pictures else None)


def shown(turn: Turn) -> list[str]:
    """A line for each picture that was shown with a turn."""
    return [
        f"[picture: {each['format'].upper()}, {each['width']:,} x {each['height']:,} pixels, {each['digest'][:19]}]"
        for each in (turn.record or {}).get("images", ())
    ]


def gone(turn: Turn) -> str:
    """What a model is told in the place of pictures that were shown when this was said, and are not kept."""
    count = len(shown(turn))
    were = "pictures were" if count > 1 else "picture was"
    return f"\n\n({count} {were} shown here and cannot be seen any more.)" if count else ""


def as_document(kept: KeptChat) -> dict[str, Any]:
    """Everything that was recorded, for other programs."""
    return {
        "id": kept.id,
        "title": kept.title,
        "created": kept.created,
        "turns": [
            {
                "speaker": turn.speaker,
                "content": turn.content,
                "state": turn.state,
                "created": turn.created,
                "record": turn.record,
            }
            for turn in kept.turns
        ],
    }


def as_markdown(kept: KeptChat) -> str:
    """For people. Texts are quoted, so that no text can pass for another speaker's heading; what a viewer could take
    for HTML or for a picture to load is escaped."""
    parts = [f"# {_inert(kept.title)}", f"{begun(kept)}."]
    for turn in kept.turns:
        parts.append(f"## {speaker(turn)}")
        text = said(turn).strip()
        if text:
            parts.append(_quoted(text))
        parts += [f"*{each}*" for each in shown(turn)]
        for each in cited(turn):
            parts.append(_folded(_inert(each["told"]), each["passage"]))
        if thought := thinking(turn):
            parts.append(_folded(thought_first(thought), thought))
        if note := state(turn):
            parts.append(f"*{note}*")
    return "\n\n".join(parts) + "\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in _inert(text).splitlines())


def _folded(summary: str, text: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{_quoted(text)}\n\n</details>"


def _inert(text: str) -> str:
    return _ACTIVE.sub(r"\\\g<0>", text)


def begun(kept: KeptChat) -> str:
    """When it began, and its id where it is kept."""
    return f"Conversation {kept.id}, begun {kept.created}" if kept.id else f"Asked {kept.created}"


def speaker(turn: Turn) -> str:
    return "You" if turn.speaker is None else f"{turn.speaker}{through(turn)}"


def state(turn: Turn) -> str:
    """How a turn ended, in brackets, where that is not plain; EMPTY where a whole reply had no text."""
    note = _STATES.get(turn.state)
    return f"({note})" if note else "" if turn.content.strip() else EMPTY


def said(turn: Turn) -> str:
    """Its text; that of a voice with works has the number of its passage behind each quotation."""
    record = turn.record or {}
    passages = [str(each["passage"]) for each in record.get("citations", ())]
    return turn.content if record.get("declined") else numbered(turn.content, passages)


def cited(turn: Turn) -> list[dict[str, str]]:
    """The passages that it quotes: `told`, a line with number, work and place, and `passage`, its text."""
    citations = (turn.record or {}).get("citations", ())
    return [
        {"told": f"[{each['n']}] {each['source']}", "passage": each["passage"]} for each in citations if each["quotes"]
    ]


def thinking(turn: Turn) -> str:
    """What the model wrote for itself before it answered; empty where it did not."""
    return str((turn.record or {}).get("thinking") or "")


def thought_first(thought: str) -> str:
    """How much was thought, where the thinking itself is folded away."""
    count = len(thought.split())
    return f"thought first: {count:,} word{'s' if count != 1 else ''}"


def through(turn: Turn) -> str:
    """The base, and whether the voice was guided, or spoke beyond its works: that is never hidden."""
    record = turn.record or {}
    guidance = record.get("guidance")
    against = guidance["against"] if guidance and " " not in guidance["against"] else "a text"
    told = f"guided x{guidance['strength']:g} against {against}" if guidance else ""
    beyond = "beyond its works" if record.get("beyond_works") else ""
    words = ", ".join(filter(None, (record.get("base"), told, beyond)))
    return f" ({words})" if words else ""
