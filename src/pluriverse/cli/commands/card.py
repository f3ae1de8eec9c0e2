"""`pluriverse card`: everything that was measured about one assistant, what can be seen on its base first."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...files import write_out
from ..terminal.answers import show_answers
from ..terminal.figures import Notes, document_of, figures_table, latest_of, metric, runs_of, today
from ..terminal.output import Output, bold, dim
from ..terminal.parser import GROUPS, Commands
from ..terminal.text import counted
from ..terminal.typed import typed

if TYPE_CHECKING:
    from ...measure.results.assemble import ResultSet
    from ...measure.results.evidence import Evidence
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
    found, proofs = latest_of(settings, [args.name], args.base, runs)
    if len(found.respondents) > 1:
        bases = [each.base for each in found.respondents]
        raise UsageError(
            f"{args.name} was measured through {' and '.join(bases)}", f"pluriverse card {args.name} --base {bases[-1]}"
        )
    out.progress.status("putting it together ...")
    (name,) = found.assistants
    rows = in_company(card(found, name, proofs), found, name, runs, proofs)
    shown = checks_of(found, proofs)
    path = _written(args, found, proofs, rows) if args.html else None
    about = {"assistant": name, "base": found.respondents[0].base, "html": path}
    answers = evidence(found, proofs)
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
    proofs: "Sequence[SensitivityCheck]",
    rows: "Sequence[Figure]",
) -> str:
    from dataclasses import replace

    from ...measure.results.for_report import report
    from ...report.page import card_page

    (name,) = found.assistants
    command = typed("card", args.name, options=(("--base", args.base), ("--html", args.html.name)))
    made = report(found, proofs, today(), command, f"Card of {name}")
    others = tuple(each for each in made.figures if each.assistant != name)
    write_out(args.html, card_page(replace(made, figures=(*rows, *others)), name))
    return str(args.html)


def _show(
    found: "ResultSet",
    rows: "Sequence[Figure]",
    proofs: "Sequence[SensitivityCheck]",
    answers: "Mapping[str, Evidence]",
    groups: bool,
    home: Path,
    out: Output,
) -> None:
    who = found.respondents[0]
    out.line(bold(who.assistant), f"  on {who.base}")
    out.line()
    if proofs:
        out.table(("SENSITIVITY CHECK", "SEPARATION", "95 %", "RESULT"), [_seen(each) for each in proofs])
        words = "separation of known opposites: 1 always, 0.5 never; only instruments that passed have figures below"
        out.line(dim(words))
        out.line()
    blind = {each.instrument: each for each in proofs if not each.sees}
    notes = Notes()
    for instrument in found.tried:
        figures = [each for each in rows if each.instrument == instrument.name]
        out.line(bold(instrument.name), f"  {instrument.title}")
        if instrument.name in blind or found.silence(instrument, who.assistant):
            words = blind[instrument.name].words if instrument.name in blind else figures[0].note
            out.paragraph(f"no figures here: {words}", indent=2)
        else:
            _figures(figures, groups, out, notes)
        if instrument.name in answers:
            show_answers(answers[instrument.name], home, out)
        out.line()
    for note in dict.fromkeys(found.notes):
        out.note(note)


def _seen(proof: "SensitivityCheck") -> tuple[str, ...]:
    if not proof.told_enough:
        return proof.instrument, "-", f"{proof.items} of {proof.asked} items", proof.finding.words
    ends = f"{proof.low:.2f} to {proof.high:.2f}"
    return proof.instrument, f"{proof.separation:.2f}", ends, proof.finding.words


def _figures(figures: "Sequence[Figure]", groups: bool, out: Output, notes: Notes) -> None:
    shown = [each for each in figures if groups or not each.group]
    figures_table(shown, out, {"METRIC": metric, **({"OF": lambda each: each.group} if groups else {})}, notes)
    if hidden := len(figures) - len(shown):
        out.line(dim(f"  and {counted(hidden, 'figure')} by group: --groups"))
