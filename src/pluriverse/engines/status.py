"""What `engine status` tells: the library in use, the processor, the settings, and what would be faster.

Reads what is kept; loads and measures nothing.
"""

from dataclasses import asdict, dataclass
from typing import Any

from ..settings import Settings
from .local import LocalEngine
from .local.calibration import Calibration, Calibrations
from .local.layouts import WHEEL
from .local.libraries import Kept, NativeLibrary
from .local.processor import Processor, this_processor

LIKELY_GAIN = 1.5  # from which on it is worth a word


@dataclass(frozen=True, slots=True)
class EngineStatus:
    library: str
    processor: Processor
    unused: tuple[str, ...]  # instruction sets that the library in use has no kernels for
    threads: int
    flash_attention: bool
    chunk: int
    calibration: Calibration | None
    natives: tuple[NativeLibrary, ...]
    advice: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "library": self.library,
            "processor": {**asdict(self.processor), "features": sorted(self.processor.features)},
            "unused": self.unused,
            "settings": {"threads": self.threads, "flash_attention": self.flash_attention, "chunk": self.chunk},
            "calibration": asdict(self.calibration) if self.calibration else None,
            "natives": [{**asdict(each), "path": str(each.path)} for each in self.natives],
            "advice": self.advice,
        }


def status_of(settings: Settings) -> EngineStatus:
    """As engines that start now would have it."""
    kept, processor = Kept(settings.home), this_processor()
    used = kept.used()
    options = LocalEngine.options_for(settings)
    calibration = Calibrations(settings.home).of(used)
    unused = () if used else tuple(sorted(processor.beyond_wheel))
    name = f"built here: {used.source} by {used.compiler}" if used else f"{WHEEL.name}, the wheel for any processor"
    advice = _advice(kept, used, processor, calibration)
    return EngineStatus(
        name, processor, unused, options.threads, options.flash_attention, options.chunk, calibration,
        tuple(kept.all()), advice,
    )  # fmt: skip


def _advice(
    kept: Kept, used: NativeLibrary | None, processor: Processor, calibration: Calibration | None
) -> tuple[str, ...]:
    words = []
    if used is None and kept.fitting():
        words.append("a library made for this processor is here: pluriverse engine use native")
    elif kept.choice == "native" and used is None:
        words.append("the native library is of another processor, so the wheel's serves: pluriverse engine build")
    elif used is None and processor.beyond_wheel:
        words.append(
            "these kernels leave part of the processor unused: pluriverse engine build, once, three to six minutes, "
            "2 GB of disk meanwhile, a network"
        )
    if used is not None:
        words.append("a format that has fast kernels: pluriverse optimise NAME")
    if calibration is None:
        words.append("settings are those that do anywhere: pluriverse engine calibrate, a minute")
    return tuple(words)


def likely_gain(settings: Settings) -> str | None:
    """One line for whoever asks, the first time only; None where nothing much can be gained."""
    kept = Kept(settings.home)
    told = kept.folder / "told"
    if told.exists() or kept.used() is not None or not this_processor().beyond_wheel:
        return None
    try:
        told.parent.mkdir(parents=True, exist_ok=True)
        told.touch()
    except OSError:  # a read-only home would be told every time
        return None
    return "this processor can be two to three times as fast: pluriverse engine status"
