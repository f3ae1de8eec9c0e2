"""`pluriverse chat`: a conversation with one assistant, in which others can be heard too.

Reads lines from a person or a pipe and shows replies; what is said, heard and kept is `asking.conversation`'s work.
"""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from ...errors import PluriverseError, UsageError, from_dict
from ..terminal.output import STOPPED, Output
from ..terminal.parser import Commands, names_of, near
from .ask import generation_flags, options_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Iterator

    from ...asking.conversation import Conversation
    from ...assistant import Assistant
    from ...runtime.events import AskEvent
    from ...runtime.workspace import Workspace
    from ...settings import Settings

HELP = {
    "/with NAME": "let NAME reply; NAME is who you talk with from here on",
    "/who": "who you talk with, and who else you can call in",
    "/passages": "show the passages that the last reply quotes from, in full",
    "/system": "show the system prompt of who you talk with",
    "/forget [N]": "make the assistants forget the oldest N rounds (they stay in the history)",
    "/help": "this list",
    "/quit": "end the chat (so does Ctrl-D); Ctrl-C stops a reply",
}


def add(commands: Commands) -> None:
    parser = commands.add("chat", "talk with one assistant", run, example="pluriverse chat duty")
    parser.add_argument(
        "name", nargs="?", metavar="A", help="the assistant to talk with; with --resume, who replies from here on"
    )
    parser.add_argument("--with", dest="others", metavar="B,C", help="these assistants also reply to each message")
    parser.add_argument("--resume", metavar="ID", help="continue a kept conversation (see: pluriverse history)")
    parser.add_argument("--no-history", action="store_true", help="do not keep this chat")
    generation_flags(parser)


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio

    from ...runtime.workspace import Workspace

    if args.resume and args.no_history:
        raise UsageError("--resume goes on with what is kept, --no-history keeps nothing", "give one of the two")
    # The loop runs only while a reply is awaited: so Ctrl-C means "stop the reply" there, and reading blocks nothing.
    with asyncio.Runner() as runner:
        workspace = Workspace(settings)
        try:
            chat = _Chat(_conversation(args, workspace), workspace, out, runner)
            chat.others = [workspace.shelf.assistant(name) for name in names_of(args.others)] if args.others else []
            return chat.talk()
        finally:
            runner.run(workspace.aclose())


def _conversation(args: argparse.Namespace, workspace: "Workspace") -> "Conversation":
    from ...asking.conversation import Conversation

    assistant = workspace.shelf.assistant(args.name) if args.name else None
    if args.resume:
        return Conversation.resumed(workspace, args.resume, assistant, options_of(args))
    if assistant is None:
        raise UsageError(
            "no assistant was named", "name an assistant: pluriverse chat duty; see them all: pluriverse ls"
        )
    return Conversation(workspace, assistant, options_of(args), keep=not args.no_history)


