"""Whether an entry fits a machine: its file by the bits of a format, and the memory that its shape needs.

Facts leave some things open, so that figures are "about" right. A reference in full, with its speed: `verdict`.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UnsupportedError
from ..settings import free_memory, physical_memory
from ..values import Pullable
from .entry import V2, Entry
from .licences import licence
from .needs import Load
from .needs import memory_of as needs
from .shape import from_facts

# Bits per weight as llama.cpp measured them on Llama-3.1-8B:
# https://github.com/ggml-org/llama.cpp/blob/311c2c9f0ebd6e08f5b20e8827c654cebb7a41d6/tools/quantize/README.md
BITS = {"Q8_0": 8.5008, "Q6_K": 6.5633, "Q5_K_M": 5.7036, "Q4_K_M": 4.8944, "Q3_K_L": 4.2979, "Q2_K": 3.1593}
USUAL = "Q4_K_M"
# The vocabulary is a larger part of small models, and kept in more bits: Qwen2.5-Coder in Q4_K_M takes 5.8 bits a
# weight at 1.5 thousand million parameters and 8 at half of one.
_SMALL_B, _SMALL_MORE = 3.0, 1.25
_SMALLER = ("Q4_K_M", "Q3_K_L", "Q2_K")
_SPARE = 1024**3  # bytes of disk that stay free
_SPECIAL = ("coder", "code", "math", "vl", "translate")


@dataclass(frozen=True, slots=True)
class Machine:
    """Bytes of memory it has, of disk that are free for models, and of memory that no program holds now."""

    memory: int
    disk: int
    free: int | None = None  # None: all of it

    @property
    def available(self) -> int:
        return self.memory if self.free is None else min(self.free, self.memory)

    @classmethod
    def here(cls, home: Path) -> "Machine":
        folder = next(each for each in (home, *home.parents) if each.exists())
        return cls(physical_memory(), shutil.disk_usage(folder).free, free_memory())


def size_of(entry: Entry, quantisation: str = USUAL) -> int | None:
    """Bytes of its file: exactly where it is pinned, else about; None where nobody says how large the model is."""
    if entry.size is not None:
        return entry.size
    if entry.params_b is None:
        return None
    more = _SMALL_MORE if entry.params_b < _SMALL_B else 1
    return round(entry.params_b * 1e9 * BITS[quantisation] / 8 * more)


def memory_of(entry: Entry, quantisation: str = USUAL) -> int | None:
    """Bytes of memory that it needs at least for one assistant and 4,096 tokens, about."""
    size = size_of(entry, quantisation)
    if size is None or entry.params_b is None:
        return None
    shapes = from_facts(entry.architecture, entry.params_b * 1e9, quantisation, entry.context_length)
    besides = [needs(shape, Load()).least - shape.bytes for shape in shapes]
    return size + sum(besides) // len(besides)


def fits(entry: Entry, machine: Machine, quantisation: str = USUAL) -> bool | None:
    """Whether there is memory and disk for it; None where that cannot be said."""
    size, memory = size_of(entry, quantisation), memory_of(entry, quantisation)
    if size is None or memory is None or entry.closed:
        return None
    return memory <= machine.memory and size + _SPARE <= machine.disk


def quantisation_for(entry: Entry, machine: Machine) -> str | None:
    """The best of the usual quantisation and smaller ones that fits; None where none does. Of a file that is named
    there is no choice, and where the size is not known the usual one is as good as any."""
    if entry.size is not None or entry.params_b is None or ":" not in (entry.hub or ""):
        return USUAL if fits(entry, machine) is not False else None
    return next((each for each in _SMALLER if fits(entry, machine, each)), None)


def pullable_for(entry: Entry, machine: Machine) -> Pullable:
    """What is fetched of an entry for this machine. UnsupportedError where it would not fit, and where there is nothing
    to fetch."""
    usual = entry.pullable()
    if entry.digest is not None:  # there is no choice; it may be here already, else the store looks at the disk
        return usual
    chosen = quantisation_for(entry, machine)
    if chosen is None:
        smallest = _SMALLER[-1] if ":" in (entry.hub or "") else USUAL
        size, memory = size_of(entry, smallest) or 0, memory_of(entry, smallest) or 0
        anyway = f"fetch it all the same: pluriverse pull hf:{entry.hub}; " if entry.hub else ""
        raise UnsupportedError(
            f"{entry.name} does not fit: even in {smallest} it needs about {_gb(memory)} of memory and {_gb(size)} of "
            f"disk, and this machine has {_gb(machine.memory)} and {_gb(machine.disk)}",
            f"{anyway}what fits: pluriverse catalogue --for-me",
        )
    return usual if chosen == USUAL else entry.pullable(chosen)


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"


def best(entries: Iterable[Entry], machine: Machine) -> Sequence[Entry]:
    """General chat models that fit and that commercial users may take too, by what Open LLM Leaderboard v2 measured of
    them, the best first. A model that this board never had is not among them."""
    able = [entry for entry in entries if entry.can_be_pulled and fits(entry, machine) and _general(entry)]
    return sorted(able, key=lambda entry: -entry.scores["open_llm_leaderboard_v2"])


def _general(entry: Entry) -> bool:
    terms = licence(entry.licence)
    measured = any(each.board == V2 and each.average is not None and not each.flags for each in entry.published)
    special = any(word in entry.id.split("-") for word in _SPECIAL)
    return measured and entry.kind.startswith("chat") and not special and bool(terms and terms.allows("commercial"))
