"""What it costs to hold eight voices to the texts that they quote.

    PLURIVERSE_DATA=FOLDER python benchmarks/quoting.py

Eight voices go on with a passage of 120 words, each of a work of its own (FOLDER/works), free and held to it by turns:
quoting when they will (`held`), and behind a lead that opens a quotation (`quoting`). What is timed is decoding alone,
from the moment when all have begun. Prints one JSON document: seconds a token, held over free, median and values; the
same of the processor time of the engine's process, which a busy machine disturbs less; the tokens of both; and the
share of letters that stood in quotations.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from common import default_model_path, machine

from pluriverse.engines.contract import Chunk, Finished, Request
from pluriverse.engines.local import LocalEngine
from pluriverse.engines.quoting import held, quotations
from pluriverse.settings import load
from pluriverse.values import Sampling

WORKS = (
    "kant-groundwork", "mill-utilitarianism", "burke-reflections", "paine-rights-of-man", "marcus-aurelius-meditations",
    "emerson-essays-1", "mill-on-liberty", "smith-wealth-of-nations",
)  # fmt: skip
WORDS = 120


def passage(text: str) -> tuple[str, ...]:
    words = text.split()
    middle = len(words) // 2
    return (" ".join(words[middle : middle + WORDS]),)


def requests(works: list[tuple[str, ...]], sampling: Sampling, lead: str) -> list[Request]:
    found = []
    for texts in works:
        text = "\n\n".join((*texts, "An essay on these words, with many quotations from them.\n\n"))
        found.append(Request((), sampling, raw=text, lead=lead))
    return found


@dataclass(frozen=True)
class Run:
    """What decoding took, once every voice had begun."""

    tokens: int
    seconds: float
    processor: float  # seconds of the engine's process
    texts: list[str]


async def run(engine: LocalEngine, given: list[Request]) -> Run:
    texts, begun, tokens = [""] * len(given), set[int](), 0
    started = used = 0.0
    async for event in engine.generate(given):
        if isinstance(event, Chunk):
            texts[event.index] += event.text
            if len(texts[event.index]) > len(given[event.index].lead):  # a lead is told before its prompt is read
                begun.add(event.index)
            if len(begun) == len(given) and not started:
                started, used = time.perf_counter(), processor(engine)
        elif isinstance(event, Finished):
            tokens += event.completion_tokens
    return Run(tokens, time.perf_counter() - started, processor(engine) - used, texts)


def processor(engine: LocalEngine) -> float:
    """Seconds of processor time that the engine's process has had; not a number where there is no /proc."""
    stat = Path(f"/proc/{engine.pid}/stat")
    if not stat.exists():
        return float("nan")
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    settings = load()
    if settings.data is None:
        sys.exit("PLURIVERSE_DATA must name a folder with works")
    works = [passage((settings.data / "works" / f"{name}.txt").read_text("utf-8")) for name in WORKS]
    engine = LocalEngine("default", None, default_model_path(), settings)
    found: dict[str, dict[str, object]] = {}
    try:
        for name, lead in (("held", ""), ("quoting", "The first of them says: “")):
            sampling = Sampling(max_tokens=arguments.tokens, temperature=0.8, seed=1)
            free = requests(works, sampling, lead)
            bound = [replace(each, quotable=texts) for each, texts in zip(free, works, strict=True)]
            await run(engine, free), await run(engine, bound)  # prompts are read once and then kept
            pairs = []
            for number in range(arguments.runs):
                first, second = (free, bound) if number % 2 else (bound, free)
                pair = await run(engine, first), await run(engine, second)
                pairs.append(pair if number % 2 else pair[::-1])
            found[name] = compared(pairs, works)
            print(f"{name}: {found[name]['ratio']:.3f}", file=sys.stderr, flush=True)
    finally:
        await engine.aclose()
    json.dump({"machine": machine(), **found}, sys.stdout, indent=1)
    print()


def compared(pairs: list[tuple[Run, Run]], works: list[tuple[str, ...]]) -> dict[str, object]:
    """Held over free."""
    ratios = [(held.seconds / held.tokens) / (free.seconds / free.tokens) for free, held in pairs]
    processor = [(held.processor / held.tokens) / (free.processor / free.tokens) for free, held in pairs]
    return {
        "ratio": statistics.median(ratios),
        "ratio_processor": statistics.median(processor),
        "ratios": ratios,
        "ratios_processor": processor,
        "tokens": [(free.tokens, held.tokens) for free, held in pairs],
        "quoted_letters": statistics.mean(inside(held.texts, works) for _, held in pairs),
    }


def inside(said: list[str], works: list[tuple[str, ...]]) -> float:
    """Share of letters in quotations, all of which must stand in the passages."""
    quoted = 0
    for text, texts in zip(said, works, strict=True):
        assert all(held(text, texts)), text
        quoted += sum(each.end - each.start for each in quotations(text))
    return quoted / max(1, sum(map(len, said)))


if __name__ == "__main__":
    asyncio.run(main())
