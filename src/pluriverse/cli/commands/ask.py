"""`pluriverse ask`: one question, several assistants, their replies side by side.

Knows the flags, where a question comes from and how an ask ends: shown, kept in the history, written to a file. How
replies look is the views' work (`views.view_for`), files that of `documents`.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import PluriverseError, UsageError
from ..terminal.output import STOPPED, Output
from ..terminal.parser import Commands, names_of

if TYPE_CHECKING:
    from ...asking.asking import Asking
    from ...runtime.replies import Replies
    from ...runtime.requests import AskOptions
    from ...settings import Settings

_SILENCE_S = 1.0  # a pipe that says nothing for so long is told of


def add(commands: Commands) -> None:
    example = 'pluriverse ask "What makes a society fair?" --with duty,outcomes'
    parser = commands.add("ask", "ask several assistants one question, side by side", run, example=example)
    parser.add_argument(
        "question", nargs="+", metavar="QUESTION",
        help="the question, or - to read it from stdin; text that is piped in is added after the question",
    )  # fmt: skip
    parser.add_argument(
        "--with", dest="names", metavar="A,B,C", help="ask these assistants (default: the panel starter)"
    )
    parser.add_argument("--panel", metavar="P", help="ask the members of this panel")
    parser.add_argument(
        "--image", dest="images", action="append", type=Path, default=[], metavar="FILE",
        help="a picture that they see before they read the question: .png, .jpg, .gif or .bmp; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE",
        help="also write the answers to a file: .md, .html, .json or .txt",
    )  # fmt: skip
    parser.add_argument(
        "--passages", action="store_true", help="also show the passages that voices quote from, in full"
    )
    parser.add_argument("--no-history", action="store_true", help="do not keep this question and its answers")
    generation_flags(parser)


def generation_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that change how replies are made; `ask` and `chat` share them."""
    how = parser.add_argument_group("how replies are made")
    how.add_argument("--base", metavar="REF", help="use this model for all of them")
    how.add_argument("--max-tokens", type=int, metavar="N", help="stop a reply after N tokens")
    how.add_argument(
        "--temperature", type=float, metavar="T", help="0: always the likeliest token; higher: more varied"
    )
    how.add_argument("--seed", type=int, metavar="S", help="the same seed gives the same replies")
    how.add_argument(
        "--guidance", type=float, metavar="G", help="strength of guidance for all, 0 to 5; 0 switches guidance off"
    )
    think = how.add_mutually_exclusive_group()
    think.add_argument("--think", dest="think", action="store_true", default=None, help="let the model think first")
    think.add_argument("--no-think", dest="think", action="store_false", help="answer at once, without thinking first")
    how.add_argument("--think-tokens", type=int, metavar="N", help="stop thinking after N tokens (default: 1024)")
    how.add_argument(
        "--beyond-works", action="store_true", help="answer also where a voice's works do not speak of the question"
    )
    how.add_argument("--system", metavar="TEXT", help="use this system prompt instead of each assistant's own")


def options_of(args: argparse.Namespace) -> "AskOptions":
    from ...runtime.requests import AskOptions

    return AskOptions(
        args.max_tokens, args.temperature, args.seed, args.system, args.base, args.guidance, args.think,
        args.think_tokens, args.beyond_works,
    )  # fmt: skip


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio

    if args.output is not None:
        from ..terminal.documents import form_of

        form_of(args.output)  # a name that says nothing is told before anybody is asked
    question = _question(args.question, out)
    names = None if args.names is None else names_of(args.names)
    replies, stopped, kept = asyncio.run(_ask(question, names, args, out, settings))
    code = _end(args, out, replies, stopped, kept)
    if code == 0 and out.terminal:
        _tell_gain(replies, out, settings)
    return code


def _tell_gain(replies: "Replies", out: Output, settings: "Settings") -> None:
    """Only where a model of this machine spoke."""
    from ...engines.status import likely_gain

    if any(each.digest for each in replies) and (gain := likely_gain(settings)):
        out.note(gain)


