"""The settings that measured fastest on this machine, kept per processor and library.

Knows a file and numbers; `native.calibrating` finds them.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...files import read_json, write
from .libraries import NativeLibrary
from .processor import this_processor


@dataclass(frozen=True, slots=True)
class Calibration:
    """`prefill` and `decode`: tokens per second with these settings, of a prompt of 512 and of eight voices.

    `speeds`: the same by measure (`prefill`, `decode 1`, `decode 8` ...) and by tokens read or held.
    """

    threads: int
    flash_attention: bool
    chunk: int  # most tokens of a prompt that are computed at once
    prefill: float
    decode: float
    model: str
    measured: str  # ISO date
    speeds: dict[str, dict[str, float]] = field(default_factory=dict)


class Calibrations:
    """`engine/calibration.json` of the data folder."""

    def __init__(self, home: Path) -> None:
        self._path = home / "engine" / "calibration.json"

    def of(self, library: NativeLibrary | None) -> Calibration | None:
        """What was found for this processor and library; None when nothing was, or it cannot be read."""
        try:
            found = Calibration(**self._all()[_key(library)])
        except (KeyError, TypeError):
            return None
        whole = type(found.threads) is int and type(found.chunk) is int and type(found.flash_attention) is bool
        return found if whole and 0 < found.threads <= 4096 and 0 < found.chunk <= 2**20 else None

    def keep(self, library: NativeLibrary | None, found: Calibration) -> None:
        write(self._path, json.dumps({**self._all(), _key(library): asdict(found)}, indent=1))

    def _all(self) -> dict[str, dict[str, Any]]:
        try:
            document = read_json(self._path)
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}


def _key(library: NativeLibrary | None) -> str:
    return f"{this_processor().key} {library.key if library else 'wheel'}"
