"""Arithmetic on a model's shape: bytes of memory it will hold, and how fast a machine that was measured runs it.

Time is that of reading weights, attention, and choosing words, each at the speed that was measured for it; what was not
measured is not guessed. Knows no files and no engine; `engines.native.profiling` measures.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .shape import Matrix, ModelShape

CHUNK = 512  # most tokens of a prompt that the engine computes at once
NARROW, WIDE = 512, 2048  # widths of the models that kernels are measured on
STEP = 256  # streams of keys and values grow by so many tokens
FIXED_STREAMS = 8  # where streams cannot be added one by one
_CACHE_BYTES = 2  # of a key or a value: f16
# Measured with the wheel's library on 64-bit Linux, in bytes: what the engine's process holds before any weight; of the
# vocabulary a word and a merge; beginnings of prompts that are kept.
PROGRAM = 50 * 1024**2
_WORD, _MERGE = 225, 225
_KEPT = 64 * 1024**2
# Floats of one token that a graph holds at once, in units of its feed-forward and its plain width.
_FEEDS, _WIDTHS = 3, 5


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of a model: `streams` conversations at once, of `context` tokens each, `prompt` of them read
    before (default: half). A guided assistant takes two streams."""

    context: int = 4096
    streams: int = 1
    prompt: int | None = None

    @property
    def read(self) -> int:
        return self.context // 2 if self.prompt is None else self.prompt


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `copies`: of weights in an order that is faster; the file's pages behind them are given back where memory
    is short, so that `least` does with one of both."""

    weights: int
    copies: int
    cache: int  # keys and values, and beginnings of prompts that are kept
    compute: int
    program: int  # with the vocabulary

    @property
    def total(self) -> int:
        return self.weights + self.copies + self.cache + self.compute + self.program

    @property
    def least(self) -> int:
        return self.total - self.copies

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in (*self.__slots__, "least")}


@dataclass(frozen=True, slots=True)
class Timing:
    """Of matrices of one width. `decode`: tokens at once to seconds per weight, of all these tokens; `read`: seconds
    per weight and token of a prompt."""

    decode: Mapping[int, float]
    read: float

    def seconds(self, rows: int) -> float:
        """Per weight, of `rows` tokens at once: between those measured on a straight line, beyond them on as the last
        piece of it."""
        known = sorted(self.decode)
        above = next((each for each in known if each >= rows), known[-1])
        place = known.index(above)
        if self.decode.get(rows) or place == 0:
            return self.decode[above]
        below = known[place - 1]
        slope = max((self.decode[above] - self.decode[below]) / (above - below), 0.0)
        return self.decode[below] + slope * (rows - below)


@dataclass(frozen=True, slots=True)
class Kernel:
    """How fast matrices of one format are here: in a `WIDE` model, and in a `NARROW` one, where each row of weights is
    short and costs more of its own. `copied`: the engine keeps a copy in another order."""

    wide: Timing
    narrow: Timing
    copied: bool

    def seconds(self, rows: int, width: int) -> float:
        """Per weight of a model of that width, of `rows` tokens at once."""
        return _between(self.wide.seconds(rows), self.narrow.seconds(rows), width)

    def reading(self, width: int) -> float:
        """Per weight and token of a prompt."""
        return _between(self.wide.read, self.narrow.read, width)


def _between(wide: float, narrow: float, width: int) -> float:
    """What a row costs besides its weights is spread over as many as it has; none is faster than the wide ones."""
    share = (1 / width - 1 / WIDE) / (1 / NARROW - 1 / WIDE)
    return wide + max(share, 0.0) * max(narrow - wide, 0.0)


@dataclass(frozen=True, slots=True)
class Profile:
    """What was measured of a machine with one library. Seconds.

    `attention`, `attention_read`: per element of the queries and token that is looked at, while speaking and reading.
    `layer`: of each layer besides its matrices. `word`: per word of the vocabulary, to choose one; `token`: of each
    token besides.
    """

    kernels: Mapping[str, Kernel] = field(default_factory=dict)
    attention: float = 0.0
    attention_read: float = 0.0
    layer: float = 0.0
    word: float = 0.0
    token: float = 0.0

    @property
    def bandwidth(self) -> float:
        """Bytes of weights read a second, by the format that reads most."""
        from .shape import TYPES

        bits = {name: TYPES[name][2] / TYPES[name][1] for name in self.kernels if name in TYPES}
        return max((size / self.kernels[name].wide.decode[1] for name, size in bits.items()), default=0.0)

    def missing(self, shape: ModelShape) -> tuple[str, ...]:
        """Formats that are not measured yet."""
        return tuple(name for name in shape.types if name not in self.kernels)


def memory_of(shape: ModelShape, load: Load, copied: frozenset[str] = frozenset({"Q4_0", "Q4_K"})) -> Memory:
    """Bytes that the engine's process will hold at most. `copied`: formats that the engine copies; else those that the
    wheel's library does on x86-64 and on ARM."""
    context = -(-load.context // STEP) * STEP
    streams = max(load.streams, FIXED_STREAMS) if shape.fixed else load.streams
    token = shape.cached * _CACHE_BYTES
    beginning = load.read * token + 4 * shape.words
    # One that is larger is not kept; while one is saved there are three more copies of it.
    kept = min(load.streams * beginning, _KEPT) + 3 * load.read * token if load.read * token <= _KEPT else 0
    chunk = min(CHUNK, streams * context)
    graph = 4 * chunk * (_FEEDS * shape.feed + _WIDTHS * shape.width) + 2 * chunk * context * shape.memories
    copies = sum(each.bytes for each in shape.matrices if each.orderable and each.type in copied)
    return Memory(
        shape.bytes, copies, streams * context * token + kept, graph + 4 * streams * shape.words,
        PROGRAM + _WORD * shape.words + _MERGE * shape.merges,
    )  # fmt: skip


def step_seconds(shape: ModelShape, profile: Profile, streams: int, held: int) -> float:
    """Of one token of each of `streams` conversations that hold `held` tokens. KeyError for a format that was not
    measured."""
    weights = sum(_weights(shape, each, profile, streams) for each in shape.matrices)
    looking = streams * shape.queries * held * profile.attention
    return weights + looking + shape.layers * profile.layer + streams * (shape.words * profile.word + profile.token)


def reading_seconds(shape: ModelShape, profile: Profile, tokens: int) -> float:
    """Of reading a prompt of so many tokens, by one stream. KeyError as above."""
    seconds = 0.0
    for each in shape.matrices:
        if each.role == "output":
            seconds += _weights(shape, each, profile, 1)
        elif each.role != "embedding":
            kernel = _kernel(profile, each, shape)
            share = shape.experts if each.role == "expert" else 1.0
            seconds += each.weights * share * tokens * kernel.reading(shape.width) if kernel else 0.0
    chunks = -(-tokens // CHUNK)
    return seconds + profile.attention_read * shape.queries * tokens**2 / 2 + chunks * shape.layers * profile.layer


def _weights(shape: ModelShape, matrix: Matrix, profile: Profile, rows: int) -> float:
    if matrix.role == "embedding" or (kernel := _kernel(profile, matrix, shape)) is None:
        return 0.0
    if matrix.role != "expert":
        return matrix.weights * kernel.seconds(rows, shape.width)
    # Tokens that are decoded together use different experts: each expert is read for those of them that it serves.
    used = 1 - (1 - shape.experts) ** rows
    each = max(rows * shape.experts / used, 1) if used else 1
    return matrix.weights * used * kernel.seconds(round(each), shape.width)


def _kernel(profile: Profile, matrix: Matrix, shape: ModelShape) -> Kernel | None:
    """None for the few weights of formats that hardly count."""
    return profile.kernels[matrix.type] if matrix.type in shape.types else profile.kernels.get(matrix.type)