async def _ask(
    question: str, names: list[str] | None, args: argparse.Namespace, out: Output, settings: "Settings"
) -> "tuple[Replies, bool, str | None]":
    """All replies as far as they came, shown; whether Ctrl-C stopped them; their id in the history."""
    from ...asking.asking import ask
    from ...pictures import taken
    from ...runtime.workspace import Workspace
    from ..terminal.replies import follow
    from ..terminal.views import view_for

    async with Workspace(settings) as workspace:
        assistants = workspace.choose(names, args.panel)
        asking = ask(workspace, question, assistants, options_of(args), pictures=taken(args.images))
        kept = None
        try:
            async with asking as events:
                view = view_for(out, assistants)
                try:
                    stopped = await follow(events, view)
                    if stopped:
                        view.end(events.replies)
                finally:
                    view.close()
        finally:
            if not args.no_history:
                kept = _keep(asking, out)
        return asking.replies, stopped, kept


def _keep(asking: "Asking", out: Output) -> str | None:
    """The id in the history. What was answered is worth showing also where it cannot be kept."""
    try:
        return asking.keep()
    except PluriverseError as error:
        out.warn(f"these answers are not kept: {error.message}")
        if error.hint:
            out.note(f"hint: {error.hint}")
        return None


def _end(args: argparse.Namespace, out: Output, replies: "Replies", stopped: bool, kept: str | None) -> int:
    from ..terminal.cited import show_passages
    from ..terminal.replies import warn_of_failures

    if stopped and not out.json and not any(reply.text.strip() for reply in replies):
        return out.stopped()
    if not stopped and replies.failure is not None:
        raise replies.failure
    document = {**replies.as_dict(), "id": kept}
    file = _written(args.output, replies, document, kept) if args.output is not None and replies.answered else None
    out.document({**document, "file": file} if file else document)
    if args.passages and not out.json:
        show_passages(out, replies)
    warn_of_failures(out, replies)
    if file:
        out.note(f"written to {file}")
    if stopped:
        out.note("stopped")
        return STOPPED
    if out.terminal:
        out.note(_told(replies, kept))
    return 0


def _told(replies: "Replies", kept: str | None) -> str:
    from ..terminal.text import counted, duration

    bases = ", ".join(dict.fromkeys(reply.base for reply in replies))
    told = f"{counted(len(replies), 'reply', 'replies')} through {bases} in {duration(replies.total_s)}"
    return f"{told}; kept: pluriverse history show {kept}" if kept else told


def _written(file: Path, replies: "Replies", document: dict[str, object], kept: str | None) -> str:
    import datetime

    from ...chats.chat import KeptChat, turns_of
    from ...files import write_out
    from ..terminal.documents import form_of, rendered
    from ..terminal.text import one_line

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    talk = KeptChat(kept or "", one_line(replies.question)[:80], now, turns_of(replies))
    write_out(file, rendered(form_of(file), [talk], document))
    return str(file)


def _question(words: list[str], out: Output) -> str:
    if words != ["-"]:
        question, text = " ".join(words), _piped(out)
        return f"{question}\n\n{text}" if question.strip() and text else question
    question = sys.stdin.read().strip()
    if not question:
        raise UsageError("stdin held no question", 'echo "What makes a society fair?" | pluriverse ask -')
    return question


def _piped(out: Output) -> str:
    """The text of a pipe or a file at stdin; empty where there is none, and for a terminal or /dev/null.

    A pipe is read to its end. A socket, as ssh and some programs give one, counts when it has something to say.
    """
    import os
    import select
    import stat

    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return ""
    try:
        number = sys.stdin.fileno()
        mode = os.fstat(number).st_mode
    except (OSError, ValueError):  # closed, or no file at all
        try:
            return sys.stdin.read().strip()
        except (OSError, ValueError):
            return ""
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):
        return ""
    if not stat.S_ISREG(mode) and sys.platform != "win32" and not select.select([number], [], [], _SILENCE_S)[0]:
        if stat.S_ISSOCK(mode):
            return ""
        out.note("waiting for the text at stdin to end (with </dev/null nothing is waited for)")
    return sys.stdin.read().strip()