class _Chat:
    def __init__(
        self, conversation: "Conversation", workspace: "Workspace", out: Output, runner: "asyncio.Runner"
    ) -> None:
        self.others: list[Assistant] = []
        self._conversation = conversation
        self._workspace = workspace
        self._out = out
        self._runner = runner
        self._person = sys.stdin.isatty()
        self._heard = 0
        self._failure: PluriverseError | None = None

    def talk(self) -> int:
        """Read, reply, until the input ends; the exit code."""
        self._greet()
        stopped = False
        for line in self._lines():
            try:
                if line.startswith("/"):
                    if not self._command(line):
                        break
                elif not self._say(line) and not self._person:
                    stopped = True
                    break
            except PluriverseError as error:
                if not self._person:
                    raise
                self._tell(error)
        if self._failure is not None and not self._heard and not self._person:
            raise self._failure
        self._out.document(self._document())
        if self._person and self._conversation.id:
            self._out.note(f"kept as {self._conversation.id}: pluriverse chat --resume {self._conversation.id}")
        return STOPPED if stopped else 0

    def _say(self, text: str) -> bool:
        """Say it to who speaks and to the others; False when Ctrl-C stopped a reply."""
        conversation = self._conversation
        speaker = conversation.assistant
        try:
            if not self._hear(conversation.say(text)):
                return False
            return all(self._hear(conversation.with_(other)) for other in self.others if other != speaker)
        finally:
            conversation.assistant = speaker

    def _hear(self, events: "AsyncGenerator[AskEvent, None]") -> bool:
        """Show one reply; False when Ctrl-C stopped it."""
        from contextlib import aclosing

        from ..terminal.replies import follow
        from ..terminal.sections import Plain, Sections

        out, assistant = self._out, self._conversation.assistant
        before = len(self._conversation.turns)
        view = Sections(out, [assistant], titles=False) if out.terminal else Plain(out, [assistant])

        async def heard() -> bool:
            async with aclosing(events):
                return await follow(events, view)

        stopped = self._runner.run(heard())
        view.close()
        out.progress.clear()
        turns = self._conversation.turns[before:]
        if turns and turns[-1].speaker is not None:
            turn = turns[-1]
            if stopped and not out.terminal:
                out.line(turn.content)
            self._note(turn.record or {})
        if stopped:
            out.note("stopped")
        elif out.terminal or turns:
            out.line()
        return not stopped

    def _note(self, record: dict[str, Any]) -> None:
        """Remember whether anybody was heard; tell a failure."""
        self._heard += bool(record.get("text", "").strip())
        if "error" in record:
            self._failure = from_dict(record["error"])
            if self._person or self._heard:
                self._tell(self._failure)

    def _command(self, line: str) -> bool:
        """Do what a line with a slash says; False when it ends the chat."""
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        match word:
            case "/quit" | "/exit" | "/bye":
                return False
            case "/help":
                self._told([f"{name:<14}{line}" for name, line in HELP.items()])
            case "/with" if rest:
                self._with(rest)
            case "/who" | "/with":
                self._who()
            case "/passages":
                self._passages()
            case "/system":
                self._told([self._conversation.assistant.system or "it has no system prompt"])
            case "/forget":
                self._forget(rest or "1")
            case _:
                close = near(word, [name.split()[0] for name in HELP])
                raise UsageError(f"there is no {word} in a chat", f"did you mean {close}?" if close else "see /help")
        return True

    def _passages(self) -> None:
        turns = self._conversation.turns
        cited = (turns[-1].record or {}).get("citations", []) if turns else []
        told = [line for each in cited for line in (f"[{each['n']}] {each['source']}", each["passage"])]
        self._told(told or ["the last reply quotes from no work"])

    def _with(self, name: str) -> None:
        assistant = self._workspace.shelf.assistant(name)
        self.others = []
        before = len(self._conversation.turns)
        self._hear(self._conversation.with_(assistant))
        if len(self._conversation.turns) == before:
            self._out.note(f"you talk with {assistant.name} from here on")

    def _who(self) -> None:
        speaker = self._conversation.assistant
        self._told(
            [f"you talk with {speaker.name}: {speaker.title}", "others that you can call in:"]
            + [f"  {each.name}  {each.title}" for each in self._workspace.shelf.assistants() if each != speaker]
        )

    def _forget(self, number: str) -> None:
        if not number.isdecimal():
            raise UsageError(f"/forget takes a number of rounds, not {number!r}", "/forget 2")
        forgotten = self._conversation.forget_oldest(int(number))
        self._out.note(f"{forgotten} of the oldest rounds are left out from here on")

    def _greet(self) -> None:
        if not self._person:
            return
        assistant = self._conversation.assistant
        self._told([f"{assistant.name}: {assistant.title}", "/help lists what you can do; Ctrl-D ends the chat."])

    def _told(self, lines: list[str]) -> None:
        """Words about the chat, which are no part of what was said."""
        self._out.progress.clear()
        for line in lines:
            self._out.note(line)

    def _tell(self, error: PluriverseError) -> None:
        self._out.trouble(error)

    def _document(self) -> dict[str, Any]:
        conversation = self._conversation
        turns = [
            {"speaker": turn.speaker, "content": turn.content, "state": turn.state, "record": turn.record}
            for turn in conversation.turns
        ]
        return {"id": conversation.id, "assistant": conversation.assistant.name, "turns": turns}

    def _lines(self) -> "Iterator[str]":
        """What is typed, line by line, until it ends."""
        if not self._person:
            for line in sys.stdin:
                if line.strip():
                    yield line.strip()
            return
        _edit_lines()
        while True:
            try:
                line = input("you> ") if self._out.terminal else _asked_on_stderr()
            except EOFError:
                self._out.note("")
                return
            except KeyboardInterrupt:
                self._out.note("\n(Ctrl-D or /quit ends the chat)")
                continue
            if line.strip():
                yield line.strip()


def _edit_lines() -> None:
    """Arrow keys and earlier lines while typing, where this Python has them."""
    try:
        import readline
    except ImportError:
        return
    readline.set_auto_history(True)


def _asked_on_stderr() -> str:
    """Like `input`, for a stdout that is not a person's."""
    sys.stderr.write("you> ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
