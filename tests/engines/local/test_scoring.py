"""Scores are exact: they equal what the logits of a plain decode say, whatever is scored beside or before them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pluriverse.engines.local.context import Context, Shape
from pluriverse.engines.local.model import Model
from pluriverse.engines.local.options import EngineOptions
from pluriverse.engines.local.prompts import ChatTemplate
from pluriverse.engines.local.scoring import ROWS, Scorer, TokenScores
from pluriverse.engines.local.sizes import physical_cores
from pluriverse.engines.local.turns import Turns
from pluriverse.errors import ContextOverflowError, UsageError

pytestmark = pytest.mark.model

PREFIX = "The three largest cities of France are"
CONTINUATIONS = (" Paris", " Paris, Marseille and Lyon.", " Berlin", " made of cheese " * 40)


@pytest.fixture(scope="module")
def scorer(model: Model) -> Scorer:
    return Scorer(model, EngineOptions(threads=physical_cores()), Turns(None))


def score(scorer: Scorer, model: Model, prefix: str, *texts: str, logits: bool = False) -> list[TokenScores]:
    chat = ChatTemplate(model)
    head = chat.raw(prefix)
    job = scorer.run(head, [chat.continuation(prefix, head, text) for text in texts], logits)
    while True:
        try:
            next(job)
        except StopIteration as done:
            scores: list[TokenScores] = done.value
            return scores


def test_scores_equal_a_plain_decode(scorer: Scorer, model: Model) -> None:
    """The reference decodes prefix, then the continuation, on a fresh context, and reads every row itself."""
    chat = ChatTemplate(model)
    head = chat.raw(PREFIX)
    (given,) = score(scorer, model, PREFIX, CONTINUATIONS[1], logits=True)
    context = Context(model, Shape(1, 256, ROWS, threads=physical_cores()), Turns(None))
    n = len(head.tokens)
    context.decode(head.tokens, range(n), [0] * n, [n - 1])
    rows = [context.logits(n - 1).astype(np.float64)]
    m = len(given.tokens) - 1
    context.decode(given.tokens[:-1], range(n, n + m), [0] * m, range(m))
    rows += [context.logits(row).astype(np.float64) for row in range(m)]
    for token, row, logprob, logits in zip(given.tokens, rows, given.logprobs, given.logits, strict=True):
        assert np.array_equal(logits, row)
        assert logprob == pytest.approx(row[token] - np.log(np.exp(row).sum()), abs=1e-5)
    context.close()


def test_order_and_company_do_not_matter(scorer: Scorer, model: Model) -> None:
    together = score(scorer, model, PREFIX, *CONTINUATIONS)
    score(scorer, model, "Something else entirely, so that the prefix is read anew", " x")
    backwards = score(scorer, model, PREFIX, *reversed(CONTINUATIONS))
    assert together == list(reversed(backwards))
    assert [score(scorer, model, PREFIX, text)[0] for text in CONTINUATIONS] == together


def test_sense_beats_nonsense(scorer: Scorer, model: Model) -> None:
    paris, _, berlin, _ = score(scorer, model, PREFIX, *CONTINUATIONS)
    assert paris.logprobs[0] > berlin.logprobs[0]


def test_what_cannot_be_scored_is_refused_in_words(scorer: Scorer, model: Model) -> None:
    with pytest.raises(ContextOverflowError):
        score(scorer, model, " word" * model.context_length, " end")
    with pytest.raises(UsageError, match="empty"):
        score(scorer, model, PREFIX, "")
    with pytest.raises(UsageError, match="prefix"):
        score(scorer, model, "", "word")


def test_a_prefix_that_was_read_under_another_adapter_is_read_again(
    scorer: Scorer, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    decode = Context.decode

    def counted(self: Context, tokens: Sequence[int], *more: Any) -> None:
        read.append(len(tokens))
        decode(self, tokens, *more)

    monkeypatch.setattr(Context, "decode", counted)
    chat = ChatTemplate(model)
    head = chat.raw(PREFIX)
    continuation = chat.continuation(PREFIX, head, " Paris")
    found = []
    for adapter in ("", "", "sha256:1", "sha256:1"):
        read.clear()
        list(scorer.run(replace(head, adapter=adapter), [continuation], False))
        found.append(sum(read) >= len(head.tokens))
    assert found[1:] == [False, True, False]
