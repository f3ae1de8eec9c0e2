"""In which form a chat template wants its messages, and whether the prompt that it makes holds them all.

Templates differ: some have no place for a system prompt, some want a message's content as a list of typed parts, some
show nothing at all. It is tried out, once for each sequence of roles, with marks in place of the messages. Knows
messages and text. Does not know tokens or how a template is filled.
"""

import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import UsageError
from ...values import Message, Role
from .renderer import OTHER_MODEL, Filled

_KEPT = 256  # sequences of roles whose form is remembered


@dataclass(frozen=True, slots=True)
class Form:
    """`folds`: the system prompt goes into the first turn. `typed`: contents are lists of parts."""

    folds: bool
    typed: bool

    def folded(self, messages: Sequence[Message]) -> list[Message]:
        if not self.folds:
            return list(messages)
        system, first, *rest = messages
        return [Message(first.role, f"{system.content}\n\n{first.content}", first.pictures), *rest]


def mark() -> str:
    """A word that stands for a message in a prompt, and that nobody can guess."""
    return f"text{secrets.token_hex(16)}"


def values(messages: Sequence[Message], typed: bool, reply: bool, think: bool | None = None) -> dict[str, Any]:
    """What a template is filled with, but for the marks of beginning and end; the names are those of transformers.

    `think` goes to the switches that templates have: `enable_thinking` (Qwen3), `thinking` (DeepSeek V3.1, Granite 3.2;
    docs.vllm.ai/en/stable/features/reasoning_outputs) and `thinking_budget` (ByteDance-Seed-OSS.jinja of llama.cpp).
    """
    switches = {} if think is None else {"enable_thinking": think, "thinking": think}
    return {
        **switches,
        **({"thinking_budget": 0} if think is False else {}),
        "messages": [
            {"role": m.role, "content": [{"type": "text", "text": m.content}] if typed else m.content} for m in messages
        ],
        "tools": None,
        "documents": None,
        "add_generation_prompt": reply,
    }


def holds(text: str, message: Message) -> bool:
    """Whether a prompt shows a message as templates do: trimmed, as JSON, or without what a reply thought before it."""
    said = message.content.strip()
    if said in text:
        return True
    if any(json.dumps(said, ensure_ascii=ascii)[1:-1] in text for ascii in (False, True)):
        return True
    return message.role == "assistant" and said.rpartition("</think>")[2].strip() in text


class Forms:
    """The forms of one template. `fill` fills it."""

    def __init__(self, source: str, fill: Callable[[dict[str, Any]], Filled]) -> None:
        self._source, self._fill = source, fill
        self._found: dict[tuple[Role, ...], Form | UsageError] = {}

    def of(self, messages: Sequence[Message]) -> Form:
        """The form in which all messages of these roles are shown. UsageError where there is none."""
        roles = tuple(message.role for message in messages)
        found = self._found.get(roles)
        if found is None:
            if len(self._found) >= _KEPT:
                self._found.clear()
            found = self._found[roles] = self._try(roles)
        if isinstance(found, UsageError):
            raise found
        return found

    def left_out(self, role: Role) -> UsageError:
        """The error for a message that is not in the prompt."""
        if "{" not in self._source:
            words = f"is no template but the words {self._source[:40]!r}, and holds no message"
        else:
            what = {"system": "the system prompt", "user": "the question", "assistant": "an earlier reply"}[role]
            words = f"leaves out {what}"
        return UsageError(f"the model's chat template {words}", OTHER_MODEL)

    def _try(self, roles: tuple[Role, ...]) -> Form | UsageError:
        problem: UsageError | None = None
        for folds in (False, True) if roles[:1] == ("system",) and len(roles) > 1 else (False,):
            for typed in (False, True):
                form = Form(folds, typed)
                marked = [Message(role, mark()) for role in roles]
                filled = self._fill(values(form.folded(marked), typed, True))
                if filled.broken and filled.error:
                    return filled.error
                missing = [m for m in marked if not _shown(filled.text, m.content, typed)]
                if not filled.error and not missing:
                    return form
                if not typed:  # what a template says to parts that it did not expect tells nobody anything
                    problem = filled.error or self.left_out(missing[-1].role)
        assert problem
        return problem


def _shown(text: str, word: str, typed: bool) -> bool:
    """Whether the text holds the word, and not only because it shows a list of parts as Python or JSON writes it."""
    return word in text and not (typed and re.search(rf"""["']text["']\s*:\s*["']{word}""", text))
