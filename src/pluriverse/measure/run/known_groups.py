"""Sensitivity first: does an instrument tell known opposites apart on a base, and not a voice from itself?

Protocol 11 of measuring: before an instrument says anything about assistants on a base, two voices that are opposite by
construction answer some of its items. The separation is the chance that a's value is above b's on the same items, 0.5
where it tells nothing, resampled by item. The control is the same voice told once more in other words, asked where the
opposites are told apart. An instrument that does not separate them, or separates the control, says nothing there.
Checks are kept per weights and instrument, and the responses they rest on beside them (`check_rows`).
"""

import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...assistant import Assistant
from ...runtime.requests import AskOptions
from ...runtime.workspace import Workspace
from ..metrics.by_name import values_of
from ..schema.instrument import Instrument
from ..schema.items import Item
from ..schema.metric import metric
from ..stats.intervals import auc
from .check_items import LEAST, asked_of
from .check_rows import CheckRows
from .sensitivity import KeptChecks, SensitivityCheck
from .session import AssistantSession

if TYPE_CHECKING:
    from .asking import Participant

ROUNDS = 2000
SAME = "\n\nAnswer as you would answer anybody."  # other words, the same voice


@dataclass(frozen=True, slots=True)
class ChecksAhead:
    """What will be asked before anything is measured: `checks` (instrument, base) that are not known yet, and at most
    `total` responses, of which `kept` came in an earlier call. Without checks nothing is asked."""

    checks: tuple[tuple[str, str], ...]
    kept: int
    total: int


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """`done` of at most `total` responses that all checks together take, now with this instrument on this base."""

    instrument: str
    base: str
    done: int
    total: int


async def check_sensitivity(
    workspace: Workspace,
    instruments: Sequence[Instrument],
    items: Mapping[str, Sequence[Item]],
    participants: Sequence["Participant"],
    most: int | None = None,
) -> AsyncGenerator[ChecksAhead | CheckProgress | SensitivityCheck, None]:
    """A check, of `most` items if that is said, for each of these instruments on each base of the participants: as
    kept, or asked now and kept, after a word on what that takes. Of all `items` of an instrument, not only of those to
    be measured. Raises what asking raises."""
    kept = KeptChecks(workspace.settings.home)
    bases = {participant.respondent.base: participant for participant in participants}
    open_: list[_Check] = []
    for instrument in (each for each in instruments if each.opposites):
        for participant in bases.values():
            voices = await _voices(workspace, instrument, participant)
            if known := kept.of(instrument, participant.respondent, items[instrument.name], _digest(voices), most):
                yield known
            else:
                open_.append(_Check(workspace, instrument, items[instrument.name], participant, voices, most))
    places = tuple((each.instrument.name, each.participant.respondent.base) for each in open_)
    yield ChecksAhead(places, sum(each.answered() for each in open_), sum(each.most for each in open_))
    before = 0
    for number, check in enumerate(open_):
        after = sum(each.most for each in open_[number + 1 :])
        async with aclosing(check.steps()) as steps:
            async for step in steps:
                if isinstance(step, SensitivityCheck):
                    kept.keep(step)
                    yield step
                else:
                    yield CheckProgress(*places[number], before + step, before + check.most + after)
        before += check.most


