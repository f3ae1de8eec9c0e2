"""What `measure` yields while it goes on: what it will take, how far it is, words on the way, the result."""

from dataclasses import dataclass
from typing import Literal

from ...runtime.events import Fetching
from ..schema.figure import Figure
from ..schema.reasons import Notice
from ..schema.words import words_of
from .record import Run
from .sensitivity import SensitivityCheck


@dataclass(frozen=True, slots=True)
class MeasureStarted:
    """`cells` in all, of which `kept` were answered in an earlier call."""

    run: str
    cells: int
    kept: int


@dataclass(frozen=True, slots=True)
class MeasureAhead:
    """Before anything is asked: `checks` (instrument, base) of sensitivity that come first, at most `check_cells`
    responses of which `check_kept` are known, and the run after them, at most `cells` of which `kept` are known."""

    checks: tuple[tuple[str, str], ...]
    check_cells: int
    check_kept: int
    cells: int
    kept: int


Phase = Literal["checking", "measuring", "checking judges", "judging"]


@dataclass(frozen=True, slots=True)
class MeasureStep:
    """`done` of `total` responses of this phase; `words`: of what, now."""

    words: str
    done: int
    total: int
    phase: Phase = "measuring"


@dataclass(frozen=True, slots=True)
class MeasureNote:
    """Something worth a word on the way: what is not asked and why, a worker of a cluster that was lost."""

    about: Notice

    @property
    def words(self) -> str:
        return words_of(self.about)


@dataclass(frozen=True, slots=True)
class Measured:
    """The last event. `items_per_s` is of what was asked now, 0 where all was known; `notices`: on judges."""

    run: Run
    figures: tuple[Figure, ...]
    checks: tuple[SensitivityCheck, ...]
    items_per_s: float
    notices: tuple[Notice, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """The notices in words."""
        return tuple(map(words_of, self.notices))


MeasureEvent = Fetching | MeasureAhead | MeasureStarted | MeasureStep | MeasureNote | Measured
