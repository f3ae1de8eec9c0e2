"""From runs to one set of results: the newest responses of each assistant, and who was not asked what.

Knows runs and responses; no figures. Reads no files and asks nobody. What is left out is said in `notes`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..data.instruments import known
from ..judges.validation import JudgeValidation
from ..judges.verdicts import judged
from ..run.record import Run
from ..run.stopping import stopped
from ..schema.instrument import Instrument
from ..schema.reasons import NotAsked
from ..schema.responses import Respondent, Response


@dataclass(frozen=True, slots=True)
class Silent:
    """An assistant that was not asked an instrument, since that had not passed its sensitivity check on its model."""

    instrument: Instrument
    assistant: str
    reason: NotAsked


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
    validations: tuple[JudgeValidation, ...] = ()
    silent: tuple[Silent, ...] = ()
    runs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def assistants(self) -> tuple[str, ...]:
        return tuple(each.assistant for each in self.respondents)

    def respondent(self, assistant: str) -> Respondent:
        return next(each for each in self.respondents if each.assistant == assistant)

    @property
    def tried(self) -> tuple[Instrument, ...]:
        """`instruments`, and after them those that nobody was asked since they had not passed."""
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
    validations = tuple({each.key: each for run in runs for each in run.validations}.values())
    responses = tuple(judged(newest, [each for run in runs for each in run.verdict_rows], validations))
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
        validations,
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
            found[place] = Silent(instrument, who[each.respondent].assistant, NotAsked(each.why))
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
    """By key: the newest of each assistant on each base that has answered anything, or was not asked what had not
    passed, by the name it is shown with."""
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
