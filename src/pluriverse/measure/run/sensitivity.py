"""Sensitivity first: does an instrument tell known opposites apart on a base, and not a voice from itself?

Protocol 11 of measuring: before an instrument says anything about assistants on a base, two voices that are opposite by
construction answer some of its items. The separation is the chance that a's value is above b's on the same items
(0.5: blind), resampled by item. The control is the same voice told once more in other words, asked where the opposites
are told apart. An instrument that does not separate them, or separates the control, says nothing there. Proofs are kept
per weights and instrument, and the responses they rest on beside them (`check_rows`).
"""

import hashlib
import json
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...assistants import Assistant
from ...files import write
from ...jsonl import MISREAD
from ...runtime.requests import AskOptions
from ...runtime.workspace import Workspace
from ..data.instruments import known
from ..metrics.by_name import values_of
from ..schema.instrument import Instrument
from ..schema.items import Item, key_of
from ..schema.responses import Respondent
from ..stats.intervals import auc
from ..stats.verdict import CHANCE, FEWEST, MARGIN, Finding, finding
from .check_rows import CheckRows
from .session import AssistantSession

if TYPE_CHECKING:
    from .asking import Participant

ITEMS = 24  # that a proof asks: few enough to be done in a minute, enough for an interval
LEAST = FEWEST
SPOKEN, SCORED = 48, 160  # cells of texts and of options that a proof asks of each voice
ROUNDS = 2000
_DIRECTED = {"agreement", "stance", "vocabulary"}  # a is the first side: below b it would be called the other
SAME = "\n\nAnswer as you would answer anybody."  # other words, the same voice


@dataclass(frozen=True, slots=True)
class SensitivityCheck:
    """`separation` of the opposites with its interval, `control` of a voice from itself; 0.5 is none, 1 is complete.
    `control` is None where the opposites were not told apart: it could change nothing then, and was not asked."""

    instrument: str
    version: str
    base: str
    weights: str | None
    engine: str
    separation: float
    low: float
    high: float
    control: float | None
    control_low: float | None
    control_high: float | None
    items: int
    opposites: tuple[str, str]
    asked: int = 0  # items; `items` of them had a valid answer
    voices: str = ""  # digest of what the opposites are: definitions and guidance

    @property
    def finding(self) -> Finding:
        """Of the opposites, in their known direction. A control that fails leaves open what the separation means."""
        found = finding(self.separation, self.low, self.high, self.items)
        if found.verdict == "apart" and not self._holds:
            return Finding("undecided")
        if found.more and self.items:  # not every item that is asked has a valid answer
            return Finding(found.verdict, math.ceil(found.more * max(self.asked, self.items) / self.items))
        return found

    @property
    def _holds(self) -> bool:
        """Whether the same voice in other words was asked, and not told from itself."""
        return (
            self.control_low is not None
            and self.control_high is not None
            and (self.control_low <= CHANCE <= self.control_high)
        )

    @property
    def sees(self) -> bool:
        """The one rule of what may be shown: only figures of instruments that tell known opposites apart."""
        return self.finding.verdict == "apart"

    @property
    def words(self) -> str:
        found = self.finding
        if found.verdict == "apart":
            return "it tells known opposites apart on this base"
        if found.verdict == "no_difference":
            if self.high < CHANCE:
                return "on this base it takes known opposites for each other"
            return f"known opposites do not differ by it on this base beyond a margin of {MARGIN:g}"
        if found.more is None:
            return "it tells a voice from itself on this base, so differences mean nothing"
        if not self.told_enough:
            return f"undecided: only {self.items} items had a valid answer from both opposites{self._ask(found.more)}"
        return f"undecided whether it tells known opposites apart on this base{self._ask(found.more)}"

    def _ask(self, more: int) -> str:
        has = instruments[self.instrument].count if self.instrument in (instruments := known()) else 0
        total = max(self.asked, self.items) + more
        return f", ask about {more} more" + (f": --check-items {total}" if has >= total else ", which it does not have")

    @property
    def told_enough(self) -> bool:
        """Whether there were answers enough for a separation at all."""
        return self.items >= LEAST

    @property
    def told(self) -> str:
        """The words and their number, where there is one."""
        if not self.told_enough:
            return self.words
        return f"{self.words}: separation {self.separation:.2f} ({self.low:.2f} to {self.high:.2f})"

    def as_dict(self) -> dict[str, Any]:
        found = self.finding
        told = {"sees": self.sees, "verdict": found.verdict, "margin": MARGIN, "more": found.more, "words": self.words}
        return {**asdict(self), **told}


class KeptChecks:
    """`proofs.json` of the data folder."""

    def __init__(self, home: Path) -> None:
        self._path = home / "proofs.json"

    def all(self) -> list[SensitivityCheck]:
        try:
            return [_proof(each) for each in json.loads(self._path.read_text("utf-8"))]
        except (OSError, *MISREAD):
            return []  # asked again

    def of(
        self,
        instrument: Instrument,
        respondent: Respondent,
        items: Sequence[Item] = (),
        voices: str = "",
        most: int | None = None,
    ) -> SensitivityCheck | None:
        """The proof for these weights, computed by this engine, with this version of the instrument and these `voices`.

        None too for a blind one where `items` are more than it asked: more may see.
        """
        wanted = (instrument.name, instrument.version, respondent.base, respondent.weights, respondent.engine)
        found = next((each for each in self.all() if _key(each) == wanted), None)
        more = len({item.id for item in _asked(instrument, items, most)})
        if found is None or (voices and found.voices != voices) or (not found.sees and found.asked < more):
            return None
        return found

    def keep(self, proof: SensitivityCheck) -> None:
        others = [each for each in self.all() if _key(each) != _key(proof)]
        write(self._path, json.dumps([asdict(each) for each in [*others, proof]], indent=1).encode())


