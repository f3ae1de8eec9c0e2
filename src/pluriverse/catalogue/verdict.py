"""Does a model fit a machine: what it needs, how fast it would be, and what else could be done, as values.

Every reason has a kind that a program can decide on; words are made of it where it is shown. Knows shapes, entries and
what was measured of a machine; opens no file and measures nothing.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from .entry import Entry
from .fit import Machine, fits, size_of
from .needs import Load, Memory, Profile, memory_of, reading_seconds, step_seconds
from .shape import QUANTISATIONS, ModelShape, from_facts

Kind = Literal[
    "memory", "busy", "disk", "tight", "context", "facts", "size", "closed", "no-file", "formats", "unmeasured",
    "unchecked",
]  # fmt: skip
"""memory: more than this machine has; busy: more than is free now; disk: no room for the file; tight: it fits because
the system can give back pages; context: longer than the model reads; facts: some were not told, so that there is a
range; size: nobody said how large it is; closed, no-file: nothing can be had; formats: some of its matrices were not
measured; unmeasured: this machine was not; unchecked: predictions were not compared with what is measured here."""

_SPARE = 1024**3  # bytes of disk that stay free
_UNCHECKED = 0.3  # part by which a prediction may be wrong, before anybody has compared
_SMALLER = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_L", "Q2_K")


@dataclass(frozen=True, slots=True)
class Reason:
    """`needed` and `there` in bytes, or in tokens for a context; `names`: of formats."""

    kind: Kind
    needed: int | None = None
    there: int | None = None
    names: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in (None, ())}


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another quantisation of it, a smaller one of its family, or an engine on another machine."""

    kind: Literal["quantisation", "smaller", "remote"]
    name: str | None = None
    bytes: int | None = None
    memory_needed: int | None = None


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second of all assistants together, and from where to where it may be."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Fit:
    """`fits` None: it cannot be said. Bytes and seconds; None where unknown. `memory_low`: at least so much, where some
    facts are open. `quantisation`: what was looked at; `take`: what to take here."""

    ref: str
    fits: bool | None
    bytes: int | None
    memory_needed: int | None
    memory_free: int
    memory_low: int | None
    memory: Memory | None
    load: Load
    quantisation: str | None
    take: str | None
    tokens_per_s: Speed | None
    reading_s: float | None
    why: tuple[Reason, ...]
    alternatives: tuple[Alternative, ...] = ()
    bandwidth: float | None = None  # bytes of weights that this machine reads a second

    def as_dict(self) -> dict[str, Any]:
        """The contract's fields, then the parts they come from."""
        speed = self.tokens_per_s and {name: round(value, 2) for name, value in asdict(self.tokens_per_s).items()}
        return {
            **{name: getattr(self, name) for name in ("ref", "fits", "bytes", "memory_needed", "memory_free")},
            "tokens_per_s": speed,
            "why": [each.as_dict() for each in self.why],
            "memory_low": self.memory_low,
            "memory": self.memory and self.memory.as_dict(),
            "context": self.load.context,
            "streams": self.load.streams,
            "prompt_tokens": self.load.read,
            "reading_s": None if self.reading_s is None else round(self.reading_s, 3),
            "quantisation": self.quantisation,
            "take": self.take,
            "alternatives": [asdict(each) for each in self.alternatives],
            "bandwidth": self.bandwidth and round(self.bandwidth),
            "accuracy": accuracy().as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Parts by which predictions were wrong on machines that were tried; None before any was. `machines`: how many."""

    machines: int = 0
    median: float | None = None
    worst: float | None = None
    memory: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@cache
def accuracy() -> Accuracy:
    """As `benchmarks/fit.py` found it: the worst of all machines that are written down."""
    tried = json.loads((files(__package__) / "accuracy.json").read_text("utf-8"))["machines"]
    if not tried:
        return Accuracy()
    most = {key: max(each[key] for each in tried) for key in ("median", "worst", "memory")}
    return Accuracy(len(tried), **most)


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked at: a reference, its shapes (the smallest and the largest that facts leave open), and the load.
    `streams_of`: streams of an assistant. `profile` None: this machine was not measured."""

    ref: str
    shapes: tuple[ModelShape, ModelShape] | None
    load: Load
    machine: Machine
    profile: Profile | None = None
    quantisation: str | None = None
    guided: bool = False
    here: bool = False  # the file is on this machine
    known: tuple[Reason, ...] = field(default=())


def judged(asked: Question) -> Fit:
    """Whether it fits and how fast it would be."""
    why = list(asked.known)
    never = any(each.kind in ("closed", "no-file") for each in why)
    if asked.shapes is None:
        fits, free = False if never else None, asked.machine.available
        unknown = (None, None, asked.load, asked.quantisation, None, None, None)
        return Fit(asked.ref, fits, None, None, free, *unknown, tuple(why))
    low, high = asked.shapes
    if high.context_length and asked.load.context > high.context_length:
        why.append(Reason("context", asked.load.context, high.context_length))
    copied = (
        frozenset(name for name, kernel in asked.profile.kernels.items() if kernel.copied) if asked.profile else None
    )
    least, most = (memory_of(each, asked.load, *_known(copied, each, asked.profile)) for each in (low, high))
    if least.total != most.total:
        why.append(Reason("facts"))
    holds = False if never else _holds(least, most, asked, why)
    speed, reading = _speed(asked, why)
    return Fit(
        asked.ref, holds, high.bytes, most.total, asked.machine.available,
        least.total if least.total != most.total else None, most, asked.load, asked.quantisation,
        asked.quantisation if holds else None, speed, reading, tuple(why),
        bandwidth=asked.profile.bandwidth if asked.profile else None,
    )  # fmt: skip


def _known(copied: frozenset[str] | None, shape: ModelShape, profile: Profile | None) -> tuple[frozenset[str], ...]:
    """Formats that are copied, where all of this shape were measured; else nothing: the usual ones are taken."""
    return () if copied is None or profile is None or profile.missing(shape) else (copied,)


def _holds(least: Memory, most: Memory, asked: Question, why: list[Reason]) -> bool | None:
    machine, size = asked.machine, asked.shapes[1].bytes if asked.shapes else 0
    holds = True
    if not asked.here and size + _SPARE > machine.disk:
        why.append(Reason("disk", size + _SPARE, machine.disk))
        holds = False
    if least.least > machine.available:
        busy = most.least <= machine.memory
        there = machine.available if busy else machine.memory
        why.append(Reason("busy" if busy else "memory", least.least, there))
        return False
    if most.least > machine.available:
        return None if holds else False
    if most.total > machine.available:
        why.append(Reason("tight", most.total, machine.available))
    return holds


def _speed(asked: Question, why: list[Reason]) -> tuple[Speed | None, float | None]:
    """Of all assistants together, half of the context being held; and seconds to read a prompt."""
    assert asked.shapes
    profile, load = asked.profile, asked.load
    if profile is None:
        why.append(Reason("unmeasured"))
        return None, None
    if missing := profile.missing(asked.shapes[1]):
        why.append(Reason("formats", names=missing))
        return None, None
    said = load.streams / 2 if asked.guided else load.streams
    fast, slow = sorted(said / step_seconds(each, profile, load.streams, load.read) for each in asked.shapes)[::-1]
    wrong = accuracy().worst
    if wrong is None:
        why.append(Reason("unchecked"))
        wrong = _UNCHECKED
    value = (fast * slow) ** 0.5
    reading = reading_seconds(asked.shapes[1], profile, load.read) * (2 if asked.guided else 1)
    return Speed(value, slow * (1 - wrong), fast * (1 + wrong)), reading


def of_entry(entry: Entry, quantisation: str) -> tuple[ModelShape, ModelShape] | None:
    """Shapes of an entry's file by its facts, with the size that the entry says; None where nobody says how large."""
    size = size_of(entry, quantisation)
    if size is None or entry.params_b is None:
        return None
    found = []
    for shape in from_facts(entry.architecture, entry.params_b * 1e9, quantisation, entry.context_length):
        times = (size - shape.header) / max(shape.bytes - shape.header, 1)
        matrices = tuple(replace(each, bytes=round(each.bytes * times)) for each in shape.matrices)
        found.append(replace(shape, matrices=matrices))
    return found[0], found[1]


def with_alternatives(found: Fit, entry: Entry, entries: Iterable[Entry], asked: Question) -> Fit:
    """The same, with what else could be done, and the quantisation to take."""
    other = []
    take = found.take
    if ":" in (entry.hub or "") and entry.size is None:
        for name in _SMALLER:
            shapes = of_entry(entry, name)
            if shapes and name != found.quantisation:
                each = judged(replace(asked, shapes=shapes, quantisation=name, known=(), profile=None))
                if each.fits:
                    other.append(Alternative("quantisation", name, each.bytes, each.memory_needed))
        finer = [name for name in QUANTISATIONS if any(each.name == name for each in other)]
        smaller = [name for name in _SMALLER[3:] if name in finer]
        take = take or next(iter(smaller), None)
    if not found.fits:
        if small := _smaller(entry, entries, asked.machine):
            other.append(Alternative("smaller", small.id, size_of(small)))
        other.append(Alternative("remote"))
    return replace(found, take=take, alternatives=tuple(other))


def _smaller(entry: Entry, entries: Iterable[Entry], machine: Machine) -> Entry | None:
    """The largest of its maker's that is smaller, of the same kind, and fits; of the same family if there is one."""
    able = [
        each
        for each in entries
        if each.maker == entry.maker and each.kind == entry.kind and each.can_be_pulled and fits(each, machine)
        and each.id != entry.id and (each.params_b or 0) < (entry.params_b or float("inf"))
    ]  # fmt: skip
    family = entry.id.split("-")[0]
    return max(able, key=lambda each: (each.id.split("-")[0] == family, each.params_b or 0), default=None)
