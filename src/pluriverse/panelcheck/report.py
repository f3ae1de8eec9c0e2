"""How plural a panel is: what was measured, and in words what follows from it.

Knows figures and words; nothing of engines or of how the figures came about (that is `checking`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..assistant import Opposite
from ..measure.classify.guards import Fluency
from ..measure.schema.reasons import RanOff
from ..measure.schema.words import ran_off
from ..measure.stats.intervals import Interval
from ..measure.stats.verdict import MARGIN, Finding, finding
from .separability import Sensitivity

MOST_QUESTIONS = 96
_MOST_NAMED = 4
_STRONG = 3.0  # beyond this, more strength broke voices on the default model more often than it set them apart


@dataclass(frozen=True, slots=True)
class Separation:
    """Two voices and how well their answers can be told apart: area under the curve, 0.5 not at all, 1 always."""

    a: str
    b: str
    judge: str  # "sides": the base told of both; "answers": a classifier that knows only other questions' answers
    value: Interval
    control: Interval | None = None  # a against a once more, with another seed
    persona: Interval | None = None  # by a classifier of persona statements, where there are any for this pair

    @property
    def finding(self) -> Finding:
        """Told apart where the interval lies above chance, and above the control where a voice is told from itself; and
        what learned from statements alone does not deny it. Of declared pairs the direction is known, to a judge of
        sides; who learns from the other answers has none, and of two who are alike falls below chance."""
        least = self.control.value if self.control and self.control.low > 0.5 else 0.5
        found = finding(self.value.value, self.value.low, self.value.high, self.value.number, above=least, fewest=1)
        denied = self.persona is not None and self.persona.value <= 0.5
        if found.verdict == "apart" and denied:
            return Finding("undecided")
        return replace(found, reversed=found.reversed and self.judge == "sides")

    @property
    def told_apart(self) -> bool:
        return self.finding.verdict == "apart"

    @property
    def named(self) -> str:
        """The two with what was found, in one line."""
        return f"{self.a} and {self.b} {self.value}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "a": self.a,
            "b": self.b,
            "separation": self.value.value,
            "low": self.value.low,
            "high": self.value.high,
            "judge": self.judge,
            "control": None if self.control is None else self.control.value,
            "persona": None if self.persona is None else self.persona.as_dict(),
            "told_apart": self.told_apart,
            "verdict": self.finding.verdict,
            "margin": MARGIN,
            "more": self.finding.more,
            "reversed": self.finding.reversed,
        }


@dataclass(frozen=True, slots=True)
class VoiceReport:
    """One voice as it was in the end."""

    assistant: str
    guidance: Opposite | None
    declared: float  # strength; 0: not guided
    fluency: Fluency
    lowered: RanOff | None  # why the strength was lowered; None: it was not
    broken: RanOff | None  # the guard that does not hold even so; None: all hold

    def as_dict(self) -> dict[str, Any]:
        return {
            "assistant": self.assistant,
            "guidance": None if self.guidance is None else self.guidance.as_dict(),
            "declared": self.declared,
            **self.fluency.as_dict(),
            "lowered": ran_off(self.lowered) if self.lowered else None,
            "broken": ran_off(self.broken) if self.broken else None,
        }


@dataclass(frozen=True, slots=True)
class Speed:
    """Completion tokens per second of one guided voice's answers in one batch, and of the plain base's to the same."""

    guided: float
    plain: float

    def as_dict(self) -> dict[str, Any]:
        return {"guided_tokens_s": self.guided, "plain_tokens_s": self.plain}


@dataclass(frozen=True, slots=True)
class FactsMissing:
    """Why there is no figure of facts; `why`: what fetching the data said."""

    kind: Literal["nobody guided", "not asked", "no data"]
    why: str = ""

    @property
    def words(self) -> str:
        return {"nobody guided": "nobody is guided", "not asked": "not asked for"}.get(self.kind, self.why)


@dataclass(frozen=True, slots=True)
class PanelReport:
    """All that `panel check` found out."""

    panel: str
    bases: tuple[str, ...]
    questions: tuple[str, ...]
    seed: int
    sensitivity: Sensitivity | None  # None: no pair says where it stands, so that the judge was not needed
    pairs: tuple[Separation, ...]  # the declared ones
    matrix: tuple[Separation, ...]  # everybody against everybody
    voices: tuple[VoiceReport, ...]
    plain: Fluency  # of the base's own answers
    facts: Interval | None  # truth with guidance less truth without it
    facts_missing: FactsMissing | None
    speed: Speed | None
    seconds: float

    @property
    def plural(self) -> bool:
        """Every declared pair can be told apart; in a panel without pairs, everybody from everybody."""
        failed = self.sensitivity is not None and not self.sensitivity.passed
        return not failed and all(each.told_apart for each in self.pairs or self.matrix)

    def as_dict(self) -> dict[str, Any]:
        return {
            "panel": self.panel,
            "plural": self.plural,
            "words": self.verdict,
            "bases": list(self.bases),
            "pairs": [each.as_dict() for each in self.pairs],
            "matrix": [each.as_dict() for each in self.matrix],
            "voices": [each.as_dict() for each in self.voices],
            "plain": self.plain.as_dict(),
            "facts": None if self.facts is None else self.facts.as_dict(),
            "speed": None if self.speed is None else self.speed.as_dict(),
            "sensitivity": None if self.sensitivity is None else self.sensitivity.as_dict(),
            "advice": self.advice(),
            "questions": list(self.questions),
            "seed": self.seed,
            "seconds": self.seconds,
        }

    def advice(self) -> list[str]:
        """What to change, in words; empty where nothing needs to be."""
        if self.sensitivity is not None and not self.sensitivity.passed:
            seen = self.sensitivity
            return [
                f"the judge did not pass its sensitivity check on {seen.base}: statements of known side "
                f"{seen.separation}, {seen.finding.words}; check the panel on a larger base: --base REF"
            ]
        said = [self._for_pair(each) for each in self.pairs if not each.told_apart]
        said += [words for voice in self.voices for words in _for_voice(voice)]
        if self.facts is not None and self.facts.high < 0:
            said.append(
                f"guidance costs truth here ({self.facts} of TruthfulQA): lower the strengths where facts matter"
            )
        alike = [f"{each.a} and {each.b}" for each in self.matrix if not each.told_apart]
        if alike and not self.pairs:
            said.append(f"these sound alike: {_listed(alike)}; give them other prompts, or guidance")
        return said

    @property
    def verdict(self) -> str:
        """In one sentence."""
        return ": ".join(self.sentence)

    @property
    def sentence(self) -> tuple[str, str]:
        """What was found, and its numbers: the separations of the declared pairs, or of everybody from everybody."""
        pairs = self.pairs or self.matrix
        what = "declared pair" if self.pairs else "two of them"
        if self.sensitivity is not None and not self.sensitivity.passed:
            return "not shown to be plural", self.advice()[0]
        fewest = sorted((each for each in pairs if each.told_apart == self.plural), key=lambda each: each.value.low)
        rest = len(fewest) - _MOST_NAMED
        named = ", ".join(each.named for each in fewest[:_MOST_NAMED])
        named += (
            f" and {rest} {'pair' if rest == 1 else 'pairs'} {'further apart' if self.plural else 'more'}"
            if (rest > 0)
            else ""
        )
        if self.plural:
            return "plural", f"every {what} can be told apart: {named} (1 is always, 0.5 never)"
        return "not plural", f"not every {what} is told apart: {named} (1 is always, 0.5 never)"

    def _for_pair(self, pair: Separation) -> str:
        voices = [voice for voice in self.voices if voice.assistant in (pair.a, pair.b)]
        alike = f"{pair.named}: {pair.finding.words}"
        asked = pair.value.number
        if pair.finding.more and asked + pair.finding.more <= MOST_QUESTIONS:
            alike += f": --questions {asked + pair.finding.more}; or"
        else:
            alike += ":"
        if any(voice.guidance is None for voice in voices):
            return f'{alike} guide both, [guidance] against = "counterpart" in their files'
        if not any(voice.lowered or voice.broken for voice in voices) and any(v.declared < _STRONG for v in voices):
            return f"{alike} raise their strength, up to {_STRONG:g}"
        return f"{alike} say in their prompts what each would answer, speak through a larger base, or tune the voices"


def _for_voice(voice: VoiceReport) -> list[str]:
    said = []
    if voice.lowered:
        now = voice.guidance.strength if voice.guidance else 0
        lowered = f"strength lowered from {voice.declared:g} to {now:g} on this base"
        said.append(f"{voice.assistant}: {lowered}, because {ran_off(voice.lowered)}")
    if voice.broken:
        cure = "write a shorter prompt" if voice.broken.guard == "recital" else "it needs a larger base"
        said.append(f"{voice.assistant}: {ran_off(voice.broken)}, with and without guidance; {cure}")
    return said


def _listed(names: Sequence[str], most: int = 4) -> str:
    more = f" and {len(names) - most} pairs more" if len(names) > most else ""
    return "; ".join(names[:most]) + more
