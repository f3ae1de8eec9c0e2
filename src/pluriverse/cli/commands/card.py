"""`pluriverse card`: everything that was measured about one assistant, the sensitivity checks on its model first."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...files import write_out
from ..terminal.answers import show_answers
from ..terminal.figures import Notes, document_of, figures_table, latest_of, metric, runs_of, tell_may_change, today
from ..terminal.output import Output, bold, dim
from ..terminal.parser import GROUPS, Commands
from ..terminal.text import counted
from ..terminal.typed import typed

if TYPE_CHECKING:
    from ...measure.results.evidence import Evidence
    from ...measure.results.result_set import ResultSet
    from ...measure.run.sensitivity import SensitivityCheck
    from ...measure.schema.figure import Figure
    from ...settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add(
        "card", "show all results of one assistant", run, example="pluriverse card duty", group=GROUPS[3]
    )
    parser.add_argument("name", metavar="A", help="the assistant")
    parser.add_argument("--base", metavar="REF", help="results with this model, if it was measured with several")
    parser.add_argument("--groups", action="store_true", help="show figures by language, country and subject too")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the card as one HTML file")


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...measure.results.assemble import card, checks_of
    from ...measure.results.contribution import in_company
    from ...measure.results.evidence import evidence

    runs = runs_of(settings)
    found, checks = latest_of(settings, [args.name], args.base, runs)
    if len(found.respondents) > 1:
        bases = [each.base for each in found.respondents]
        raise UsageError(
            f"{args.name} was measured through {' and '.join(bases)}", f"pluriverse card {args.name} --base {bases[-1]}"
        )
    out.progress.status("putting it together ...")
    (name,) = found.assistants
    rows = in_company(card(found, name, checks), found, name, runs, checks)
    shown = checks_of(found, checks)
    path = _written(args, found, checks, rows) if args.html else None
    about = {"assistant": name, "base": found.respondents[0].base, "html": path}
    answers = evidence(found, checks)
    out.document({**about, **document_of(rows, shown, found, answers, settings.home)})
    if out.json:
        return 0
    if path:
        out.line(path)
    else:
        _show(found, rows, shown, {each.instrument: each for each in answers}, args.groups, settings.home, out)
    return 0


def _written(
    args: argparse.Namespace,
    found: "ResultSet",
    checks: "Sequence[SensitivityCheck]",
    rows: "Sequence[Figure]",
) -> str:
    from dataclasses import replace

    from ...measure.results.for_report import report
    from ...report.page import card_page

    (name,) = found.assistants
    command = typed("card", args.name, options=(("--base", args.base), ("--html", args.html.name)))
    made = report(found, checks, today(), command, f"Card of {name}")
    others = tuple(each for each in made.figures if each.assistant != name)
    write_out(args.html, card_page(replace(made, figures=(*rows, *others)), name))
    return str(args.html)


def _show(
    found: "ResultSet",
    rows: "Sequence[Figure]",
    checks: "Sequence[SensitivityCheck]",
    answers: "Mapping[str, Evidence]",
    groups: bool,
    home: Path,
    out: Output,
) -> None:
    from ...measure.schema.words import check as check_words

    who = found.respondents[0]
    out.line(bold(who.assistant), f"  on {who.base}")
    out.line()
    if checks:
        out.table(("SENSITIVITY CHECK", "SEPARATION", "95 %", "RESULT"), [_check_row(each) for each in checks])
        words = "separation of known opposites: 1 always, 0.5 never; only instruments that passed have figures below"
        out.line(dim(words))
        out.line()
    failed = {each.instrument: each for each in checks if not each.passed}
    notes = Notes()
    for instrument in found.tried:
        figures = [each for each in rows if each.instrument == instrument.name]
        out.line(bold(instrument.name), f"  {instrument.title}")
        if instrument.name in failed or found.silence(instrument, who.assistant):
            known = failed.get(instrument.name)
            out.paragraph(f"no figures here: {check_words(known.outcome) if known else figures[0].note}", indent=2)
        else:
            _figures(figures, groups, out, notes)
        if instrument.name in answers:
            show_answers(answers[instrument.name], home, out)
        out.line()
    for note in dict.fromkeys(found.notes):
        out.note(note)
    tell_may_change(found, out)


def _check_row(check: "SensitivityCheck") -> tuple[str, ...]:
    if not check.told_enough:
        return check.instrument, "-", f"{check.items} of {check.asked} items", check.finding.words
    ends = f"{check.low:.2f} to {check.high:.2f}"
    return check.instrument, f"{check.separation:.2f}", ends, check.finding.words


def _figures(figures: "Sequence[Figure]", groups: bool, out: Output, notes: Notes) -> None:
    shown = [each for each in figures if groups or not each.group]
    figures_table(shown, out, {"METRIC": metric, **({"OF": lambda each: each.group} if groups else {})}, notes)
    if hidden := len(figures) - len(shown):
        out.line(dim(f"  and {counted(hidden, 'figure')} by group: --groups"))
