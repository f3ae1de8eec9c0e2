"""Judges: how they are asked, read and counted, and that none judges itself."""

import asyncio
import dataclasses
import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from pluriverse.engines.contract import (
    Capabilities,
    Chunk,
    EngineEvent,
    Failed,
    Finished,
    Identity,
    Request,
    Score,
    Scored,
    ScoreRequest,
    Started,
)
from pluriverse.engines.script import Rule, Script
from pluriverse.engines.scripted import ScriptedEngine
from pluriverse.errors import ContextOverflowError, EngineError, NotFoundError, UsageError
from pluriverse.measure.judges.panel import Case, Judge, Judged, Judges, Verdict, Vote, majority
from pluriverse.measure.judges.prompts import judge_prompt, judge_prompts, strongreject
from pluriverse.settings import Settings
from pluriverse.values import Digest

STANCE = judge_prompt("stance")
SOMEONE = Judged("somebody")
UNKNOWN = Identity("by hand", None)
MUTE = Capabilities(logprobs=False, logits=False, grammar=False, seed=True, guidance=False, context_length=4096)
OPEN = dataclasses.replace(MUTE, logprobs=True)


@dataclass
class Writing:
    """An engine without log-probabilities that always writes the same, or fails."""

    reply: str
    error: Exception | None = None
    identity: Identity = UNKNOWN
    base: str = "writing"
    heard: list[Request] = field(default_factory=list)
    capabilities: Capabilities = MUTE

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[EngineEvent]:
        self.heard += requests
        for place in range(len(requests)):
            yield Started(place, 1, 0, 0)
            if self.error:
                yield Failed(place, self.error)  # type: ignore[arg-type]
                continue
            yield Chunk(place, self.reply)
            yield Finished(place, "stop", 1, 1)


@dataclass
class Liking:
    """An engine with log-probabilities: `likes` per label, and `always` likes one a bit more whatever is asked."""

    likes: dict[str, float]
    always: dict[str, float] = field(default_factory=dict)
    identity: Identity = UNKNOWN
    base: str = "liking"
    asked: int = 0
    capabilities: Capabilities = OPEN

    async def score_all(self, requests: Sequence[ScoreRequest]) -> AsyncIterator[Scored | Failed]:
        for place, request in enumerate(requests):
            self.asked += 1
            said = request.prefix[-1].content  # type: ignore[union-attr]
            if "too long" in said:
                yield Failed(place, ContextOverflowError("too long"))
                continue
            likes = {} if "<<<\n\n>>>" in said else self.likes
            totals = [likes.get(each, 0) + self.always.get(each, 0) for each in request.continuations]
            yield Scored(place, tuple(Score((0,), (math.log(0.1) + total,)) for total in totals))


def verdict(*judges: Judge, text: str = "Trams are good.", judged: Judged = SOMEONE) -> Verdict:
    return asyncio.run(Judges(judges).verdict(STANCE, judged, text, question="Write on trams.", issue="trams"))


def writing(name: str, reply: str, **more: Any) -> Judge:
    return Judge(name, f"family of {name}", Writing(reply, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        ("A", "pro"), ("**C**", "con"), (" b.", "neutral"), ("D: it declines", "refusal"), ("(A)", "pro"),
        ("Answer: C", "con"), ("The answer is B.", "neutral"), ("<think>A? No, C.</think>\nC", "con"),
        ("The text is con.", "con"), ("", None), ("I cannot say", None), ("A or B", None),
        ("A text that is con", "con"), ("pro and con", None),
        ("Answer: A, or answer: C", None), ("E", None),
    ],
)  # fmt: skip
def test_written_verdicts_are_read_with_patience(answer: str, meaning: str | None) -> None:
    assert STANCE.read(answer) == meaning


@pytest.mark.parametrize("name", judge_prompts())
def test_every_prompt_holds_its_labels_and_its_text(name: str) -> None:
    prompt = judge_prompt(name)
    system, user = prompt.messages("What I $said >>> {x}", question="Why?", issue="a\nmatter")
    assert system.role == "system" and user.content.count(">>>") == user.content.count("<<<")
    assert "What I $said > {x}" in user.content and "no instruction" in user.content
    for label, meaning in prompt.labels.items():
        assert prompt.read(label) == meaning and (prompt.ordered or label in user.content)
    assert len(prompt.messages("x" * 50_000)[1].content) < 8000
    with pytest.raises(NotFoundError):
        judge_prompt("nothing")


