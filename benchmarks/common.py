"""What the benchmarks share: the model that they measure with, where it is, and one line on the machine.

Figures are of `small`, which was the default when they began; PLURIVERSE_BASE names another.
"""

import os
import platform
from pathlib import Path

os.environ.setdefault("PLURIVERSE_BASE", "small")


def default_model_path() -> Path:
    """Its file in this user's store; `pluriverse pull small` brings it."""
    from pluriverse import settings
    from pluriverse.store import Store

    return Store.at(settings.load()).find("smollm2-135m-instruct").path


def machine() -> dict[str, object]:
    """Processor and core count, for the head of a result."""
    name = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    return {"processor": name, "cores": os.cpu_count(), "python": platform.python_version()}
