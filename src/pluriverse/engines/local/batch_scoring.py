"""Log-probabilities of many continuations at once: what prompts share is decoded once, and batches are full.

Waiting jobs become a tree. Its trunk, what several prompts begin with, stays in memory; what follows are branches, and
as many as fill a batch are decoded together: a token that several sequences share is one row. Options of one token need
no row of their own. Here a score depends, within rounding, on what it shares a batch with; `scoring` has scores that do
not (docs/decisions/0007). The same jobs in the same order give the same numbers.

Knows tokens and logits. Does not know text, processes or requests for generation; `worker` drives it.
"""

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from ...errors import ContextOverflowError, EngineError, PluriverseError, UsageError
from ..guiding import contrasted
from .context import LENGTH_STEP, Context, Logits, Shape
from .model import Model
from .options import EngineOptions
from .pace import Pace
from .prompts import Contrast, Prompt
from .scoring import Scorer, TokenScores
from .tree import Tree
from .turns import Turns

SEQUENCES = 64  # branches of one batch
LOGITS_MEMORY = 64 * 1024**2  # bytes of logits that one batch may give
AHEAD = 8  # waiting jobs that are looked at to find what they share
WORTH = 16  # tokens from which on something shared goes into the trunk
TORN = 8  # tokens read twice from which on a batch rather ends earlier
HELD_MEMORY = 128 * 1024**2  # bytes of logits of guided scores that may wait for their other side


@dataclass(slots=True, eq=False)
class Job:
    """One prompt with its continuations. `scores` is set when it is done; `against`: the other side of a guided one."""

    id: int
    prompt: Prompt
    continuations: Sequence[tuple[int, ...]]
    strength: float = 0.0
    against: "Job | None" = None
    voice: "Job | None" = None  # whose other side this is
    scores: list[TokenScores] = field(default_factory=list)
    rows: list[list[Logits]] = field(default_factory=list)  # of each continuation, if `keeps_rows`

    @property
    def done(self) -> bool:
        return bool(self.scores)

    @property
    def bytes(self) -> int:
        """Of the rows kept; those of the same place are one."""
        return sum({id(row): row.nbytes for rows in self.rows for row in rows}.values())

    @property
    def keeps_rows(self) -> bool:
        """Both sides of a guided score are needed in full."""
        return self.against is not None or self.voice is not None


Done = tuple[int, list[TokenScores] | PluriverseError]


