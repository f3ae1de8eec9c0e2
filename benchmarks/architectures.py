"""Which architectures run here, shown by tiny random models; writes `catalogue/data/architectures.toml`.

    pip install -e '.[reference]'
    python benchmarks/architectures.py

Asks the pinned library which architectures it has, makes a tiny model of each that tests/engines/local/architectures.py
describes, checks what the engine does with it (`proving.py` there), and compares its logits with those of transformers
(`references.py`): 48 random tokens, every position, F32 memory, flash attention off. In a process of its own, so that
a model over which the library breaks off is seen as such. Takes a minute on a quiet machine.
"""

import argparse
import datetime
import importlib.metadata
import json
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
TARGET = ROOT / "src" / "pluriverse" / "catalogue" / "data" / "architectures.toml"
HEAD = """# Which architectures the engine's library has, and which of them were run here on a tiny random model.
# Made by: python benchmarks/architectures.py
# A check is "" where it holds, else what went wrong. `difference`: the most by which a logit differs from that of
# transformers (48 tokens, all positions, F32); `why`: why there is none, or what is known of a large one.
"""


def examined(name: str) -> dict[str, Any]:
    """All that is found out about one entry."""
    import torch

    from pluriverse.engines.local.library import Library, find
    from pluriverse.engines.local.renderer import Renderer
    from tests.engines.local.architectures import ARCHITECTURES, write
    from tests.engines.local.proving import Proving
    from tests.engines.local.references import DIFFERENT, REFERENCES, WHY_NOT, logits

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / f"{name}.gguf", name)
        renderer = Renderer()
        proving = Proving(Library(find()), path, renderer)
        found: dict[str, Any] = {"architecture": ARCHITECTURES[name].arch or name, **proving.results()}
        tokens = [int(token) for token in np.random.default_rng(3).integers(3, 255, 48)]
        if name in REFERENCES:
            found["transformers"] = REFERENCES[name].model
            found["difference"] = float(f"{np.abs(proving.logits(tokens) - logits(path, name, tokens)).max():.1g}")
        if why := DIFFERENT.get(name) or ("" if name in REFERENCES else WHY_NOT):
            found["why"] = why
        proving.close()
        renderer.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these, and print instead of writing")
    names = parser.parse_args().names
    from tests.engines.local.architectures import ARCHITECTURES
    from tests.engines.local.known import known

    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        rows = dict(zip(names or ARCHITECTURES, pool.map(examined, names or ARCHITECTURES), strict=True))
    if names:
        json.dump(rows, sys.stdout, indent=1)
        return
    import tomli_w

    has, refused = known()
    document = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "library": f"xllamacpp {importlib.metadata.version('xllamacpp')}",
        "transformers": importlib.metadata.version("transformers"),
        "known": has,
        "refused": refused,
        "run": rows,
    }
    TARGET.write_text(HEAD + tomli_w.dumps(document), "utf-8")


if __name__ == "__main__":
    main()
