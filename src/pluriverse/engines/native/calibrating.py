"""Finding the settings that are fastest here: one thing after another is changed, and kept where it helps.

About a minute on two cores. Each trial runs in a process of its own; nothing else should be running.
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..local.calibration import Calibration
from ..local.libraries import NativeLibrary
from ..local.sizes import physical_cores
from . import trial

HELD = (40, 200, 600)  # tokens that voices hold; one setting must do for all, since changing it changes words
_TRIAL_S, _SMALL = 8, 98_000_000  # seconds that a trial took with a model of so many bytes
LEAST_GAIN = 1.05  # less is the machine's own unrest


@dataclass(frozen=True, slots=True)
class Tried:
    """`done` of `total` trials; `found`: the settings so far, in the last event the result. The first event comes
    before any trial, with `about_s`: how long all take, very roughly: on two cores."""

    done: int
    total: int
    tried: Calibration
    found: Calibration
    about_s: float = 0.0


def calibrate(model: Path, name: str, library: NativeLibrary | None) -> Iterator[Tried]:
    """Try flash attention, threads and sizes of chunks with `model`, called `name`. Raises what a trial raises.

    What would change replies beyond rounding, such as coarser keys and values, is not tried (docs/decisions/0006).
    """
    cores, logical = physical_cores(), os.cpu_count() or 1
    best = Calibration(cores, True, 512, 0, 0, name, "")
    changes: list[dict[str, object]] = [{"flash_attention": False}]
    changes += [{"threads": count} for count in sorted({1, max(cores - 1, 1), logical} - {cores})]
    changes += [{"chunk": 256}, {"chunk": 128}]
    steps = len(changes) + 2
    yield Tried(0, steps, best, best, steps * _TRIAL_S * max(model.stat().st_size / _SMALL, 1))
    best = _measured(best, model, library)
    yield Tried(1, steps, best, best)
    for number, change in enumerate(changes, start=2):
        tried = _measured(replace(best, **change), model, library)  # type: ignore[arg-type]  # fields by name
        if _worth(tried) > LEAST_GAIN * _worth(best):
            best = tried
        yield Tried(number, steps, tried, best)
    best = replace(best, speeds=_speeds(best, model, library))
    yield Tried(steps, steps, best, best)


def _measured(settings: Calibration, model: Path, library: NativeLibrary | None) -> Calibration:
    """The same with its speeds: a prompt of 512, and eight voices in short, usual and long conversations."""
    speeds = _speeds(settings, model, library, quick=True, held=HELD)
    decode = math.prod(speeds["decode 8"].values()) ** (1 / len(HELD))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(settings, prefill=speeds["prefill"]["512"], decode=round(decode, 1), measured=now)


def _speeds(settings: Calibration, model: Path, library: NativeLibrary | None, **how: object) -> trial.Document:
    path = str(library.path) if library else None
    chosen = {"threads": settings.threads, "flash": settings.flash_attention, "chunk": settings.chunk}
    return trial.run({"do": "speed", "model": str(model), "library": path, **chosen, **how})


def _worth(found: Calibration) -> float:
    """Both count alike: a panel reads about as long as it speaks."""
    return math.sqrt(found.prefill * found.decode)
