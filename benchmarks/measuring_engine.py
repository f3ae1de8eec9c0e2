"""What batches of scores decode, and how fast the same engine reads when nothing else is to be done; for `measuring`.

`python benchmarks/measuring_engine.py`, JSON in, JSON out: a process of its own, because it loads one library.

    {"model", "options": of the engine, "jobs": file of a list of jobs as the worker's `score_many` takes them, "count":
     true to leave the raw loops out}

The worker's own code reads the jobs and scores them, while every decode is written down: rows, depth, rows of logits.
Then a raw loop does the same decodes, one stream, no trees: these are "the same shapes".
"""

import io
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pluriverse.engines.local.context import Context
from pluriverse.engines.local.options import EngineOptions
from pluriverse.engines.local.worker import Sender, Worker, worker_of
from pluriverse.engines.native import bench


@dataclass(frozen=True, slots=True)
class Decode:
    """One call of the engine: rows, tokens of the longest sequence before them, rows of logits, seconds."""

    rows: int
    depth: int
    outputs: int
    seconds: float


class Watched:
    """Writes down every decode of any context, while it is used as a context manager."""

    def __init__(self) -> None:
        self.decodes: list[Decode] = []

    def __enter__(self) -> "Watched":
        self._plain = plain = Context._decode
        decodes = self.decodes

        def decode(context: Context, tokens: Any, positions: Any, outputs: Any) -> None:
            began = time.perf_counter()
            plain(context, tokens, positions, outputs)
            decodes.append(Decode(len(tokens), min(positions), len(outputs), time.perf_counter() - began))

        Context._decode = decode  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        Context._decode = self._plain  # type: ignore[method-assign]


def distinct(worker: Worker, jobs: list[dict[str, Any]]) -> int:
    """Tokens that must be decoded at least once: every beginning of anything to be read, counted once."""
    known: dict[tuple[int, int], int] = {}
    for job in jobs:
        prompt, continuations, contrast = worker._read_job(job)
        for side in (prompt, contrast.prompt) if contrast else (prompt,):
            for continuation in continuations:
                node = 0
                for token in (*side.tokens, *continuation[:-1]):
                    node = known.setdefault((node, token), len(known) + 1)
    return len(known)


def score(worker: Worker, jobs: list[dict[str, Any]], watched: Watched) -> dict[str, Any]:
    """Rows decoded and where the time went, of the worker's process alone."""
    with watched:
        began = time.perf_counter()
        for low in range(0, len(jobs), 256):
            worker._handle({"op": "score_many", "jobs": jobs[low : low + 256]})
            while not worker._batches.idle:
                for id, found in worker._batches.step():
                    worker._send_scores(id, found)
        seconds = time.perf_counter() - began
    inside = sum(each.seconds for each in watched.decodes)
    rows = sum(each.rows for each in watched.decodes)
    return {
        "decoded": rows,
        "decodes": len(watched.decodes),
        "logits": sum(each.outputs for each in watched.decodes),
        "seconds": round(seconds, 3),
        "share_of_time_in_decode": round(inside / seconds, 3),
        "tokens_per_s": round(rows / seconds, 1),
    }


def raw(worker: Worker, decodes: list[Decode], options: EngineOptions, outputs: bool) -> float:
    """Seconds of the same decodes in a plain loop: as many rows at the same depth, with as many rows of logits or one.

    Decodes of about the same shape are measured once, the best of two, and counted as often as they were.
    """
    shapes: dict[tuple[int, int, int], int] = {}
    for each in decodes:
        key = (-(-each.rows // 32) * 32, -(-each.depth // 128) * 128, -(-each.outputs // 32) * 32 if outputs else 1)
        shapes[key] = shapes.get(key, 0) + each.rows
    tokens = bench.some_tokens(worker._model, max(depth + rows for rows, depth, _ in shapes))
    total, held = 0.0, 0
    with bench.context_of(
        worker._model, 1, len(tokens) + 256, threads=options.threads, chunk=options.chunk, rows=options.chunk
    ) as context:
        for (rows, depth, wanted), count in sorted(shapes.items(), key=lambda each: each[0][1]):
            if depth > held:
                bench.feed(context, 0, tokens[held:depth], held)
                held = depth
            rows = min(rows, options.chunk)
            best = min(_timed(context, tokens, rows, depth, min(wanted, rows)) for _ in range(2))
            total += best * count / rows
    return total


def _timed(context: Context, tokens: list[int], rows: int, depth: int, outputs: int) -> float:
    began = time.perf_counter()
    positions = range(depth, depth + rows)
    context.decode(tokens[depth : depth + rows], positions, [0] * rows, range(rows - outputs, rows))
    took = time.perf_counter() - began
    context.remove(0, depth)
    return took


def main() -> None:
    document = json.load(sys.stdin)
    options = EngineOptions(**document["options"])
    worker = worker_of(Sender(io.BytesIO()), Path(document["model"]), options)
    assert isinstance(worker, Worker)
    jobs = json.loads(Path(document["jobs"]).read_text("utf-8"))
    # The first job only warms: contexts are made before the clock runs. Nothing else may begin as it does.
    worker._handle({"op": "score_many", "jobs": jobs[:1]})
    while not worker._batches.idle:
        worker._batches.step()
    jobs, watched = jobs[1:], Watched()
    found = score(worker, jobs, watched)
    needed = distinct(worker, jobs)
    rows = found["decoded"]
    found = {"distinct": needed, "decoded_over_distinct": round(rows / needed, 4), **found}
    if not document.get("count"):
        found |= speeds(worker, watched.decodes, options)
    json.dump(found, sys.stdout)


def speeds(worker: Worker, decodes: list[Decode], options: EngineOptions) -> dict[str, float]:
    """Tokens per second of raw loops: a prompt of 512, and the same decodes with and without their rows of logits."""
    with bench.context_of(worker._model, 1, 1024, threads=options.threads) as context:
        found = {"prefill_512": round(bench.prefill_speed(context, 512), 1)}
    rows = sum(each.rows for each in decodes)
    for name, outputs in (("raw_tokens_per_s", True), ("raw_tokens_per_s_without_logits", False)):
        found[name] = round(rows / raw(worker, decodes, options, outputs), 1)
    return found


if __name__ == "__main__":
    main()
