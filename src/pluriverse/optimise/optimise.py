"""A copy of a model in a format that this machine computes faster, with what that gains and what it loses, measured.

The loss is the Kullback-Leibler divergence of the copy's next-token distribution from the original's, in nats per
token, over real text (TruthfulQA's questions and answers), resampled by text; and the change of two instruments, on
the same items (`changing`). The copy stands beside the original and carries its digest; nothing is replaced.
"""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..engines.local.libraries import Kept
from ..engines.native import trial
from ..engines.requantising import FORMATS, Requantised, requantise
from ..errors import EngineError, UsageError
from ..files import make_folder
from ..measure.data.datasets import truthfulqa
from ..measure.metrics.cells import LEAST
from ..measure.schema.figure import Figure
from ..measure.stats.intervals import Interval, clustered
from ..runtime.workspace import Workspace
from ..store import Header, StoredModel, read_header
from ..values import Digest, Pullable
from .effect import INSTRUMENTS, ITEMS, changes
from .losses import Losses

TOKENS = 20_000
_BATCH = 6  # texts that one process compares, so that progress can be told
_TEXT = 2000  # characters of a text, within the 512 tokens that are compared
_MB = 1_000_000
_SMALL = 98_000_000  # bytes of the default model, with which the steps were timed
_P = "org.pluriverse."
_GAINS = {"prefill": ("prefill", "512"), "decode_8": ("decode 8", "40"), "decode_1": ("decode 1", "40")}


@dataclass(frozen=True, slots=True)
class OptimisingAhead:
    """Before anything is done: what will be, in order, and how many seconds it takes, very roughly: on two cores."""

    steps: tuple[str, ...]
    about_s: float


@dataclass(frozen=True, slots=True)
class Optimising:
    """`done` of `total` of the step that is the `step`th of `steps`, counted from 1."""

    words: str
    done: int
    total: int
    step: int
    steps: int


@dataclass(frozen=True, slots=True)
class Loss:
    """`kl`: nats per token; `same_choice`: share of tokens at which both find the same next token likeliest."""

    kl: Interval
    same_choice: float
    tokens: int

    def as_dict(self) -> dict[str, Any]:
        kl = {"value": self.kl.value, "low": self.kl.low, "high": self.kl.high, "texts": self.kl.number}
        return {"kl_nats_per_token": kl, "same_choice": self.same_choice, "tokens": self.tokens}


@dataclass(frozen=True, slots=True)
class Optimised:
    """`loss` and `speeds` are None where they were not wanted. Speeds: tokens per second, original and copy."""

    copy: StoredModel
    original: StoredModel
    format: str
    loss: Loss | None  # of the copy from the original
    from_exact: Loss | None  # of the copy from the original's own weights without rounding of activations (F16)
    noise: Loss | None  # of the original from the same
    speeds: tuple[dict[str, Any], dict[str, Any]] | None
    changes: tuple[Figure, ...] = ()  # copy less original, one per instrument

    def gain(self, measure: str, held: str) -> float:
        assert self.speeds
        before, after = self.speeds
        return float(after[measure][held] / before[measure][held])

    def as_dict(self) -> dict[str, Any]:
        losses = {"loss": self.loss, "loss_from_f16": self.from_exact, "original_from_f16": self.noise}
        return {
            "name": self.copy.name,
            "digest": str(self.copy.digest),
            "bytes": self.copy.bytes,
            "kl": self.loss.kl.value if self.loss else None,
            "gain": {name: self.gain(*measure) for name, measure in _GAINS.items()} if self.speeds else None,
            "original": {"name": self.original.name, "digest": str(self.original.digest), "bytes": self.original.bytes},
            "format": self.format,
            **{name: loss.as_dict() if loss else None for name, loss in losses.items()},
            "speeds": {"original": self.speeds[0], "copy": self.speeds[1]} if self.speeds else None,
            "changes": [each.as_dict() for each in self.changes],
        }


