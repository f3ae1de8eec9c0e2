"""Judges of separation: do the answers of two voices come from two sides?

`sided` asks the base, told of both sides in other words than the voices were: log p(text | question, side a) less
log p(text | question, side b). Guidance maximises nearly the same quantity, so that this judge is partly circular;
where statements of a persona exist, `classifier` learns from those alone. `told_apart` needs no description: it learns
from the answers to other questions who says what.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from ..assistant import Outlook
from ..engines.contract import Engine, ScoreRequest
from ..measure.classify.classifier import trained
from ..measure.run.session import scores_of
from ..measure.stats.intervals import Interval, auc_of
from ..measure.stats.verdict import MARGIN, Finding, finding
from ..values import Message

_OPEN = "What do you believe?"


@dataclass(frozen=True, slots=True)
class Known:
    """A side as the calibration knows it, with statements that are surely its own."""

    dimension: str
    side: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What an instrument could tell apart on a base where the answer was known beforehand.

    The rule of measuring: an instrument that does not pass here says nothing about assistants on this base.
    """

    instrument: str
    base: str
    separation: Interval  # of statements of known side; the number counts pairs of statements

    @property
    def finding(self) -> Finding:
        each = self.separation
        return finding(each.value, each.low, each.high, each.number, fewest=1)

    @property
    def passed(self) -> bool:
        return self.finding.verdict == "apart"

    def as_dict(self) -> dict[str, Any]:
        return {
            "instrument": self.instrument,
            "base": self.base,
            "separation": self.separation.value,
            "low": self.separation.low,
            "high": self.separation.high,
            "sees": self.passed,
            "verdict": self.finding.verdict,
            "margin": MARGIN,
            "more": self.finding.more,
            "reversed": self.finding.reversed,
        }


@cache
def known_sides() -> dict[str, tuple[Known, Known]]:
    """By dimension: its two sides."""
    document = tomllib.loads(resources.files(__package__).joinpath("known_sides.toml").read_text("utf-8"))
    return {
        dimension: (_known(dimension, sides["a"]), _known(dimension, sides["b"]))
        for dimension, sides in document.items()
    }


def _known(dimension: str, side: dict[str, Any]) -> Known:
    return Known(dimension, side["side"], tuple(side["statements"]))


def described(outlook: Outlook) -> str:
    """A side in the words of its outlook, which the voice itself is not told."""
    return f"You speak for {outlook.position}. {outlook.summary}".strip()


async def sided(engine: Engine, sides: tuple[str, str], asked: Sequence[tuple[str, str]]) -> np.ndarray:
    """Log-odds that side a rather than side b said it, in nats, of each question and what was answered; 0 for an
    answer without words.

    float64 [asked]. Raises what `Engine.score_all` fails with.
    """
    spoken = [place for place, (_, text) in enumerate(asked) if text.strip()]
    requests = [
        ScoreRequest((Message("system", side), Message("user", asked[place][0])), (asked[place][1],))
        for side in sides  # one side after the other: what all prompts of a side begin with is read once
        for place in spoken
    ]
    totals = [score.total for (score,) in await scores_of(engine, requests)]
    odds = np.zeros(len(asked))
    odds[spoken] = np.subtract(*np.reshape(totals, (2, -1)))
    return odds


async def calibrated(engine: Engine, dimensions: Sequence[str]) -> Sensitivity:
    """`sided` on statements of known side: pairs of one from each side, over the dimensions at hand."""
    scores = []
    for dimension in dimensions:
        sides = known_sides()[dimension]
        told = [f"You speak for {side.side}." for side in sides]
        statements = [(_OPEN, statement) for side in sides for statement in side.statements]
        odds = await sided(engine, (told[0], told[1]), statements)
        scores.append(
            (odds - odds.mean()).reshape(2, -1)
        )  # a side's own likelihood is of its description, not of these
    a, b = np.concatenate(scores, axis=1)
    return Sensitivity("the base, told of both sides", engine.base, auc_of(a, b))


def told_apart(a: Sequence[str], b: Sequence[str]) -> np.ndarray:
    """Log-odds that a's answers, and b's, are a's: by a classifier that has not seen the answers to that question.

    float64 [2, questions]; `a` and `b` answer the same questions in the same order.
    """
    odds = np.zeros((2, len(a)))
    for question in range(len(a)):
        kept = [[text for place, text in enumerate(side) if place != question] for side in (a, b)]
        odds[:, question] = trained(*kept).score([a[question], b[question]])
    return odds
