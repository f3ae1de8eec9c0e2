"""`pluriverse ask`: one question, several assistants, their replies side by side.

Knows the flags and how an ask ends; how replies look is the views' work (`replies.view_for`).
"""

import argparse
import sys
from typing import TYPE_CHECKING

from ..errors import UsageError
from .output import STOPPED, Output
from .parser import Commands, names_of

if TYPE_CHECKING:
    from ..ask.drafts import AskOptions
    from ..ask.reply import Replies
    from ..settings import Settings


def add(commands: Commands) -> None:
    example = 'pluriverse ask "What makes a society fair?" --with NAME,NAME'
    parser = commands.add("ask", "ask several assistants one question, side by side", run, example=example)
    parser.add_argument("question", nargs="+", metavar="QUESTION", help="the question, or - to read it from stdin")
    parser.add_argument("--with", dest="names", metavar="A,B,C", help="who is asked (default: the panel starter)")
    parser.add_argument("--panel", metavar="P", help="ask the members of this panel")
    generation_flags(parser)


def generation_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that change how replies are made; `ask` and `chat` share them."""
    how = parser.add_argument_group("how replies are made")
    how.add_argument("--base", metavar="REF", help="let all of them speak through this model")
    how.add_argument("--max-tokens", type=int, metavar="N", help="the longest reply, in tokens")
    how.add_argument("--temperature", type=float, metavar="T", help="0: always the likeliest word; higher: more varied")
    how.add_argument("--seed", type=int, metavar="S", help="the same seed gives the same replies")
    how.add_argument("--guidance", type=float, metavar="G", help="guide all with this strength; 0: nobody is guided")
    how.add_argument("--system", metavar="TEXT", help="this system prompt instead of each assistant's own")


def options_of(args: argparse.Namespace) -> "AskOptions":
    from ..ask.drafts import AskOptions

    return AskOptions(args.max_tokens, args.temperature, args.seed, args.system, args.base, args.guidance)


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio

    question = _question(args.question)
    names = None if args.names is None else names_of(args.names)
    replies, stopped = asyncio.run(_ask(question, names, args, out, settings))
    code = _end(out, replies, stopped)
    if code == 0 and out.terminal:
        _tell_gain(out, settings)
    return code


def _tell_gain(out: Output, settings: "Settings") -> None:
    from ..engines.status import likely_gain

    if not settings.base.startswith("scripted") and (gain := likely_gain(settings)):
        out.note(gain)


async def _ask(
    question: str, names: list[str] | None, args: argparse.Namespace, out: Output, settings: "Settings"
) -> "tuple[Replies, bool]":
    """All replies as far as they came, shown; and whether Ctrl-C stopped them."""
    from ..ask.asking import ask
    from ..ask.workspace import Workspace
    from .replies import follow, view_for

    async with Workspace(settings) as workspace:
        assistants = workspace.choose(names, args.panel)
        async with ask(workspace, question, assistants, options_of(args)) as events:
            view = view_for(out, assistants)
            try:
                stopped = await follow(events, view)
                if stopped:
                    view.end(events.replies)
            finally:
                view.close()
        return events.replies, stopped


def _end(out: Output, replies: "Replies", stopped: bool) -> int:
    from .replies import warn_of_failures
    from .text import counted, duration

    if stopped and not out.json and not any(reply.text.strip() for reply in replies):
        return out.stopped()
    if not stopped and replies.failure is not None:
        raise replies.failure
    out.document(replies.as_dict())
    warn_of_failures(out, replies)
    if stopped:
        out.note("stopped")
        return STOPPED
    if out.terminal:
        bases = ", ".join(dict.fromkeys(reply.base for reply in replies))
        out.note(f"{counted(len(replies), 'reply', 'replies')} through {bases} in {duration(replies.total_s)}")
    return 0


def _question(words: list[str]) -> str:
    if words != ["-"]:
        return " ".join(words)
    question = sys.stdin.read().strip()
    if not question:
        raise UsageError("stdin held no question", 'echo "What makes a society fair?" | pluriverse ask -')
    return question
