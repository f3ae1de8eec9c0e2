"""What a library gains for the models that are here: speeds of it and of the wheel's, measured in turns.

In turns, and the best of them, because other programs disturb: so whatever disturbs does it to all alike. Knows trials
and numbers; compiles nothing and chooses nothing for good.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import EngineError
from . import trial

LEAST_GAIN = 1.05  # times as fast; less is the machine's own unrest
LARGE, MOST = 10**9, 5 * 10**9  # bytes of a file that is measured only once, and not at all
ROUNDS = 2
_S_PER_BYTE = 2.5 / 98e6  # of one trial, on two cores with the default model

Speed = dict[str, dict[str, float]]  # measure: tokens held or read: tokens per second


@dataclass(frozen=True, slots=True)
class Here:
    """A model that is here. `format`: of its weights, e.g. Q4_K_M."""

    name: str
    digest: str
    format: str
    path: Path
    bytes: int


@dataclass(frozen=True, slots=True)
class Gain:
    """Of one model, with both libraries."""

    name: str
    digest: str
    format: str
    wheel: Speed
    native: Speed

    @property
    def times(self) -> float:
        """As fast as with the wheel's; reading and eight voices count alike."""
        return math.sqrt(worth(self.native) / worth(self.wheel))

    def as_dict(self) -> dict[str, Any]:
        speeds = {"wheel": self.wheel, "native": self.native}
        return {"name": self.name, "digest": self.digest, "format": self.format, **speeds, "times": self.times}


@dataclass(frozen=True, slots=True)
class Timed:
    """`done` of `total` trials."""

    done: int
    total: int


def chosen(models: Iterable[Here]) -> list[Here]:
    """The smallest of each format, since kernels are made for formats; none that takes too long."""
    found: dict[str, Here] = {}
    for each in sorted(models, key=lambda model: model.bytes):
        if each.bytes <= MOST:
            found.setdefault(each.format, each)
    return list(found.values())


def about_s(models: Sequence[Here], libraries: int) -> float:
    """Seconds that it takes to time them, very roughly."""
    return sum(libraries * _rounds(each) * each.bytes * _S_PER_BYTE for each in models)


def timed(
    models: Sequence[Here], libraries: Mapping[str, Path | None]
) -> Iterator[Timed | dict[str, dict[str, Speed]]]:
    """How far it is, and last by library and model's digest the best of all rounds.

    A model that the first library cannot run is left out, and so is another library that crashes with one that it can:
    EngineError of the last one where no other is left.
    """
    first, *others = libraries
    best: dict[str, dict[str, Speed]] = {name: {} for name in libraries}
    crashes: list[EngineError] = []
    total, done = sum(_rounds(each) for each in models) * len(libraries), 0
    for model in models:
        for _ in range(_rounds(model)):
            for name in [name for name in libraries if name in best]:
                yield Timed(done, total)
                done += 1
                try:
                    found = _speed(model, libraries[name])
                except EngineError as error:  # seen: GCC 12 with AMX
                    if name == first:
                        break
                    crashes.append(error)
                    del best[name]
                    continue
                best[name][model.digest] = _better(best[name].get(model.digest, found), found)
    if others and not any(name in best for name in others):
        raise crashes[-1]
    yield best


def worth(speed: Speed) -> float:
    """Reading and eight voices count alike: a panel reads about as long as it speaks."""
    return speed["prefill"]["512"] * speed["decode 8"]["40"]


def worth_of_all(speeds: Mapping[str, Speed]) -> float:
    """Every model counts alike, however fast it is."""
    return math.prod(worth(each) for each in speeds.values())


def overall(gains: Sequence[Gain]) -> float | None:
    """The geometric mean over models; None where nothing was measured."""
    return math.prod(each.times for each in gains) ** (1 / len(gains)) if gains else None


def kept(speeds: Mapping[str, Any]) -> list[Gain]:
    """As `NativeLibrary.speeds` has them; none for libraries of before."""
    return [
        Gain(each["name"], each["digest"], each["format"], each["wheel"], each["native"])
        for each in speeds.get("here", [])
    ]


def _rounds(model: Here) -> int:
    return 1 if model.bytes > LARGE else ROUNDS


def _speed(model: Here, library: Path | None) -> Speed:
    times = 1 if model.bytes > LARGE else 2
    path = str(library) if library else None
    return trial.run({"do": "speed", "library": path, "quick": True, "times": times, "model": str(model.path)})


def _better(a: Speed, b: Speed) -> Speed:
    return {
        measure: {held: max(speed, b[measure][held]) for held, speed in cells.items()} for measure, cells in a.items()
    }