class _Check:
    """One instrument on one base: both opposites, and where they are told apart the first one in other words."""

    def __init__(
        self,
        workspace: Workspace,
        instrument: Instrument,
        items: Sequence[Item],
        participant: "Participant",
        voices: tuple[AssistantSession, AssistantSession],
        most: int | None = None,
    ) -> None:
        """`most`: items that are asked, if that is said."""
        self._workspace, self.instrument, self.participant, self._voices = workspace, instrument, participant, voices
        self._items = asked_of(instrument, items, most)
        self.most = 3 * len(self._items)  # responses; fewer where no control is asked
        who = participant.respondent
        a, b = (each.assistant.system for each in voices)
        prompts = {"a": a, "b": b, "again": a + SAME}
        self._rows = CheckRows(
            workspace.settings.home, instrument.name, prompts, version=instrument.version, base=who.base,
            weights=who.weights, engine=who.engine, voices=_digest(voices), same=SAME, seed=participant.seed,
        )  # fmt: skip

    def answered(self) -> int:
        """Responses that an earlier call kept."""
        with self._rows as rows:
            return sum(
                rows.known(label, item.cell()) is not None for label in ("a", "b", "again") for item in self._items
            )

    async def steps(self) -> AsyncGenerator[int | SensitivityCheck, None]:
        """How many responses there are, as they come, and the check at the end."""
        with self._rows as rows:
            done = 0
            for label, voice in zip("ab", self._voices, strict=True):
                async for answered in self._ask(label, voice, rows):
                    yield done + answered
                done += len(self._items)
            values = self._values(rows, "a", "b")
            # where values have sides, the first of the opposites must be above: below it would be called the other
            either = metric(self.instrument.measures[0]).direction != "sides"
            found = _separation(values.get("a", {}), values.get("b", {}), oriented=either)
            control: tuple[float | None, float | None, float | None] = (None, None, None)
            if found[1] > 0.5:
                a = self._voices[0].assistant
                again = replace(a, system=a.system + SAME)
                voice = await AssistantSession.of(self._workspace, again, again.base)
                async for answered in self._ask("again", voice, rows):
                    yield done + answered
                values = self._values(rows, "a", "b", "again")
                control = _separation(values.get("a", {}), values.get("again", {}), oriented=False)[:3]
            else:
                self.most = done
            yield self._outcome(found, control)

    async def _ask(self, label: str, voice: AssistantSession, rows: CheckRows) -> AsyncGenerator[int, None]:
        """What is missing of one voice; how much of it is there."""
        from .asking import Participant

        missing = [item for item in self._items if rows.known(label, item.cell()) is None]
        done = len(self._items) - len(missing)
        yield done
        who = replace(self.participant.respondent, key=label, assistant=label, system=voice.assistant.system)
        participant = Participant(voice, who, self.participant.seed)
        async with aclosing(participant.ask_each(self.instrument, [(item, 0) for item in missing])) as parts:
            async for part in parts:
                rows.add(part)
                done += len(part)
                yield done

    def _values(self, rows: CheckRows, *labels: str) -> Mapping[str, Mapping[str, float]]:
        """By label and item, in the order of the items, whenever the answers came. Of these alone: what an earlier call
        kept of others, with the words of their prompts, must change nothing."""
        found = [rows.known(label, item.cell()) for label in labels for item in self._items]
        return values_of(self.instrument, [row for row in found if row is not None])

    def _outcome(
        self,
        found: tuple[float, float, float, int],
        control: tuple[float | None, float | None, float | None],
    ) -> SensitivityCheck:
        instrument, who = self.instrument, self.participant.respondent
        assert instrument.opposites
        separation, low, high, number = found
        return SensitivityCheck(
            instrument.name, instrument.version, who.base, who.weights, who.engine, separation, low, high, *control,
            number, (instrument.opposites.a[:60], instrument.opposites.b[:60]), len({item.id for item in self._items}),
            _digest(self._voices),
        )  # fmt: skip


def _digest(voices: Sequence[AssistantSession]) -> str:
    told = [(str(each.assistant.digest), each.asked(AskOptions(temperature=0))[0]) for each in voices]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]


async def _voices(
    workspace: Workspace, instrument: Instrument, participant: "Participant"
) -> tuple[AssistantSession, AssistantSession]:
    """The opposites on the participant's base; their counterparts speak through it too."""
    opposites, base = instrument.opposites, participant.voice.assistant.base
    assert opposites
    if opposites.systems:
        named = (
            Assistant("opposite-a", system=opposites.a, base=base),
            Assistant("opposite-b", system=opposites.b, base=base),
        )
    else:
        a, b = (workspace.shelf.assistant(each) for each in (opposites.a, opposites.b))
        named = replace(a, base=base), replace(b, base=base)
    return await AssistantSession.of(workspace, named[0], base), await AssistantSession.of(workspace, named[1], base)


def _separation(
    a: Mapping[str, float], b: Mapping[str, float], oriented: bool = True
) -> tuple[float, float, float, int]:
    """Chance that a's value is above b's, over items that both have; `oriented`: from the side on which it is larger.

    The interval resamples items. 0.5 with the widest interval where there are fewer than LEAST.
    """
    shared = [item for item in a if item in b]
    if len(shared) < LEAST:
        return 0.5, 0.0, 1.0, len(shared)
    one, other = (np.array([side[item] for item in shared]) for side in (a, b))
    value = auc(one, other)
    if oriented and value < 0.5:
        one, other, value = other, one, 1 - value
    drawn = []
    generator = np.random.default_rng(20240)
    for _ in range(ROUNDS):
        places = generator.integers(0, len(shared), len(shared))
        drawn.append(auc(one[places], other[places]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return value, float(low), float(high), len(shared)
