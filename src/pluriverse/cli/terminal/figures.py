"""What the commands that read measurements share: loading runs, saying that there are none, tables of figures."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import NotFoundError, command
from .output import Output
from .parser import near

if TYPE_CHECKING:
    from ...measure.results.evidence import Evidence
    from ...measure.results.result_set import ResultSet
    from ...measure.run.record import Run
    from ...measure.run.sensitivity import SensitivityCheck
    from ...measure.schema.figure import Figure
    from ...measure.schema.responses import Respondent
    from ...settings import Settings

_FIRST = "pluriverse measure remarks-politics remarks-ethics"
_SOME = "remarks-politics"


def runs_of(settings: "Settings") -> "list[Run]":
    """NotFoundError where nothing was measured, IntegrityError where no run can be read."""
    from ...measure.run.record import runs, unreadable

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
) -> "tuple[ResultSet, list[SensitivityCheck]]":
    """The newest responses of these assistants, with the checks. NotFoundError names the one that was not measured.

    `base` picks, of assistants that several models spoke for, those through that one.
    """
    from ...measure.results.result_set import latest
    from ...measure.run.sensitivity import KeptChecks

    found = runs_of(settings) if found is None else found
    _all_measured(names or (), found, settings)
    chosen = latest(found, names)
    if base is not None:
        wanted = [each.assistant for each in chosen.respondents if each.base == base]
        if not wanted:
            bases = ", ".join(sorted({each.base for each in chosen.respondents}))
            raise NotFoundError(f"nothing was measured through {base!r}", f"measured: {bases}")
        chosen = latest(found, wanted)
    chosen = replace(chosen, notes=(*chosen.notes, *left_out(settings, found)))
    if not chosen.responses and not chosen.silent:
        raise NotFoundError("nothing of what was measured can be read here", "measure again: pluriverse measure")
    for name in names or ():
        if not any(name.split(" on ")[0] == each.split(" on ")[0] for each in chosen.assistants):
            through = f" through {base!r}" if base else " in a version that is known here"
            measure = command("measure", _SOME, "--with", name.split(" on ")[0], *(("--base", base) if base else ()))
            raise NotFoundError(f"nothing was measured of {name!r}{through}", measure)
    return chosen, KeptChecks(settings.home).all()


def left_out(settings: "Settings", found: "Sequence[Run]") -> tuple[str, ...]:
    """A sentence for each run that cannot be read: the others are, and nobody wonders where figures went."""
    from ...measure.run.record import unreadable

    return tuple(f"A run is left out: {error.message}; {error.hint}." for error in unreadable(settings.home, found))


def _all_measured(names: Sequence[str], found: "Sequence[Run]", settings: "Settings") -> None:
    """NotFoundError for the first of these that has answered nothing yet, with what to type: a run that was stopped
    before its turn goes on, an assistant that is there is measured, one that is not is looked for."""
    from ...assistant.shelf import Shelf

    answered = {row.respondent for run in found for row in run.responses}
    answered |= {each.respondent for run in found for each in run.skipped}
    everybody = [(run, each) for run in found for each in run.plan.respondents]
    measured = {name for _, who in everybody if who.key in answered for name in _called(who)}
    for name in (each for each in names if each not in measured):
        if planned := [run for run, who in everybody if name in _called(who)]:
            again = planned[-1].plan.command or command("measure", _SOME, "--with", name)
            raise NotFoundError(f"{name!r} has answered nothing yet: its run was stopped", f"it goes on with: {again}")
        close = near(name, measured)
        if not any(each.name == name for each in Shelf(settings).assistants()):
            here = f"there is no assistant {name!r}, and none of that name has been measured"
            raise NotFoundError(here, f"did you mean {close}?" if close else "see them all: pluriverse ls")
        measure = command("measure", _SOME, "--with", name)
        raise NotFoundError(f"{name!r} has not been measured", f"did you mean {close}?" if close else measure)


def _called(who: "Respondent") -> tuple[str, str]:
    return who.assistant, f"{who.assistant} on {who.base}"


def document_of(
    rows: "Sequence[Figure]",
    checks: "Sequence[SensitivityCheck]",
    found: "ResultSet",
    answers: "Sequence[Evidence]" = (),
    home: Path | None = None,
) -> dict[str, Any]:
    """The contract's rows and what goes with them; with `home`, answers to a few items and where all of them lie."""
    return {
        "rows": [each.as_dict() for each in rows],
        "proofs": [each.as_dict() for each in checks],
        "notes": list(found.notes),
        "may_change": [each.assistant for each in found.respondents if each.may_change],
        **({"answers": [each.as_dict(home) for each in answers]} if home else {}),
    }


