"""`pluriverse leaderboard`: what was measured here and what others published, in two blocks, never in one order."""

import argparse
from typing import TYPE_CHECKING, Any

from ...errors import IntegrityError, NotFoundError, UsageError
from ..terminal.figures import latest_of
from ..terminal.output import Output, bold, dim
from ..terminal.parser import GROUPS, Commands

if TYPE_CHECKING:
    from ...measure.results.board import Board, Entry, Score
    from ...settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add(
        "leaderboard", "results measured here beside published ones", run, example="pluriverse leaderboard --limit 6",
        group=GROUPS[3],
    )  # fmt: skip
    parser.add_argument("--limit", type=int, metavar="N", help="show at most N published rows (default: all)")


def run(args: argparse.Namespace, out: Output, settings: "Settings") -> int:
    from ...measure.data.published import published
    from ...measure.results.assemble import figures
    from ...measure.results.board import board

    if args.limit is not None and args.limit < 0:
        raise UsageError("--limit is a number of rows, 0 or more", "pluriverse leaderboard --help")
    try:
        found, checks = latest_of(settings)
        measured, left_out = figures(found, checks), found.notes
    except (NotFoundError, IntegrityError) as error:
        measured, left_out = [], () if isinstance(error, NotFoundError) else (f"A run is left out: {error.message}.",)
    made = board(measured, published(), args.limit)
    out.document(made.as_dict())
    if not out.json:
        _show(made, out)
    for note in left_out:
        out.note(note)
    return 0


def _show(made: "Board", out: Output) -> None:
    from ...measure.data.published import TASKS

    heads = ("AVERAGE", *(task.upper() for task in TASKS))
    out.line(bold("Measured here"))
    if made.here:
        out.table(("ASSISTANT", *heads), [_line(each) for each in made.here])
        for group in made.clusters:
            out.line(dim(f"cannot be told apart: {', '.join(group)}"))
        for note in dict.fromkeys(note for each in made.here for note in each.notes):
            out.paragraph(note, indent=2)
    else:
        out.line("none of the six tasks yet: pluriverse measure truthfulqa --with duty")
    out.line()
    if made.published:
        out.line(bold("Published"), "  measured by others, as archived; in the order of their averages")
        out.table(("MODEL", *heads, "NOTE"), [(*_line(each), "*" if each.notes else "") for each in made.published])
        for each in made.published:
            for note in each.notes:
                out.paragraph(f"* {each.name}: {note}", indent=2)
    if made.left_out:
        out.line(dim(f"and {made.left_out} more: pluriverse leaderboard"))
    sources = dict.fromkeys(each.source for each in made.published)
    for source in sources:
        out.line(dim(f"source: {source}"))
    for note in made.notes:
        out.note(note)


def _line(entry: "Entry") -> tuple[Any, ...]:
    from ...measure.data.published import TASKS

    return entry.name, _average(entry.average), *(_cell(entry.scores.get(task)) for task in TASKS)


def _cell(score: "Score | None") -> str:
    return "-" if score is None or score.value is None else f"{score.value:.2f}"


def _average(score: "Score") -> str:
    ends = "" if score.low is None or score.high is None else f" ({score.low:.1f} to {score.high:.1f})"
    return _cell(score) + ends
