"""Four guided voices against eight plain ones: the same eight sequences, and what contrasting two rows costs.

    python benchmarks/guided.py

The four pairs of hearings that guidance decodes are decoded as eight plain replies too, on the same engine, in turns;
the same number of tokens each. Prints one JSON document: seconds, and the ratio's median and values.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time

from common import default_model_path, machine

from pluriverse.engines.contract import Finished, Guide, Request
from pluriverse.engines.local import LocalEngine
from pluriverse.settings import load
from pluriverse.values import Message, Sampling

QUESTION = "What makes a society fair?"
VOICES = (
    "You are a liberal.", "You are a conservative.", "You believe in duty.", "You believe in the greatest happiness.",
    "You are a historian of kings.", "You are a historian of workers.", "You are a scientist.", "You are a poet.",
)  # fmt: skip


def hearing(system: str) -> tuple[Message, ...]:
    return (Message("system", system), Message("user", QUESTION))


def requests(sampling: Sampling, guided: bool) -> list[Request]:
    if not guided:
        return [Request(hearing(voice), sampling) for voice in VOICES]
    pairs = zip(VOICES[::2], VOICES[1::2], strict=True)
    return [Request(hearing(voice), sampling, Guide(hearing(other), 2.0)) for voice, other in pairs]


async def seconds(engine: LocalEngine, given: list[Request]) -> tuple[float, int]:
    """Until the last has ended, and the tokens of all."""
    started, tokens = time.perf_counter(), 0
    async for event in engine.generate(given):
        if isinstance(event, Finished):
            tokens += event.completion_tokens
    return time.perf_counter() - started, tokens


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    engine = LocalEngine("default", None, default_model_path(), load())
    # No reply may end early, or the two would not do the same work.
    sampling = Sampling(max_tokens=arguments.tokens, temperature=0.8, seed=1)
    try:
        for guided in (False, True):
            await seconds(engine, requests(sampling, guided))  # prompts are read once and then kept
        rows = []
        for _ in range(arguments.runs):
            plain, plain_tokens = await seconds(engine, requests(sampling, False))
            guided_s, guided_tokens = await seconds(engine, requests(sampling, True))
            per_plain, per_guided = plain / plain_tokens, guided_s / (2 * guided_tokens)
            rows.append({"plain_s": plain, "guided_s": guided_s, "ratio": per_guided / per_plain})
            rows[-1] |= {"plain_tokens": plain_tokens, "guided_tokens": guided_tokens}
    finally:
        await engine.aclose()
    ratios = [row["ratio"] for row in rows]
    json.dump({"machine": machine(), "ratio": statistics.median(ratios), "runs": rows}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    asyncio.run(main())