class BatchScorer:
    """A queue of jobs and one context. Not thread-safe."""

    def __init__(self, model: Model, options: EngineOptions, turns: Turns, pace: Pace | None = None) -> None:
        self._model, self._options, self._turns, self._pace = model, options, turns, pace
        self._linear = Scorer(model, options, turns, pace)
        self._waiting: deque[Job] = deque()
        self._others: deque[Job] = deque()  # the other sides of guided scores: they share their own beginning
        self._turned = False  # whether the other sides are worked on
        self._context: Context | None = None
        self._trunk: tuple[int, ...] = ()
        self._trunk_under = ""  # which adapter
        self._most_rows = max(LOGITS_MEMORY // (4 * model.vocabulary_size), 16)
        self._going: Generator[None, None, list[Job]] | None = None
        self._taken: list[Job] = []  # of the batch that is going on

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._others and self._going is None

    @property
    def tokens_held(self) -> int:
        """Tokens that the contexts have room for."""
        return (self._context.length if self._context else 0) + self._linear.tokens_held

    def submit(
        self,
        id: int,
        prompt: Prompt,
        continuations: Sequence[tuple[int, ...]],
        contrast: Contrast | None = None,
    ) -> None:
        """Queue a job. Raises UsageError or ContextOverflowError instead of queueing it."""
        job = Job(id, prompt, continuations)
        self._check(job)
        if contrast is not None:
            job.strength, job.against = contrast.strength, Job(id, contrast.prompt, continuations, voice=job)
            self._check(job.against)
            self._others.append(job.against)
        self._waiting.append(job)

    def _check(self, job: Job) -> None:
        if not job.continuations:
            raise UsageError("there is nothing to score", "give at least one continuation")
        if not job.prompt.tokens:
            raise UsageError("the prefix has no tokens", "give at least one word before the continuation")
        longest = len(job.prompt.tokens) + max(map(len, job.continuations), default=0)
        if longest > self._model.context_length:
            raise ContextOverflowError(
                f"prefix and continuation are {longest:,} tokens; the model reads {self._model.context_length:,}"
            )

    def cancel(self, ids: Sequence[int]) -> None:
        """Forget what still waits of these jobs; a batch that has begun goes on."""
        gone = set(ids)
        self._waiting = deque(job for job in self._waiting if job.id not in gone)
        self._others = deque(job for job in self._others if job.id not in gone)

    def step(self) -> list[Done]:
        """One decode; what is done by it. An error ends the jobs it hit, and the others go on."""
        if self._going is None:
            if self.idle:
                return []
            self._going = self._work()
        try:
            next(self._going)
            return []
        except StopIteration as ended:
            self._going = None
            jobs: list[Job] = ended.value
            return list(dict(done for job in jobs if (done := self._result(job))).items())
        except EngineError as error:
            self._going, self._trunk = None, ()
            if self._context:
                self._context.close()
                self._context = None
            failed = {job.id for job in self._taken}
            self.cancel(list(failed))
            return [(id, error) for id in sorted(failed)]

    def close(self) -> None:
        self._linear.close()
        if self._context:
            self._context.close()
        self._context, self._trunk, self._going = None, (), None
        self._waiting.clear()
        self._others.clear()

    # -- one batch

    def _queue(self) -> deque[Job]:
        """Where to go on: a long stretch of voices, then their other sides, so that the trunk seldom changes."""
        if not (self._others and _voice(self._others[0]).done):
            self._turned = False
        elif not self._turned:
            held = 0
            for job in self._others:
                if not _voice(job).done or held > HELD_MEMORY:
                    break
                held += _voice(job).bytes
            self._turned = not self._waiting or held > HELD_MEMORY
        return self._others if self._turned else self._waiting

    def _work(self) -> Generator[None, None, list[Job]]:
        """Take jobs off the queue and score them; yields after every decode."""
        queue = self._queue()
        job = queue[0]
        self._taken = [job]
        rows = sum(len(tokens) - 1 for tokens in job.continuations)
        fits = rows < min(self._options.chunk, self._most_rows) and len(job.continuations) <= SEQUENCES
        if not fits or not self._model.plain_memory:
            queue.popleft()
            scores = yield from self._linear.run(job.prompt, job.continuations, job.keeps_rows)
            job.rows = [list(score.logits) for score in scores if score.logits is not None]
            job.scores = [replace(score, logits=None) for score in scores]
            return [job]
        context = self._fitted(len(job.prompt.tokens))
        if job.prompt.adapter != self._trunk_under:
            yield from self._grow(context, ())
            self._trunk_under = job.prompt.adapter
        held = _shared(job.prompt.tokens[:-1], self._trunk)
        excess = len(job.prompt.tokens) + rows - context.chunk
        start = max(held, self._worth_keeping(queue, held), excess)
        yield from self._grow(context, job.prompt.tokens[:start])
        tree = self._packed(queue, context, start)
        context.decode_tree(tree.tokens, tree.positions, tree.sequences, tree.outputs)
        decoded = _Rows(context)
        for each in self._taken:
            _read(each, tree, decoded)
        for sequence in range(tree.branches):
            context.remove(sequence, start)
        return self._taken

    def _packed(self, queue: deque[Job], context: Context, start: int) -> Tree:
        """A batch of the waiting jobs that go on behind the trunk, as many as there is room for."""
        tree = Tree(start, context.chunk, SEQUENCES, self._most_rows)
        rows: list[int] = []  # of the tree, after each job
        for job in queue:
            tokens = job.prompt.tokens
            if job.prompt.adapter != self._trunk_under:
                break
            # A long prompt that shares little would fill the batch; it waits for a trunk of its own.
            if tokens[:start] != self._trunk or len(tokens) == start or not tree.add(tokens, job.continuations):
                break
            rows.append(tree.rows)
        if not rows:
            raise EngineError("a score does not fit into a batch")
        count = _best_end(list(islice(queue, len(rows) + 1)), rows, start)
        self._taken = [queue.popleft() for _ in range(count)]
        if count < len(rows):
            tree = Tree(start, context.chunk, SEQUENCES, self._most_rows)
            for job in self._taken:
                tree.add(job.prompt.tokens, job.continuations)
        tree.finish()
        return tree

    def _worth_keeping(self, queue: deque[Job], held: int) -> int:
        """How much of the first job's prompt belongs into the trunk, since others that wait begin with it too."""
        tokens = queue[0].prompt.tokens[:-1]
        others = [_shared(tokens, each.prompt.tokens[:-1]) for each in islice(queue, 1, AHEAD)]
        best, most = held, 0
        for length in others:
            gain = (length - held) * sum(other >= length for other in others)
            if length - held >= WORTH and gain > most:
                best, most = length, gain
        return best

    def _grow(self, context: Context, trunk: tuple[int, ...]) -> Generator[None, None, None]:
        """Make the trunk what it should be; only what is new is decoded."""
        held = _shared(trunk, self._trunk)
        everybody = list(range(SEQUENCES))
        if held < len(self._trunk):
            for sequence in everybody:
                context.remove(sequence, held)
            self._trunk = trunk[:held]
        for low in range(held, len(trunk), context.chunk):
            part = trunk[low : low + context.chunk]
            context.decode_tree(part, range(low, low + len(part)), [everybody] * len(part), [len(part) - 1])
            self._trunk = trunk[: low + len(part)]
            yield

    def _fitted(self, length: int) -> Context:
        """A context with room for a prompt of that length and a whole batch behind it."""
        o = self._options
        if self._context is None or self._context.length < length + o.chunk:
            if self._context:
                self._context.close()
            self._trunk = ()
            length = -(-(length + o.chunk) * 5 // 4 // LENGTH_STEP) * LENGTH_STEP
            shape = Shape(
                SEQUENCES, length, self._most_rows, o.threads, o.flash_attention, o.cache_type, o.chunk, unified=True
            )
            self._context = Context(self._model, shape, self._turns, self._pace)
        return self._context

    @staticmethod
    def _result(job: Job) -> Done | None:
        """What to tell, when all of a job is there."""
        voice = job.voice or job
        if voice.against is None:
            return voice.id, voice.scores
        if not (voice.done and voice.against.done):
            return None
        return voice.id, _guided(voice, voice.against)


class _Rows:
    """Rows of logits of the last decode; each is summed and copied once, however many continuations go through it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._summed: dict[int, tuple[Logits, float]] = {}
        self._copies: dict[int, Logits] = {}

    def of(self, row: int, keep: bool) -> tuple[Logits, float]:
        """A row and its log sum exp; `keep`: a copy that outlives the next decode."""
        if row not in self._summed:
            logits = self._context.logits(row)
            self._summed[row] = logits, _log_sum(logits)
        logits, total = self._summed[row]
        return (self._copy(row) if keep else logits), total

    def _copy(self, row: int) -> Logits:
        if row not in self._copies:
            self._copies[row] = self._summed[row][0].copy()
        return self._copies[row]


def _voice(job: Job) -> Job:
    """Whose other side this is."""
    assert job.voice is not None
    return job.voice


def _read(job: Job, tree: Tree, decoded: _Rows) -> None:
    """The scores of one job out of the rows of a batch."""
    end = job.prompt.tokens[tree.start :]
    for tokens in job.continuations:
        logprobs, rows = [], []
        for place, row in enumerate(tree.rows_along(end, tokens)):
            logits, total = decoded.of(row, job.keeps_rows)
            logprobs.append(float(logits[tokens[place]]) - total)
            rows.append(logits)
        job.scores.append(TokenScores(tokens, tuple(logprobs), None))
        if job.keeps_rows:
            job.rows.append(rows)


def _guided(voice: Job, against: Job) -> list[TokenScores]:
    """The scores under guidance: normalised over the whole vocabulary (`engines.guiding`), each row once."""
    known: dict[tuple[int, int], tuple[Logits, float]] = {}
    scores = []
    for tokens, rows, others in zip(voice.continuations, voice.rows, against.rows, strict=True):
        logprobs = []
        for token, row, other in zip(tokens, rows, others, strict=True):
            if (id(row), id(other)) not in known:
                guided = contrasted(row, other, voice.strength)
                known[id(row), id(other)] = guided, _log_sum(guided)
            guided, total = known[id(row), id(other)]
            logprobs.append(float(guided[token]) - total)
        scores.append(TokenScores(tokens, tuple(logprobs), None))
    return scores


def _best_end(jobs: Sequence[Job], rows: Sequence[int], start: int) -> int:
    """After how many jobs a batch ends best: where the next one shares least with it, at half a batch or later.

    `jobs`: those that fit, and the next one if there is one; `rows`: of the batch, after each.
    """
    fit = len(rows)
    if len(jobs) == fit:
        return fit
    twice = {
        end: max(_shared(jobs[end - 1].prompt.tokens, jobs[end].prompt.tokens) - start, 0)
        for end in range(1, fit + 1)
        if 2 * rows[end - 1] >= rows[-1]
    }
    best = min(twice, key=lambda end: (twice[end], -end))
    return best if twice[fit] - twice[best] >= TORN else fit


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens both begin with."""
    count = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        count += 1
    return count


def _log_sum(row: Logits) -> float:
    """log sum exp of one row. Summed pairwise: off by some 1e-7, less than single precision resolves of a logit."""
    peak = row.max()
    shifted = row - peak
    return float(peak) + float(np.log(np.exp(shifted, out=shifted).sum()))
