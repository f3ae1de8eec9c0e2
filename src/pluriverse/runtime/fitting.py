"""`fit`: a reference, what is known of it without fetching it, and what this machine can do, brought together.

Reads the store, the catalogue and at most a header over the network; measures the machine where that was not done yet.
The arithmetic is `catalogue.verdict`'s.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

from .. import catalogue
from ..assistant.bases import NotPulled, meant, resolve
from ..catalogue import Entry
from ..catalogue.fit import USUAL, Machine
from ..catalogue.needs import Load, Profile
from ..catalogue.shape import QUANTISATIONS, ModelShape, from_header
from ..catalogue.verdict import Fit, Question, Reason, judged, of_entry, with_alternatives
from ..engines.native.profiling import Measuring, Profiles
from ..errors import EngineError, IntegrityError, NotFoundError, UnsupportedError, UsageError
from ..settings import Settings
from ..store import Store
from ..store.gguf import Header, read_header
from ..store.heading import read_heading
from ..values import HubSource, PathSource, Pullable, Source

_MOST = 2**24  # tokens of a context, and assistants, that anybody means


@dataclass(frozen=True, slots=True)
class Reading:
    """The header is read over the network, from here."""

    source: Source


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """The machine could not be measured, so that no speed is told."""

    error: EngineError


FitEvent = Reading | Measuring | Unmeasured | Fit


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be run: `context` tokens of each of `assistants`, of which `prompt` are read before; in another
    quantisation than the usual one. UsageError for numbers that nobody means."""

    context: int = 4096
    assistants: int = 1
    guided: bool = False
    prompt: int | None = None
    quantisation: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("--context", self.context), ("--assistants", self.assistants)):
            if not 1 <= value <= _MOST:
                raise UsageError(f"{name} is {value}", f"a whole number from 1 to {_MOST:,}")
        if self.prompt is not None and not 0 <= self.prompt <= self.context:
            raise UsageError(f"--prompt is {self.prompt}", "0 or more, and within --context")

    @property
    def load(self) -> Load:
        return Load(self.context, self.assistants * (2 if self.guided else 1), self.prompt)


async def fit(
    ref: str, asked: Asked, settings: Settings, *, measure: bool = True, machine: Machine | None = None
) -> AsyncIterator[FitEvent]:
    """Whether the model that `ref` names fits this machine; the last event is a Fit. Fetches no weights.

    `measure`: measure this machine where a format was not yet, which takes some seconds. `machine` None: this one.
    Raises UsageError and NotFoundError for references that nobody knows, UnreachableError where a header cannot be
    read, IntegrityError where it is not sound.
    """
    machine = machine or Machine.here(settings.home)
    entries = {each.id: each for each in catalogue.entries(settings.catalogues)}
    name = meant(ref, Store.at(settings), settings)
    entry = entries.get(name)
    found = _here(name, asked, settings, entry)
    if found is None and entry is None:
        source = _source(name, asked.quantisation, settings)
        yield Reading(source)
        heading = await read_heading(source, settings)
        found = Question(ref, _shapes(heading.header, str(source)), asked.load, machine)
        found = replace(found, here=isinstance(source, PathSource))
    elif found is None and entry is not None:
        found = _by_facts(ref, entry, asked, machine)
    assert found is not None
    question = replace(found, ref=ref, machine=machine, guided=asked.guided)
    if question.shapes:
        async for event in _measured(question.shapes[1], settings, measure):
            if isinstance(event, Profile):
                question = replace(question, profile=event)
            else:
                yield event
    verdict = judged(question)
    yield with_alternatives(verdict, entry, entries.values(), question) if entry and not question.here else verdict


def _here(ref: str, asked: Asked, settings: Settings, entry: Entry | None) -> Question | None:
    """Of a model that is on this machine; None where it is not, or another quantisation of it is meant."""
    if asked.quantisation and entry is not None:
        return None
    try:
        base = resolve(ref, Store.at(settings), settings)
    except (NotPulled, UnsupportedError):
        return None
    except NotFoundError:
        if entry is not None:
            return None
        raise
    if base.path is None:
        raise UsageError(f"{ref} has no weights, and runs anywhere", "name a model: pluriverse catalogue")
    if asked.quantisation:
        raise UsageError(f"{ref} is a file, in the quantisation that it has", "leave --quantisation out")
    shapes = _shapes(read_header(base.path, ref), ref)
    if base.projector:  # its file is loaded beside the model's
        more = base.projector.stat().st_size
        low, high = (replace(each, header=each.header + more) for each in shapes)
        shapes = low, high
    return Question(ref, shapes, asked.load, Machine(0, 0), here=True)


def _shapes(header: Header, name: str) -> tuple[ModelShape, ModelShape]:
    try:
        shape = from_header(header.metadata, header.tensors, header.data_offset)
    except ValueError as error:
        raise IntegrityError(f"{name} is no language model: {error}", "name another file") from error
    return shape, shape


def _source(ref: str, quantisation: str | None, settings: Settings) -> Source:
    """Where the header can be read; of a repository, the file in the quantisation that is meant."""
    pullable: Pullable = catalogue.parse(ref, settings.catalogues)
    source = pullable.sources[0]
    if quantisation is None:
        return source
    if isinstance(source, HubSource) and source.file.startswith(":"):
        return replace(source, file=f":{quantisation}")
    raise UsageError(f"{ref} is a file, in the quantisation that it has", "leave --quantisation out")


def _by_facts(ref: str, entry: Entry, asked: Asked, machine: Machine) -> Question:
    """Of an entry of which no file is here. Nothing is asked of the network."""
    quantisation = (asked.quantisation or USUAL).upper()
    if quantisation not in QUANTISATIONS:
        raise UsageError(
            f"{asked.quantisation!r} is no quantisation that can be reckoned with", f"one of {', '.join(QUANTISATIONS)}"
        )
    known = []
    if entry.closed:
        known.append(Reason("closed"))
    elif not entry.can_be_pulled:
        known.append(Reason("no-file"))
    shapes = None if entry.closed else of_entry(entry, quantisation)
    if shapes is None and not entry.closed:
        known.append(Reason("size"))
    return Question(ref, shapes, asked.load, machine, quantisation=quantisation, known=tuple(known))


async def _measured(
    shape: ModelShape, settings: Settings, measure: bool
) -> AsyncIterator[Measuring | Unmeasured | Profile]:
    """What is known of this machine, after measuring what is missing; nothing where that cannot be done."""
    profiles = Profiles(settings)
    if not measure:
        if found := profiles.found():
            yield found
        return
    steps: Iterator[Measuring | Profile] = profiles.measure(shape.types)
    try:
        while (event := await asyncio.to_thread(next, steps, None)) is not None:
            yield event
    except EngineError as error:
        yield Unmeasured(error)
