"""What a voice costs in facts: probability on the true answers of TruthfulQA, with and without guidance.

The share follows MC2 of the paper (arXiv 2109.07958): the probability of the true reference answers over that of all,
each answer's probability being that of its tokens after the question. Here the question is asked as a user's message
after the voice's own prompt, so that figures compare voices with each other, not with the leaderboard's.
"""

from collections.abc import Sequence

import numpy as np

from ..measure.data.datasets import Truth
from ..measure.run.session import AssistantSession


async def truth_of(voice: AssistantSession, questions: Sequence[Truth], strength: float | None = None) -> np.ndarray:
    """MC2 per question; float64 [questions]. `strength` 0 is the voice without guidance, None as it declares."""
    shares = []
    for each in questions:
        texts = [*each.true, *each.false]
        guide = voice.guide(each.question, strength)
        adapter = voice.assistant.adapter
        scores = await voice.engine.score(voice.messages(each.question), texts, guide=guide, adapter=adapter)
        totals = np.array([score.total for score in scores])
        probabilities = np.exp(totals - totals.max())
        shares.append(float(probabilities[: len(each.true)].sum() / probabilities.sum()))
    return np.array(shares)


def spread(questions: Sequence[Truth], number: int) -> list[Truth]:
    """`number` of the questions, evenly over the file, which is sorted by topic."""
    step = max(1, len(questions) // max(number, 1))
    return list(questions[::step][:number])
