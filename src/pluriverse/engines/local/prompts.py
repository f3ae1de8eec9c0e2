"""From messages to token ids: the model's own chat template, and where its prompt may be cut.

Knows text and tokens. Does not know contexts, sampling or requests. Templates and message texts are untrusted: a
template is filled in another process (`renderer`), its prompt holds every message or is refused (`forms`), and a
message that spells a control token stays plain text.
"""

import contextlib
import functools
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ContextOverflowError, UnsupportedError, UsageError
from ...values import Digest, Message
from ..thinking import answering, beginning, closing, marks_of, opens
from .forms import Form, Forms, holds, mark, values
from .model import Model
from .projector import Part, Seen
from .renderer import Filled, Renderer

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
    the end. What was computed under one `adapter` (its digest, or "") is never copied for another.
    Ids below zero stand for pictures' embeddings: `pictures` are these runs, with the places where they begin.
    """

    tokens: tuple[int, ...]
    cuts: tuple[int, ...]
    adapter: str = ""
    pictures: tuple[tuple[int, Part], ...] = ()

    def position(self, place: int) -> int:
        """Of what stands at that place among its tokens, or follows them: pictures may take more tokens than positions.

        Not for a place inside of a picture.
        """
        return place - sum(part.tokens - part.advance for at, part in self.pictures if at < place)

    def runs(self, start: int, end: int) -> Iterator[tuple[int, int, Part | None]]:
        """Places [start, end) in pieces that are tokens or one picture each: (from, to, the picture)."""
        for at, part in self.pictures:
            if start <= at < end:
                if start < at:
                    yield start, at, None
                yield at, at + part.tokens, part
                start = at + part.tokens
        if start < end:
            yield start, end, None


@dataclass(frozen=True, slots=True)
class Contrast:
    """The other side's prompt of a guided reply, and the strength (see `engines.guiding`)."""

    prompt: Prompt
    strength: float


