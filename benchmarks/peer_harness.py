"""lm-evaluation-harness over given requests, for `measuring`: runs in an environment of its own that has lm_eval.

JSON in, JSON out: {"model": an F32 GGUF file, "tasks": {name: [[context, continuation], ...]}, "probe": requests by
which the best setting is found, "dtypes", "batches", "threads"}. The weights are read by transformers from the same
file; each task's best setting, found on its first requests, then scores all of them, and is timed.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoModelForCausalLM, AutoTokenizer


def timed(harness: Any, pairs: list[list[str]]) -> tuple[float, list[float]]:
    """Seconds, and the log-probability of each continuation."""
    requests = [
        Instance(request_type="loglikelihood", doc={}, arguments=(context, text), idx=place)
        for place, (context, text) in enumerate(pairs)
    ]
    began = time.perf_counter()
    found = harness.loglikelihood(requests, disable_tqdm=True)
    return time.perf_counter() - began, [float(total) for total, _ in found]


def main() -> None:
    document = json.load(sys.stdin)
    torch.set_num_threads(document["threads"])
    path = Path(document["model"])
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    settings: dict[str, dict[str, float]] = {name: {} for name in document["tasks"]}
    answers: dict[str, dict[str, Any]] = {}
    harnesses: dict[str, Any] = {}
    for dtype in document["dtypes"]:  # each its own copy
        cast = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=getattr(torch, dtype))
        harnesses[dtype] = HFLM(pretrained=cast.eval(), tokenizer=tokenizer, batch_size=1, device="cpu")
    for name, pairs in document["tasks"].items():
        for dtype, harness in harnesses.items():
            for batch in document["batches"]:
                harness.batch_size_per_gpu = batch
                part = pairs[: document["probe"]] if len(document["batches"]) * len(harnesses) > 1 else []
                if part:
                    timed(harness, part[:1])
                seconds, _ = timed(harness, part) if part else (0.0, [])
                settings[name][f"{dtype} {batch}"] = round(seconds, 3)
                print(name, dtype, batch, seconds, file=sys.stderr)
        dtype, batch = min(settings[name], key=settings[name].__getitem__).split()
        harnesses[dtype].batch_size_per_gpu = int(batch)
        seconds, totals = timed(harnesses[dtype], pairs)
        tokens = sum(len(tokenizer(a + b, add_special_tokens=False)["input_ids"]) for a, b in pairs)
        answers[name] = {
            "best": f"{dtype}, batches of {batch}", "seconds": round(seconds, 2), "tokens": tokens, "totals": totals,
            "probe_seconds": settings[name],
        }  # fmt: skip
        print(name, answers[name]["best"], seconds, file=sys.stderr)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