def tell_may_change(found: "ResultSet", out: Output) -> None:
    """Say it of each model whose weights nobody here can know: tomorrow something else may answer."""
    for base in dict.fromkeys(each.base for each in found.respondents if each.may_change):
        out.note(f"{base}: weights unknown, may change")


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


class Notes:
    """The notes of one output, each said once, where it comes first, under a number that runs through all tables."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def new(self, figures: "Sequence[Figure]") -> list[str]:
        """What was not said yet; from now on it has a number."""
        fresh = [part for part in dict.fromkeys(part for each in figures for part in _parts(each))
                 if part not in self._numbers]  # fmt: skip
        self._numbers |= {part: len(self._numbers) + place for place, part in enumerate(fresh, start=1)}
        return fresh

    def mark(self, part: str) -> str:
        return f"[{self._numbers[part]}]"

    def marks(self, figure: "Figure") -> str:
        return " ".join(map(self.mark, _parts(figure)))


def _parts(figure: "Figure") -> list[str]:
    """Its note; what is said of recitals is the assistant's, not the metric's, and stands by itself."""
    from ...measure.schema.reasons import Recites
    from ...measure.schema.words import words_of

    own = [each for each in figure.remarks if isinstance(each, Recites)]
    rest = replace(figure, remarks=tuple(each for each in figure.remarks if each not in own))
    return [part for part in (rest.note, *map(words_of, own)) if part]


def figures_table(
    figures: "Sequence[Figure]", out: Output, columns: "Mapping[str, Callable[[Figure], str]]", notes: Notes
) -> None:
    """A row per figure: `columns` by their heads, value, interval, items; and each note once, under its number. Classes
    of response that never came share a row."""
    figures = _together(figures)
    fresh = notes.new(figures)
    numbered = any(each.note for each in figures)
    heads = (*columns, "VALUE", "95 %", "ITEMS", *(["NOTE"] if numbered else []))
    rows = [
        (
            *(cell(each) for cell in columns.values()), *interval(each), str(each.n),
            *([notes.marks(each)] if numbered else []),
        )
        for each in figures
    ]  # fmt: skip
    if rows:
        out.table(heads, rows, whole=("METRIC",))
    for note in fresh:
        out.paragraph(f"{notes.mark(note)} {note}", indent=2)


def _together(figures: "Sequence[Figure]") -> "list[Figure]":
    """Shares of 0 of one assistant, with the same interval and items, in one row after the others."""

    def place(each: "Figure") -> tuple[Any, ...] | None:
        never = each.metric.startswith("share_") and each.value == 0 and each.corrected_by is None
        said = each.caption, each.withheld, each.remarks
        return (each.assistant, each.instrument, each.group, each.low, each.high, each.n, *said) if never else None

    last = {where: number for number, each in enumerate(figures) if (where := place(each))}
    number_of = Counter(where for each in figures if (where := place(each)))
    return [
        replace(each, metric="share, each other class") if (where and number_of[where] > 1) else each
        for number, each in enumerate(figures)
        if not (where := place(each)) or number_of[where] < 2 or last[where] == number
    ]


def metric(figure: "Figure") -> str:
    return figure.metric.replace("_", " ")
