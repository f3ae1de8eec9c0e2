"""What the commands that read measurements share: loading runs, saying that there are none, tables of figures."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import NotFoundError, command
from .output import Output
from .parser import near

if TYPE_CHECKING:
    from ..measure.assembling import Latest
    from ..measure.figure import Figure
    from ..measure.proving import Proof
    from ..measure.record import Run
    from ..settings import Settings

_FIRST = "pluriverse measure remarks-politics remarks-ethics"


def runs_of(settings: "Settings") -> "list[Run]":
    """NotFoundError where nothing was measured, IntegrityError where no run can be read."""
    from ..measure.record import runs, unreadable

    found = [run for run in runs(settings.home) if run.responses or run.skipped]
    if not found:
        for error in unreadable(settings.home):
            raise error
        raise NotFoundError("nothing has been measured yet", _FIRST)
    return found


def latest_of(
    settings: "Settings",
    names: Sequence[str] | None = None,
    base: str | None = None,
    found: "Sequence[Run] | None" = None,
) -> "tuple[Latest, list[Proof]]":
    """The newest responses of these assistants, with the proofs. NotFoundError names the one that was not measured.

    `base` picks, of assistants that several models spoke for, those through that one.
    """
    from ..measure.assembling import latest
    from ..measure.proving import Proofs
    from ..measure.record import unreadable

    found = runs_of(settings) if found is None else found
    everybody = [each for run in found for each in run.plan.respondents]
    measured = {each.assistant for each in everybody} | {f"{each.assistant} on {each.base}" for each in everybody}
    for name in names or ():
        if name not in measured:
            close = near(name, measured)
            here = f"{name!r} has not been measured"
            measure = command("measure", "remarks-politics", "--with", name)
            raise NotFoundError(here, f"did you mean {close}?" if close else measure)
    chosen = latest(found, names)
    if base is not None:
        wanted = [each.assistant for each in chosen.respondents if each.base == base]
        if not wanted:
            bases = ", ".join(sorted({each.base for each in chosen.respondents}))
            raise NotFoundError(f"nothing was measured through {base!r}", f"measured: {bases}")
        chosen = latest(found, wanted)
    broken = tuple(f"A run is left out: {error.message}." for error in unreadable(settings.home, found))
    chosen = replace(chosen, notes=(*chosen.notes, *broken))
    if not chosen.responses and not chosen.silent:
        raise NotFoundError("nothing of what was measured can be read here", "measure again: pluriverse measure")
    return chosen, Proofs(settings.home).all()


def document_of(rows: "Sequence[Figure]", proofs: "Sequence[Proof]", found: "Latest") -> dict[str, Any]:
    """The contract's rows and what goes with them."""
    return {
        "rows": [each.as_dict() for each in rows],
        "proofs": [each.as_dict() for each in proofs],
        "notes": list(found.notes),
    }


def today() -> str:
    """ISO date."""
    import datetime

    return datetime.datetime.now(datetime.UTC).date().isoformat()


def interval(figure: "Figure", signed: bool = False) -> tuple[str, str]:
    """Value and interval as cells."""
    sign = "+" if signed else ""
    if figure.value is None:
        return "-", ""
    if figure.low is None or figure.high is None:
        return f"{figure.value:{sign}.3f}", ""
    return f"{figure.value:{sign}.3f}", f"{figure.low:{sign}.3f} to {figure.high:{sign}.3f}"


def figures_table(figures: "Sequence[Figure]", out: Output, columns: "Mapping[str, Callable[[Figure], str]]") -> None:
    """A row per figure: `columns` by their heads, value, interval, items; and each note once, under its number. Classes
    of response that never came share a row."""
    figures = _together(figures)
    notes = list(dict.fromkeys(each.note for each in figures if each.note))
    numbers = {note: f"[{place}]" for place, note in enumerate(notes, start=1)} if len(notes) > 1 else {}
    heads = (*columns, "VALUE", "95 %", "ITEMS", *(["NOTE"] if numbers else []))
    rows = [
        (
            *(cell(each) for cell in columns.values()), *interval(each), str(each.n),
            *([numbers.get(each.note, "")] if numbers else []),
        )
        for each in figures
    ]  # fmt: skip
    if rows:
        out.table(heads, rows, whole=("METRIC",))
    for note in notes:
        out.paragraph(f"{numbers[note]} {note}" if numbers else note, indent=2)


def _together(figures: "Sequence[Figure]") -> "list[Figure]":
    """Shares of 0 of one assistant, with the same interval and items, in one row after the others."""

    def place(each: "Figure") -> tuple[Any, ...] | None:
        never = each.metric.startswith("share_") and each.value == 0 and not each.metric.endswith("_corrected")
        return (each.assistant, each.instrument, each.group, each.low, each.high, each.n, each.note) if never else None

    last = {where: number for number, each in enumerate(figures) if (where := place(each))}
    number_of = Counter(where for each in figures if (where := place(each)))
    return [
        replace(each, metric="share, each other class") if (where and number_of[where] > 1) else each
        for number, each in enumerate(figures)
        if not (where := place(each)) or number_of[where] < 2 or last[where] == number
    ]


def metric(figure: "Figure") -> str:
    return figure.metric.replace("_", " ")