def _proof(document: Mapping[str, Any]) -> SensitivityCheck:
    """One read back. TypeError, LookupError where it is none."""
    numbers = [document[name] for name in ("separation", "low", "high", "items")]
    numbers += [each for name in ("control", "control_low", "control_high") if (each := document[name]) is not None]
    if not all(isinstance(each, int | float) and math.isfinite(each) for each in numbers):
        raise TypeError("what was found is no number")
    return SensitivityCheck(**{**document, "opposites": tuple(document["opposites"])})


def _key(proof: SensitivityCheck) -> tuple[str, str, str, str | None, str]:
    return proof.instrument, proof.version, proof.base, proof.weights, proof.engine


def standing(
    proofs: Sequence[SensitivityCheck], instrument: Instrument, respondent: Respondent
) -> SensitivityCheck | None:
    """What stands in the way of a figure: the proof that does not see, None where there is none or it sees."""
    found = check_of(proofs, instrument, respondent)
    return found if found is not None and not found.sees else None


def check_of(
    proofs: Sequence[SensitivityCheck], instrument: Instrument, respondent: Respondent
) -> SensitivityCheck | None:
    """Of this version of the instrument, on the weights and by the engine that answered; the newest stands last."""
    who = respondent.base, respondent.weights, respondent.engine
    for each in reversed(proofs):
        of_it = (each.instrument, each.version) == (instrument.name, instrument.version)
        if of_it and (each.base, each.weights, each.engine) == who:
            return each
    return None


@dataclass(frozen=True, slots=True)
class ProofsAhead:
    """What will be asked before anything is proved: `checks` (instrument, base) that are not known yet, and at most
    `total` responses, of which `kept` came in an earlier call. Without checks nothing is asked."""

    checks: tuple[tuple[str, str], ...]
    kept: int
    total: int


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """`done` of at most `total` responses that all proofs together take, now with this instrument on this base."""

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
) -> AsyncGenerator[ProofsAhead | CheckProgress | SensitivityCheck, None]:
    """A proof, of `most` items if that is said, for each of these instruments on each base of the askers: as kept, or
    asked now and kept, after a word on what that takes. Of all `items` of an instrument, not only of those to be
    measured. Raises what asking raises."""
    kept = KeptChecks(workspace.settings.home)
    bases = {participant.respondent.base: participant for participant in participants}
    open_: list[_Check] = []
    for instrument in (each for each in instruments if each.opposites):
        for participant in bases.values():
            voices = await _voices(workspace, instrument, participant)
            if proof := kept.of(instrument, participant.respondent, items[instrument.name], _digest(voices), most):
                yield proof
            else:
                open_.append(_Check(workspace, instrument, items[instrument.name], participant, voices, most))
    places = tuple((each.instrument.name, each.participant.respondent.base) for each in open_)
    yield ProofsAhead(places, sum(each.answered() for each in open_), sum(each.most for each in open_))
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
        self._items = _asked(instrument, items, most)
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
        """How many responses there are, as they come, and the proof at the end."""
        with self._rows as rows:
            done = 0
            for label, voice in zip("ab", self._voices, strict=True):
                async for answered in self._ask(label, voice, rows):
                    yield done + answered
                done += len(self._items)
            values = self._values(rows)
            either = self.instrument.measures[0] not in _DIRECTED
            found = _separation(values.get("a", {}), values.get("b", {}), oriented=either)
            control: tuple[float | None, float | None, float | None] = (None, None, None)
            if found[1] > 0.5:
                a = self._voices[0].assistant
                again = replace(a, system=a.system + SAME)
                voice = await AssistantSession.of(self._workspace, again, again.base)
                async for answered in self._ask("again", voice, rows):
                    yield done + answered
                values = self._values(rows)
                control = _separation(values.get("a", {}), values.get("again", {}), oriented=False)[:3]
            else:
                self.most = done
            yield self._proof(found, control)

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

    def _values(self, rows: CheckRows) -> Mapping[str, Mapping[str, float]]:
        """By label and item, in the order of the items, whenever the answers came."""
        found = [rows.known(label, item.cell()) for label in ("a", "b", "again") for item in self._items]
        return values_of(self.instrument, [row for row in found if row is not None])

    def _proof(
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


def _asked(instrument: Instrument, items: Sequence[Item], most: int | None = None) -> list[Item]:
    """Of these items those that a proof asks: some that have a side, where items have sides; `most` if that is said."""
    language = instrument.opposites.language if instrument.opposites else ""
    sided = [item for item in items if key_of(item.metadata)] or items
    return _few([item for item in sided if not language or item.language == language], most)


def _few(items: Sequence[Item], most: int | None = None) -> list[Item]:
    """All cells of the first items: `most`, else as many as are answered within a minute or so, but never fewer than
    LEAST items."""
    cells: dict[str, list[Item]] = {}
    for item in items:
        cells.setdefault(item.id, []).append(item)
    kept: list[Item] = []
    for number, each in enumerate(list(cells.values())[: most or ITEMS]):
        budget = SCORED if each[0].options else SPOKEN
        if most is None and number >= LEAST and len(kept) + len(each) > budget:
            break
        kept += each
    return kept


async def _voices(
    workspace: Workspace, instrument: Instrument, participant: "Participant"
) -> tuple[AssistantSession, AssistantSession]:
    """The opposites on the asker's base; their counterparts speak through it too."""
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
