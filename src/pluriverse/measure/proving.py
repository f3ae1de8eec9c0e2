"""Sensitivity first: does an instrument tell known opposites apart on a base, and not a voice from itself?

Protocol 11 of measuring: before an instrument says anything about assistants on a base, two voices that are opposite by
construction answer some of its items. The separation is the chance that a's value is above b's on the same items
(0.5: blind), resampled by item. The control is the same voice told once more in other words. An instrument that does
not separate the opposites, or separates the control, says nothing there. Proofs are kept per weights and instrument.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ask import Workspace
from ..assistants import Assistant
from .answering import Voice
from .instrument import Instrument
from .intervals import auc
from .items import Item
from .measures import values_of
from .responses import Respondent, Response

if TYPE_CHECKING:
    from .asking_items import Asker

ITEMS = 24  # that a proof asks: few enough to be done in a minute, enough for an interval
LEAST = 8
SPOKEN, SCORED = 48, 160  # cells of texts and of options that a proof asks of each voice
ROUNDS = 2000
SAME = "\n\nAnswer as you would answer anybody."  # other words, the same voice


@dataclass(frozen=True, slots=True)
class Proof:
    """`separation` of the opposites with its interval, `control` of a voice from itself; 0.5 is none, 1 is complete."""

    instrument: str
    version: str
    base: str
    weights: str | None
    engine: str
    separation: float
    low: float
    high: float
    control: float
    control_low: float
    control_high: float
    items: int
    opposites: tuple[str, str]
    asked: int = 0  # items; `items` of them had a valid answer

    @property
    def sees(self) -> bool:
        return self.low > 0.5 and self.control_low <= 0.5 <= self.control_high

    @property
    def words(self) -> str:
        if self.items < LEAST:
            return f"only {self.items} items had a valid answer from both opposites"
        if self.low <= 0.5:
            return "known opposites cannot be told apart with it on this base"
        if not self.sees:
            return "it tells a voice from itself on this base, so differences mean nothing"
        return "it tells known opposites apart on this base"

    @property
    def told(self) -> str:
        """The words and their number."""
        return f"{self.words}: separation {self.separation:.2f} ({self.low:.2f} to {self.high:.2f})"

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "sees": self.sees, "words": self.words}


class Proofs:
    """`proofs.json` of the data folder."""

    def __init__(self, home: Path) -> None:
        self._path = home / "proofs.json"

    def all(self) -> list[Proof]:
        try:
            documents = json.loads(self._path.read_text("utf-8"))
            return [Proof(**{**each, "opposites": tuple(each["opposites"])}) for each in documents]
        except (OSError, ValueError, KeyError, TypeError):
            return []  # asked again

    def of(self, instrument: Instrument, respondent: Respondent, items: Sequence[Item] = ()) -> Proof | None:
        """The proof for these weights, computed by this engine, with this version of the instrument.

        None too for a blind one where `items` are more than it asked: more may see.
        """
        wanted = (instrument.name, instrument.version, respondent.base, respondent.weights, respondent.engine)
        found = next((each for each in self.all() if _key(each) == wanted), None)
        more = len({item.id for item in _asked(instrument, items)})
        return None if found and not found.sees and found.asked < more else found

    def keep(self, proof: Proof) -> None:
        others = [each for each in self.all() if _key(each) != _key(proof)]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._path.with_suffix(".tmp")
        scratch.write_text(json.dumps([asdict(each) for each in [*others, proof]], indent=1), "utf-8")
        scratch.replace(self._path)


def _key(proof: Proof) -> tuple[str, str, str, str | None, str]:
    return proof.instrument, proof.version, proof.base, proof.weights, proof.engine


def size(instrument: Instrument, items: Sequence[Item]) -> int:
    """How many responses a proof takes."""
    return 3 * len(_asked(instrument, items))


async def prove(
    workspace: Workspace, instrument: Instrument, items: Sequence[Item], asker: "Asker"
) -> AsyncGenerator[int | Proof, None]:
    """Ask both opposites, and the first one in other words, some of the items: how many responses have come, as they
    come, and the proof at the end. Raises what asking raises."""
    assert instrument.opposites
    asked = _asked(instrument, items)
    a, b = _voices(workspace, instrument, asker)
    rows: list[Response] = []
    for label, voice in (("a", a), ("b", b), ("again", replace(a, system=a.system + SAME))):
        async for part in _answers(instrument, asked, voice, label, asker, workspace):
            rows += part
            yield len(rows)
    values = values_of(instrument, rows)
    of_a, of_b, of_again = (values.get(label, {}) for label in ("a", "b", "again"))
    separation, low, high, number = _separation(of_a, of_b)
    control, control_low, control_high, _ = _separation(of_a, of_again, oriented=False)
    respondent = asker.respondent
    yield Proof(
        instrument.name, instrument.version, respondent.base, respondent.weights, respondent.engine,
        separation, low, high, control, control_low, control_high, number,
        (instrument.opposites.a[:60], instrument.opposites.b[:60]), len({item.id for item in asked}),
    )  # fmt: skip


def _asked(instrument: Instrument, items: Sequence[Item]) -> list[Item]:
    """Of these items those that a proof asks."""
    language = instrument.opposites.language if instrument.opposites else ""
    return _few([item for item in items if not language or item.language == language])


def _few(items: Sequence[Item]) -> list[Item]:
    """All cells of the first items, as many as are answered within a minute or so, but never fewer than LEAST items."""
    cells: dict[str, list[Item]] = {}
    for item in items:
        cells.setdefault(item.id, []).append(item)
    kept: list[Item] = []
    for number, each in enumerate(list(cells.values())[:ITEMS]):
        budget = SCORED if each[0].options else SPOKEN
        if number >= LEAST and len(kept) + len(each) > budget:
            break
        kept += each
    return kept


def _voices(workspace: Workspace, instrument: Instrument, asker: "Asker") -> tuple[Assistant, Assistant]:
    opposites, base = instrument.opposites, asker.voice.assistant.base
    assert opposites
    if opposites.systems:
        return (
            Assistant("opposite-a", system=opposites.a, base=base),
            Assistant("opposite-b", system=opposites.b, base=base),
        )
    shelf = workspace.shelf
    return replace(shelf.assistant(opposites.a), base=base), replace(shelf.assistant(opposites.b), base=base)


async def _answers(
    instrument: Instrument, items: Sequence[Item], assistant: Assistant, label: str, like: "Asker", workspace: Workspace
) -> AsyncIterator[list[Response]]:
    from .asking_items import Asker

    voice = await Voice.of(workspace, assistant, assistant.base)  # its counterpart too speaks through it
    asker = Asker(voice, replace(like.respondent, key=label, assistant=label), like.seed)
    async for part in asker.ask(instrument, [(item, 0) for item in items]):
        yield part


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
