"""`pluriverse report`: all that was measured as one HTML file; the runs, and their rows for other tools."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import PluriverseError
from ...files import write_out
from ...measure.data.loaders import load as load_items
from ..terminal.figures import document_of, latest_of, left_out, runs_of, today
from ..terminal.output import Output
from ..terminal.parser import GROUPS, Commands, names_of
from ..terminal.typed import typed

if TYPE_CHECKING:
    from ...measure.exchange import Recorded
    from ...measure.results.result_set import ResultSet
    from ...measure.run.record import Run
    from ...measure.run.sensitivity import SensitivityCheck
    from ...measure.schema.items import Item
    from ...settings import Settings

DEFAULT = Path("report.html")


def add(commands: Commands) -> None:
    parser = commands.add(
        "report", "write all results to one HTML file", run, example="pluriverse report -o report.html",
        group=GROUPS[3],
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write it (default: report.html)")
    parser.add_argument("--with", dest="names", metavar="A,B", help="only these assistants")
    parser.add_argument("--base", metavar="REF", help="only results with this model")
    parser.add_argument("--run", dest="run_id", metavar="ID", help="only this run")
    parser.add_argument("--runs", action="store_true", help="list the runs and write nothing")
    parser.add_argument("--parquet", type=Path, metavar="FILE", help="write all responses to a Parquet table")
    parser.add_argument(
        "--inspect", type=Path, metavar="FOLDER", help="write the runs as logs of Inspect (inspect view)"
    )


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...measure.results.assemble import checks_of, figures
    from ...measure.results.evidence import evidence
    from ...measure.run.record import read_run

    found = [read_run(settings.home, args.run_id)] if args.run_id else runs_of(settings)
    if args.runs:
        return _listed(found, () if args.run_id else left_out(settings, found), out)
    names = names_of(args.names) if args.names else None
    chosen, checks = latest_of(settings, names, args.base, found)
    out.progress.status("putting it together ...")
    wanted = args.output or (None if args.parquet or args.inspect else DEFAULT)
    page = _written(args, wanted, chosen, checks) if wanted else None
    table = _parquet(args.parquet, chosen) if args.parquet else None
    logs = _inspected(args.inspect, found, chosen, checks, settings) if args.inspect else []
    rows = figures(chosen, checks) if out.json else []
    answers = evidence(chosen, checks) if out.json else []
    places = {"report": page, "parquet": table, "inspect": logs}
    out.document({**places, "runs": [each.id for each in found],
                  **document_of(rows, checks_of(chosen, checks), chosen, answers, settings.home)})  # fmt: skip
    for place in (page, table, *logs):
        if place:
            out.line(place)
    for note in chosen.notes:
        out.note(note)
    if page:
        out.note(f"it shows three items of each instrument with all answers; all rows: {settings.home / 'runs'}")
    if logs:
        out.note(f"look at them: inspect view --log-dir {args.inspect}")
    return 0


def _listed(found: "Sequence[Run]", notes: Sequence[str], out: Output) -> int:
    out.document({"runs": [_document(each) for each in found], "notes": list(notes)})
    for note in notes:
        out.note(note)
    if not out.json:
        rows = [
            (
                each.id,
                each.created[:16].replace("T", " "),
                f"{len(each.responses):,}",
                tuple(name for name, _ in each.plan.instruments),
                tuple(dict.fromkeys(who.assistant for who in each.plan.respondents)),
            )
            for each in found
        ]
        out.table(("RUN", "BEGUN (UTC)", "RESPONSES", "INSTRUMENTS", "ASSISTANTS"), rows)
    return 0


def _document(each: "Run") -> dict[str, Any]:
    return {
        "id": each.id,
        "created": each.created,
        "instruments": [name for name, _ in each.plan.instruments],
        "assistants": [who.assistant for who in each.plan.respondents],
        "bases": list(dict.fromkeys(who.base for who in each.plan.respondents)),
        "limit": each.plan.limit,
        "seed": each.plan.seed,
        "until": each.plan.until,
        "responses": len(each.responses),
        "command": each.plan.command,
    }


def _written(args: argparse.Namespace, path: Path, found: "ResultSet", checks: "Sequence[SensitivityCheck]") -> str:
    from ...measure.results.for_report import report
    from ...report.page import render

    given = (("-o", path.name), ("--with", args.names), ("--base", args.base), ("--run", args.run_id))
    command = typed("report", options=given)
    write_out(path, render(report(found, checks, today(), command)))
    return str(path)


def _parquet(path: Path, found: "ResultSet") -> str:
    from ...measure.exchange.parquet import write

    return str(write(found.responses, {each.key: each for each in found.respondents}, path))


def _inspected(
    folder: Path,
    found: "Sequence[Run]",
    chosen: "ResultSet",
    checks: "Sequence[SensitivityCheck]",
    settings: "Settings",
) -> list[str]:
    """A log for each assistant and instrument of each run that has responses among those chosen."""
    from ...measure.exchange.inspect_log import written
    from ...measure.results.result_set import latest

    items = _items(chosen, settings)
    paths: list[str] = []
    for each in found:
        rows = latest([each], [who.assistant for who in chosen.respondents])
        if rows.responses:
            paths += map(str, written(_recorded(each, rows, checks, items), folder))
    return paths


def _recorded(
    each: "Run", rows: "ResultSet", checks: "Sequence[SensitivityCheck]", items: "dict[str, list[Item]]"
) -> "Recorded":
    import datetime

    from ...measure.exchange import Recorded
    from ...measure.metrics.by_name import values_of
    from ...measure.results.assemble import figures
    from ...measure.results.visibility import passing

    return Recorded(
        each.id,
        datetime.datetime.fromisoformat(each.created),
        rows.responses,
        {who.key: who for who in rows.respondents},
        items,
        {instrument.name: instrument for instrument in rows.instruments},
        {each.name: values_of(each, passing(rows, each, checks)) for each in rows.instruments},
        figures(rows, checks),
    )


def _items(chosen: "ResultSet", settings: "Settings") -> "dict[str, list[Item]]":
    """The options' texts, which rows do not hold; of data that are not at hand, none."""
    import asyncio

    found = {}
    for instrument in chosen.instruments:
        try:
            found[instrument.name] = asyncio.run(load_items(instrument, settings))
        except PluriverseError:
            continue
    return found
