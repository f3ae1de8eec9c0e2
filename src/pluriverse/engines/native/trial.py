"""A library on trial, in a process of its own: JSON in, JSON out.

What is loaded here may crash, by an illegal instruction for one; then this process is gone and nothing else is.
Whoever wants a trial calls `run`:

    {"do": "prove", "model", "library", "said", "rows", "check"} -> system, checks, said; log-probabilities into `rows`
    {"do": "speed", "model", "library", "threads", "flash", "chunk", "quick", "held", "times"} -> tokens per second
    {"do": "profile", "types", "rest", "layer", "library", "threads", "flash", "chunk"} -> seconds per weight, by format
    {"do": "differ", "models", "pairs", "library", "texts"}    -> KL divergence per token between models
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ... import children
from ...errors import EngineCrashedError, PluriverseError, from_dict
from ...values import Sampling
from ..local.context import Aborted
from ..local.library import open_library
from ..local.model import Model
from ..local.sampling import Sampler
from . import bench, synthetic

Document = dict[str, Any]

STEPS = 48  # tokens that each of the eight voices says
TEXT = 512  # most tokens of a text that is compared


def run(document: Document) -> Document:
    """Do it in a child process. Raises what it raised there, EngineCrashedError when it died."""
    command = children.python("pluriverse.engines.native.trial")
    done = children.run(command, said=json.dumps(document), GGML_NO_BACKTRACE="1")
    if done.returncode or not done.stdout.strip():
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        signal = f"signal {-done.returncode}" if done.returncode < 0 else ""
        why = signal or (lines[-1].strip() if lines else "without a word")
        raise EngineCrashedError(f"the library's process ended: {why}", "pluriverse engine use wheel")
    answer: Document = json.loads(done.stdout.splitlines()[-1])
    if "error" in answer:
        raise from_dict(answer["error"])
    return answer


def check_sensitivity(document: Document) -> Document:
    """The short form of the engine contract: what must hold before an engine may load this library.

    Structs are compared when it is loaded, a context's own words when one is made. Here: eight voices together say bit
    for bit what each says alone; a stream that was saved and restored goes on the same; a decode can be aborted; a
    grammar binds. `said` (what another library said): the log-probabilities of those tokens go into the file `rows`.
    `check` false: only that.
    """
    model = _model(document)
    prompts = [bench.question_tokens(model, question) for question in bench.QUESTIONS]
    together = bench.greedy(model, prompts, STEPS)
    pairs = zip(prompts, document.get("said") or together, strict=True)
    rows = [bench.log_probabilities(model, [*prompt, *said], len(prompt)) for prompt, said in pairs]
    np.save(document["rows"], np.concatenate(rows))
    if not document.get("check", True):
        return {"system": model.library.system_info(), "said": together}
    alone = [bench.greedy(model, [prompt], STEPS)[0] for prompt in prompts]
    checks = {
        "together as alone": together == alone,
        "saved and restored": _restored(model, prompts[0]) == together[0][:8],
        "aborted and gone on": _aborted(model, prompts[0]) == together[0][0],
        "bound by a grammar": _bound(model, prompts[0]),
    }
    return {"system": model.library.system_info(), "checks": checks, "said": together}


def speed(document: Document) -> Document:
    """Tokens per second: prompts of 128, 512 and 1024 tokens; one and eight voices after 40 and 200 tokens.

    `quick`: only a prompt of 512, and eight voices after 40. The best of `times`, three unless told,
    since other programs disturb.
    """
    model, quick, times = _model(document), bool(document.get("quick")), document.get("times", 3)
    how = _how(document)
    found: Document = {"prefill": {}}
    with bench.context_of(model, 1, 1024, **how) as context:
        for length in (512,) if quick else (128, 512, 1024):
            found["prefill"][str(length)] = round(bench.prefill_speed(context, length, times), 1)
    for streams in (8,) if quick else (8, 1):
        speeds = found[f"decode {streams}"] = {}
        held = document.get("held") or ((40,) if quick else (40, 200))
        with bench.context_of(model, streams, max(held) + 56, **how) as context:
            for filled in held:
                speeds[str(filled)] = round(bench.decode_speed(context, filled, times=times), 1)
    return found


def profile(document: Document) -> Document:
    """What `catalogue.needs.Profile` holds: of each of `types`, and where `rest` is asked for, the rest of it."""
    path = document.get("library")
    library, how = open_library(Path(path) if path else None), _how(document)
    layer = document["layer"]
    found: Document = {"kernels": {type: synthetic.kernels(library, type, how, layer) for type in document["types"]}}
    return {**found, "rest": synthetic.rest(library, how) if document.get("rest") else None}


def differ(document: Document) -> Document:
    """For each of `pairs` (a, b) and each text: KL divergence of b from a, in nats, summed over its tokens.

    Also at how many of them both find the same token likeliest. Texts are cut at 512 tokens; all but the first count.
    """
    models = [_model({**document, "model": path}) for path in document["models"]]
    pairs = document["pairs"]
    found: Document = {"tokens": [], "kl": [[] for _ in pairs], "same": [[] for _ in pairs]}
    for text in document["texts"]:
        tokens = models[0].tokenize(text, special=False)[:TEXT]
        if len(tokens) < 2:
            continue
        rows = [bench.log_probabilities(model, tokens) for model in models]
        found["tokens"].append(len(tokens) - 1)
        for place, (a, b) in enumerate(pairs):
            found["kl"][place].append(float((np.exp(rows[a]) * (rows[a] - rows[b])).sum(-1).sum()))
            found["same"][place].append(int((rows[a].argmax(-1) == rows[b].argmax(-1)).sum()))
    return found


def _how(document: Document) -> Document:
    return {key: document[key] for key in ("threads", "flash", "chunk") if document.get(key) is not None}


def _model(document: Document) -> Model:
    library = document.get("library")
    return Model(open_library(Path(library) if library else None), Path(document["model"]))


def _restored(model: Model, prompt: list[int]) -> list[int]:
    """Eight tokens; after five the stream is saved and goes on in another place."""
    with bench.context_of(model, 2, 256) as context:
        said, stream = [bench.feed(context, 0, prompt)], 0
        for step in range(7):
            if step == 4:
                context.restore(1, context.save(0))
                context.remove(0)
                stream = 1
            said.append(bench.feed(context, stream, said[-1:], len(prompt) + step))
    return said


def _aborted(model: Model, prompt: list[int]) -> int | None:
    """The first token after a decode that was told to stop; None when it did not."""
    with bench.context_of(model, 1, 256) as context:
        context.abort()
        try:
            bench.feed(context, 0, prompt)
        except Aborted:
            context.allow()
            context.remove(0)
            return bench.feed(context, 0, prompt)
    return None


def _bound(model: Model, prompt: list[int]) -> bool:
    sampler = Sampler(model, Sampling(temperature=0, grammar='root ::= "yes" | "no"'), 0)
    try:
        with bench.context_of(model, 1, 256) as context:
            bench.feed(context, 0, prompt)
            token = sampler.choose([context.logits(len(prompt) - 1)])
    finally:
        sampler.close()
    return bool(model.piece(token)) and (b"yes".startswith(model.piece(token)) or b"no".startswith(model.piece(token)))


_TRIALS = {"prove": check_sensitivity, "speed": speed, "profile": profile, "differ": differ}


def main() -> None:
    document = json.load(sys.stdin)
    try:
        answer = _TRIALS[document["do"]](document)
    except PluriverseError as error:
        answer = {"error": error.as_dict()}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
