"""`pluriverse fit`: does a model fit this machine, and how fast would it be, before anything is downloaded."""

import argparse
from typing import TYPE_CHECKING

from ...errors import PluriverseError, command
from ..terminal.output import Output, bold
from ..terminal.parser import GROUPS, Commands
from ..terminal.text import counted, duration, roughly, size

if TYPE_CHECKING:
    from ...catalogue.verdict import Fit, Reason
    from ...runtime.fitting import Asked
    from ...settings import Settings


def add(commands: Commands) -> None:
    example = "pluriverse fit qwen2.5-7b-instruct --assistants 3"
    parser = commands.add(
        "fit", "whether a model fits this machine, and how fast", run, example=example, group=GROUPS[2]
    )
    parser.add_argument(
        "ref", metavar="REF", help="a name in the catalogue, hf:owner/repo:Q4_K_M, an address, or a .gguf file"
    )
    parser.add_argument(
        "--context", type=int, default=4096, metavar="N", help="tokens of a conversation (default: 4096)"
    )
    parser.add_argument("--assistants", type=int, default=1, metavar="N", help="that answer at once (default: 1)")
    parser.add_argument("--guided", action="store_true", help="they are guided: each takes two conversations")
    parser.add_argument("--prompt", type=int, metavar="N", help="tokens that are read before (default: half of them)")
    parser.add_argument("--quantisation", metavar="Q", help="format of the weights (default: Q4_K_M)")
    parser.add_argument("--no-measure", action="store_true", help="do not measure this machine; tell what is known")


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio

    from ...runtime.fitting import Asked

    asked = Asked(args.context, args.assistants, args.guided, args.prompt, args.quantisation)
    found = asyncio.run(_fitted(args.ref, asked, not args.no_measure, out, settings))
    out.document(found.as_dict())
    if not out.json:
        _show(found, asked, out)
    return 0


async def _fitted(ref: str, asked: "Asked", measure: bool, out: Output, settings: "Settings") -> "Fit":
    from ...catalogue.verdict import Fit
    from ...engines.native.profiling import Measuring
    from ...runtime.fitting import Reading, Unmeasured, fit

    async for event in fit(ref, asked, settings, measure=measure):
        match event:
            case Reading(source=source):
                out.progress.status(f"reading the header of {source} ...")
            case Measuring(done=0, about_s=about):
                out.note(f"this machine is measured, once: about {roughly(about)} on two quiet cores")
                out.progress.steps("measuring this machine", 0, event.total)
            case Measuring(done=done, total=total):
                out.progress.steps("measuring this machine", done, total)
            case Unmeasured(error=error):
                out.warn(f"this machine could not be measured: {error.message}")
            case Fit():
                out.progress.clear()
                return event
    raise PluriverseError("nothing was found out", command("fit", ref))


def _show(found: "Fit", asked: "Asked", out: Output) -> None:
    word = {True: "fits", False: "does not fit", None: "may fit: it cannot be said for certain"}[found.fits]
    out.line(bold(found.ref), f"  {word}")
    load = f"{counted(asked.assistants, 'assistant')}{', guided,' if asked.guided else ''} of {asked.context:,} tokens"
    if found.memory and found.memory_needed:
        low = f"{size(found.memory_low)} to " if found.memory_low else ""
        parts = found.memory
        copies = f", {size(parts.copies)} copies of them in a faster order" if parts.copies else ""
        out.paragraph(
            f"memory    {low}{size(found.memory_needed)} for {load}; {size(found.memory_free)} are free here", indent=0
        )
        out.paragraph(
            f"          {size(parts.weights)} weights{copies}, {size(parts.cache)} keys and values, "
            f"{size(parts.compute + parts.program)} to compute"
        )
    if found.bytes:
        format = f" in {found.quantisation}" if found.quantisation else ""
        out.line(f"file      {size(found.bytes)}{format}")
    if speed := found.tokens_per_s:
        together = " of all together" if asked.assistants > 1 else ""
        out.line(f"speed     {speed.value:.1f} tokens/s{together} ({speed.low:.1f} to {speed.high:.1f})")
    if found.reading_s is not None:
        out.line(f"reading   {duration(found.reading_s)} for a prompt of {found.load.read:,} tokens")
    if found.bandwidth:
        out.line(f"machine   reads {size(round(found.bandwidth))} of weights a second")
    for reason in found.why:
        out.paragraph(f"- {_words(reason)}")
    _advise(found, out)


def _words(reason: "Reason") -> str:
    needed, there = reason.needed, reason.there
    tokens = f"{needed:,} tokens are wanted, and the model reads {there:,}" if needed and there else ""
    bytes = {"needed": size(needed) if needed else "", "there": size(there) if there is not None else ""}
    words = {
        "memory": "it needs at least {needed} of memory, and this machine has {there}",
        "busy": "it needs at least {needed} of memory, and {there} are free now; end other programs and it fits",
        "disk": "it needs {needed} of disk, with a little to spare, and {there} are free",
        "tight": "it fits because the system takes back pages of the file; it starts slowly then",
        "facts": "some facts of it are not known, so that its memory is a range",
        "size": "nobody said how large it is, so that its needs are not known",
        "closed": "it is closed: nobody can have its weights",
        "no-file": "no file of it that an engine here reads is known",
        "unmeasured": "its speed is not known, because this machine was not measured",
        "unchecked": "these predictions have not been compared with measured speeds yet",
    }  # fmt: skip
    if reason.kind == "context":
        return tokens
    if reason.kind == "formats":
        return f"its speed is not known, because matrices in {', '.join(reason.names)} are not measured"
    return words[reason.kind].format(**bytes)


def _advise(found: "Fit", out: Output) -> None:
    from ...catalogue.verdict import accuracy

    for each in found.alternatives:
        if each.kind == "quantisation" and each.bytes and each.memory_needed:
            out.line(f"also fits {each.name}: {size(each.bytes)}, {size(each.memory_needed)} of memory")
        elif each.kind == "smaller" and each.name:
            out.note(f"a smaller one of its family that fits: {command('fit', each.name)}")
        elif each.kind == "remote":
            out.note("or ask it where it runs on another machine")
    known = accuracy()
    if known.machines and known.worst is not None and found.tokens_per_s:
        machines = counted(known.machines, "machine")
        out.note(f"speeds were within {known.worst:.0%} of what was measured, on {machines} that were tried")
    if found.take and found.fits:
        out.note(f"take it: {command('pull', found.ref)}")
    elif found.take:
        out.note(f"take it in {found.take}")
