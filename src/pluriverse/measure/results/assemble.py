"""From runs to what is shown: the newest responses of each assistant, their figures, and silence where nothing is seen.

Knows runs, figures and proofs; reads no files, asks nobody and draws nothing. What is left out is said in `notes`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ...errors import UsageError
from ..data.instruments import known
from ..judges.correction import told, weighed
from ..judges.validation import JudgeValidation
from ..judges.verdicts import judged
from ..metrics.by_name import figures_of, metric_of
from ..run.record import Run
from ..run.sensitivity import SensitivityCheck, check_of, standing
from ..run.stopping import noted, stopped
from ..schema.figure import PANEL, Figure
from ..schema.instrument import Instrument
from ..schema.responses import Respondent, Response
from .steering import steering

UNPROVED = "whether it tells known opposites apart on this model was not checked"


@dataclass(frozen=True, slots=True)
class Silent:
    """An assistant that was not asked an instrument, since that is blind on its base; `why`: what was proved then."""

    instrument: Instrument
    assistant: str
    why: str


@dataclass(frozen=True, slots=True)
class ResultSet:
    """The newest responses to each cell, of each assistant as it is now. Assistants are named as in `respondents`:
    by their own name, or as "NAME on BASE" where several bases spoke for one. `commands`: what was typed for them;
    `gauges`: how far the judges of these responses can be trusted; `silent`: who was not asked what; `runs`: ids of the
    runs in which the responses to each instrument lie."""

    responses: tuple[Response, ...]
    respondents: tuple[Respondent, ...]
    instruments: tuple[Instrument, ...]
    commands: tuple[str, ...]
    notes: tuple[str, ...]
    early: Mapping[str, int] = field(default_factory=dict)  # by instrument: after how many items it was stopped
    gauges: tuple[JudgeValidation, ...] = ()
    silent: tuple[Silent, ...] = ()
    runs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def assistants(self) -> tuple[str, ...]:
        return tuple(each.assistant for each in self.respondents)

    def respondent(self, assistant: str) -> Respondent:
        return next(each for each in self.respondents if each.assistant == assistant)

    @property
    def tried(self) -> tuple[Instrument, ...]:
        """`instruments`, and after them those that nobody was asked since they are blind."""
        silent = (each.instrument for each in self.silent)
        return tuple({each.name: each for each in (*self.instruments, *silent)}.values())

    def silence(self, instrument: Instrument, assistant: str) -> Silent | None:
        found = (each for each in self.silent if each.instrument.name == instrument.name)
        return next((each for each in found if each.assistant == assistant), None)

    def of(self, instrument: Instrument, assistants: Iterable[str] | None = None) -> list[Response]:
        wanted = set(self.assistants if assistants is None else assistants)
        return [row for row in self.responses if row.instrument == instrument.name and row.assistant in wanted]


def latest(runs: Sequence[Run], assistants: Sequence[str] | None = None) -> ResultSet:
    """The newest response per assistant, base, instrument and cell; only of the newest respondent (definition, weights,
    guidance and engine decide who that is) and of the version of an instrument that is known now, else of the newest
    that was asked, which is said. `assistants` are names of assistants, with all their bases, or "NAME on BASE"; they
    stand in that order."""
    runs = sorted(runs, key=lambda run: run.created)
    who = _respondents(runs, assistants)
    rows: dict[tuple[str, str, str, str], Response] = {}
    of_run: dict[tuple[str, str, str, str], str] = {}
    older: dict[tuple[str, str], int] = {}
    commands = []
    for run in runs:
        kept = [row for row in run.responses if row.respondent in who]
        for row in kept:
            name = who[row.respondent].assistant
            cell = row.respondent, row.instrument, row.version, row.cell
            of_run[cell] = run.id
            rows[cell] = row if row.assistant == name else replace(row, assistant=name)
        left = any(each.respondent in who for each in run.skipped)
        if (kept or left) and run.plan.command:
            commands.append(run.plan.command)
        for each in run.plan.respondents:
            if each.key not in who and _wanted(each, assistants):
                place = each.assistant, each.base
                older[place] = older.get(place, 0) + sum(row.respondent == each.key for row in run.responses)
    about = {each.name: each for run in runs for each in run.plan.imported} | known()
    versions, notes = _versions(rows.values(), about)
    newest = [row for row in rows.values() if versions.get(row.instrument) == row.version]
    newest, unknown = [row for row in newest if _known(row)], sum(not _known(row) for row in newest)
    if unknown:
        notes.append(f"{unknown:,} responses are left out: no option of theirs has a probability above nought.")
    gauges = tuple({each.key: each for run in runs for each in run.gauges}.values())
    responses = tuple(judged(newest, [each for run in runs for each in run.rulings], gauges))
    named = {row.instrument for row in responses}
    silent = _silent(runs, who, responses, about)
    answered = {row.respondent for row in responses}
    quiet = {each.assistant for each in silent}
    earlier = "of an earlier definition, guidance, model file or engine"
    notes += [
        f"{count:,} responses of {name} on {base} are left out: they are {earlier}."
        for (name, base), count in older.items()
        if count
    ]
    return ResultSet(
        responses,
        tuple(each for key, each in who.items() if key in answered or each.assistant in quiet),
        tuple(each for each in about.values() if each.name in named),
        tuple(dict.fromkeys(commands)),
        tuple(notes),
        _early(runs, responses, about),
        gauges,
        silent,
        _places(of_run, versions),
    )


def _known(row: Response) -> bool:
    """Whether options have chances at all: logarithms that are all without end tell nothing of any."""
    return not row.logprobs or max(row.logprobs) > -math.inf


def _places(of_run: Mapping[tuple[str, str, str, str], str], versions: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """By instrument: the runs that its rows are of; keys are (respondent, instrument, version, cell)."""
    found: dict[str, dict[str, None]] = {}
    for (_, instrument, version, _), run in of_run.items():
        if versions.get(instrument) == version:
            found.setdefault(instrument, {})[run] = None
    return {name: tuple(each) for name, each in found.items()}


def _silent(
    runs: Sequence[Run],
    who: Mapping[str, Respondent],
    responses: Sequence[Response],
    about: Mapping[str, Instrument],
) -> tuple[Silent, ...]:
    """What these respondents were not asked, the newest word on each; what they did answer counts as answered."""
    answered = {(row.instrument, row.respondent) for row in responses}
    found: dict[tuple[str, str], Silent] = {}
    for each in (each for run in runs for each in run.skipped):
        place, instrument = (each.instrument, each.respondent), about.get(each.instrument)
        if instrument and instrument.version == each.version and each.respondent in who and place not in answered:
            found[place] = Silent(instrument, who[each.respondent].assistant, each.why)
    return tuple(found.values())


def _early(runs: Sequence[Run], responses: Sequence[Response], about: Mapping[str, Instrument]) -> dict[str, int]:
    """Instruments of which nothing was asked beyond the items after which a run stopped."""
    found: dict[str, int] = {}
    for run in (each for each in runs if each.plan.until is not None):
        for instrument in (about[name] for name, _ in run.plan.instruments if name in about):
            items = {row.item for row in responses if row.instrument == instrument.name}
            if items and stopped(run, instrument) == len(items):
                found[instrument.name] = len(items)
    return found


def _respondents(runs: Sequence[Run], assistants: Sequence[str] | None) -> dict[str, Respondent]:
    """By key: the newest of each assistant on each base that has answered anything, or was not asked what is blind, by
    the name it is shown with."""
    newest: dict[tuple[str, str], Respondent] = {}
    for run in runs:
        answered = {row.respondent for row in run.responses} | {each.respondent for each in run.skipped}
        newest |= {(each.assistant, each.base): each for each in run.plan.respondents if each.key in answered}
    bases: dict[str, int] = {}
    for name, _ in newest:
        bases[name] = bases.get(name, 0) + 1
    found = [each for each in newest.values() if _wanted(each, assistants)]
    if assistants is not None:
        order = list(assistants)
        found.sort(key=lambda each: next(order.index(name) for name in _names(each) if name in order))
    return {
        each.key: each if bases[each.assistant] == 1 else replace(each, assistant=_names(each)[1]) for each in found
    }


def _names(each: Respondent) -> tuple[str, str]:
    return each.assistant, f"{each.assistant} on {each.base}"


def _wanted(each: Respondent, assistants: Sequence[str] | None) -> bool:
    return assistants is None or any(name in assistants for name in _names(each))


def _versions(rows: Iterable[Response], instruments: Mapping[str, Instrument]) -> tuple[dict[str, str], list[str]]:
    """The version of each instrument that is read: the one that is known now, else the newest that was asked."""
    asked: dict[str, dict[str, int]] = {}
    for row in rows:
        versions = asked.setdefault(row.instrument, {})
        versions[row.version] = versions.get(row.version, 0) + 1
    chosen: dict[str, str] = {}
    notes = []
    for name, versions in asked.items():
        instrument = instruments.get(name)
        if instrument is None:
            total = sum(versions.values())
            why = "no run says what it is"
            notes.append(f"{total:,} responses to {name} are left out: {why}.")
            continue
        chosen[name] = instrument.version if instrument.version in versions else list(versions)[-1]
        notes += [
            f"{count:,} responses to version {version} of {name} are left out: version {chosen[name]} was asked too."
            for version, count in versions.items()
            if version != chosen[name]
        ]
        if chosen[name] != instrument.version:
            notes.append(
                f"{versions[chosen[name]]:,} responses to {name} are to its version {chosen[name]}, read by the rules"
                f" of version {instrument.version}; measure it again to have answers to that."
            )
    return chosen, notes


# --- figures ---------------------------------------------------------------------------------------------------------


def figures(found: ResultSet, proofs: Sequence[SensitivityCheck]) -> list[Figure]:
    """All figures, instrument by instrument, without a value where the instrument is blind."""
    shown = told(figure for instrument in found.instruments for figure in _of_all(instrument, found, proofs))
    return [*shown, *steered(found, proofs), *_not_asked(found)]


def _not_asked(found: ResultSet, assistant: str | None = None) -> list[Figure]:
    """In place of the first figure of an instrument that is blind: why there is none."""
    return [
        Figure(each.assistant, each.instrument.name, metric_of(each.instrument), None, None, None, 0, note=each.why)
        for each in found.silent
        if assistant in (None, each.assistant)
    ]


def steered(found: ResultSet, proofs: Sequence[SensitivityCheck]) -> list[Figure]:
    """How far voices moved from their plain base and from their counterparts, where those were asked as well."""
    named = {each.name: each for each in found.instruments}
    moved = steering(found.instruments, found.of, found.respondents, proofs)
    return [honest(each, named[each.instrument], found, proofs) for each in moved]


def card(found: ResultSet, assistant: str, proofs: Sequence[SensitivityCheck]) -> list[Figure]:
    """All figures of one assistant."""
    shown = told(
        figure
        for instrument in found.instruments
        if (rows := found.of(instrument, [assistant]))
        for figure in _honestly(instrument, rows, found, proofs)
        if figure.assistant == assistant
    )
    return [*shown, *_not_asked(found, assistant)]


def _of_all(instrument: Instrument, found: ResultSet, proofs: Sequence[SensitivityCheck]) -> list[Figure]:
    """Of everybody, and of those together on whose base the instrument is not blind."""
    rows, seen = found.of(instrument), seeing(found, instrument, proofs)
    shown = _honestly(instrument, seen or rows, found, proofs)
    if not seen or len(seen) == len(rows):
        return shown
    names = {row.assistant for row in seen}
    others = [each for each in rows if each.assistant not in names]
    hidden = ", ".join(dict.fromkeys(row.assistant for row in others))
    without = f"without {hidden}, on whose base it was not shown to see differences"
    shown = [
        replace(each, note="; ".join(part for part in (each.note, without) if part))
        if each.assistant == PANEL
        else each
        for each in shown
    ]
    return shown + [each for each in _honestly(instrument, others, found, proofs) if each.assistant != PANEL]


def seeing(found: ResultSet, instrument: Instrument, proofs: Sequence[SensitivityCheck]) -> list[Response]:
    """The rows of those on whose base the instrument is not blind: only they count together with others."""
    names = [each for each in found.assistants if not blind(found, instrument, each, proofs)]
    return found.of(instrument, names)


def _honestly(
    instrument: Instrument, rows: Sequence[Response], found: ResultSet, proofs: Sequence[SensitivityCheck]
) -> list[Figure]:
    computed = weighed(instrument, rows, _measured(instrument, rows), found.gauges)
    return _recited([honest(each, instrument, found, proofs) for each in computed], rows)


def _recited(figures: Sequence[Figure], rows: Sequence[Response]) -> list[Figure]:
    """With how many of an assistant's texts recite its own prompt: what was told to it is no finding about it. The
    sentence stands last in the note."""
    recite, texts = Counter(row.assistant for row in rows if row.recites), Counter(row.assistant for row in rows)
    recite[PANEL], texts[PANEL] = recite.total(), texts.total()
    return [
        replace(each, note="; ".join(part for part in (each.note, said) if part), reciting=number)
        if each.value is not None and (number := recite[each.assistant])
        and (said := f"{number} of {texts[each.assistant]} responses recite the prompt of who gave them")
        else each
        for each in figures
    ]  # fmt: skip


def _measured(instrument: Instrument, rows: Sequence[Response]) -> list[Figure]:
    """A measure that these rows are not enough for says so, and takes none of the others with it. The first one stands
    for the instrument: without it there is none."""
    with suppress(UsageError):
        return figures_of(instrument, rows)
    first, *others = instrument.measures
    figures = figures_of(replace(instrument, measures=(first,)), rows)
    already = len(figures)
    for name in others:
        try:
            figures += figures_of(replace(instrument, measures=(first, name)), rows)[already:]
        except UsageError as error:
            items = len({row.item for row in rows})
            figures.append(Figure(PANEL, instrument.name, name, None, None, None, items, note=error.message))
    return figures


def honest(figure: Figure, instrument: Instrument, found: ResultSet, proofs: Sequence[SensitivityCheck]) -> Figure:
    """The figure, or none where its instrument does not see on the base; what was not proved is said, and where asking
    was stopped early."""
    return noted(_seen(figure, instrument, found, proofs), found.early.get(instrument.name))


def _seen(figure: Figure, instrument: Instrument, found: ResultSet, proofs: Sequence[SensitivityCheck]) -> Figure:
    if instrument.opposites is None:
        return figure
    if figure.assistant == PANEL:
        answered = {row.assistant for row in found.of(instrument)}
        asked = [each for each in found.respondents if each.assistant in answered]
    else:
        asked = [found.respondent(figure.assistant)]
    seen = [check_of(proofs, instrument, each) for each in asked]
    shut = [each for each in seen if each is not None and not each.sees]
    if shut and len(shut) == len(seen):
        return replace(figure, value=None, low=None, high=None, note=shut[-1].told)
    if None in seen:
        return replace(figure, note=f"{figure.note}; {UNPROVED}" if figure.note else UNPROVED)
    return figure


def checks_of(found: ResultSet, proofs: Sequence[SensitivityCheck]) -> list[SensitivityCheck]:
    """Those that stand behind these responses, one per instrument and base."""
    kept: dict[tuple[str, str], SensitivityCheck] = {}
    for instrument in found.tried:
        told = {row.assistant for row in found.of(instrument)}
        told |= {each.assistant for each in found.silent if each.instrument.name == instrument.name}
        for respondent in found.respondents:
            proof = check_of(proofs, instrument, respondent)
            if proof is not None and respondent.assistant in told:
                kept[proof.instrument, proof.base] = proof
    return list(kept.values())


def blind(found: ResultSet, instrument: Instrument, assistant: str, proofs: Sequence[SensitivityCheck]) -> bool:
    return standing(proofs, instrument, found.respondent(assistant)) is not None
