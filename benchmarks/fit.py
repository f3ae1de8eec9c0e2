"""What `fit` predicts beside what the engine does: tokens per second, seconds to read a prompt, and memory.

    python benchmarks/fit.py [--quick] [--models small gemma standard better] [--write]

Models that are in the store, as they are and in formats that `optimise` makes, with 1 and 8 voices and 200 and 2,000
tokens before them. Each engine runs in a process of its own, asked as any reply is; what it holds is its peak resident
memory. `--quick` (some seven minutes on two quiet cores): each model as it is, and two further formats of the small
one, without eight voices of 2,000 tokens.
`--write` adds the errors to `src/pluriverse/catalogue/accuracy.json`, which users are told. Prints one JSON document.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from common import machine

from pluriverse import settings
from pluriverse.catalogue.needs import Load, Profile, memory_of, reading_seconds, step_seconds
from pluriverse.catalogue.shape import ModelShape, from_header
from pluriverse.engines.contract import Finished, Request, Started
from pluriverse.engines.local import LocalEngine
from pluriverse.engines.native.profiling import Profiles
from pluriverse.engines.requantising import requantise
from pluriverse.store import Store
from pluriverse.store.gguf import read_header
from pluriverse.values import Sampling

DIGESTS = {
    "small": "b179c9523d0e", "gemma": "a5fd3b62230a", "standard": "1d9614638d18", "better": "cc324af070c2",
}  # fmt: skip
FORMATS = ("Q8_0", "Q4_0", "F16")
SAID = 32  # tokens that each voice says
ACCURACY = Path(__file__).parents[1] / "src/pluriverse/catalogue/accuracy.json"


def files(names: list[str], quick: bool, folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Model, format and file; a copy is deleted when the next is asked for."""
    here = {str(each.digest)[7:19]: each.path for each in Store.at(settings.load()).models()}
    for name in names:
        if (path := here.get(DIGESTS[name])) is None:
            print(f"{name} is not in the store: left out", file=sys.stderr)
            continue
        yield name, "as it is", path
        for format in FORMATS if not quick else FORMATS[:2] if name == "small" else ():
            copy = folder / f"{name}-{format}.gguf"
            for _ in requantise(path, copy, format):
                pass
            yield name, format, copy
            copy.unlink()


async def measured(path: Path, voices: int, held: int) -> dict[str, float]:
    """Tokens per second of all voices once all speak, seconds that one prompt took, peak bytes of the process."""
    engine = LocalEngine("measured", None, path, settings.load())
    await engine.start()
    word, requests = " bread", []
    # Raw text, different from its first word on, so that nothing is copied from another; it hardly ever ends early.
    for voice in range(voices):
        said = Sampling(max_tokens=SAID, seed=voice)
        requests.append(Request((), said, raw=f"{voice}" + word * (held - 2)))
    started: list[float] = []
    tokens = prompt = 0
    begun = time.perf_counter()
    async for event in engine.generate(requests):
        if isinstance(event, Started):
            started.append(time.perf_counter())
            prompt = event.prompt_tokens
        elif isinstance(event, Finished):
            tokens += event.completion_tokens
    ended = time.perf_counter()
    lines = Path(f"/proc/{engine.pid}/status").read_text().splitlines()
    peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    await engine.aclose()
    # Replies that began earlier spoke between the prompts of the later ones; those tokens are few, and left in.
    seconds = ended - started[-1]
    spoken = tokens - voices - sum(_turns(started, at) for at in started)
    return {"tokens_per_s": spoken / seconds, "reading_s": started[0] - begun, "memory": peak, "prompt": prompt}


def _turns(started: list[float], at: float) -> int:
    """Tokens that a reply said before the last one began: one after each prompt that was read behind its own."""
    return sum(other > at for other in started)


def predicted(shape: ModelShape, profile: Profile, voices: int, held: int) -> dict[str, float]:
    load = Load(held + SAID, voices, held)
    copied = frozenset(name for name, kernel in profile.kernels.items() if kernel.copied)
    return {
        "tokens_per_s": voices / step_seconds(shape, profile, voices, held + SAID // 2),
        "reading_s": reading_seconds(shape, profile, held),
        "memory": memory_of(shape, load, copied).total,
    }


def errors(rows: list[dict], what: str) -> dict[str, float]:
    wrong = [abs(row["predicted"][what] / row["measured"][what] - 1) for row in rows]
    return {"median": round(statistics.median(wrong), 3), "worst": round(max(wrong), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--models", nargs="+", choices=list(DIGESTS), default=list(DIGESTS))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    profiles, rows = Profiles(settings.load()), []
    with tempfile.TemporaryDirectory() as folder:
        for name, format, path in files(arguments.models, arguments.quick, Path(folder)):
            header = read_header(path)
            shape = from_header(header.metadata, header.tensors, header.data_offset)
            *_, profile = profiles.measure(shape.types)
            assert isinstance(profile, Profile)
            for voices, held in ((1, 200), (8, 200), (1, 2000), (8, 2000)):
                if arguments.quick and (voices, held) == (8, 2000):
                    continue
                found = asyncio.run(measured(path, voices, held))
                row = {"model": name, "format": format, "voices": voices, "held": held, "measured": found}
                rows.append({**row, "predicted": predicted(shape, profile, voices, int(found["prompt"]))})
                print(json.dumps(rows[-1]), file=sys.stderr)
    found = {what: errors(rows, what) for what in ("tokens_per_s", "reading_s", "memory")}
    json.dump({"machine": machine(), "errors": found, "rows": rows}, sys.stdout, indent=1)
    print()
    if arguments.write:
        document = json.loads(ACCURACY.read_text())
        document["machines"].append(
            {**machine(), "measured": datetime.now(UTC).date().isoformat(), "runs": len(rows),
             **found["tokens_per_s"], "memory": found["memory"]["worst"]}
        )  # fmt: skip
        ACCURACY.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
