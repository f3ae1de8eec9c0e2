"""Up to three judges of different families, and the verdict of their majority. Never the one that is judged.

A judge is asked by the likelihood of its labels where its engine has log-probabilities, else by what it writes. Knows
engines and prompts; not how responses are kept, and not what the verdict is used for.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from ...engines.contract import Chunk, Engine, Failed, Request, ScoreRequest
from ...engines.thinking import told
from ...errors import ContextOverflowError, UsageError
from ...values import Message, Sampling
from .prompts import JudgePrompt

MOST_JUDGES = 3
_TOKENS = 24  # of a written verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose response it is; weights in sha256 where they are known."""

    assistant: str
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A text to be judged: what it answers, and the proposition or topic it is about, where there is one."""

    text: str
    question: str = ""
    issue: str = ""


@dataclass(frozen=True, slots=True)
class Vote:
    """`label` None: it abstained (unreadable, or too long). `sure` is its probability, by likelihood only."""

    judge: str
    label: str | None
    by: Literal["likelihood", "text"]
    sure: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`label` None: no majority among those who voted."""

    label: str | None
    votes: tuple[Vote, ...]

    @property
    def unanimous(self) -> bool:
        """All judges voted, and alike; one judge alone is not unanimous."""
        return len(self.votes) > 1 and len({vote.label for vote in self.votes}) == 1 and self.label is not None


@dataclass(slots=True)
class Judge:
    """One judge. `family` is whose models it belongs to ("qwen", "llama"): judges of one family err alike.

    By likelihood the labels' chances before an empty text are divided out, since small models like some letter best.
    """

    name: str
    family: str
    engine: Engine
    calibrated: bool = True
    _idle: dict[str, tuple[float, ...]] = field(default_factory=dict, repr=False)

    async def votes(self, prompt: JudgePrompt, cases: Sequence[Case]) -> list[Vote]:
        """Its vote on each text, read together: what the prompt says before the text is read once.

        A text too long for it is an abstention; other failures of the engine are raised.
        """
        asked = [prompt.messages(each.text, question=each.question, issue=each.issue) for each in cases]
        if not self.engine.capabilities.logprobs:
            words = await self._written(asked)
            return [Vote(self.name, None if text is None else prompt.read(text), "text") for text in words]
        if self.calibrated and prompt.name not in self._idle:
            (idle,) = await self._scores(prompt, [prompt.messages("")])
            self._idle[prompt.name] = idle or ()
        return [self._likeliest(prompt, scores) for scores in await self._scores(prompt, asked)]

    def _likeliest(self, prompt: JudgePrompt, scores: Sequence[float] | None) -> Vote:
        if scores is None:
            return Vote(self.name, None, "likelihood")
        if idle := self._idle.get(prompt.name) if self.calibrated else None:
            scores = [score - before for score, before in zip(scores, idle, strict=True)]
        best = max(scores)
        chances = [math.exp(score - best) for score in scores]
        place = list(scores).index(best)
        return Vote(self.name, list(prompt.labels.values())[place], "likelihood", chances[place] / sum(chances))

    async def _scores(self, prompt: JudgePrompt, asked: Sequence[Sequence[Message]]) -> list[tuple[float, ...] | None]:
        """Of each label after each prompt, in the order of the labels; None where a prompt is too long."""
        requests = [ScoreRequest(tuple(messages), tuple(prompt.labels)) for messages in asked]
        found: list[tuple[float, ...] | None] = [None] * len(requests)
        async for each in self.engine.score_all(requests):
            if isinstance(each, Failed):
                _raise_unless_too_long(each)
            else:
                found[each.index] = tuple(score.total for score in each.scores)
        return found

    async def _written(self, asked: Sequence[Sequence[Message]]) -> list[str | None]:
        sampling = Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=_TOKENS, seed=0)
        written: list[str | None] = [""] * len(asked)
        async for event in self.engine.generate([Request(tuple(messages), sampling) for messages in asked]):
            if isinstance(event, Failed):
                _raise_unless_too_long(event)
                written[event.index] = None
            elif isinstance(event, Chunk):
                written[event.index] = (written[event.index] or "") + event.text
        return [None if text is None else told(text).text for text in written]


def _raise_unless_too_long(failed: Failed) -> None:
    if not isinstance(failed.error, ContextOverflowError):
        raise failed.error


class Judges:
    """One to three judges. UsageError for more, for two of one name, or two of one family."""

    def __init__(self, judges: Sequence[Judge]) -> None:
        if not 1 <= len(judges) <= MOST_JUDGES:
            raise UsageError(f"a panel of {len(judges)} judges", f"name one to {MOST_JUDGES} judges")
        for what, values in (
            ("name", [judge.name for judge in judges]),
            ("family", [judge.family for judge in judges]),
        ):
            if len(set(values)) < len(values):
                twice = Counter(values).most_common(1)[0][0]
                raise UsageError(
                    f"two judges have the {what} {twice!r}", "judges of different families do not err alike"
                )
        self.judges = tuple(judges)

    async def verdict(
        self, prompt: JudgePrompt, judged: Judged, text: str, *, question: str = "", issue: str = ""
    ) -> Verdict:
        """The majority on one text. UsageError where a judge would judge itself: by name, or by its weights."""
        for judge in self.judges:
            if judge.name == judged.assistant or (judged.weights and judge.engine.identity.weights == judged.weights):
                raise UsageError(
                    f"{judge.name} would judge itself (the response is {judged.assistant}'s)",
                    "name a judge with other weights",
                )
        case = [Case(text, question, issue)]
        votes = [vote for judge in self.judges for vote in await judge.votes(prompt, case)]
        return Verdict(majority([vote.label for vote in votes], ordered=prompt.ordered), tuple(votes))


def majority(labels: Sequence[str | None], *, ordered: bool = False) -> str | None:
    """What more than half of those who voted say; on a scale of numbers their median, of an even number the mean of the
    two in the middle ("3.5"). None where there is no such thing."""
    voted = [label for label in labels if label is not None]
    if not voted:
        return None
    if ordered:
        return f"{median(map(float, voted)):g}"
    label, count = Counter(voted).most_common(1)[0]
    return label if 2 * count > len(voted) else None
