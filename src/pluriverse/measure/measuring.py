"""`measure`: ask every assistant every item, write each response down, compute the figures. One generator, events out.

A run that was stopped goes on where it was. Instruments are first checked on known opposites (`run.known_groups`). Raw
items do not hear the assistant: who shares base and adapter is asked once, and the row is copied.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from ..assistant import Assistant
from ..errors import NotFoundError, UnsupportedError, UsageError
from ..measure.data.loaders import load as load_items
from ..runtime.ready import fetched_all
from ..runtime.workspace import Workspace
from .data.instruments import shipped
from .results.assemble import checks_of, figures
from .results.result_set import latest
from .results.visibility import failed_of_either
from .run.asking import Cell, Participant, parts
from .run.cluster import Answered, Cluster, Lost, connected
from .run.cluster_worker import Shard, order_of
from .run.events import MeasureAhead, Measured, MeasureEvent, MeasureNote, MeasureStarted, MeasureStep
from .run.judging import JudgePanel, Step, asked, refs_of, validated, verdicts_on
from .run.known_groups import CheckProgress, ChecksAhead, check_sensitivity
from .run.record import Plan, Record, Skipped, read_run
from .run.respondents import participant_of
from .run.sensitivity import KeptChecks, SensitivityCheck
from .run.stopping import batches, checked, enough
from .schema.instrument import Instrument
from .schema.items import Item
from .schema.metric import metric
from .schema.reasons import InstrumentSkipped, Notice, NotPassed, WorkerLost
from .schema.responses import Respondent, Response
from .schema.words import words_of


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """`limit`: items of each instrument (None: all). `seed`: which of them, and of sampled texts. `check_sensitivity`:
    first of all, on each base; whoever speaks through one where an instrument does not pass is not asked it, unless
    `failed_too`. `until`: the half-width at which an instrument stops early. `judges`: one to three models or
    assistants, NAME or NAME=FAMILY. `cluster`: address of a Ray cluster that asks, or "local"."""

    limit: int | None = 100
    seed: int = 0
    base: str | None = None
    check_sensitivity: bool = True
    command: str = ""
    until: float | None = None
    judges: tuple[str, ...] = ()
    cluster: str | None = None
    failed_too: bool = False
    check_items: int | None = None  # that the check of known opposites asks; None: as many as a minute or so allows

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"{self.limit} items is too few", "--limit takes a number from 1 on")
        if self.seed < 0:
            raise UsageError(f"the seed is {self.seed}", "--seed takes a number from 0 on")
        if self.check_items is not None and self.check_items < 1:
            raise UsageError(f"a check of {self.check_items} items is too small", "--check-items takes 8 or more")
        checked(self.until)


async def measure(
    workspace: Workspace,
    instruments: Sequence[Instrument],
    assistants: Sequence[Assistant],
    options: MeasureOptions | None = None,
    items: dict[str, list[Item]] | None = None,
) -> AsyncGenerator[MeasureEvent, None]:
    """Measure these assistants with these instruments. `items`: those of instruments that were imported, by name.

    Raises UsageError for nobody or nothing to measure and for data that want consent, NotFoundError for a metric that
    no package brings, UnsupportedError for an engine that cannot score, UnreachableError for a cluster that does not
    answer, and what loading data, models and engines raises. What was answered by then is kept.
    """
    options = options or MeasureOptions()
    if not assistants or not instruments:
        raise UsageError("there is nothing to measure", "pluriverse measure truthfulqa --with duty")
    if none := [each.name for each in instruments if not each.measures]:
        raise UsageError(f"{none[0]} has no measures", "its file names one metric or more in `measures`")
    if len({each.name for each in assistants}) < len(assistants):
        raise UsageError("an assistant is named twice", "name each assistant once")
    for each in instruments:
        _check_metrics(each)
    whole = {
        each.name: items[each.name] if items and each.name in items else await load_items(each, workspace.settings)
        for each in instruments
    }
    chosen = {each.name: sampled(whole[each.name], each, options) for each in instruments}
    needed = [options.base or each.base for each in assistants] + refs_of(workspace, options.judges)
    with connected(options.cluster) as cluster:
        async for fetching in fetched_all(needed, workspace.store, workspace.settings):
            yield fetching
        panel = JudgePanel.of(workspace, options.judges) if options.judges else None
        participants = [await participant_of(workspace, each, options.base, options.seed) for each in assistants]
        notices: list[Notice] = [*panel.check([each.respondent for each in participants])] if panel else []
        for instrument in instruments:
            _check(instrument, chosen[instrument.name], participants)
        plan = _plan(instruments, participants, options)
        work = _Work(workspace, instruments, participants, chosen, whole, options)
        with Record(workspace.settings.home, plan) as record:
            async with aclosing(work.everything(record, cluster)) as events:
                async for event in events:
                    yield event
            if panel:
                async for said in _judged(workspace, panel, record, instruments):
                    if isinstance(said, MeasureStep):
                        yield said
                    else:
                        notices.append(said)
    run = read_run(workspace.settings.home, plan.id)
    found = latest([run])
    checks = work.checks
    if not options.check_sensitivity:  # nothing is asked of known opposites; what was found of them before still holds
        checks = checks_of(found, KeptChecks(workspace.settings.home).all())
    yield Measured(run, tuple(figures(found, checks)), tuple(checks), work.items_per_s, tuple(notices))


def _plan(instruments: Sequence[Instrument], participants: Sequence[Participant], options: MeasureOptions) -> Plan:
    return Plan(
        tuple((each.name, each.version) for each in instruments),
        tuple(each.respondent for each in participants),
        options.limit,
        options.seed,
        options.command,
        tuple(each for each in instruments if each.name not in shipped()),
        options.until,
    )


def _check_metrics(instrument: Instrument) -> None:
    """Nobody is asked what nothing can be made of."""
    for name in instrument.measures:
        try:
            metric(name)
        except NotFoundError as error:
            raise NotFoundError(f"{error.message}, which {instrument.name} is measured by", error.hint) from error


async def _judged(
    workspace: Workspace, panel: JudgePanel, record: Record, instruments: Sequence[Instrument]
) -> AsyncIterator[MeasureStep | Notice]:
    """Judges on texts of known label, then on the responses; notices on what could not be checked."""
    async for event in validated(panel, asked(panel, record, instruments), workspace.settings):
        if isinstance(event, Step):
            yield MeasureStep(event.words, event.done, event.total, "checking judges")
        else:
            yield event
    async for step in verdicts_on(panel, record, instruments):
        yield MeasureStep(step.words, step.done, step.total, "judging")


def sampled(items: Sequence[Item], instrument: Instrument, options: MeasureOptions) -> list[Item]:
    """All cells of `limit` items. Expertise is spread evenly over the data, which are sorted by topic; instruments of
    opinion are kept in an order of which every stretch is balanced. The seed moves the beginning."""
    ids = list(dict.fromkeys(item.id for item in items))
    limit = len(ids) if options.limit is None else min(options.limit, len(ids))
    if instrument.dimension in {"expertise", "language"}:
        step = len(ids) / limit if limit else 1
        kept = {ids[int(place * step + options.seed) % len(ids)] for place in range(limit)}
    else:
        start = options.seed * limit % len(ids) if ids else 0
        kept = set([*ids, *ids][start : start + limit])
        kept |= {item.id for item in items if item.metadata.get("control")}  # without them nothing is told
    return [item for item in items if item.id in kept]


def _check(instrument: Instrument, items: Sequence[Item], participants: Sequence[Participant]) -> None:
    if not items:
        raise UsageError(f"{instrument.name} has no items", "see the instruments: pluriverse measure")
    for participant in participants:
        if any(item.options for item in items) and not participant.engine.capabilities.logprobs:
            raise UnsupportedError(
                f"{instrument.name} compares log-probabilities, which the engine of {participant.engine.base} "
                "does not give",
                "measure it with instruments that read texts: see pluriverse measure",
            )


class _Work:
    """One measurement while it goes on."""

    def __init__(
        self,
        workspace: Workspace,
        instruments: Sequence[Instrument],
        participants: Sequence[Participant],
        items: dict[str, list[Item]],
        whole: dict[str, list[Item]],
        options: MeasureOptions,
    ) -> None:
        self._workspace, self._instruments, self._participants = workspace, instruments, participants
        self._items, self._whole, self._options = items, whole, options
        self.checks: list[SensitivityCheck] = []
        self._asked, self._seconds = 0, 0.0
        self._done, self._total = 0, 0

    @property
    def items_per_s(self) -> float:
        return round(self._asked / self._seconds, 3) if self._seconds else 0.0

    async def everything(self, record: Record, cluster: Cluster | None) -> AsyncGenerator[MeasureEvent, None]:
        if self._options.check_sensitivity:
            async with aclosing(self._check_first(record)) as events:
                async for event in events:
                    yield event
        wanted = self._wanted()
        self._total, self._done = len(wanted), len(wanted & record.cells)
        yield MeasureStarted(record.plan.id, self._total, self._done)
        until = self._options.until
        if cluster is not None and until is None:  # all at once, so that no worker waits for an instrument's end
            async with aclosing(self._spread(record, cluster, self._items)) as events:
                async for event in events:
                    yield event
        for instrument in filter(self._asked_by, self._instruments):
            for items in batches(self._items[instrument.name], instrument, until, self._options.seed):
                if cluster is not None:
                    async with aclosing(self._spread(record, cluster, {instrument.name: items})) as events:
                        async for event in events:
                            yield event
                for participant in self._asked_by(instrument):  # after a cluster: the copies
                    words = f"{instrument.name}: {participant.respondent.assistant}"
                    yield MeasureStep(words, self._done, self._total)
                    async for responses in self._asked_of(instrument, items, participant, record):
                        yield self._keep(record, responses, words)
                if enough(instrument, record.responses, items, until):
                    break

    async def _check_first(self, record: Record) -> AsyncGenerator[MeasureEvent, None]:
        most = self._options.check_items
        async with aclosing(
            check_sensitivity(self._workspace, self._instruments, self._whole, self._participants, most)
        ) as steps:
            async for step in steps:
                match step:
                    case SensitivityCheck():
                        self.checks.append(step)
                    case ChecksAhead(checks=checks) if checks:
                        wanted = self._wanted()
                        yield MeasureAhead(checks, step.total, step.kept, len(wanted), len(wanted & record.cells))
                    case CheckProgress(done=done, total=total):
                        yield MeasureStep(f"{step.instrument} on {step.base}", done, total, "checking")
        for note in self._skip(record):
            yield note

    def _wanted(self) -> set[tuple[str, str, str]]:
        """Respondent, instrument and cell of all that is to be known at the end, as far as it makes sense to ask."""
        return {
            (participant.respondent.key, each.name, item.cell(draw))
            for each in self._instruments
            for item in self._items[each.name]
            for draw in range(item.draws)
            for participant in self._asked_by(each)
        }

    def _keep(self, record: Record, responses: list[Response], words: str) -> MeasureStep:
        record.add(responses)
        self._done += len(responses)
        return MeasureStep(words, self._done, self._total)

    def _missing(
        self, instrument: Instrument, items: Sequence[Item], participant: Participant, record: Record
    ) -> tuple[list[Cell], list[Response]]:
        """The cells that one respondent must be asked, and the rows that others have answered for it."""
        known = record.cells
        cells: list[Cell] = [
            (item, draw)
            for item in items
            for draw in range(item.draws)
            if (participant.respondent.key, instrument.name, item.cell(draw)) not in known
        ]
        raw = {item.cell(draw) for item, draw in cells if item.form == "raw"}
        copied = _copies(record, instrument, participant.respondent, raw)
        have = {each.cell for each in copied}
        return [(item, draw) for item, draw in cells if item.cell(draw) not in have], copied

    async def _asked_of(
        self, instrument: Instrument, items: Sequence[Item], participant: Participant, record: Record
    ) -> AsyncIterator[list[Response]]:
        """What is missing of one respondent and these items of an instrument, in parts."""
        cells, copied = self._missing(instrument, items, participant, record)
        if copied:
            yield copied
        began = time.perf_counter()
        async for responses in participant.ask(instrument, cells):
            self._asked += len(responses)
            yield responses
        self._seconds += time.perf_counter() - began

    async def _spread(
        self, record: Record, cluster: Cluster, items: Mapping[str, Sequence[Item]]
    ) -> AsyncGenerator[MeasureEvent, None]:
        """Let a cluster ask what is missing of these items but for copies; rows are kept as they come."""
        shards = self._shards(record, items)
        if not shards:
            return
        names = {each.respondent.key: each.respondent.assistant for each in self._participants}
        options = self._options
        order = order_of(self._workspace, self._participants, options.base, options.seed, same_machine=cluster.here)
        before, began = self._seconds, time.perf_counter()
        async with aclosing(cluster.ask(order, shards)) as events:
            async for event in events:
                match event:
                    case Answered(shard=shard, responses=responses):
                        words = f"{shard.instrument.name}: {names[shard.respondent]}"
                        yield self._keep(record, responses, words)
                        self._asked += len(responses)
                        self._seconds = before + time.perf_counter() - began
                    case Lost(place=place, why=why, asking=asking):
                        yield MeasureNote(WorkerLost(place, why, bool(asking)))

    def _shards(self, record: Record, items: Mapping[str, Sequence[Item]]) -> list[Shard]:
        """What is missing, cut as this machine would cut it. Raw cells only of the first respondent of a base."""
        planned: set[tuple[object, ...]] = set()
        shards = []
        for instrument in (each for each in self._instruments if each.name in items):
            for participant in self._asked_by(instrument):
                who = participant.respondent
                cells, _ = self._missing(instrument, items[instrument.name], participant, record)
                names = [(*_base(who), instrument.name, item.cell(draw)) for item, draw in cells]
                mine = [
                    cell
                    for cell, name in zip(cells, names, strict=True)
                    if cell[0].form != "raw" or name not in planned
                ]
                planned.update(names)
                shards += [Shard(instrument, who.key, tuple(part)) for part in parts(mine)]
        return shards

    def _failed(self, instrument: Instrument, participant: Participant) -> NotPassed | None:
        return failed_of_either(self.checks, instrument, [participant.respondent])

    def _asked_by(self, instrument: Instrument) -> list[Participant]:
        """Those whom it makes sense to ask: on whose model it is not known that the instrument did not pass."""
        return [each for each in self._participants if self._options.failed_too or not self._failed(instrument, each)]

    def _skip(self, record: Record) -> list[MeasureNote]:
        """Write down who is not asked what, and tell it once per instrument and base."""
        if self._options.failed_too:
            return []
        left = [
            (participant.respondent.key, instrument, failed)
            for instrument in self._instruments
            for participant in self._participants
            if (failed := self._failed(instrument, participant))
        ]
        record.skip([Skipped(about.name, about.version, who, words_of(failed)) for who, about, failed in left])
        told = dict.fromkeys(InstrumentSkipped(about.name, failed) for _, about, failed in left)
        return list(map(MeasureNote, told))


def _copies(record: Record, instrument: Instrument, respondent: Respondent, wanted: set[str]) -> list[Response]:
    """Rows of others on the same base and adapter, for raw items, which hear no assistant."""
    same = {
        each.key for each in record.plan.respondents if each.key != respondent.key and _base(each) == _base(respondent)
    }
    found: dict[str, Response] = {}
    for row in record.responses:
        if row.instrument == instrument.name and row.respondent in same and row.cell in wanted:
            found.setdefault(row.cell, replace(row, respondent=respondent.key, assistant=respondent.assistant))
    return list(found.values())


def _base(respondent: Respondent) -> tuple[object, ...]:
    """What raw items hear."""
    return respondent.weights, respondent.adapter, respondent.base
