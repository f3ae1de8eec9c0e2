"""What the benchmarks share: where the default model is, and one line on the machine."""

import os
import platform
from pathlib import Path


def default_model_path() -> Path:
    """The default model's file in this user's store; `pluriverse pull smollm2-135m-instruct` brings it."""
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
