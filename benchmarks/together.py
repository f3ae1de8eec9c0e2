"""Eight assistants together, against the raw decode loop and against one after another.

    python benchmarks/together.py [--runs 3]

All on the default model at temperature 0 without penalties, 128 tokens each, nothing kept from earlier prompts:
  raw        the eight prompts read one by one and then 127 steps of eight sequences, a bare loop over the binding
  together   the engine as users run it: its own process, `generate` with eight requests
  in turn    the same engine asked eight times
Prints one JSON document with seconds (median of the runs) and the ratios to raw and between the two.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from common import default_model_path, machine

from pluriverse.engines.contract import Request
from pluriverse.engines.local import EngineOptions, LocalEngine
from pluriverse.settings import Settings
from pluriverse.values import Message, Sampling

TOKENS = 128
QUESTION = "What do the rich owe the poor?"
VOICES = tuple(
    f"You are {who}. Answer from that point of view in plain words, truthfully, and give your reasons."
    for who in (
        "a market economist", "a union organiser", "a Buddhist teacher", "a Christian pastor",
        "a historian of empire", "a village doctor", "a constitutional lawyer", "a young engineer",
    )
)  # fmt: skip
SAMPLING = Sampling(temperature=0, repeat_penalty=1, max_tokens=TOKENS, grammar=None)


def conversation(system: str) -> tuple[Message, ...]:
    return (Message("system", system), Message("user", QUESTION))


def raw_loop(path: Path, threads: int) -> float:
    """Seconds for prompts and `TOKENS` tokens of eight sequences: decode, argmax, nothing else."""
    from pluriverse.engines.local.context import Context, Shape
    from pluriverse.engines.local.library import Library, find
    from pluriverse.engines.local.model import Model
    from pluriverse.engines.local.prompts import ChatTemplate
    from pluriverse.engines.local.turns import Turns

    model = Model(Library(find()), path)
    chat = ChatTemplate(model)
    context = Context(model, Shape(8, 256, 8, threads), Turns(None))
    started = time.perf_counter()
    last, lengths = [], []
    for stream, system in enumerate(VOICES):
        tokens = chat.prompt(conversation(system)).tokens
        context.decode(tokens, range(len(tokens)), [stream] * len(tokens), [len(tokens) - 1])
        last.append(int(context.logits(len(tokens) - 1).argmax()))
        lengths.append(len(tokens))
    streams = range(len(VOICES))
    for step in range(TOKENS - 1):
        context.decode(last, [n + step for n in lengths], streams, streams)
        last = [int(context.logits(row).argmax()) for row in streams]
    seconds = time.perf_counter() - started
    context.close()
    model.close()
    return seconds


async def engine(path: Path, threads: int, together: bool) -> tuple[float, int]:
    """Seconds until all eight have answered, and the tokens they said; a fresh engine, started before the clock."""
    options = EngineOptions(threads=threads, prefix_memory=0)
    local = LocalEngine("default", None, path, Settings(home=path.parent), options)
    await local.start()
    requests = [Request(conversation(system), SAMPLING) for system in VOICES]
    said = 0
    started = time.perf_counter()
    for group in [requests] if together else [[request] for request in requests]:
        async for event in local.generate(group):
            said += getattr(event, "completion_tokens", 0)
    seconds = time.perf_counter() - started
    await local.aclose()
    return seconds, said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    path = default_model_path()
    raw, together, in_turn = [], [], []
    for _ in range(arguments.runs):  # A B C A B C, so that drift of the machine falls on all
        raw.append(raw_loop(path, arguments.threads))
        together.append(asyncio.run(engine(path, arguments.threads, True)))
        in_turn.append(asyncio.run(engine(path, arguments.threads, False)))
    ratios = [t / r for r, (t, _) in zip(raw, together, strict=True)]
    json.dump(
        {
            "machine": machine(),
            "tokens_said": together[0][1],
            "raw_s": round(statistics.median(raw), 2),
            "together_s": round(statistics.median(t for t, _ in together), 2),
            "in_turn_s": round(statistics.median(t for t, _ in in_turn), 2),
            "together_over_raw": {"median": round(statistics.median(ratios), 3), "each": [round(r, 3) for r in ratios]},
            "in_turn_over_together": round(
                statistics.median(s / t for (s, _), (t, _) in zip(in_turn, together, strict=True)), 2
            ),
        },
        sys.stdout,
        indent=1,
    )
    print()


if __name__ == "__main__":
    main()