async def optimise(
    workspace: Workspace,
    name: str,
    format: str,
    *,
    tokens: int = TOKENS,
    speeds: bool = True,
    items: int = ITEMS,
    command: str = "",
) -> AsyncGenerator[OptimisingAhead | Optimising | Optimised, None]:
    """Make the copy, measure it, add it to the store as `NAME.format`.

    `tokens` 0: the loss is not measured; `items` 0: no instruments are run; `command`: what was typed. Where it is
    stopped nothing of the copy is left, but what was measured of it is, and is not measured again.

    Raises NotFoundError for an unknown model, UsageError for an unknown format or one the model has already, and what
    reading the data set and writing the copy raise.
    """
    if 0 < items < LEAST:
        raise UsageError(f"{items} items say nothing about a change", f"take {LEAST} or more, or 0 for none")
    store = workspace.store
    original = store.find(name)
    if format not in FORMATS:
        raise UsageError(f"{format} is no format to change to", f"one of {', '.join(FORMATS)}")
    if original.kind != "model" or original.quantization == format:
        raise UsageError(f"{original.name} is {original.quantization or original.kind} already", "pluriverse ls")
    texts = _texts(await truthfulqa(workspace.settings), tokens) if tokens else []
    ahead = _ahead(original, format, tokens if texts else 0, speeds, items)
    yield ahead
    folder = store.home.incoming / f"optimise-{original.digest.hex[:12]}-{format}"
    held = ExitStack()
    if not held.enter_context(store.home.lock(folder.name, wait=False)):  # so that `gc` leaves the folder alone
        raise UsageError(f"{original.name} is being changed to {format} by another process", "wait for its end")
    make_folder(folder, private=False)
    try:
        work = _Work(workspace, original, format, folder)
        async for event in _made(work, texts, speeds, len(ahead.steps)):
            yield event
        made = work.kept()
        if items:
            async with aclosing(changes(workspace, original, made.copy, items, command)) as events:
                async for step in events:
                    if isinstance(step, tuple):
                        made = replace(made, changes=step)
                    else:
                        yield Optimising("asking both", step.done, step.total, len(ahead.steps), len(ahead.steps))
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.close()


