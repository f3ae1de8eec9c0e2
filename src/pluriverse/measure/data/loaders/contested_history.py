"""History as items: the two tellings of each pair after the event's question, and the choice between them outright.

Knows in which words and in which order pairs and controls are put to an assistant; not which side is right, and not how
answers become figures. Likelihood, unforced and forced choice are items of different instruments, never of one.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from ....settings import Settings
from ...schema.items import Item
from ..contested_history import Control, Event, History, Pair, history
from .ordering import balanced

if TYPE_CHECKING:
    from ...schema.instrument import Instrument

_BLOCK = 8  # events that are asked in turn until they have no more pairs; fewer than four pairs tell no event's lean
_FIRST = 16  # pairs before the controls, so that a check, which asks few items, meets enough of them
_CONTROL = "control"


async def load_history(instrument: "Instrument", settings: Settings) -> list[Item]:
    """For each pair both tellings as continuations, after a neutral and two loaded questions, in each language.

    One pair is one item, framings are its wordings: a sample keeps all framings and languages of a pair.
    """
    return [item for each in _cells(instrument, _told) for item in each]


async def load_history_asked(instrument: "Instrument", settings: Settings) -> list[Item]:
    """The choice between both tellings by number, in both orders; `options.mode` is unforced (a way out, which always
    stands last) or forced."""
    mode = instrument.options["mode"]
    return [item for each in _cells(instrument, _Asked(mode)) for item in each]


# --- what is asked --------------------------------------------------------------------------------------------------


def _told(about: "_Pair", metadata: dict[str, Any]) -> Iterator[Item]:
    for framing, question in about.questions:
        more = {**metadata, "framing": framing, "mode": "likelihood"}
        yield Item(
            about.name,
            question,
            "chat",
            about.tellings,
            target=about.right,
            wording=framing,
            language=about.language,
            metadata=more,
        )


class _Asked:
    """The choice in one mode."""

    def __init__(self, mode: str) -> None:
        self._mode = mode

    def __call__(self, about: "_Pair", metadata: dict[str, Any]) -> Iterator[Item]:
        forced = self._mode == "forced"
        words = about.history.asking.forced if forced else about.history.asking.unforced
        for turn in (0, 1):
            first, second = about.tellings[turn], about.tellings[1 - turn]
            yield Item(
                about.name,
                words.format(first=first, second=second),
                "chat",
                ("1", "2") if forced else ("1", "2", "3"),
                contents=(turn, 1 - turn) if forced else (turn, 1 - turn, 2),
                target=about.right,
                rotation=turn,
                language=about.language,
                metadata={**metadata, "mode": self._mode},
            )


class _Pair:
    """A pair or a control in one language."""

    def __init__(self, told: History, of: Event | None, pair: Pair | Control) -> None:
        self.history, self.language = told, told.language
        if isinstance(pair, Pair):
            assert of
            self.name = f"{of.id}/{pair.id}"
            self.tellings = (pair.a, pair.b)
            self.right: tuple[int, ...] = ()
            self.questions = [(str(each.leaning), each.text) for each in of.framings]
        else:
            self.name = f"{_CONTROL}/{pair.id}"
            self.tellings = (pair.true, pair.false)
            self.right = (0,)
            self.questions = [("neutral", pair.question)]


# --- in which order -------------------------------------------------------------------------------------------------


def _cells(instrument: "Instrument", asked: Any) -> list[list[Item]]:
    """The cells of each pair and control, all languages together, in the order of asking."""
    english = history()
    spoken = [history(each) for each in instrument.options.get("languages", instrument.languages)]
    places = {each.id: number for number, each in enumerate(english.events)}
    pairs = []
    for event, number in _in_turn(english.events):
        metadata = {
            "event": event.id, "pair": event.pairs[number].id, "about": event.pairs[number].about,
            "group": event.title, "continent": event.continent, "sides": list(event.sides),
        }  # fmt: skip
        there = [(told, told.events[places[event.id]]) for told in spoken]
        pairs.append([cell for told, of in there for cell in asked(_Pair(told, of, of.pairs[number]), metadata)])
    controls = [
        list(chain.from_iterable(asked(_Pair(told, None, told.controls[number]), {_CONTROL: True}) for told in spoken))
        for number in range(len(english.controls))
    ]
    return [*pairs[:_FIRST], *controls, *pairs[_FIRST:]]


def _in_turn(events: Sequence[Event]) -> Iterator[tuple[Event, int]]:
    """Events with the number of a pair: within each block of events of all continents, one pair of each in turn."""
    by_continent: dict[str, list[Event]] = {}
    for event in events:
        by_continent.setdefault(event.continent, []).append(event)
    mixed = balanced(by_continent)
    for start in range(0, len(mixed), _BLOCK):
        block = mixed[start : start + _BLOCK]
        for number in range(max(len(each.pairs) for each in block)):
            for event in block:
                if number < len(event.pairs):
                    yield event, number
