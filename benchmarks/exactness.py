"""Does an assistant say in company what it says alone? 200 pairs, temperature 0, the default model.

    python benchmarks/exactness.py

Eight assistants x 25 questions, 48 tokens each: all eight in one batch, then each alone on an engine that has never
seen the others. Also with flash attention off. Prints one JSON document: pairs, and how many differ.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from common import default_model_path, machine
from together import VOICES

from pluriverse.engines.contract import Chunk, Request
from pluriverse.engines.local import EngineOptions, LocalEngine
from pluriverse.settings import Settings
from pluriverse.values import Message, Sampling

QUESTIONS = tuple(
    f"{start} {subject}?"
    for start in (
        "Is it right to praise",
        "Who profits most from",
        "What would you change about",
        "What is",
        "Why fear",
    )
    for subject in ("free trade", "war", "religious schools", "the police", "artificial intelligence")
)
SAMPLING = Sampling(temperature=0, max_tokens=48)


async def answers(path: Path, options: EngineOptions, together: bool) -> list[str]:
    """The text of each (question, assistant), in order."""
    texts: list[str] = []
    engine = LocalEngine("default", None, path, Settings(home=path.parent), options)
    for question in QUESTIONS:
        requests = [Request((Message("system", v), Message("user", question)), SAMPLING) for v in VOICES]
        for group in [requests] if together else [[request] for request in requests]:
            said = [""] * len(group)
            async for event in engine.generate(group):
                if isinstance(event, Chunk):
                    said[event.index] += event.text
            texts += said
    await engine.aclose()
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    path = default_model_path()
    rows = []
    for flash in (True, False):
        # No prefixes are kept, so that "alone" really computes everything anew.
        options = EngineOptions(threads=arguments.threads, prefix_memory=0, flash_attention=flash)
        company = asyncio.run(answers(path, options, together=True))
        alone = asyncio.run(answers(path, options, together=False))
        differ = sum(a != b for a, b in zip(company, alone, strict=True))
        rows.append({"flash_attention": flash, "pairs": len(alone), "differ": differ, "distinct": len(set(alone))})
    json.dump({"machine": machine(), "rows": rows}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
