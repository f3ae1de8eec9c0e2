"""Memory of the engine's process beyond weights and keys and values, and the speed of `verify`.

    python benchmarks/memory.py

Asks eight assistants 128 tokens each, reads the engine process's peak resident memory, and subtracts the weights'
file and the key/value cache it says it holds. Then `verify` beside `sha256sum` on the same file, three times each in
turn. Prints one JSON document.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from common import default_model_path, machine
from together import QUESTION, SAMPLING, VOICES

from pluriverse import settings
from pluriverse.engines.contract import Request
from pluriverse.engines.local import LocalEngine
from pluriverse.store import Store
from pluriverse.values import Message


async def engine_memory(path: Path) -> tuple[int, int]:
    """(peak resident bytes of the process, bytes of weights and cache as the engine counts them)."""
    engine = LocalEngine("default", None, path, settings.load())
    requests = [Request((Message("system", v), Message("user", QUESTION)), SAMPLING) for v in VOICES]
    async for _ in engine.generate(requests):
        pass
    status = Path(f"/proc/{engine.pid}/status").read_text()
    peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    counted = engine.memory
    await engine.aclose()
    return peak, counted


def main() -> None:
    path = default_model_path()
    peak, counted = asyncio.run(engine_memory(path))
    store = Store.at(settings.load())
    ours, theirs = [], []
    for _ in range(3):
        started = time.perf_counter()
        list(store.verify())
        ours.append(time.perf_counter() - started)
        files = [str(model.path) for model in store.models()]
        started = time.perf_counter()
        subprocess.run(["sha256sum", *files], check=True, capture_output=True)
        theirs.append(time.perf_counter() - started)
    document = {
        "machine": machine(),
        "engine_peak_bytes": peak,
        "weights_and_cache_bytes": counted,
        "beyond_them_bytes": peak - counted,
        "verify_speed_over_sha256sum": round(statistics.median(t / o for o, t in zip(ours, theirs, strict=True)), 2),
    }
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
