"""How much of its own prompt an answer holds when it is honest, and when it recites: what the guard's limit rests on.

    python benchmarks/recital.py

Of the answers in recital.toml, which were read: how many are on the wrong side of each limit (`MOST_OWN_PROMPT`) on the
share of trigrams of words that stand in the voice's prompt, with 95 % intervals (Wilson).
"""

import tomllib
from pathlib import Path

from pluriverse.assistant import Shelf
from pluriverse.assistant.per_base import measured_on
from pluriverse.measure.schema.recital import trigram_recital
from pluriverse.measure.stats.rates import wilson
from pluriverse.settings import load

BASES = {"standard": "qwen2.5-coder-0.5b-instruct", "better": "qwen2.5-coder-1.5b-instruct"}


def main() -> None:
    given = tomllib.loads((Path(__file__).parent / "recital.toml").read_text("utf-8"))
    shelf, honest, reciting = Shelf(load()), [0.0] * sum(given["others"].values()), []
    for each in given["answer"]:
        voice = shelf.assistant(each["voice"])
        there = [found.system for found in measured_on(voice) if found.base == BASES.get(each["base"])]
        share = trigram_recital(each["text"], voice.system if each["prompt"] == "own" else there[0])
        (reciting if each["recites"] else honest).append(share)
    print("| limit | honest above | reciting below |\n|---|---|---|")
    for limit in (0.08, 0.1, 0.12, 0.15, 0.2):
        wrong = wilson(sum(each > limit for each in honest), len(honest))
        missed = wilson(sum(each <= limit for each in reciting), len(reciting))
        print(f"| {limit} | {wrong} of {len(honest)} | {missed} of {len(reciting)} |")


if __name__ == "__main__":
    main()
