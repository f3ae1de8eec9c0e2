"""A conversation with one assistant at a time, or with several; another may be asked to join in at any turn.

Who hears what. Each round is a user's message and the replies to it. An assistant hears, for every earlier round, the
user's message and what it said itself; where it was not there yet, the first reply that was given stands in its place,
as a turn of the same conversation. To the last message it replies without seeing what others replied to it: all are
asked the same. A round in which nobody said a word is not heard. Nothing else is left out, unless the user lets the
oldest rounds be forgotten; what was forgotten stays in the history.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..assistant import Assistant
from ..chats.chat import Turn, asked, gone
from ..chats.shelf import chats_of
from ..engines.thinking import told
from ..errors import ContextOverflowError, NotFoundError, UsageError
from ..runtime.events import AskEvent, AskFinished, ReplyFinished
from ..runtime.replies import Replies, Reply
from ..runtime.requests import AskOptions, Heard
from ..values import Message, Picture
from .asking import Asking, check_heard
from .together import Together

if TYPE_CHECKING:
    from ..runtime.workspace import Workspace


@dataclass(slots=True)
class _Round:
    turn: Turn  # the user's
    pictures: tuple[Picture, ...] = ()  # those of it that are still here
    replies: list[Turn] = field(default_factory=list)
    forgotten: bool = False

    @property
    def asked(self) -> Message:
        return Message("user", self.turn.content + ("" if self.pictures else gone(self.turn)), self.pictures)

    def heard_as(self, name: str) -> str | None:
        """The reply that the assistant `name` hears as its own; None when nobody said a word."""
        said = [turn for turn in self.replies if turn.content.strip()]
        own = [turn for turn in said if turn.speaker == name]
        return (own[-1] if own else said[0]).content if said else None

    def has_reply_of(self, name: str) -> bool:
        return any(turn.speaker == name and turn.content.strip() for turn in self.replies)


class Conversation:
    """What was said so far, and who speaks now. One `say` or `with_` at a time; exhaust or close it before the next."""

    def __init__(
        self, workspace: "Workspace", assistant: Assistant, options: AskOptions | None = None, *, keep: bool = True
    ) -> None:
        self.assistant = assistant
        self.id: str | None = None  # in the history, once something was kept
        self._workspace = workspace
        self.options = options
        self._history = chats_of(workspace.settings) if keep else None
        self._rounds: list[_Round] = []
        self._speaking: Together | None = None

    @classmethod
    def resumed(
        cls, workspace: "Workspace", kept: str, assistant: Assistant | None = None, options: AskOptions | None = None
    ) -> "Conversation":
        """Go on with a kept conversation, with its last speaker or with `assistant`.

        NotFoundError when it is not kept, or its last speaker is no longer on the shelf.
        """
        history = chats_of(workspace.settings)
        if history is None:
            raise NotFoundError(f"no conversation {kept!r}: the history is switched off", "unset PLURIVERSE_HISTORY")
        record = history.get(kept)
        if assistant is None:
            speakers = [turn.speaker for turn in record.turns if turn.speaker is not None]
            if not speakers:
                raise NotFoundError(f"nobody has replied in the conversation {record.id}", "name an assistant")
            assistant = workspace.shelf.assistant(speakers[-1])
        conversation = cls(workspace, assistant, options)
        conversation.id = record.id
        for turn in record.turns:
            if turn.speaker is None:
                conversation._rounds.append(_Round(turn))
            elif conversation._rounds:  # kept before thinking was told apart: it is not said again
                conversation._rounds[-1].replies.append(replace(turn, content=told(turn.content).text))
        return conversation

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All that was said, in order, forgotten rounds too."""
        return tuple(turn for each in self._rounds for turn in (each.turn, *each.replies))

    def heard_by(self, assistant: Assistant) -> tuple[Message, ...]:
        """The turns that `assistant` gets, up to the last message (see the scheme above); without its system prompt."""
        messages: list[Message] = []
        for each in self._rounds[:-1]:
            reply = each.heard_as(assistant.name)
            if reply is not None and not each.forgotten:
                messages += each.asked, Message("assistant", reply)
        return (*messages, *(each.asked for each in self._rounds[-1:]))

    async def say(self, text: str, pictures: Sequence[Picture] = ()) -> AsyncGenerator[AskEvent, None]:
        """Say something to the assistant, and show it pictures; the events of its reply. UsageError for an empty text.

        The reply is kept with its state also when it is cut short or fails.
        """
        async with aclosing(self.say_to([self.assistant], text, pictures)) as events:
            async for event in events:
                yield event

    async def say_to(
        self, assistants: Sequence[Assistant], text: str, pictures: Sequence[Picture] = ()
    ) -> AsyncGenerator[AskEvent, None]:
        """Say something to several, who reply beside each other, each with its own memory. As `say`.

        The replies are kept in the order of `assistants`.
        """
        if not text.strip():
            raise UsageError("there is nothing to say")
        check_heard([Heard(each, ()) for each in assistants])
        self._rounds.append(_Round(asked(text, pictures), tuple(pictures)))
        self._keep(self._rounds[-1].turn)
        async with aclosing(self._answered(assistants)) as events:
            async for event in events:
                yield event

    async def again(self, assistants: Sequence[Assistant]) -> AsyncGenerator[AskEvent, None]:
        """Let these reply to the last message, also those who have done so before: from then on their new reply is what
        they hear as their own. No events when nothing was said yet."""
        check_heard([Heard(each, ()) for each in assistants])
        if not self._rounds:
            return
        async with aclosing(self._answered(assistants)) as events:
            async for event in events:
                yield event

    def stop(self, index: int | None = None) -> None:
        """Let one of the replies that are being given, by its place, or all of them, end where they are."""
        if self._speaking is not None:
            self._speaking.stop(index)

    def with_(self, assistant: Assistant) -> AsyncGenerator[AskEvent, None]:
        """Let another assistant speak from here on, at once; iterate for its reply to the last message.

        No events when nothing was said yet or it has replied to that message already. With the present assistant it is
        another attempt after a reply that failed.
        """
        self.assistant = assistant
        return self._joined()

    def forget_oldest(self, rounds: int = 1) -> int:
        """Leave the oldest rounds out of what is heard from now on; how many were left out. The history keeps them."""
        heard = [each for each in self._rounds if not each.forgotten and each.heard_as("") is not None]
        for each in heard[:rounds]:
            each.forgotten = True
        return len(heard[:rounds])

    async def _joined(self) -> AsyncGenerator[AskEvent, None]:
        if not self._rounds or self._rounds[-1].has_reply_of(self.assistant.name):
            return
        async with aclosing(self._answered([self.assistant])) as events:
            async for event in events:
                yield event

    async def _answered(self, assistants: Sequence[Assistant]) -> AsyncGenerator[AskEvent, None]:
        question, workspace = self._rounds[-1].turn.content, self._workspace
        speaking = self._speaking = Together(
            question,
            [Asking(workspace, question, [Heard(each, self.heard_by(each))], self.options) for each in assistants],
        )
        ended: dict[int, Reply] = {}
        noted = 0
        try:
            async for event in speaking:
                if isinstance(event, ReplyFinished):
                    ended[event.index] = event.reply
                    while noted in ended:
                        self._note(ended[noted])
                        noted += 1
                yield _with_way_out(event)
        finally:
            await speaking.aclose()
            self._speaking = None
            for reply in speaking.replies[noted:]:
                self._note(reply)

    def _note(self, reply: Reply) -> None:
        turn = Turn(reply.assistant, reply.text, reply.finish_reason, reply.as_dict())
        self._rounds[-1].replies.append(turn)
        self._keep(turn)

    def _keep(self, turn: Turn) -> None:
        # Written at once, not in a thread: a cancelled task could not wait for one, and a row takes few milliseconds.
        if self._history is None:
            return
        if self.id is None:
            self.id = self._history.begin(turn.content)
        try:
            self._history.add(self.id, turn)
        except NotFoundError:  # its user has deleted it meanwhile, so the rest is not kept either
            self._history = self.id = None


def _with_way_out(event: AskEvent) -> AskEvent:
    """The same event; where the conversation has become too long, the error says what can be done."""
    match event:
        case ReplyFinished(index, reply):
            return ReplyFinished(index, _helped(reply))
        case AskFinished(replies, total_s):
            helped = [_helped(reply) for reply in replies]
            return AskFinished(Replies(replies.question, helped, total_s, replies.pictures), total_s)
        case _:
            return event


def _helped(reply: Reply) -> Reply:
    if not isinstance(reply.error, ContextOverflowError):
        return reply
    hint = "start a new conversation, or let the oldest part of this one be forgotten (in a chat: /forget)"
    return replace(reply, error=ContextOverflowError(reply.error.message, hint))
