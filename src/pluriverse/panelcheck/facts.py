"""What a voice costs in facts: probability on the true answers of TruthfulQA, with and without guidance.

The share follows MC2 of the paper (arXiv 2109.07958): the probability of the true reference answers over that of all,
each answer's probability being that of its tokens after the question. Here the question is asked as a user's message
after the voice's own prompt, so that figures compare voices with each other, not with the leaderboard's.
"""

from collections.abc import Sequence

import numpy as np

from ..engines.contract import ScoreRequest
from ..measure.data.datasets import Truth
from ..measure.run.session import AssistantSession, scores_of


async def truth_of(voice: AssistantSession, questions: Sequence[Truth], strength: float | None = None) -> np.ndarray:
    """MC2 per question, with guidance of that strength (None: as the voice declares) and without; float64
    [questions, 2].

    Each answer is scored both ways next to each other: the voice's own side of guidance is what it is without, and is
    computed once.
    """
    requests = [
        ScoreRequest(voice.messages(each.question), (text,), guide, voice.assistant.adapter)
        for each in questions
        for guided in (voice.guide(each.question, strength),)
        for text in (*each.true, *each.false)
        for guide in (guided, None)
    ]
    totals = np.array([score.total for (score,) in await scores_of(voice.engine, requests)]).reshape(-1, 2)
    ends = np.cumsum([len(each.true) + len(each.false) for each in questions])
    shares = [
        _true_share(scored, len(each.true)) for each, scored in zip(questions, np.split(totals, ends[:-1]), strict=True)
    ]
    return np.array(shares)


def _true_share(totals: np.ndarray, true: int) -> np.ndarray:
    """Of log-probabilities [answers, ways], the first `true` of them true; float64 [ways]."""
    probabilities = np.exp(totals - totals.max(axis=0))
    share: np.ndarray = probabilities[:true].sum(axis=0) / probabilities.sum(axis=0)
    return share


def spread(questions: Sequence[Truth], number: int) -> list[Truth]:
    """`number` of the questions, evenly over the file, which is sorted by topic."""
    step = max(1, len(questions) // max(number, 1))
    return list(questions[::step][:number])
