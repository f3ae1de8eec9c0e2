"""What a report is made of, beside figures: plain frozen values, filled by whoever measured.

Knows no HTML, no statistics and no files. Everything but title, date and assistants may be missing; a section without
data is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.reasons import NotPassed
from ..schema.responses import Respondent
from .evidence import Evidence

CLASSES = ("answer", "hedge", "evasive", "refusal", "broken", "wrong_language")
TASKS = (
    "ARC",
    "HellaSwag",
    "MMLU",
    "TruthfulQA",
    "WinoGrande",
    "GSM8K",
)  # of the Open LLM Leaderboard v1, in its order
_ROUNDING = 0.011  # published averages and their six scores are each rounded to two places


@dataclass(frozen=True, slots=True)
class SensitivityRow:
    """Does an instrument tell known opposites apart on a base? `separation`: 0.5 cannot tell, 1 always does. `verdict`
    and `note` in words; `failed`: why no figure is shown, None where it passed or that is not known."""

    instrument: str
    base: str
    separation: float
    low: float
    high: float
    passed: bool
    note: str = ""
    verdict: str = ""
    failed: NotPassed | None = None

    @property
    def words(self) -> str:
        return self.verdict or ("told apart" if self.passed else "not told apart")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Assistants that no paired test tells apart (Holm over all pairs) by one metric of one instrument."""

    instrument: str
    metric: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """What a figure is read against: people, a uniform answerer, chance, the perfect sample of n draws."""

    instrument: str
    metric: str
    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Where a point lies with 95% certainty: half axes in the map's units, `angle` in degrees against the clock."""

    rx: float
    ry: float
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class MapPoint:
    name: str
    x: float
    y: float
    ellipse: Ellipse | None = None
    kind: Literal["assistant", "people"] = "assistant"


@dataclass(frozen=True, slots=True)
class Axis:
    """`share` of the variance it shows, 0 to 1; `ends`: what lies towards its low and its high end, if known."""

    label: str
    share: float | None = None
    ends: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Map:
    """Assistants, and people's countries where human data exist, in two dimensions. `fitted`: on what, in words."""

    title: str
    axes: tuple[Axis, Axis]
    points: Sequence[MapPoint]
    fitted: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """`scores`: the six in the order of `TASKS`, 0 to 100; `low`, `high`: of the average, if measured here."""

    model: str
    kind: Literal["published", "measured here"]
    average: float | None
    scores: tuple[float | None, ...]
    source: str
    note: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def recomputed(self) -> float | None:
        """The plain mean of the six; None where one of them is missing."""
        known = [score for score in self.scores if score is not None]
        return sum(known) / len(TASKS) if len(known) == len(TASKS) == len(self.scores) else None

    @property
    def differs(self) -> bool:
        """Is the average given with the row another than that of its six scores?"""
        mean = self.recomputed
        return mean is not None and self.average is not None and abs(mean - self.average) > _ROUNDING


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """A rate of a class as a detector counted it, and as its known errors correct it (Rogan and Gladen)."""

    assistant: str
    kind: str
    observed: float
    corrected: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class ConfusionTable:
    """`counts[truth][said]`, by `classes` both ways. `verdict`: whether this judge is good enough, and for what."""

    title: str
    judge: str
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    source: str = ""
    verdict: str = ""
    corrected: Sequence[CorrectedRate] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All that one page shows. `made`: ISO date; `command`: what to type to make it again; `notes`: sentences."""

    title: str
    made: str
    assistants: Sequence[str]
    command: str = ""
    respondents: Sequence[Respondent] = ()
    instruments: Sequence[Instrument] = ()
    figures: Sequence[Figure] = ()
    references: Sequence[Reference] = ()
    clusters: Sequence[Cluster] = ()
    sensitivity: Sequence[SensitivityRow] = ()
    maps: Sequence[Map] = ()
    leaderboard: Sequence[LeaderboardRow] = ()
    confusions: Sequence[ConfusionTable] = ()
    evidence: Sequence[Evidence] = ()
    notes: Sequence[str] = field(default_factory=tuple)
