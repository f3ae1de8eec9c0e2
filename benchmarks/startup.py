"""How long a cold process takes: import, --help, and to the first word of an ask.

    python benchmarks/startup.py [--runs 5]

Whole processes, timed from outside; the model is on disk and in the page cache. First word: from starting
`pluriverse ask` with the whole starter panel on a 60-column terminal to the first text that appears below the first
heading's rule. Prints medians in seconds, as one JSON document.
"""

import argparse
import json
import os
import pty
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from common import machine

UNDER_A_RULE = re.compile(r"\n[\u2500-]{3,}\s+\w")
PLURIVERSE = [sys.executable, "-m", "pluriverse"]


def whole(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def first_token(names: list[str]) -> float:
    """Seconds from starting the process to the first word of a reply on a 60-column terminal."""
    master, slave = pty.openpty()
    os.environ["COLUMNS"], os.environ["LINES"] = "60", "40"
    started = time.perf_counter()
    process = subprocess.Popen(
        [*PLURIVERSE, "ask", "Say something.", *names, "--max-tokens", "16", "--no-color"],
        stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(slave)
    seen, seconds = b"", 0.0
    while True:
        try:
            seen += os.read(master, 4096)
        except OSError:
            break
        if not seconds and UNDER_A_RULE.search(seen.decode("utf-8", "replace")):
            seconds = time.perf_counter() - started
    process.wait()
    os.close(master)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = range(parser.parse_args().runs)
    measured = {
        "python_alone_s": lambda: whole([sys.executable, "-c", "pass"]),
        "import_pluriverse_s": lambda: whole([sys.executable, "-c", "import pluriverse"]),
        "help_s": lambda: whole([*PLURIVERSE, "--help"]),
        "first_token_panel_of_six_s": lambda: first_token([]),
    }
    results = {name: round(statistics.median([measure() for _ in runs]), 3) for name, measure in measured.items()}
    json.dump({"machine": machine(), "runs": len(runs), **results}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
