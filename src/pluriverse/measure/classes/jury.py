"""Up to three judges of different families, and the verdict of their majority. Never the one that is judged.

A judge is asked by the likelihood of its labels where its engine has log-probabilities, else by what it writes. Knows
engines and prompts; not how responses are kept, and not what the verdict is used for.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...engines.contract import Chunk, Engine, Failed, Request
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
    def abstentions(self) -> int:
        return sum(vote.label is None for vote in self.votes)

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

    async def vote(self, prompt: JudgePrompt, text: str, *, question: str = "", issue: str = "") -> Vote:
        """Its vote on one text. A text too long for it is an abstention; other failures of the engine are raised."""
        messages = prompt.messages(text, question=question, issue=issue)
        try:
            if self.engine.capabilities.logprobs:
                return await self._likeliest(prompt, messages)
            return Vote(self.name, prompt.read(await self._written(messages)), "text")
        except ContextOverflowError:
            return Vote(self.name, None, "likelihood" if self.engine.capabilities.logprobs else "text")

    async def _likeliest(self, prompt: JudgePrompt, messages: Sequence[Message]) -> Vote:
        scores = await self._scores(prompt, messages)
        if self.calibrated:
            if prompt.name not in self._idle:
                self._idle[prompt.name] = await self._scores(prompt, prompt.messages(""))
            scores = tuple(score - idle for score, idle in zip(scores, self._idle[prompt.name], strict=True))
        best = max(scores)
        chances = [math.exp(score - best) for score in scores]
        place = scores.index(best)
        return Vote(self.name, list(prompt.labels.values())[place], "likelihood", chances[place] / sum(chances))

    async def _scores(self, prompt: JudgePrompt, messages: Sequence[Message]) -> tuple[float, ...]:
        return tuple(score.total for score in await self.engine.score(messages, list(prompt.labels)))

    async def _written(self, messages: Sequence[Message]) -> str:
        sampling = Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=_TOKENS, seed=0)
        written = ""
        async for event in self.engine.generate([Request(tuple(messages), sampling)]):
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Chunk):
                written += event.text
        return written


class Jury:
    """One to three judges. UsageError for more, for two of one name, or two of one family."""

    def __init__(self, judges: Sequence[Judge]) -> None:
        if not 1 <= len(judges) <= MOST_JUDGES:
            raise UsageError(f"a jury of {len(judges)} judges", f"name one to {MOST_JUDGES} judges")
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
            if judge.name == judged.assistant or (judged.weights and judge.engine.digest == judged.weights):
                raise UsageError(
                    f"{judge.name} would judge itself (the response is {judged.assistant}'s)",
                    "name a judge with other weights",
                )
        votes = [await judge.vote(prompt, text, question=question, issue=issue) for judge in self.judges]
        return Verdict(majority([vote.label for vote in votes], ordered=prompt.ordered), tuple(votes))


def majority(labels: Sequence[str | None], *, ordered: bool = False) -> str | None:
    """What more than half of those who voted say; on a scale their median. None where there is no such thing."""
    voted = [label for label in labels if label is not None]
    if not voted:
        return None
    if ordered:
        return sorted(voted)[(len(voted) - 1) // 2]
    label, count = Counter(voted).most_common(1)[0]
    return label if 2 * count > len(voted) else None