class ChatTemplate:
    """The chat template of one model. `stop` are strings that end a reply, for models without an end-of-turn token."""

    def __init__(self, model: Model, renderer: Renderer | None = None) -> None:
        """Raises EngineError for a template that cannot be read. `renderer`: one that was started before."""
        self._model = model
        source = model.chat_template
        self.stop = PLAIN_STOP if source is None else ()
        self._marks = marks_of(source or "")
        self._renderer = renderer or Renderer()
        self._renderer.read(source or PLAIN_TEMPLATE)
        self._forms = Forms(source or PLAIN_TEMPLATE, self._fill)
        self.seen: Mapping[Digest, Seen] = {}  # what pictures are to the model, of those that prompts show
        self._now = 0.0  # what a template takes for the time: it stands while one prompt and what follows it are made
        self._spells_control = functools.lru_cache(maxsize=64)(model.spells_control)
        # Many prompts begin alike; but what a template says of the time must be of one time.
        timeless = source is None or "strftime_now" not in source
        self._head = functools.lru_cache(maxsize=32)(self._read_head) if timeless else self._read_head

    def close(self) -> None:
        self._renderer.close()

    @property
    def thinks(self) -> bool:
        """Whether it speaks of thinking: its model may think before it answers."""
        return self._marks is not None

    def prompt(self, messages: Sequence[Message], closed: bool = False, think: bool | None = None) -> Prompt:
        """Tokens up to the start of the reply.

        Raises UsageError for messages that the template refuses or leaves out, ContextOverflowError for far too many.
        `closed`: up to the start of the answer, where the template opens thinking: what is scored is an answer.
        `think`: see `Sampling`; UnsupportedError where thinking is wanted of a model that does not know how.
        """
        if think and not self.thinks:
            raise UnsupportedError(
                "this model's chat template knows no thinking", "ask without --think, or another model"
            )
        self._now = time.time()
        self._check_length("".join(message.content for message in messages), special=False)
        form = self._forms.of(messages)
        messages = form.folded(messages)
        tokens = self._tokens(messages, form, reply=True, closed=closed, think=think)
        cuts = {len(tokens)}
        for end in range(1, len(messages)):
            role = messages[end - 1].role
            if role == "assistant":
                continue
            try:
                head = self._head(tuple(messages[:end]), form, role == "user", think)
            except UsageError:  # some templates refuse a system prompt alone; then there is no cut there
                continue
            if 0 < len(head) < len(tokens) and tokens[: len(head)] == head:
                cuts.add(len(head))
        return Prompt(tuple(tokens), tuple(sorted(cuts)), pictures=tuple(self._places(messages, tokens)))

    def _places(self, messages: Sequence[Message], tokens: Sequence[int]) -> Iterator[tuple[int, Part]]:
        """Where the parts of the messages' pictures begin."""
        shown = [piece for message in messages for picture in message.pictures for piece in self.seen[picture.digest]]
        parts = {part.key: part for part in shown if isinstance(part, Part)}
        at = 0
        while parts and at < len(tokens):
            part = parts.get(tokens[at])
            if part:
                yield at, part
            at += part.tokens if part else 1

    def _read_head(
        self, messages: tuple[Message, ...], form: Form, reply: bool, think: bool | None = None
    ) -> list[int]:
        return self._tokens(messages, form, reply, whole=False, think=think)

    @functools.cached_property
    def _switches(self) -> bool:
        """Whether the template itself lets a reply begin with thinking or without."""
        asked = [Message("user", "?")]
        form = self._forms.of(asked)
        on, off = (self._fill(values(asked, form.typed, True, think)).text for think in (True, False))
        return on != off

    def _led(self, text: str, think: bool | None) -> str:
        """A prompt up to where thinking begins, or the answer, where the template has no switch of its own."""
        if think is None or self._marks is None:
            return text
        if not think:
            return text + (closing(text) if self._switches else answering(text, self._marks))
        return text if self._switches or opens(text) else text + beginning(self._marks)

    def raw(self, text: str) -> Prompt:
        """Tokens of plain text, with the mark of beginning if the model wants one."""
        self._check_length(text, special=True)
        tokens = self._model.tokenize(text, special=True, add_bos=self._model.adds_bos)
        return Prompt(tuple(tokens), (len(tokens),))

    def lead(self, prefix: str | Sequence[Message], head: Prompt, text: str) -> tuple[int, ...]:
        """Tokens of a reply's first words behind `head`, the prompt of `prefix` without thinking. Never control tokens.

        Tokenised with the prompt, where that gives these words and no others; else the longest words of the vocabulary.
        """
        data = text.encode("utf-8", "replace")
        with contextlib.suppress(UsageError):
            found = self.continuation(prefix, head, text, think=False)
            if b"".join(map(self._model.piece, found)) == data and not any(map(self._model.is_control, found)):
                return found
        return self._model.words.spell(data)

    def continuation(
        self, prefix: str | Sequence[Message], head: Prompt, text: str, think: bool | None = None
    ) -> tuple[int, ...]:
        """Tokens of `text` where it follows `prefix`, whose own prompt is `head`, with the same `think`.

        Both are tokenised together, as a reader would meet them; UsageError when tokens merge over the border.
        """
        if not text:
            raise UsageError("a continuation is empty")
        if isinstance(prefix, str):
            whole = self.raw(prefix + text).tokens
        else:
            form = self._forms.of(prefix)
            messages = form.folded(prefix)
            whole = tuple(self._tokens(messages, form, reply=True, tail=text, closed=think is None, think=think))
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
        form = self._forms.of(messages)
        rendered = self._render(values(form.folded(messages), form.typed, True))
        _, control, text = (rendered + closing(rendered)).rpartition(model.text(head.tokens[place]))
        tokens = list(head.tokens[place + 1 :])
        sure = (
            control and last == [head.tokens[place]] and text.strip() and model.tokenize(text, special=True) == tokens
        )
        return (text, tokens) if sure else None

    def _after(self, ending: tuple[str, list[int]], text: str) -> tuple[int, ...] | None:
        """What `text` adds to the ending; None where the long way must tell."""
        before, tokens = ending
        whole = self._model.tokenize(before + text, special=False)
        if whole != self._model.tokenize(before + text, special=True) or whole[: len(tokens)] != tokens:
            return None
        return tuple(whole[len(tokens) :]) or None

    def _check_length(self, text: str, *, special: bool) -> None:
        """Refuse a text that is far too long before it is read as a whole, which takes seconds a megabyte."""
        most = self._model.context_length
        if tokens := self._model.longer(text, most, special=special):
            raise ContextOverflowError(
                f"the conversation has {len(text):,} characters, {tokens:,} tokens or more; the model reads {most:,}",
                "shorten it, or start a new conversation",
            )

    def _tokens(
        self,
        messages: Sequence[Message],
        form: Form,
        reply: bool,
        tail: str = "",
        whole: bool = True,
        closed: bool = False,
        think: bool | None = None,
    ) -> list[int]:
        """Template text may spell control tokens; message text and `tail` may not, so these are tokenised apart.

        So is a message that the template does not show as it is. `whole`: whether every message must be there.
        """
        apart = [self._spells_control(message.content) for message in messages]
        marks = [mark() for _ in messages]
        pictures = [{mark(): self.seen[picture.digest] for picture in message.pictures} for message in messages]
        while True:
            shown = [
                Message(m.role, "".join(looks) + (word if hidden else m.content))
                for m, word, hidden, looks in zip(messages, marks, apart, pictures, strict=True)
            ]
            text = self._render(values(shown, form.typed, reply, think))
            missing = [place for place, message in enumerate(shown) if not holds(text, message)] if whole else []
            if not missing:
                break
            for place in missing:
                if apart[place]:
                    raise self._forms.left_out(messages[place].role)
                apart[place] = True
        self._check_length(text, special=True)
        if reply:
            text = self._led(text, think)
        if closed:
            text += closing(text)
        meant: dict[str, str | Seen] = {m: message.content for m, message in zip(marks, messages, strict=True)}
        for looks in pictures:
            meant |= looks
        return self._joined(text, meant, tail)

    def _joined(self, text: str, marks: dict[str, str | Seen], tail: str) -> list[int]:
        """Tokens of `text` with the contents of the marks in it, wherever these stand, and of the tail."""
        model = self._model
        if tail and self._spells_control(tail):
            word = mark()
            marks, text = {**marks, word: tail}, text + word
        else:
            text += tail
        pieces = re.split(f"({'|'.join(marks)})", text) if marks else [text]
        tokens: list[int] = []
        if model.adds_bos and not (model.bos and text.startswith(model.bos)):
            tokens += model.tokenize("", special=True, add_bos=True)
        for place, piece in enumerate(pieces):
            meant = marks[piece] if place % 2 else None
            if isinstance(meant, str):
                tokens += model.tokenize_plain(meant)
            elif meant is not None:
                tokens += _ids(meant)
            elif piece:
                tokens += model.tokenize(piece, special=True)
        return tokens

    def _render(self, filled: dict[str, Any]) -> str:
        found = self._fill(filled)
        if found.error:
            raise found.error
        return found.text

    def _fill(self, filled: dict[str, Any]) -> Filled:
        return self._renderer.render({**filled, "bos_token": self._model.bos, "eos_token": self._model.eos}, self._now)


def _ids(seen: Seen) -> Iterator[int]:
    """A picture among tokens: the key of each part stands for its embeddings."""
    for piece in seen:
        yield from [piece.key] * piece.tokens if isinstance(piece, Part) else piece
