"""`pluriverse compare`: two assistants on the same items, by paired tests; nothing is ranked that is not separated."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import NotFoundError, UsageError, command
from ..terminal.figures import document_of, interval, latest_of, tell_may_change
from ..terminal.output import Output, bold, dim
from ..terminal.parser import GROUPS, Commands

if TYPE_CHECKING:
    from ...measure.results.result_set import ResultSet
    from ...measure.schema.figure import Figure
    from ...settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add(
        "compare", "compare two assistants on the same items", run,
        example="pluriverse compare progressive conservative", group=GROUPS[3],
    )  # fmt: skip
    parser.add_argument("a", metavar="A", help="the one assistant")
    parser.add_argument("b", metavar="B", help="the other")
    parser.add_argument("--base", metavar="REF", help="results with this model, if they were measured with several")


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...measure.results.assemble import checks_of, figures
    from ...measure.results.compare import compare

    if args.a == args.b:
        raise UsageError(
            "an assistant is not compared with itself", "name two: pluriverse compare progressive conservative"
        )
    found, checks = latest_of(settings, [args.a, args.b], args.base)
    out.progress.status("comparing ...")
    a, b = (_name(found, each) for each in (args.a, args.b))
    differences = compare(found, a, b, checks)
    if not differences:
        asked = next(each for each in found.tried if found.of(each) or found.silence(each, a) or found.silence(each, b))
        names = ",".join(each.partition(" on ")[0] for each in (a, b))
        hint = command("measure", asked.name, "--with", names)
        raise NotFoundError(f"{a} and {b} have no instrument in common", hint)
    own = [each for each in figures(found, checks) if each.assistant in (a, b)]
    out.document({"a": a, "b": b, **document_of([*differences, *own], checks_of(found, checks), found)})
    if not out.json:
        _show(found, a, b, differences, own, out)
    return 0


def _name(found: "ResultSet", asked: str) -> str:
    """As it is shown. UsageError where several models spoke for it."""
    names = [each.assistant for each in found.respondents if each.assistant.split(" on ")[0] == asked.split(" on ")[0]]
    if asked in names:
        return asked
    if len(names) == 1:
        return names[0]
    bases = [name.partition(" on ")[2] for name in names]
    raise UsageError(f"{asked} was measured through {' and '.join(bases)}", f"choose one: --base {bases[-1]}")


def _show(
    found: "ResultSet", a: str, b: str, differences: "Sequence[Figure]", own: "Sequence[Figure]", out: Output
) -> None:
    from ...measure.metrics.by_name import metric_of
    from ...measure.schema.reasons import NotChecked, Recites, Tested
    from ...measure.schema.words import verdict, words_of

    titles = {each.name: each for each in found.tried}
    values = {(each.instrument, each.metric, each.assistant): each for each in own if not each.group}
    out.line(bold(f"{a} less {b}"))
    out.line()
    rows, silent = [], []
    for each in differences:
        metric = metric_of(titles[each.instrument])
        if each.value is None:
            silent.append(each)
            continue
        ones = [values.get((each.instrument, metric, name)) for name in (a, b)]
        sides = ["-" if one is None else interval(one)[0] for one in ones]
        (test,) = (remark for remark in each.remarks if isinstance(remark, Tested))
        value, ends = interval(each, signed=True)
        rows.append((each.instrument, metric.replace("_", " "), *sides, value, ends, str(each.n), verdict(test)))
    if rows:
        out.table(("INSTRUMENT", "MEASURE", a, b, "DIFFERENCE", "95 %", "ITEMS", "RESULT"), rows, whole=("MEASURE",))
        out.line(
            dim("differences are means over the items of both; paired tests, adjusted by Holm over all instruments")
        )
    if unchecked := [each.instrument for each in differences if NotChecked() in each.remarks]:
        out.paragraph(f"{', '.join(unchecked)}: {words_of(NotChecked())}")
    for each in differences:
        for recites in (remark for remark in each.remarks if isinstance(remark, Recites)):
            out.paragraph(f"{each.instrument}: {words_of(recites)}")
    for why in dict.fromkeys(each.withheld for each in silent if each.withheld):
        named = ", ".join(each.instrument for each in silent if each.withheld == why)
        out.paragraph(f"{named}: {words_of(why)}")
    for note in dict.fromkeys(found.notes):
        out.note(note)
    tell_may_change(found, out)
