"""`pluriverse optimise`: a faster copy of a model, with what it gains and what it loses."""

import argparse
from typing import TYPE_CHECKING

from ...errors import PluriverseError, UsageError, command
from ..terminal.output import Output, bold
from ..terminal.parser import GROUPS, Commands
from ..terminal.text import roughly, size
from ..terminal.typed import typed

if TYPE_CHECKING:
    from ...optimise.optimise import Loss, Optimised
    from ...settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add(
        "optimise", "make a faster copy of a model and measure gain and loss", run,
        example="pluriverse optimise smollm2-135m-instruct --as Q8_0", group=GROUPS[2],
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", help="a model on this machine (see: pluriverse ls), or default")
    parser.add_argument(
        "--as",
        dest="format",
        default="Q8_0",
        metavar="FORMAT",
        help="format of the copy: Q8_0 (default), Q4_0, BF16 ...",
    )
    parser.add_argument(
        "--tokens", type=int, default=20_000, metavar="N", help="measure the loss on N tokens (default: 20000; 0: not)"
    )
    parser.add_argument(
        "--items", type=int, default=60, metavar="N",
        help="compare original and copy on N items of two instruments (default: 60; 0: not)",
    )  # fmt: skip
    parser.add_argument("--no-speed", action="store_true", help="do not measure the speed")
    parser.add_argument("--use", action="store_true", help="use the copy in place of NAME from now on")
    parser.add_argument("--original", action="store_true", help="make no copy; use NAME itself again from now on")


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio

    from ...assistant.bases import meant
    from ...assistant.copies import Copies
    from ...store import Store

    if args.tokens < 0 or args.items < 0:
        raise UsageError("--tokens and --items are 0 or more", "pluriverse optimise --help")
    name = Store.at(settings).find(meant(args.name, settings)).name
    if args.original:
        Copies(settings.home).use(name, None)
        out.document({"name": name, "speaks": name})
        out.line(f"{name} itself is used again")
        return 0
    made = asyncio.run(_optimised(name, args, out, settings))
    if args.use:
        Copies(settings.home).use(name, made.copy.name)
    out.document({**made.as_dict(), "used": args.use})
    if not out.json:
        _show(made, out)
        _advise(made, args, out)
    return 0


async def _optimised(name: str, args: argparse.Namespace, out: Output, settings: "Settings") -> "Optimised":
    from contextlib import aclosing

    from ...optimise.optimise import Optimised, Optimising, OptimisingAhead, optimise
    from ...runtime.workspace import Workspace

    again = typed(
        "optimise", name,
        options=(("--as", args.format), ("--tokens", args.tokens), ("--items", args.items),
                 ("--no-speed", args.no_speed), ("--use", args.use)),
    )  # fmt: skip
    async with (
        Workspace(settings) as workspace,
        aclosing(
            optimise(
                workspace, name, args.format.upper(), tokens=args.tokens, speeds=not args.no_speed, items=args.items,
                command=again,
            )
        ) as events,
    ):  # fmt: skip
        async for event in events:
            match event:
                case OptimisingAhead(steps=steps, about_s=about):
                    words = "; ".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))
                    out.note(f"{words} - about {roughly(about)} on two cores; Ctrl-C leaves the original as it is")
                case Optimising(words=words, done=done, total=total):
                    out.progress.steps(f"step {event.step} of {event.steps}, {words}", done, total)
                case Optimised():
                    out.progress.clear()
                    return event
    raise PluriverseError("the copy was not made", command("optimise", name))


def _show(made: "Optimised", out: Output) -> None:
    out.line(bold(made.copy.name), f"  {size(made.copy.bytes)}, {made.copy.digest}")
    if made.speeds:
        before, after = made.speeds
        rows = []
        for measure, held, words in (
            ("prefill", "512", "reading"),
            ("decode 8", "40", "eight voices"),
            ("decode 1", "40", "one voice"),
        ):
            a, b = before[measure][held], after[measure][held]
            rows.append((words, f"{a:.0f}", f"{b:.0f}", f"{made.gain(measure, held):.1f}"))
        out.table(("TOKENS/S", made.original.quantization or "ORIGINAL", made.format, "TIMES"), rows)
    if made.loss:
        out.line(f"loss   {_words(made.loss)} from {made.original.name}, {made.loss.tokens:,} tokens of TruthfulQA")
    if made.from_exact and made.noise:
        out.line(f"       {_words(made.from_exact)} from F16; the original itself {made.noise.kl.value:.4f}")
    for each in made.changes:
        interval = f"{each.value:+.3f} ({each.low:+.3f} to {each.high:+.3f})"
        out.line(f"change {each.instrument} {interval}, {each.n} items; {each.note}")


def _words(loss: "Loss") -> str:
    kl = f"KL {loss.kl.value:.4f} ({loss.kl.low:.4f} to {loss.kl.high:.4f}) nats a token"
    return f"{kl}, the same first choice at {loss.same_choice:.1%}"


def _advise(made: "Optimised", args: argparse.Namespace, out: Output) -> None:
    out.note(_verdict(made))
    if args.use:
        back = command("optimise", made.original.name, "--original")
        out.note(f"it is used in place of {made.original.name} from now on; to go back: {back}")
    else:
        again = command("optimise", made.original.name, "--as", made.format, "--use")
        out.note(f"to use it once: --base {made.copy.name}; from now on: {again}")


def _verdict(made: "Optimised") -> str:
    """What was measured says; what was not measured is no reason for it nor against it."""
    name = made.copy.name
    gain = max(made.gain("prefill", "512"), made.gain("decode 8", "40")) if made.speeds else None
    changed = [each.instrument for each in made.changes if each.low is not None and each.high is not None
               and not each.low <= 0 <= each.high]  # fmt: skip
    if made.loss and made.loss.kl.value > 0.05:
        return "its answers differ noticeably from the original's; Q8_0 loses next to nothing"
    if gain is None:
        return "whether it is faster here was not measured (--no-speed)"
    if gain < 1.2:
        return f"it is hardly faster here; to delete it: {command('rm', name)}"
    if made.loss is None:
        return f"up to {gain:.1f} times as fast here; what it loses was not measured (--tokens 0)"
    if changed:
        return f"up to {gain:.1f} times as fast here, but its answers to {' and '.join(changed)} change"
    return f"worth it here: up to {gain:.1f} times as fast, and what it loses is small"
