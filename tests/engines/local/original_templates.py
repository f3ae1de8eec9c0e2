"""Chat templates as their makers published them, filled here and by transformers.

They lie in a folder of their own, by the file names of `tools/templates.toml`. Here is how two fillings are compared.
"""

import contextlib
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from pluriverse.engines.local.forms import values
from pluriverse.engines.local.prompts import ChatTemplate
from pluriverse.engines.local.renderer import Renderer
from pluriverse.errors import EngineError, UsageError
from pluriverse.values import Message

from .conversations import CONVERSATIONS, PLAIN

NOW = datetime.datetime(2026, 2, 3, 4, 5, 6)
MARKS = {"bos_token": "<bos>", "eos_token": "<eos>"}


@dataclass(frozen=True, slots=True)
class Compared:
    """How many conversations came out the same, byte for byte; how many of these both refuse; and what differs.

    `prompts`: of the plain ones, those whose prompt in the engine is what transformers makes of the same messages.
    """

    equal: int
    refused: int
    prompts: int
    different: tuple[str, ...]


class Letters:
    """What `ChatTemplate` asks of a model, with a token for every character and none that controls."""

    bos, eos = MARKS["bos_token"], MARKS["eos_token"]
    adds_bos, context_length = False, 10**6

    def __init__(self, template: str) -> None:
        self.chat_template = template

    def tokenize(self, text: str, *, special: bool, add_bos: bool = False) -> list[int]:
        return [ord(each) for each in text]

    def spells_control(self, text: str) -> bool:
        return False

    def longer(self, text: str, most: int, *, special: bool) -> int:
        return 0


def compare(template: str, renderer: Renderer) -> Compared:
    """The template, filled with every conversation in both ways."""
    different = []
    refused = 0
    with contextlib.suppress(EngineError):  # then each is refused
        renderer.read(template)
    for name, conversation in CONVERSATIONS.items():
        theirs = filled_by_transformers(template, conversation)
        ours = renderer.render({**conversation, **MARKS}, NOW.timestamp())
        if (None if ours.error else ours.text) != theirs:
            different.append(name)
        refused += theirs is None
    wrong = _wrong_prompts(template, renderer)
    return Compared(
        len(CONVERSATIONS) - len(different),
        refused,
        PLAIN - len(wrong),
        (*different, *(f"prompt: {each}" for each in wrong)),
    )


def _wrong_prompts(template: str, renderer: Renderer) -> list[str]:
    """Plain conversations of which the engine's prompt is not what transformers makes of the same messages, in the form
    in which this template shows them all; or that it refuses though transformers shows them all."""
    wrong = []
    chat = ChatTemplate(Letters(template), renderer)  # type: ignore[arg-type]
    for name in list(CONVERSATIONS)[:PLAIN]:
        messages = [Message(**each) for each in CONVERSATIONS[name]["messages"]]
        plainly = filled_by_transformers(template, CONVERSATIONS[name])
        try:
            with patch("pluriverse.engines.local.prompts.time.time", NOW.timestamp):
                prompt = "".join(map(chr, chat.prompt(messages).tokens))
                form = chat._forms.of(messages)
        except UsageError:
            if plainly is not None and _all_in(plainly, messages):
                wrong.append(name)
            continue
        meant = filled_by_transformers(template, values(form.folded(messages), form.typed, True))
        if prompt != meant or (plainly is not None and _all_in(plainly, messages) and prompt != plainly):
            wrong.append(name)
    return wrong


def _all_in(text: str, messages: Sequence[Message]) -> bool:
    return all(each.content.strip() in text for each in messages)


def filled_by_transformers(template: str, conversation: dict[str, Any]) -> str | None:
    """What `apply_chat_template` of transformers makes of it, without a tokenizer; None where it is refused."""
    from transformers.utils import chat_template_utils

    given = {**conversation, **MARKS}
    messages = given.pop("messages")
    with patch.object(chat_template_utils, "datetime", _Clock):
        try:
            rendered, _ = chat_template_utils.render_jinja_template(
                conversations=[messages], chat_template=template, **given
            )
        except Exception:  # a template's own, Jinja's, and what Python says to a template that adds text to nothing
            return None
    return str(rendered[0])


class _Clock(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "_Clock":
        return cls.fromtimestamp(NOW.timestamp())