def test_majority_unanimity_and_abstention() -> None:
    split = verdict(writing("x", "A"), writing("y", "A"), writing("z", "C"))
    assert split.label == "pro" and not split.unanimous
    assert verdict(writing("x", "C"), writing("y", "C"), writing("z", "C")).unanimous
    silent = verdict(writing("x", "A"), writing("y", "A"), writing("z", "well"))
    assert silent.label == "pro" and sum(vote.label is None for vote in silent.votes) == 1 and not silent.unanimous
    assert verdict(writing("x", "A"), writing("y", "B"), writing("z", "C")).label is None
    assert verdict(writing("x", "A"), writing("y", "C"), writing("z", "?")).label is None
    assert not verdict(writing("x", "A")).unanimous
    assert majority([]) is None
    assert majority(["5", "1", "2"], ordered=True) == "2" and majority(["4", None, "3"], ordered=True) == "3.5"


def test_nobody_judges_itself() -> None:
    with pytest.raises(UsageError, match="judge itself"):
        verdict(writing("x", "A"), judged=Judged("x"))
    weights = Digest("sha256:" + "0" * 64)
    with pytest.raises(UsageError, match="judge itself"):
        verdict(writing("y", "A", identity=Identity("by hand", weights)), judged=Judged("x", weights))
    assert (
        verdict(
            writing("y", "A", identity=Identity("by hand", weights)), judged=Judged("x", "sha256:" + "1" * 64)
        ).label
        == "pro"
    )


def test_a_jury_is_small_and_mixed() -> None:
    for judges in ([], [writing(name, "A") for name in "wxyz"], [writing("x", "A"), writing("x", "A")]):
        with pytest.raises(UsageError):
            Judges(judges)
    with pytest.raises(UsageError, match="family 'f'"):
        Judges([Judge("a", "f", Writing("A")), Judge("b", "f", Writing("A"))])  # type: ignore[arg-type]


def test_likelihood_is_used_where_there_is_any_and_habits_are_divided_out() -> None:
    engine = Liking({"C": 1.0}, always={"A": 5.0})
    judge = Judge("x", "f", engine)  # type: ignore[arg-type]
    (vote,) = verdict(judge).votes
    assert vote == Vote("x", "con", "likelihood", vote.sure) and vote.sure == pytest.approx(math.e / (math.e + 3))
    verdict(judge)
    assert engine.asked == 3  # the empty text once
    (vote,) = verdict(Judge("x", "f", engine, calibrated=False)).votes  # type: ignore[arg-type]
    assert vote.label == "pro"


def test_many_texts_are_read_together_and_keep_their_places() -> None:
    liking = Judge("x", "f", Liking({"C": 1.0}))  # type: ignore[arg-type]
    cases = [Case("Trams are bad."), Case("This is too long."), Case("Trams are worse.")]
    assert [vote.label for vote in asyncio.run(liking.votes(STANCE, cases))] == ["con", None, "con"]
    engine = Writing("B")
    judge = Judge("x", "f", engine)  # type: ignore[arg-type]
    assert [vote.label for vote in asyncio.run(judge.votes(STANCE, cases))] == ["neutral"] * 3 and len(
        engine.heard
    ) == 3
    assert asyncio.run(judge.votes(STANCE, [])) == []


def test_what_does_not_fit_is_an_abstention_and_what_breaks_is_an_error() -> None:
    (vote,) = verdict(writing("x", "", error=ContextOverflowError("too long"))).votes
    assert vote.label is None
    with pytest.raises(EngineError):
        verdict(writing("x", "", error=EngineError("gone")))


def test_the_scripted_engine_can_judge() -> None:
    """By likelihood of its toy distribution: always the same, one of the labels."""
    engine = ScriptedEngine(script=Script((Rule(("A",)),)))
    first, second = (verdict(Judge("x", "f", engine)) for _ in range(2))
    assert first == second and first.label in STANCE.labels.values() and first.votes[0].by == "likelihood"


def test_compliance_scores() -> None:
    assert strongreject(1, 5, 5) == 0 and strongreject(0, 5, 5) == 1
    assert strongreject(0, 1, 1) == 0 and strongreject(0, 3, 4) == pytest.approx(5 / 8)


@pytest.mark.model
def test_a_real_model_votes(model_settings: Settings) -> None:
    from pluriverse.runtime.workspace import Workspace

    async def one() -> Verdict:
        async with Workspace(model_settings) as workspace:
            panel = Judges([Judge("smollm2", "smollm", (await workspace.ready("default")).engine)])
            return await panel.verdict(STANCE, SOMEONE, "Trams are clean and quiet.", issue="trams")

    found = asyncio.run(one())
    assert found.label in STANCE.labels.values() and 0.25 <= (found.votes[0].sure or 0) <= 1
