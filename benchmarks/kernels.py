"""Every format with every library: tokens per second of reading and speaking, and the share of what this machine can.

    pluriverse engine build
    cc -O3 -march=native -pthread benchmarks/roofline.c -o roofline
    python benchmarks/kernels.py --roofline ./roofline

Each cell in a process of its own, the best of three: prompts of 128, 512 and 1024 tokens; eight voices and one after 40
and 200 tokens, each in a stream of its own, flash attention on. The formats are made from the default model. The share
of the roofline: for reading, int8 multiply-adds of the weights (Q8_0, Q4_0) over those that registers can do; for one
voice, bytes of weights read per second over those that memory gives. Prints one JSON document.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from common import default_model_path, machine

from pluriverse import settings
from pluriverse.engines.local.libraries import Kept
from pluriverse.engines.local.sizes import physical_cores
from pluriverse.engines.native import trial
from pluriverse.engines.requantising import requantise
from pluriverse.store.gguf import read_header

FORMATS = ("as it is", "Q8_0", "Q4_0", "F16", "BF16")


def files(folder: Path) -> dict[str, Path]:
    """The default model in every format."""
    made = {"as it is": default_model_path()}
    for format in FORMATS[1:]:
        made[format] = folder / f"{format}.gguf"
        for _ in requantise(made["as it is"], made[format], format):
            pass
    return made


def block_weights(path: Path) -> int:
    """Weights of all layers; embeddings, which reading a prompt multiplies once, left out."""
    metadata = read_header(path).metadata
    width, layers = metadata["llama.embedding_length"], metadata["llama.block_count"]
    heads, kv_heads = metadata["llama.attention.head_count"], metadata["llama.attention.head_count_kv"]
    attention = 2 * width * width + 2 * width * width * kv_heads // heads
    return int(layers * (attention + 3 * width * metadata["llama.feed_forward_length"]))


def shares(rows: list[dict], roof: dict, made: dict[str, Path]) -> list[dict]:
    """The part of the machine's limits that the native library reaches."""
    weights = block_weights(made["as it is"])
    found = []
    for row in (row for row in rows if row["library"] == "native"):
        reading = row["prefill"]["512"] * weights / 1e9 / roof["int8_gmac_s"]
        one = row["decode 1"]["40"] * made[row["format"]].stat().st_size / 1e9 / roof["memory_gb_s"]
        found.append({"format": row["format"], "reading_of_int8": round(reading, 2), "one_of_memory": round(one, 2)})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--roofline", help="the program made of roofline.c")
    arguments = parser.parse_args()
    native = Kept(settings.load().home).fitting()
    if native is None:
        raise SystemExit("no native library is here: pluriverse engine build")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        made = files(Path(folder))
        for format in FORMATS:
            for name, library in (("wheel", None), ("native", str(native.path))):
                speeds = trial.run({"do": "speed", "model": str(made[format]), "library": library})
                rows.append({"format": format, "library": name, **speeds})
                print(rows[-1], file=sys.stderr)
        document = {"machine": machine(), "compiler": native.compiler, "rows": rows}
        if arguments.roofline:
            command = [arguments.roofline, str(physical_cores())]
            document["roofline"] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            document["shares"] = shares(rows, document["roofline"], made)
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
