"""What `engine status` tells: the library in use, the processor, the settings, and what would be faster.

Reads what is kept; loads and measures nothing.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from ..files import make_folder
from ..settings import Settings
from .local import LocalEngine
from .local.calibration import Calibration, Calibrations
from .local.layouts import WHEEL
from .local.libraries import Kept, NativeLibrary
from .local.processor import Processor, this_processor
from .native import additions, gains

WORTH_A_COPY = 1.2  # times as fast, from which on another format is worth its disk


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
    used: NativeLibrary | None
    advice: tuple[str, ...]

    @property
    def speeds(self) -> dict[str, dict[str, float]]:
        """Tokens per second by measure and tokens read or held: as calibrated, else as measured when it was built."""
        if self.calibration and self.calibration.speeds:
            return self.calibration.speeds
        built: dict[str, dict[str, float]] = self.used.speeds.get("native", {}).get("as it is", {}) if self.used else {}
        return built

    def as_dict(self) -> dict[str, Any]:
        return {
            "library": self.library,
            "features": sorted(self.processor.features),
            "speeds": self.speeds,
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
        tuple(kept.all()), used, advice,
    )  # fmt: skip


def _advice(
    kept: Kept, used: NativeLibrary | None, processor: Processor, calibration: Calibration | None
) -> tuple[str, ...]:
    words = []
    if used is None and (fitting := kept.fitting()):
        times = gains.overall(gains.kept(fitting.speeds))
        if times is not None and times < gains.LEAST_GAIN:
            words.append(
                f"the library built here gains nothing for the models that were here ({times:.2f} times as fast), so"
                " the wheel's serves; after another model has come, measure that: pluriverse engine build"
            )
        else:
            words.append("a library made for this processor is here: pluriverse engine use native")
    elif kept.choice == "native" and used is None:
        words.append("the native library is of another processor, so the wheel's serves: pluriverse engine build")
    elif used is None and processor.beyond_wheel:
        words.append(
            "these kernels leave part of the processor unused: pluriverse engine build, once, about four minutes on"
            " two cores, 2 GB of disk meanwhile, a network; what that gains hangs on the processor and on the formats"
            " of your models: it is measured, and the wheel's library stays where it is nothing"
        )
    if used is not None and used.added != additions.digest():
        words.append("kernels have become faster since this library was built: pluriverse engine build")
    if used is not None and (gain := _faster_format(used)):
        words.append(
            f"the model small in {gain[0]} is {gain[1]:.1f} times as fast: pluriverse optimise small --as {gain[0]}"
        )
    if calibration is None:
        words.append("settings are those that do anywhere: pluriverse engine calibrate, a minute")
    return tuple(words)


def _faster_format(used: NativeLibrary) -> tuple[str, float] | None:
    """The format that was fastest when the library was built, if it is worth a word, and by how many times."""
    speeds = {name: _worth(speed) for name, speed in used.speeds.get("native", {}).items()}
    plain = speeds.pop("as it is", 0.0)
    best = max(speeds, key=lambda name: speeds[name], default=None)
    gain = speeds[best] / plain if best and plain else 0.0
    return (best, gain) if best and gain >= WORTH_A_COPY else None


def _worth(speed: dict[str, dict[str, float]]) -> float:
    try:
        return math.sqrt(speed["prefill"]["512"] * speed["decode 8"]["40"])
    except KeyError:
        return 0.0


def likely_gain(settings: Settings) -> str | None:
    """One line for whoever asks, the first time only; None where nothing much can be gained."""
    kept = Kept(settings.home)
    told = kept.folder / "told"
    if told.exists() or kept.used() is not None or not this_processor().beyond_wheel:
        return None
    try:
        make_folder(told.parent)
        told.touch()
    except OSError:  # a read-only home would be told every time
        return None
    return "this processor has instructions that nothing here uses yet: pluriverse engine status"
