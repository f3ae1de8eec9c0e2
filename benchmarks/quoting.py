"""What it costs to hold eight voices to the texts that they quote.

    PLURIVERSE_DATA=FOLDER python benchmarks/quoting.py

Eight voices go on with a text of three passages of 120 words, each of a work of its own (FOLDER/works), free and held
to these passages in turns: quoting when they will (`held`), and behind a lead that opens a quotation (`quoting`).
Prints one JSON document: seconds a token, held over free, median and values; the tokens of both (as many each, for the
text never ends); and the share of letters that stood in quotations.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from dataclasses import replace

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


def passages(text: str) -> tuple[str, ...]:
    words = text.split()
    middle = len(words) // 2
    return tuple(" ".join(words[middle + n * WORDS : middle + (n + 1) * WORDS]) for n in range(3))


def requests(works: list[tuple[str, ...]], sampling: Sampling, lead: str) -> list[Request]:
    found = []
    for texts in works:
        text = "\n\n".join((*texts, "An essay on these words, with many quotations from them.\n\n"))
        found.append(Request((), sampling, raw=text, lead=lead))
    return found


async def run(engine: LocalEngine, given: list[Request]) -> tuple[float, int, list[str]]:
    """Seconds a token until the last has ended, the tokens, and what was said."""
    started, tokens, texts = time.perf_counter(), 0, [""] * len(given)
    async for event in engine.generate(given):
        if isinstance(event, Finished):
            tokens += event.completion_tokens
        elif isinstance(event, Chunk):
            texts[event.index] += event.text
    return (time.perf_counter() - started) / tokens, tokens, texts


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    settings = load()
    if settings.data is None:
        sys.exit("PLURIVERSE_DATA must name a folder with works")
    files = sorted((settings.data / "works").glob("*.txt"))
    named = [path for path in files if path.stem in WORKS]
    works = [passages(path.read_text("utf-8")) for path in named]
    engine = LocalEngine("default", None, default_model_path(), settings)
    found: dict[str, dict[str, object]] = {}
    try:
        for name, lead in (("held", ""), ("quoting", "The first of them says: “")):
            sampling = Sampling(max_tokens=arguments.tokens, temperature=0.8, seed=1)
            free = requests(works, sampling, lead)
            bound = [replace(each, quotable=texts) for each, texts in zip(free, works, strict=True)]
            await run(engine, free), await run(engine, bound)  # prompts are read once and then kept
            ratios, tokens, share = [], [], []
            for _ in range(arguments.runs):
                plain_s, plain_tokens, _texts = await run(engine, free)
                bound_s, bound_tokens, said = await run(engine, bound)
                ratios.append(bound_s / plain_s)
                tokens.append((plain_tokens, bound_tokens))
                share.append(inside(said, works))
            rows = {"ratios": ratios, "tokens": tokens, "quoted_letters": statistics.mean(share)}
            found[name] = {"ratio": statistics.median(ratios), **rows}
    finally:
        await engine.aclose()
    json.dump({"machine": machine(), **found}, sys.stdout, indent=1)
    print()


def inside(said: list[str], works: list[tuple[str, ...]]) -> float:
    """Share of letters in quotations, all of which must stand in the passages."""
    quoted = 0
    for text, texts in zip(said, works, strict=True):
        assert all(held(text, texts)), text
        quoted += sum(each.end - each.start for each in quotations(text))
    return quoted / max(1, sum(map(len, said)))


if __name__ == "__main__":
    asyncio.run(main())
