"""From messages to token ids: the model's own chat template in a sandbox, and where its prompt may be cut.

Knows text and tokens. Does not know contexts, sampling or requests. Templates and message texts are untrusted: a
template runs in Jinja's immutable sandbox, and a message that spells a control token stays plain text.
"""

import datetime
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ...errors import EngineError, UsageError
from ...values import Message
from ..thinking import closing
from .model import Model

# For base models that were never taught a chat format: the plainest transcript there is.
PLAIN_TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}\n\n"
    "{% elif m.role == 'user' %}User: {{ m.content }}\n{% else %}Assistant: {{ m.content }}\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
PLAIN_STOP = ("\nUser:",)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids, and the positions at which they are always cut when they are computed.

    The cuts follow from the text alone (after the system prompt, after each user turn), never from what happens to be
    in memory; therefore a part copied from memory is, bit for bit, what computing it again would give. The last cut is
    the end.
    """

    tokens: tuple[int, ...]
    cuts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Contrast:
    """The other side's prompt of a guided reply, and the strength (see `engines.guiding`)."""

    prompt: Prompt
    strength: float


class ChatTemplate:
    """The chat template of one model. `stop` are strings that end a reply, for models without an end-of-turn token."""

    def __init__(self, model: Model) -> None:
        self._model = model
        source = model.chat_template
        self.stop = PLAIN_STOP if source is None else ()
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = lambda pattern: datetime.datetime.now().strftime(pattern)
        try:
            self._template = environment.from_string(source or PLAIN_TEMPLATE)
        except jinja2.TemplateError as error:
            raise EngineError(f"the model's chat template cannot be read: {error}") from error

    def prompt(self, messages: Sequence[Message], closed: bool = False) -> Prompt:
        """Tokens up to the start of the reply. Raises UsageError for messages that the template refuses.

        `closed`: up to the start of the answer, where the template opens thinking: what is scored is an answer.
        """
        messages = self._for_template(messages)
        tokens = self._tokens(messages, reply=True, closed=closed)
        cuts = {len(tokens)}
        for end in range(1, len(messages)):
            role = messages[end - 1].role
            if role == "assistant":
                continue
            try:
                head = self._tokens(messages[:end], reply=role == "user")
            except UsageError:  # some templates refuse a system prompt alone; then there is no cut there
                continue
            if 0 < len(head) < len(tokens) and tokens[: len(head)] == head:
                cuts.add(len(head))
        return Prompt(tuple(tokens), tuple(sorted(cuts)))

    def raw(self, text: str) -> Prompt:
        """Tokens of plain text, with the mark of beginning if the model wants one."""
        tokens = self._model.tokenize(text, special=True, add_bos=self._model.adds_bos)
        return Prompt(tuple(tokens), (len(tokens),))

    def continuation(self, prefix: str | Sequence[Message], head: Prompt, text: str) -> tuple[int, ...]:
        """Tokens of `text` where it follows `prefix`, whose own prompt is `head`.

        Both are tokenised together, as a reader would meet them; UsageError when tokens merge over the border.
        """
        if not text:
            raise UsageError("a continuation is empty")
        if isinstance(prefix, str):
            whole = self.raw(prefix + text).tokens
        else:
            whole = tuple(self._tokens(self._for_template(prefix), reply=True, tail=text, closed=True))
        cut = len(head.tokens)
        if whole[:cut] != head.tokens or len(whole) == cut:
            raise UsageError(
                f"the continuation {text[:40]!r} merges with the end of the prefix",
                "end the prefix before the space, and begin the continuation with it",
            )
        return whole[cut:]

    def continuations(
        self, prefix: str | Sequence[Message], head: Prompt, texts: Sequence[str]
    ) -> list[tuple[int, ...]]:
        """As `continuation` for each; what stands before the last control token is tokenised once for all."""
        found: list[tuple[int, ...]] = []
        ending = None if isinstance(prefix, str) else self._ending(prefix, head)
        for text in texts:
            tokens = self._after(ending, text) if ending and text else None
            found.append(self.continuation(prefix, head, text) if tokens is None else tokens)
        return found

    def _ending(self, messages: Sequence[Message], head: Prompt) -> "tuple[str, list[int]] | None":
        """The prompt's text and tokens after its last control token, over which no token can reach; None if unsure."""
        model = self._model
        place = next((at for at in range(len(head.tokens) - 1, -1, -1) if model.is_control(head.tokens[at])), -1)
        if place < 0:
            return None
        last = model.tokenize(model.text(head.tokens[place]), special=True)
        rendered = self._render(self._for_template(messages), True)
        _, mark, text = (rendered + closing(rendered)).rpartition(model.text(head.tokens[place]))
        tokens = list(head.tokens[place + 1 :])
        sure = mark and last == [head.tokens[place]] and text.strip() and model.tokenize(text, special=True) == tokens
        return (text, tokens) if sure else None

    def _after(self, ending: tuple[str, list[int]], text: str) -> tuple[int, ...] | None:
        """What `text` adds to the ending; None where the long way must tell."""
        before, tokens = ending
        whole = self._model.tokenize(before + text, special=False)
        if whole != self._model.tokenize(before + text, special=True) or whole[: len(tokens)] != tokens:
            return None
        return tuple(whole[len(tokens) :]) or None

    def _for_template(self, messages: Sequence[Message]) -> list[Message]:
        """Put a system prompt into the first user turn where the template has no place for one."""
        if not messages or messages[0].role != "system" or len(messages) < 2:
            return list(messages)
        marker = f"system{secrets.token_hex(8)}"
        try:
            if marker in self._render([Message("system", marker), *messages[1:]], reply=True):
                return list(messages)
        except UsageError:
            pass
        first = Message(messages[1].role, f"{messages[0].content}\n\n{messages[1].content}")
        return [first, *messages[2:]]

    def _tokens(self, messages: Sequence[Message], reply: bool, tail: str = "", closed: bool = False) -> list[int]:
        """Template text may spell control tokens; message text and `tail` may not, so these are tokenised apart."""
        model = self._model
        apart: dict[str, str] = {}

        def plain(content: str) -> str:
            if model.tokenize(content, special=True) == model.tokenize(content, special=False):
                return content
            mark = f"text{secrets.token_hex(16)}"
            apart[mark] = content
            return mark

        shown = [Message(message.role, plain(message.content)) for message in messages]
        text = self._render(shown, reply)
        text += (closing(text) if closed else "") + plain(tail)
        add_bos = model.adds_bos and not (model.bos and text.startswith(model.bos))
        if not apart:
            return model.tokenize(text, special=True, add_bos=add_bos)
        tokens: list[int] = []
        for mark, content in apart.items():  # dicts keep order, and a template shows messages in theirs
            before, found, after = text.partition(mark)
            if not found:
                raise UsageError("a message spells a control token of this model, and its template hides the message")
            tokens += model.tokenize(before, special=True, add_bos=add_bos and not tokens)
            tokens += model.tokenize(content, special=False)
            text = after
        return tokens + model.tokenize(text, special=True)

    def _render(self, messages: Sequence[Message], reply: bool) -> str:
        values: dict[str, Any] = {
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "add_generation_prompt": reply,
            "bos_token": self._model.bos,
            "eos_token": self._model.eos,
        }
        try:
            return self._template.render(values)
        except (jinja2.TemplateError, ValueError, TypeError, ZeroDivisionError, OverflowError) as error:
            raise UsageError(f"the model's chat template refuses these messages: {error}") from error


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
