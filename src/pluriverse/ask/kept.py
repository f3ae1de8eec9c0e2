"""What the history gives back: turns, summaries and whole conversations, and their forms for other programs and people.

Values only; knows nothing of SQLite.
"""

from dataclasses import dataclass, field
from typing import Any

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
class Kept:
    """A whole conversation as it was kept."""

    id: str
    title: str
    created: str
    turns: tuple[Turn, ...]


def as_document(kept: Kept) -> dict[str, Any]:
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


def as_markdown(kept: Kept) -> str:
    """For people. Texts are quoted, so that no text can pass for another speaker's heading."""
    parts = [f"# {kept.title}", f"Conversation {kept.id}, begun {kept.created}."]
    for turn in kept.turns:
        note = _STATES.get(turn.state)
        name = "You" if turn.speaker is None else f"{turn.speaker}{through(turn)}"
        parts.append(f"## {name}")
        if turn.content.strip():
            parts.append("\n".join(f"> {line}".rstrip() for line in turn.content.strip().splitlines()))
        if note:
            parts.append(f"*({note})*")
    return "\n\n".join(parts) + "\n"


def through(turn: Turn) -> str:
    """The base, and whether the voice was guided: that is never hidden."""
    record = turn.record or {}
    guidance = record.get("guidance")
    against = guidance["against"] if guidance and " " not in guidance["against"] else "a text"
    told = f"guided x{guidance['strength']:g} against {against}" if guidance else ""
    words = ", ".join(filter(None, (record.get("base"), told)))
    return f" ({words})" if words else ""
