"""Conversations that readers have open: found again by their key, in the history or, where nothing is kept, in memory.

Knows readers, conversations and the history. Does not know pages. What is kept nowhere is forgotten when the server
ends, or when many others came after it.
"""

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...asking.conversation import Conversation
from ...assistant import Assistant
from ...chats.chat import Turn
from ...chats.shelf import chats_of
from ...errors import NotFoundError, UsageError
from ...runtime.requests import AskOptions
from ...runtime.workspace import Workspace
from ..tokens import Reader

MOST = 200  # that are held in memory


@dataclass(slots=True)
class Talk:
    """`key` is how addresses name it while it is held in memory; once it is kept, its id in the history does."""

    reader: str
    conversation: Conversation
    key: str = field(default_factory=lambda: f"now-{secrets.token_urlsafe(9)}")
    busy: bool = False

    @property
    def name(self) -> str:
        return self.conversation.id or self.key


class Talks:
    """All that are open in one house."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Talk] = OrderedDict()

    def begin(
        self, reader: Reader, workspace: Workspace, voices: Sequence[Assistant], options: AskOptions, keep: bool
    ) -> Talk:
        """A new one."""
        return self._held(Talk(reader.name, Conversation(workspace, voices[0], options, keep=keep)))

    def go_on(
        self, reader: Reader, workspace: Workspace, key: str, voices: Sequence[Assistant], options: AskOptions
    ) -> Talk:
        """One that was begun. NotFoundError where it is kept nowhere; UsageError while it is being answered."""
        talk = self._find(reader, key)
        if talk is None:
            self._lost(workspace, key)
            return self._held(Talk(reader.name, Conversation.resumed(workspace, key, voices[0], options)))
        self._free(talk)
        talk.conversation.options = options
        return talk

    def take(self, talk: Talk) -> None:
        """It is being answered from here on. UsageError where it is already."""
        self._free(talk)
        talk.busy = True

    def turns(self, reader: Reader, workspace: Workspace, key: str) -> tuple[Turn, ...]:
        """All that was said. NotFoundError where it is kept nowhere."""
        talk = self._find(reader, key)
        if talk is not None:
            return talk.conversation.turns
        self._lost(workspace, key)
        history = chats_of(workspace.settings)
        assert history is not None
        return history.get(key).turns

    def stop(self, reader: Reader, key: str, place: int | None) -> None:
        """Let one answer that is being given, or all of them, end where they are."""
        talk = self._find(reader, key)
        if talk is not None:
            talk.conversation.stop(place)

    def ended(self, talk: Talk) -> None:
        """What the history has is no longer held here."""
        talk.busy = False
        if talk.conversation.id is not None:
            self._open.pop(talk.key, None)

    def forget(self, reader: Reader, key: str) -> None:
        """It is deleted."""
        talk = self._find(reader, key)
        if talk is not None:
            talk.conversation.stop()
            self._open.pop(talk.key, None)

    def _free(self, talk: Talk) -> None:
        if talk.busy:
            raise UsageError("this conversation is still being answered", "wait until it ends, or stop it")

    def _held(self, talk: Talk) -> Talk:
        self._open[talk.key] = talk
        idle = [key for key, each in self._open.items() if not each.busy]
        for key in idle[: max(0, len(self._open) - MOST)]:
            del self._open[key]
        return talk

    def _find(self, reader: Reader, key: str) -> Talk | None:
        for talk in self._open.values():
            if talk.reader == reader.name and key in (talk.key, talk.conversation.id):
                return talk
        return None

    def _lost(self, workspace: Workspace, key: str) -> None:
        if key.startswith("now-") or chats_of(workspace.settings) is None:
            raise NotFoundError("this conversation was not kept and is forgotten", "ask anew")