async def _made(work: "_Work", texts: Sequence[str], speeds: bool, steps: int) -> AsyncGenerator[Optimising, None]:
    """Write the copy and measure it; how far that is."""
    for write in work.write():
        yield Optimising("writing, in MB", write.done // _MB, max(write.total // _MB, 1), 1, steps)
        await asyncio.sleep(0)
    if texts:
        async for done in work.compare(texts):
            yield Optimising("comparing texts", done, len(texts), 2, steps)
    if speeds:
        step = 3 if texts else 2
        for done, path in enumerate(work.pair):
            yield Optimising("measuring speed", done, len(work.pair), step, steps)
            await asyncio.to_thread(work.timed, path)


def _ahead(original: StoredModel, format: str, tokens: int, speeds: bool, items: int) -> OptimisingAhead:
    """Steps that are not wanted are left out. Seconds were taken with the default model, and grow with bytes."""
    size = original.bytes / _SMALL
    steps = [
        (f"write a copy in {format}", 20 * size),
        (f"compare original, copy and F16 on {tokens:,} tokens", tokens * 0.009 * size),
        ("measure how fast original and copy are", 60 * size),
        (f"ask both {items} items of each of {' and '.join(INSTRUMENTS)}", items * 1.5 * size),
    ]
    wanted = (True, bool(tokens), speeds, bool(items))
    kept = [step for step, needed in zip(steps, wanted, strict=True) if needed]
    return OptimisingAhead(tuple(words for words, _ in kept), sum(seconds for _, seconds in kept))


class _Work:
    """One optimisation in its folder."""

    def __init__(self, workspace: Workspace, original: StoredModel, format: str, folder: Path) -> None:
        self._workspace, self._original, self._format = workspace, original, format
        self._copy, self._exact = folder / "copy.gguf", folder / "exact.gguf"
        library = Kept(workspace.settings.home).used()
        self._library = str(library.path) if library else None
        self._losses: dict[str, Loss] = {}
        self._speeds: list[dict[str, Any]] = []
        self._measured = workspace.settings.home / "engine" / "losses"

    @property
    def pair(self) -> tuple[Path, Path]:
        return self._original.path, self._copy

    def write(self) -> Iterator[Requantised]:
        if shutil.disk_usage(self._copy.parent).free < 4 * self._original.bytes:
            raise EngineError(
                "the disk has no room for the copy",
                "free some, or drop a model of these: pluriverse ls; then pluriverse gc",
            )
        yield from requantise(self._original.path, self._copy, self._format)

    async def compare(self, texts: Sequence[str]) -> AsyncIterator[int]:
        """Run all three over the texts, a few at a time: how many are compared. What an earlier call has compared of
        the same bytes with the same library is read."""
        models, pairs = list(self.pair), {"loss": (0, 1)}
        if self._original.quantization not in {"F16", "F32", "BF16"}:
            for _ in requantise(self._original.path, self._exact, "F16"):
                await asyncio.sleep(0)
            models.append(self._exact)
            pairs |= {"from_exact": (2, 1), "noise": (2, 0)}
        request = {"do": "differ", "library": self._library, "models": [str(path) for path in models],
                   "pairs": list(pairs.values())}  # fmt: skip
        found: list[trial.Document] = []
        with Losses(self._measured, str(self._original.digest), str(_digest(self._copy)), self._library) as kept:
            for low in range(0, len(texts), _BATCH):
                yield low
                batch = texts[low : low + _BATCH]
                answer = kept.of(batch, len(pairs))
                if answer is None:
                    answer = await asyncio.to_thread(trial.run, {**request, "texts": batch})
                    kept.add(batch, answer)
                found.append(answer)
        counts = np.array([count for each in found for count in each["tokens"]], float)
        for place, name in enumerate(pairs):
            kl = np.array([value for each in found for value in each["kl"][place]])
            same = sum(sum(each["same"][place]) for each in found)
            self._losses[name] = _loss(kl, counts, same)

    def timed(self, path: Path) -> None:
        self._speeds.append(trial.run({"do": "speed", "library": self._library, "model": str(path)}))

    def kept(self) -> Optimised:
        """Put the copy into the store, under its digest and with what it came from."""
        name, original = f"{self._original.name}.{self._format.lower()}", self._original
        digest = _digest(self._copy)
        annotations = {_P + "copy.of": original.name, _P + "copy.of.digest": str(original.digest)}
        if loss := self._losses.get("loss"):
            annotations[_P + "copy.kl"] = f"{loss.kl.value:.4f}"
        header: Header = read_header(self._copy)
        pullable = Pullable(name, name, (), digest, licence=original.licence, annotations=annotations)
        source = f"{self._format} copy of {original.name}"
        self._workspace.store.add_model(pullable, digest, header, source, self._copy)
        return Optimised(
            self._workspace.store.find(name),
            original,
            self._format,
            self._losses.get("loss"),
            self._losses.get("from_exact"),
            self._losses.get("noise"),
            (self._speeds[0], self._speeds[1]) if self._speeds else None,
        )


def _digest(path: Path) -> Digest:
    with path.open("rb") as file:
        return Digest(f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")


def _loss(kl: np.ndarray, counts: np.ndarray, same: int) -> Loss:
    interval = clustered(len(kl), lambda drawn: float(kl[drawn].sum() / counts[drawn].sum()))
    return Loss(interval, same / float(counts.sum()), int(counts.sum()))


def _texts(truths: Sequence[Any], tokens: int) -> list[str]:
    """Questions and true answers as running text, about `tokens` tokens of it, spread over the whole set."""
    texts, text = [], ""
    for truth in truths:
        text += f"{truth.question} {' '.join(f'{answer}.' for answer in truth.true)} "
        if len(text) >= _TEXT:
            texts.append(text[:_TEXT])
            text = ""
    wanted = min(len(texts), max(tokens // (_TEXT // 5), 2))  # English has about four to five characters a token
    places = np.linspace(0, len(texts) - 1, wanted).astype(int)
    return [texts[place] for place in places]
