"""Many scores at once: what is shared is decoded once, and scores are the exact ones within rounding."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pluriverse.engines.local.batch_scoring import BatchScorer
from pluriverse.engines.local.context import Context
from pluriverse.engines.local.library import Library, find
from pluriverse.engines.local.model import Model
from pluriverse.engines.local.options import EngineOptions
from pluriverse.engines.local.prompts import ChatTemplate
from pluriverse.engines.local.scoring import Scorer, TokenScores
from pluriverse.engines.local.sizes import physical_cores
from pluriverse.engines.local.tree import Tree
from pluriverse.engines.local.turns import Turns
from pluriverse.errors import PluriverseError, UsageError

from .tiny import write_tiny

Job = tuple[str, tuple[str, ...]]

SHOTS = "".join(f"Question: what is {n} plus {n}?\nAnswer: {2 * n}\n\n" for n in range(8))
JOBS: list[Job] = [
    (
        SHOTS + f"Question: what is {n} plus {n + m}?\nAnswer:",
        (f" {2 * n + m}", f" {n} and {m}, so {2 * n + m}", " no"),
    )
    for n in range(3)
    for m in (1, 2)
]
OTHERS: list[Job] = [(f"My name is {name}. I am", (" glad", " sorry to say so")) for name in ("Ana", "Bo", "Chen")]


@pytest.fixture
def scorer(model: Model) -> Iterator[BatchScorer]:
    made = BatchScorer(model, EngineOptions(threads=physical_cores()), Turns(None))
    yield made
    made.close()


def submit(scorer: BatchScorer, model: Model, jobs: list[Job]) -> None:
    chat = ChatTemplate(model)
    for id, (prefix, texts) in enumerate(jobs):
        head = chat.raw(prefix)
        scorer.submit(id, head, [chat.continuation(prefix, head, text) for text in texts])


def scores(scorer: BatchScorer, model: Model, jobs: list[Job]) -> list[list[TokenScores]]:
    submit(scorer, model, jobs)
    found: dict[int, list[TokenScores]] = {}
    while not scorer.idle:
        for id, result in scorer.step():
            assert not isinstance(result, PluriverseError), result
            found[id] = result
    return [found[id] for id in range(len(jobs))]


def exact(model: Model, jobs: list[Job]) -> list[list[TokenScores]]:
    chat, one = ChatTemplate(model), Scorer(model, EngineOptions(threads=physical_cores()), Turns(None))
    found = []
    for prefix, texts in jobs:
        head = chat.raw(prefix)
        job = one.run(head, [chat.continuation(prefix, head, text) for text in texts], False)
        try:
            while True:
                next(job)
        except StopIteration as done:
            found.append(done.value)
    one.close()
    return found


def differences(scorer: BatchScorer, model: Model, jobs: list[Job]) -> np.ndarray:
    """Of every log-probability from the exact one."""
    found = []
    for ours, theirs in zip(scores(scorer, model, jobs), exact(model, jobs), strict=True):
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.tokens == other.tokens
            found.append(np.subtract(mine.logprobs, other.logprobs))
    return np.abs(np.concatenate(found))


@pytest.mark.model
def test_they_are_the_exact_scores_within_rounding(scorer: BatchScorer, model: Model) -> None:
    """Four-bit weights round activations too, so that a last digit grows; the tree itself is exact (next test)."""
    jobs = [*JOBS, *OTHERS, ("One two", (" three " * 300, " four"))]  # the last one does not fit into a batch
    found = differences(scorer, model, jobs)
    assert found.max() < 1.5 and found.mean() < 0.05


def test_without_rounding_they_are_the_exact_scores(tmp_path: Path) -> None:
    """On a random model whose matrices are not quantised."""
    fine = Model(Library(find()), write_tiny(tmp_path / "f32.gguf", layers=1))
    scorer = BatchScorer(fine, EngineOptions(threads=physical_cores()), Turns(None))
    jobs = [
        (f"ask {who} what is {what}?", (" that", " this", " all of it")) for who in ("a", "b") for what in ("so", "it")
    ]
    found = differences(scorer, fine, [*jobs, *OTHERS])
    assert found.mean() < 0.002 and found.max() < 0.05  # keys and values are kept in half precision
    scorer.close()
    fine.close()


@pytest.mark.model
def test_the_same_jobs_in_the_same_order_give_the_same(scorer: BatchScorer, model: Model) -> None:
    first = scores(scorer, model, JOBS)
    scores(scorer, model, OTHERS)
    fresh = BatchScorer(model, EngineOptions(threads=physical_cores()), Turns(None))
    again = scores(fresh, model, JOBS)
    fresh.close()
    assert first == again


@pytest.mark.model
def test_what_is_shared_is_decoded_once(scorer: BatchScorer, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    whole = Context._decode
    monkeypatch.setattr(
        Context, "_decode", lambda self, tokens, *rest: (decoded.append(len(tokens)), whole(self, tokens, *rest))[1]
    )
    scores(scorer, model, JOBS)
    chat = ChatTemplate(model)
    distinct: set[tuple[int, ...]] = set()
    for prefix, texts in JOBS:
        head = chat.raw(prefix)
        for text in texts:
            tokens = (*head.tokens, *chat.continuation(prefix, head, text)[:-1])
            distinct.update(tokens[: end + 1] for end in range(len(tokens)))
    assert sum(decoded) <= 1.02 * len(distinct)


@pytest.mark.model
def test_cancelled_jobs_are_forgotten(scorer: BatchScorer, model: Model) -> None:
    submit(scorer, model, JOBS)
    scorer.step()
    scorer.cancel(range(len(JOBS)))
    while not scorer.idle:
        scorer.step()
    assert len(scores(scorer, model, OTHERS)) == 3


@pytest.mark.model
def test_what_cannot_be_scored_is_refused(scorer: BatchScorer, model: Model) -> None:
    with pytest.raises(UsageError, match="nothing to score"):
        submit(scorer, model, [("One", ())])
    assert scorer.idle


def test_a_tree_lays_shared_tokens_once() -> None:
    tree = Tree(2, 100, 8, 100)
    assert tree.add([7, 8, 1, 2], [[5, 6], [5, 9, 4], [3]])
    assert tree.add([7, 8, 1, 9], [[3]])
    tree.finish()
    assert tree.tokens == [1, 2, 5, 9, 9]
    assert tree.positions == [2, 3, 4, 5, 3]
    assert tree.sequences == [[0, 1], [0], [0], [0], [1]]
    assert tree.outputs == [1, 2, 3, 4]
    assert tree.rows_along((1, 2, 5), (9, 4)) == [2, 3] and tree.branches == 2


def test_a_full_tree_takes_no_more_and_stays_as_it_is() -> None:
    tree = Tree(0, 6, 2, 10)
    assert tree.add([1, 2], [[3]])
    assert not tree.add([9, 9, 9, 9, 9], [[3]])
    assert tree.add([1, 5], [[3]])
    assert not tree.add([1, 6], [[3]])  # a third branch
    tree.finish()
    assert tree.tokens == [1, 2, 5]


def test_a_batch_is_of_one_adapter(scorer: BatchScorer, model: Model) -> None:
    """What several prompts share is not shared with the same words under another adapter."""
    chat = ChatTemplate(model)
    expected = scores(scorer, model, JOBS)
    for id, (prefix, texts) in enumerate([*JOBS[:6], *JOBS[:6]]):
        head = replace(chat.raw(prefix), adapter="" if id < 6 else "sha256:1")
        scorer.submit(id, head, [chat.continuation(prefix, head, text) for text in texts])
    found: dict[int, list[TokenScores]] = {}
    while not scorer.idle:
        for id, each in scorer.step():
            assert not isinstance(each, PluriverseError)
            found[id] = each
        taken = {job.prompt.adapter for job in scorer._taken}
        assert len(taken) == 1 and taken == {scorer._trunk_under}
    for id in range(12):
        for one, other in zip(found[id], expected[id % 6], strict=True):
            assert sum(one.logprobs) == pytest.approx(sum(other.logprobs), abs=1.0)
