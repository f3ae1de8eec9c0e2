"""`pluriverse panel check`: how plural a panel is, measured here and told with intervals."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import PluriverseError
from ..terminal.output import Output, bold, dim
from ..terminal.parser import names_of
from ..terminal.text import duration

if TYPE_CHECKING:
    from ...assistant import Assistant
    from ...panelcheck.check import CheckOptions
    from ...panelcheck.report import PanelReport, Separation, VoiceReport
    from ...runtime.workspace import Workspace
    from ...settings import Settings

_MOST_IN_MATRIX = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="the panel to check (default: works, or PLURIVERSE_PANEL)"
    )
    parser.add_argument("--with", dest="names", metavar="A,B", help="check these assistants instead of a panel")
    parser.add_argument("--base", metavar="REF", help="use this model for all of them")
    parser.add_argument(
        "--questions", type=int, metavar="N", help="ask N questions, 4 to 96 (default: 12; of 1 GB or larger models 6)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the answers (default: 1)")
    parser.add_argument(
        "--no-facts",
        action="store_true",
        help="skip measuring what guidance costs in truthfulness; downloads no public data",
    )


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    import asyncio

    from ...panelcheck.check import CheckOptions

    options = CheckOptions(args.questions, args.seed, args.base, not args.no_facts)
    names = names_of(args.names) if args.names else None
    panel = args.name or settings.panel
    title = ",".join(names) if names else panel
    report = asyncio.run(check_named(title, names, None if names else panel, options, out, settings))
    out.document(report.as_dict())
    show(report, out)
    return 0 if report.plural else 1


async def check_named(
    title: str,
    names: "Sequence[str | Assistant] | None",
    panel: str | None,
    options: "CheckOptions",
    out: Output,
    settings: "Settings",
) -> "PanelReport":
    """Check a panel, or some assistants, showing on stderr what is going on."""
    from ...runtime.workspace import Workspace

    async with Workspace(settings) as workspace:
        return await _checked(workspace, title, workspace.choose(names, panel), options, out)


async def _checked(
    workspace: "Workspace", title: str, assistants: "Sequence[Assistant]", options: "CheckOptions", out: Output
) -> "PanelReport":
    from contextlib import aclosing

    from ...measure.schema.words import ran_off
    from ...panelcheck.check import CheckStep, PanelChecked, StrengthLowered, check
    from ...runtime.events import Fetching
    from ..terminal.pulling import show_pull

    async with aclosing(check(workspace, title, assistants, options)) as events:
        async for event in events:
            match event:
                case Fetching(base=base, event=pulling):
                    show_pull(out, pulling, base)
                case CheckStep(words=words, done=done, steps=steps):
                    out.progress.steps(f"checking {title}", done - 1, steps, words)
                case StrengthLowered():
                    out.note(f"{event.assistant}: strength {event.strength:g} -> {event.lower:g}: {ran_off(event.why)}")
                case PanelChecked(report=report):
                    out.progress.clear()
                    return report
    raise PluriverseError("the check ended without a result", "check again")


def show(report: "PanelReport", out: Output) -> None:
    """The report for people."""
    if out.json:
        return
    heads = f"  on {', '.join(report.bases)}, {len(report.questions)} questions, in {duration(report.seconds)}"
    out.line(bold(report.panel), heads)
    out.line()
    if report.pairs:
        out.table(("PAIR", "TOLD APART", "95 %", "CONTROL", "VERDICT"), [_pair(each) for each in report.pairs])
        out.line(dim(_judge(report)))
        out.line()
    _show_matrix(report, out)
    out.table(
        ("ASSISTANT", "STRENGTH", "PERPLEXITY", "REPEATS", "LANGUAGE", "RECITES"), [_voice(v) for v in report.voices]
    )
    plain = report.plain
    out.line(dim(f"the base's own answers: perplexity {plain.perplexity:.1f}, repeats {plain.repetition:.0%}"))
    out.line()
    _show_cost(report, out)
    for words in report.advice():
        out.paragraph(f"- {words}")
    head, rest = report.sentence
    out.line(bold(f"{head}: "), rest)


def _pair(each: "Separation") -> tuple[str, ...]:
    control = "" if each.control is None else f"{each.control.value:.2f}"
    words = each.finding.words
    if each.persona is not None:
        words += f"; by persona statements {each.persona}"
    interval = f"{each.value.low:.2f} to {each.value.high:.2f}"
    return f"{each.a} / {each.b}", f"{each.value.value:.2f}", interval, control, words


def _judge(report: "PanelReport") -> str:
    """Which judge stands behind which pair: those that do not say where they stand have another one."""
    said = ["1 = always told apart, 0.5 = never"]
    for judge in dict.fromkeys(each.judge for each in report.pairs):
        pairs = [f"{each.a} / {each.b}" for each in report.pairs if each.judge == judge]
        which = f"{', '.join(pairs)} " if len(pairs) < len(report.pairs) else ""
        by = "what was answered to the other questions"
        if judge == "sides" and (seen := report.sensitivity):
            by = f"the base itself, which tells statements of known side apart at {seen.separation}"
        said.append(f"{which}judged by {by}")
    return "; ".join(said)


def _show_matrix(report: "PanelReport", out: Output) -> None:
    names = [voice.assistant for voice in report.voices]
    if len(names) < 3:
        return
    if len(names) > _MOST_IN_MATRIX:
        told = sum(each.told_apart for each in report.matrix)
        out.line(f"{told} of {len(report.matrix)} pairs of members can be told apart by their words alone")
        out.line()
        return
    found = {frozenset((each.a, each.b)): f"{each.value.value:.2f}" for each in report.matrix}
    rows = [
        (f"{number} {name}", *("-" if name == other else found[frozenset((name, other))] for other in names))
        for number, name in enumerate(names, start=1)
    ]
    out.table(("BY WORDS ALONE", *(str(number) for number in range(1, len(names) + 1))), rows)
    out.line()


def _voice(voice: "VoiceReport") -> tuple[str, ...]:
    now = voice.guidance.strength if voice.guidance else 0
    strength = f"{now:g}" if now == voice.declared else f"{now:g} (of {voice.declared:g})"
    fluency = voice.fluency
    return (
        voice.assistant,
        strength if voice.declared else "-",
        f"{fluency.perplexity:.1f}",
        f"{fluency.repetition:.0%}",
        f"{fluency.language:.0%}",
        f"{fluency.recital:.0%}",
    )


def _show_cost(report: "PanelReport", out: Output) -> None:
    if report.facts is not None:
        facts = report.facts
        figures = f"{facts.value:+.3f} ({facts.low:+.3f} to {facts.high:+.3f})"
        out.line(f"facts: guidance moves the truth of TruthfulQA answers by {figures} of 1, {facts.number} questions")
    elif report.facts_missing:
        out.line(f"facts: not measured ({report.facts_missing.words})")
    if report.speed is not None:
        out.line(f"speed: {report.speed.guided:.0f} tokens/s guided, {report.speed.plain:.0f} without guidance")
    out.line()
