"""`pluriverse measure`: what instruments there are, and measuring assistants with them."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import PluriverseError, UnreachableError, UsageError, command
from ..terminal.figures import Notes, figures_table, metric
from ..terminal.output import Output, bold, dim
from ..terminal.parser import GROUPS, Commands, names_of
from ..terminal.text import counted
from ..terminal.typed import typed

if TYPE_CHECKING:
    from ...measure.run.events import MeasureAhead, Measured
    from ...measure.schema.instrument import Instrument
    from ...measure.schema.items import Item
    from ...settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add(
        "measure", "measure assistants; without a name, list the instruments", run,
        example="pluriverse measure remarks-politics --with progressive,conservative --limit 40",
        group=GROUPS[3],
    )  # fmt: skip
    parser.add_argument(
        "instruments", nargs="*", metavar="INSTRUMENT",
        help="names of instruments, `standard` for one or two of each dimension, or the YAML file of an"
        " lm-evaluation-harness task; without any, all instruments are listed",
    )  # fmt: skip
    parser.add_argument(
        "--with", dest="names", metavar="A,B", help="measure these assistants (default: the panel works)"
    )
    parser.add_argument("--panel", metavar="P", help="measure the members of this panel")
    parser.add_argument("--base", metavar="REF", help="use this model for all of them")
    parser.add_argument(
        "--judges", metavar="A,B,C",
        help="models that judge the responses automatic rules cannot classify: one to three of different families, as"
        " NAME or NAME=FAMILY; each is first validated on texts that people labelled",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, metavar="N", help="ask at most N items of each instrument (default: 50)")
    parser.add_argument("--all-items", action="store_true", help="ask all items of each instrument")
    parser.add_argument(
        "--until", type=float, metavar="H",
        help="ask 40, 80, 160, ... items, and stop once the 95 %% interval of each assistant's main figure is within H"
        " of its value, e.g. 0.05 (at most --limit items; without --limit: all)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="choose other items and other samples (default: 0)"
    )
    parser.add_argument(
        "--accept-licence", action="store_true", help="accept the licence of data for non-commercial use only"
    )
    parser.add_argument(
        "--no-proof",
        action="store_true",
        help="skip the sensitivity check that runs first",
    )
    parser.add_argument(
        "--check-items",
        type=int,
        metavar="N",
        help="items in the sensitivity check (default: up to 24)",
    )
    parser.add_argument(
        "--blind-too", action="store_true",
        help="also ask instruments that fail their sensitivity check: keeps the responses, shows no figures",
    )  # fmt: skip
    parser.add_argument(
        "--cluster", metavar="ADDRESS",
        help="run on a Ray cluster: HOST:PORT, `auto`, or `local` for two workers on this machine",
    )  # fmt: skip


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    if not args.instruments:
        return _listed(out)
    import asyncio

    chosen, items = _chosen(args.instruments)
    _consented(chosen, args.accept_licence, settings)
    try:
        measured = asyncio.run(_measured(args, chosen, items, out, settings))
    except UnreachableError as error:
        raise _without(error, args, [each for each in chosen if each.name not in items], settings) from error
    rows = [each.as_dict() for each in measured.figures]
    out.document({"run": measured.run.id, "items_per_s": measured.items_per_s, "rows": rows,
                  "proofs": [each.as_dict() for each in measured.checks], "notes": list(measured.notes)})  # fmt: skip
    if not out.json:
        show(measured, chosen, out)
    return 0


def _listed(out: Output) -> int:
    from ...measure.data.instruments import broken, known

    found = list(known().values())
    for error in broken().values():
        out.warn(error.message)
    out.document({"instruments": [each.as_dict() for each in found]})
    rows = [
        (each.dimension, each.name, f"{each.count:,}", _languages(each.languages), each.licence, each.title)
        for each in found
    ]
    out.table(
        ("DIMENSION", "NAME", "ITEMS", "LANGUAGES", "LICENCE", "WHAT IT IS"),
        rows,
        whole=("NAME",),
        spare=("LICENCE", "LANGUAGES"),
        wrapped=("WHAT IT IS",),
    )
    out.note("to measure with one of them: pluriverse measure truthfulqa --with duty")
    return 0


def _languages(tags: Sequence[str]) -> str:
    return " ".join(tags) if len(tags) < 4 else f"{len(tags)} languages"


def _chosen(names: Sequence[str]) -> "tuple[list[Instrument], dict[str, list[Item]]]":
    """Instruments by name, by the word `standard`, and those of files; items of the latter."""
    from ...measure.data.instruments import find, standard

    chosen: list[Instrument] = []
    items: dict[str, list[Item]] = {}
    for name in names:
        if _is_file(name):
            from ...measure.exchange.harness_tasks import imported

            instrument, found = imported(Path(name))
            chosen.append(instrument)
            items[instrument.name] = found
        else:
            chosen += standard() if name == "standard" else [find(name)]
    return list({each.name: each for each in chosen}.values()), items


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _consented(chosen: "Sequence[Instrument]", accepts: bool, settings: "Settings") -> None:
    from ...measure.data import datasets

    for instrument in chosen:
        for name in datasets.needs_consent(instrument.datasets, settings):
            if not accepts:
                licence = f"{instrument.title} is for non-commercial use only ({instrument.licence})"
                raise UsageError(licence, f"if you agree: {command('measure', instrument.name, '--accept-licence')}")
            datasets.consent(name, settings)


def _without(
    error: UnreachableError, args: argparse.Namespace, chosen: "Sequence[Instrument]", settings: "Settings"
) -> UnreachableError:
    """Of several instruments: all whose data are not here, not only the first, and how to measure the others."""
    from ...measure.data import datasets

    lacking = [each.name for each in chosen if datasets.missing(each.datasets, settings)]
    files = [name for name in args.instruments if _is_file(name)]
    if not lacking or len(chosen) + len(files) == 1:
        return error
    others = [*files, *(each.name for each in chosen if each.name not in lacking)]
    message = f"{error.message}; the data of these instruments are not on this machine: {', '.join(lacking)}"
    hint = f"measure the others: {_command(args, _limit(args), others)}; " if others else ""
    return UnreachableError(message, f"{hint}{'or ' if hint and error.hint else ''}{error.hint or ''}")


async def _measured(
    args: argparse.Namespace,
    chosen: "list[Instrument]",
    items: "dict[str, list[Item]]",
    out: Output,
    settings: "Settings",
) -> "Measured":
    from contextlib import aclosing

    from ...measure.measuring import MeasureOptions, measure
    from ...measure.run.events import MeasureAhead, Measured, MeasureNote, MeasureStarted, MeasureStep
    from ...runtime.events import Fetching
    from ...runtime.workspace import Workspace
    from ..terminal.pulling import show_pull

    names = names_of(args.names) if args.names else None
    limit = _limit(args)
    judges = tuple(names_of(args.judges)) if args.judges else ()
    options = MeasureOptions(
        limit,
        args.seed,
        args.base,
        not args.no_proof,
        _command(args, limit, args.instruments),
        args.until,
        judges,
        args.cluster,
        args.blind_too,
        args.check_items,
    )
    async with Workspace(settings) as workspace:
        asked = workspace.choose(names, args.panel)
        async with aclosing(measure(workspace, chosen, asked, options, items)) as events:
            async for event in events:
                match event:
                    case Fetching(base=base, event=pulling):
                        show_pull(out, pulling, base)
                    case MeasureAhead():
                        out.note(_ahead(event))
                    case MeasureStarted(cells=cells, kept=kept):
                        known = f", {kept:,} of them answered already" if kept else ""
                        most = "at most " if args.until is not None else ""
                        out.note(f"{most}{cells:,} questions to ask{known}")
                    case MeasureStep(words=words, done=done, total=total, phase=phase):
                        out.progress.steps(phase, done, total, words)
                    case MeasureNote(words=words):
                        out.note(words)
                    case Measured():
                        out.progress.clear()
                        return event
    raise PluriverseError(
        "the measurement ended without a result", "run the same command again; it continues where it stopped"
    )


def _limit(args: argparse.Namespace) -> int | None:
    """Items of each instrument; None for all."""
    if args.all_items:
        return None
    return args.limit if args.limit is not None else (50 if args.until is None else None)


def _command(args: argparse.Namespace, limit: int | None, instruments: Sequence[str]) -> str:
    """What to type to measure this again: every option that decides who is asked what, and what is shown of it."""
    how_many = ("--limit", limit) if limit is not None else ("--all-items", True)
    given = (
        ("--with", args.names), ("--panel", args.panel), ("--base", args.base), ("--judges", args.judges), how_many,
        ("--until", args.until), ("--seed", args.seed or None), ("--no-proof", args.no_proof),
        ("--check-items", args.check_items), ("--blind-too", args.blind_too), ("--accept-licence", args.accept_licence),
    )  # fmt: skip
    return typed("measure", *instruments, options=given)


def _ahead(event: "MeasureAhead") -> str:
    """What a call will cost, before it asks anything."""
    names = list(dict.fromkeys(name for name, _ in event.checks))
    named = ", ".join(names) if len(names) < 4 else f"{len(names)} instruments"
    known = f", {event.check_kept:,} of them answered already" if event.check_kept else ""
    checks = f"first a sensitivity check of {named}: at most {counted(event.check_cells, 'question')}{known}"
    run = f"then at most {event.cells - event.kept:,} for the measurement itself"
    return f"{checks}; {run} (checks are done once and kept; --no-proof skips them)"


def show(measured: "Measured", chosen: "Sequence[Instrument]", out: Output) -> None:
    """Figures by instrument: its sensitivity check first, then a row per assistant and metric."""
    from ...measure.schema.words import check_told

    notes = Notes()
    for instrument in chosen:
        figures = [each for each in measured.figures if each.instrument == instrument.name]
        checks = [each for each in measured.checks if each.instrument == instrument.name]
        out.line(bold(instrument.name), f"  {instrument.title}")
        if checks and not any(each.passed for each in checks):  # where it passed on one base, others have notes
            for check in checks:
                where = f" on {check.base}" if len(checks) > 1 else ""
                out.paragraph(f"no figures here{where}: {check_told(check.outcome)}", indent=2)
        else:
            if instrument.raw and len({each.assistant for each in figures}) > 1:
                out.paragraph(
                    "asked without the chat template: figures of the model, the same for every assistant on it",
                    indent=2,
                )
            columns = {"ASSISTANT": lambda each: each.assistant, "METRIC": metric}
            figures_table([each for each in figures if not each.group], out, columns, notes)
            groups = sum(1 for each in figures if each.group)
            if groups:
                out.line(dim(f"  and {groups} figures by group: {command('card', figures[0].assistant)}; or --json"))
        out.line()
    for note in dict.fromkeys(measured.notes):
        out.note(note)
    out.note(f"run {measured.run.id}, {measured.items_per_s:.1f} items/s; next: pluriverse report -o report.html")
