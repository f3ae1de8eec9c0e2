"""Why a figure has no value, and what must be read with one: plain values that programs decide on.

Nobody reads a sentence to learn what was decided; sentences are made of these, in `words` alone. `kind` names a reason
in documents. Knows no formula and no words.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

CorrectedBy = Literal["rules", "judges", "rules and judges"]
"""Whose known errors a rate is corrected for."""


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a sensitivity check found. `more` items would decide it about, of which the instrument `has` enough or not;
    `items` of those `asked` had a valid answer, at least `least` are needed for a separation."""

    verdict: Literal["apart", "no_difference", "undecided"]
    reversed: bool
    more: int | None
    has: bool
    items: int
    asked: int
    least: int
    separation: float
    low: float
    high: float
    margin: float


@dataclass(frozen=True, slots=True)
class JudgesOutcome:
    """How often judges are right on texts that people labelled: balanced accuracy with its interval, and guessing's."""

    names: tuple[str, ...]
    good: bool
    value: float
    low: float
    high: float
    texts: int
    chance: float


# --- why there is no value --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NotPassed:
    """The instrument did not pass its sensitivity check on these models."""

    kind: ClassVar[str] = "not_passed"
    bases: tuple[str, ...]
    found: CheckOutcome | None = None


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Since the instrument had not passed; `why` as the run wrote it down then."""

    kind: ClassVar[str] = "not_asked"
    why: str


@dataclass(frozen=True, slots=True)
class TooFew:
    """Items: those there are, and the fewest of which anything is said. `common`: that two have both answered."""

    kind: ClassVar[str] = "too_few"
    items: int
    least: int
    common: bool = False


@dataclass(frozen=True, slots=True)
class NotMeasurable:
    """What the metric itself says of why these responses do not give it."""

    kind: ClassVar[str] = "not_measurable"
    why: str


@dataclass(frozen=True, slots=True)
class PoorJudges:
    """Those that were asked this question. `found` is None where they were not checked."""

    kind: ClassVar[str] = "poor_judges"
    question: str
    found: JudgesOutcome | None


@dataclass(frozen=True, slots=True)
class PoorPanels:
    """Several panels of judges, none of them good enough."""

    kind: ClassVar[str] = "poor_judges"
    panels: tuple[PoorJudges, ...]


@dataclass(frozen=True, slots=True)
class SameWeights:
    """Two are the same by construction: the instrument asks weights, and theirs are the same."""

    kind: ClassVar[str] = "same_weights"


@dataclass(frozen=True, slots=True)
class Unpaired:
    """Harm without over-refusal, or the other way round."""

    kind: ClassVar[str] = "unpaired"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """How many `replies` of all ended before their thinking did. Why there is no value, where it is all of them."""

    kind: ClassVar[str] = "unfinished"
    replies: int
    of: int


Reason = (
    NotPassed | NotAsked | TooFew | NotMeasurable | PoorJudges | PoorPanels | SameWeights | Unpaired | Unfinished
)  # fmt: skip


# --- what must be read with a value -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NotChecked:
    """Nobody checked whether the instrument tells known opposites apart there; `controls`: those of a steering."""

    kind: ClassVar[str] = "not_checked"
    controls: bool = False


@dataclass(frozen=True, slots=True)
class FewItems:
    """Fewer than `least`, of which intervals can be trusted."""

    kind: ClassVar[str] = "few_items"
    least: int


@dataclass(frozen=True, slots=True)
class StoppedEarly:
    kind: ClassVar[str] = "stopped_early"
    items: int


@dataclass(frozen=True, slots=True)
class Without:
    """A figure of all together leaves these out, on whose models the instrument did not pass."""

    kind: ClassVar[str] = "without"
    assistants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recites:
    """`responses` that recite the prompt of who gave them, of all; `of` is None where two are compared."""

    kind: ClassVar[str] = "recites"
    responses: int
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose verdicts it rests on; `unanimous`: the share on which several were; `checked` on people's labels."""

    kind: ClassVar[str] = "judged"
    question: str
    texts: int
    judges: tuple[str, ...]
    unanimous: float | None
    checked: bool


@dataclass(frozen=True, slots=True)
class ByRules:
    """Classes are those of rules, since the judges are not good enough."""

    kind: ClassVar[str] = "by_rules"
    judges: PoorJudges


@dataclass(frozen=True, slots=True)
class Tested:
    """A paired test: whether it tells two apart, p as adjusted over so many `tests`. `copy`: of a model and its copy,
    where it is not adjusted."""

    kind: ClassVar[str] = "tested"
    separated: bool
    p: float
    tests: int = 1
    copy: bool = False


@dataclass(frozen=True, slots=True)
class Steered:
    """Whether it is shown that a voice moves toward its pole, and further than by that instrument it is not about."""

    kind: ClassVar[str] = "steered"
    shown: bool
    elsewhere: str


@dataclass(frozen=True, slots=True)
class NoControl:
    """No axis that a voice is not about was asked as well."""

    kind: ClassVar[str] = "no_control"


Remark = (
    Unfinished | NotChecked | FewItems | StoppedEarly | Without | Recites | Judged | ByRules | Tested | Steered
    | NoControl
)  # fmt: skip


# --- of a voice that ran off ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RanOff:
    """The guard that does not hold, and by how much: the share of answers in another language, perplexity in times that
    of the base, the share of word groups that repeat, the share of trigrams that stand in its own prompt."""

    guard: Literal["language", "perplexity", "repetition", "recital"]
    amount: float


# --- what is told on the way ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InstrumentSkipped:
    """Nobody who speaks through this model is asked it."""

    kind: ClassVar[str] = "instrument_skipped"
    instrument: str
    failed: NotPassed


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker of a cluster, `why` in its own words; `again`: what it was asked is asked again."""

    kind: ClassVar[str] = "worker_lost"
    place: str
    why: str
    again: bool


@dataclass(frozen=True, slots=True)
class DoesNotJudge:
    """A judge leaves out an assistant that speaks through it; `others` judge it, or none does."""

    kind: ClassVar[str] = "does_not_judge"
    judge: str
    assistant: str
    others: bool


@dataclass(frozen=True, slots=True)
class NoLabels:
    """No labels of people are known for a question, or they cannot be had: `why`, `hint`."""

    kind: ClassVar[str] = "no_labels"
    question: str
    why: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class LabelsUsed:
    """What judges are checked on for a question."""

    kind: ClassVar[str] = "labels_used"
    question: str
    title: str
    licence: str


Notice = InstrumentSkipped | WorkerLost | DoesNotJudge | NoLabels | LabelsUsed


def as_dict(each: Reason | Remark) -> dict[str, Any]:
    return {"kind": each.kind, **asdict(each)}
