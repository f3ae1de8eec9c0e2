"""What was measured of this machine for predictions: kept per processor, library and settings, completed when needed.

A format takes some seconds, once. Knows a file and trials; `catalogue.needs` says what the numbers mean.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ...catalogue.needs import Kernel, Profile, Timing
from ...catalogue.shape import TYPES
from ...files import read_json, write
from ...settings import Settings
from ..local import LocalEngine
from ..local.options import EngineOptions
from ..local.processor import this_processor
from . import trial

SECONDS = 6  # that a format took on two cores, about


@dataclass(frozen=True, slots=True)
class Measuring:
    """What is measured next: a format, or None for the rest; of how many steps, and about how long all take."""

    type: str | None
    done: int
    total: int
    about_s: int


class Profiles:
    """`engine/profile.json` of the data folder."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.home / "engine" / "profile.json"
        self._options = LocalEngine.options_for(settings)

    def found(self) -> Profile | None:
        """What is kept of this machine with the library and settings that engines have now; None where nothing is."""
        try:
            return _read(self._all()[self._key])
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def measure(self, types: Sequence[str]) -> Iterator[Measuring | Profile]:
        """Measure those of `types` that are not kept yet, and keep them; the last event is all that is known then.

        Formats that cannot be made here are left out. Raises what a trial raises.
        """
        known = self.found()
        steps: list[str | None] = [None] if known is None else []
        profile = known or Profile()
        steps += [name for name in types if name in TYPES and name not in profile.kernels]
        for done, name in enumerate(steps):
            yield Measuring(name, done, len(steps), (len(steps) - done) * SECONDS)
            answer = trial.run(self._document(name, self._options, profile.layer))
            kernels = {each: _kernel(given) for each, given in answer["kernels"].items()}
            profile = replace(profile, kernels={**profile.kernels, **kernels}, **(answer["rest"] or {}))
            if done or name is not None:  # the rest alone is no profile
                self._keep(profile)
        yield profile

    def _document(self, name: str | None, options: EngineOptions, layer: float) -> trial.Document:
        how = {"threads": options.threads, "flash": options.flash_attention, "chunk": options.chunk}
        what = {"types": [name] if name else [], "rest": name is None, "layer": layer}
        return {"do": "profile", "library": options.library, **what, **how}

    @property
    def _key(self) -> str:
        o = self._options
        library = Path(o.library).parent.name if o.library else "wheel"
        return f"{this_processor().key} {library} {o.threads} {o.flash_attention} {o.chunk}"

    def _keep(self, profile: Profile) -> None:
        write(self._path, json.dumps({**self._all(), self._key: asdict(profile)}, indent=1))

    def _all(self) -> dict[str, Any]:
        try:
            document = read_json(self._path)
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}


def _read(given: dict[str, Any]) -> Profile:
    kernels = {name: _kernel(each) for name, each in given["kernels"].items()}
    return Profile(kernels, **{name: float(value) for name, value in given.items() if name != "kernels"})


def _kernel(given: dict[str, Any]) -> Kernel:
    return Kernel(_timing(given["wide"]), _timing(given["narrow"]), given["copied"] is True)


def _timing(given: dict[str, Any]) -> Timing:
    return Timing({int(rows): float(seconds) for rows, seconds in given["decode"].items()}, float(given["read"]))
