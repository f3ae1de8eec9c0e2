"""What every engine offers, and the small frozen events that come out of it.

An engine speaks for one base. It knows nothing of assistants' names, panels, files a person wrote or terminals: it gets
messages and sampling settings, and answers with events that carry the request's index.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from ..errors import PluriverseError, UnsupportedError
from ..values import Digest, Message, Picture, Sampling, check_strength

if TYPE_CHECKING:
    import numpy as np

FinishReason = Literal["stop", "length", "context", "cancelled", "error"]
"""stop: the model ended its turn or a stop string came; length: max_tokens; context: the window is full."""


AdapterKind = Literal["lora", "prefix"]
"""lora: low-rank changes of weights; prefix: keys and values, trained, that stand before every conversation."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What computes, by content. What is the same here gives the same answers; what answers belong to is kept with it.

    `settings`: those that change what is computed, such as the form of keys and values; threads do not.
    """

    kind: str  # of engine, as behind the door `engines`
    weights: Digest | None  # None: nobody here can know them
    library: str = ""  # what computes, with its version and build
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict, hash=False)
    script: Digest | None = None  # of what answers where there are no weights

    @property
    def may_change(self) -> bool:
        """Whether something else may answer tomorrow under the same name, and nobody here would know."""
        return self.weights is None and self.script is None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do beyond plain generation. A panel or measure that needs more refuses in words."""

    logprobs: bool  # score() works
    logits: bool  # score(..., logits=True) works
    grammar: bool
    seed: bool  # the same seed gives the same text, another one another
    guidance: bool  # requests and scores with a Guide work
    context_length: int | None  # tokens one conversation may hold; None = unknown
    adapters: frozenset[AdapterKind] = frozenset()  # kinds that it can apply; requests with others are refused
    leads: bool = False  # requests with a `lead` work
    quotes: bool = False  # requests with `quotable` texts are held to them while decoding
    embeds: bool = False  # embed() works
    images: bool = False  # messages may show pictures; scores never do
    writes: bool = True  # generate() works; models that embed write nothing
    tokens: bool = False  # tokens() works, and requests with `likeliest`


@dataclass(frozen=True, slots=True)
class Guide:
    """What a voice is decoded in contrast to: the same conversation as another hears it (see `engines.guiding`).

    `strength` 0 is the voice as it is; `adapter` is the other's own. UsageError for a strength out of range.
    """

    against: tuple[Message, ...]
    strength: float
    adapter: Digest | None = None

    def __post_init__(self) -> None:
        check_strength(self.strength)


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to be generated. `messages` hold the system prompt first, if there is one. Where `raw` text is given,
    it stands in their place and is continued as it is, without chat template.

    With a `guide` every token is chosen by the contrast with it, before penalties, grammar and the rest of sampling;
    both conversations hear the token. Token counts are those of `messages`; the window must hold both.
    Pictures of a message are seen before its text; UnsupportedError where the engine shows none.
    An `adapter` is applied to the base for this request alone; UnsupportedError where the engine cannot.

    `lead`: the reply's first words, given; the model goes on after them. They are part of the text and come as its
    first chunk, their tokens count in `completion_tokens` and `max_tokens` cuts them. With a lead nobody thinks first.
    `quotable`: inside quotation marks (“ ” « » „ “ 「 」 『 』 and straight double ones) decoding may only say what
    stands in one of these texts, letter by letter with white space folded, from the beginning of a word to an end; see
    `engines.quoting`. No reply ends itself inside a quotation; one that is cut there breaks off a true one. A lead that
    quotes falsely is a UsageError, and so is a grammar beside such texts.
    """

    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)
    guide: Guide | None = None
    raw: str | None = None
    adapter: Digest | None = None
    lead: str = ""
    quotable: tuple[str, ...] = ()
    likeliest: int | None = None  # each chosen token comes as `Chosen` too, with so many of the likeliest beside it


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a text, by its id. `text`: what it adds; bytes that are no UTF-8 by themselves as surrogate escapes.

    `logprob`: natural log, given all before it; None where it was not asked for or nothing stands before. `likeliest`:
    ids, texts and log-probabilities, the likeliest first.
    """

    id: int
    text: str
    logprob: float | None = None
    likeliest: tuple[tuple[int, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A token that the reply goes on with, or ends with. Its log-probability is that before penalties, grammar and the
    rest of sampling; of a guided reply, under guidance. Tokens of a lead are given and not chosen."""

    index: int
    token: Token


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt has been read, or, of a reply with a lead, is known. Times of events are taken by whoever listens."""

    index: int
    prompt_tokens: int
    cached_tokens: int  # of these, copied from memory instead of computed
    seed: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """New text, valid Unicode, never part of a stop string. Tokens may come without text and text may lag tokens.

    Thinking comes as `Thought`; only a closing mark that nothing opened is found at the end (`thinking.joined`).
    """

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """New text of a block of thinking (`engines.thinking`): never part of the reply's text."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    index: int
    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int  # includes the end-of-turn token when there was one
    unfinished: bool = False  # it ended before its thinking did: there is no answer


@dataclass(frozen=True, slots=True)
class Failed:
    """This request could not be done or went wrong half way; the others go on."""

    index: int
    error: PluriverseError


@dataclass(frozen=True, slots=True)
class Waiting:
    """Other engines of this user are at work, and their turns make this one wait for long; said for one request of a
    call, at most once. May come at any time before that request ends."""

    index: int


EngineEvent = Started | Chosen | Chunk | Thought | Finished | Failed | Waiting


@dataclass(frozen=True, slots=True)
class Score:
    """Log-probabilities (natural log) of one given continuation after a prefix, over the full vocabulary.

    `logits`, when asked for: float32 of shape [len(tokens), vocabulary]; row i is what predicts `tokens[i]`.
    """

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    logits: "np.ndarray | None" = None

    @property
    def total(self) -> float:
        return sum(self.logprobs)


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """Continuations to be scored after a prefix; see `Engine.score`."""

    prefix: str | tuple[Message, ...]
    continuations: tuple[str, ...]
    guide: Guide | None = None
    adapter: Digest | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    index: int
    scores: tuple[Score, ...]


class Engine(Protocol):
    """One base, ready to be asked. Made by `engines.pool` through the door `engines`; closed by the pool too.

    What stands behind that door is called with a `Base` and the `Settings`, loads nothing yet and gives the engine.
    Every engine passes `tests/engines/test_contract.py` within its declared capabilities.
    """

    @property
    def base(self) -> str:
        """The name of the base model this engine speaks for."""

    @property
    def identity(self) -> Identity:
        """What computes; what is found out by loading is there once it has started."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def memory(self) -> int:
        """Bytes held now, for the pool's budget; 0 when nothing is loaded."""

    async def start(self) -> None:
        """Load what is needed. Called implicitly by the first use; calling it early hides the wait."""

    def generate(self, requests: Sequence[Request]) -> AsyncIterator[EngineEvent]:
        """Answer all requests together and yield their merged events in the order in which they happen.

        Each request yields Started, Chunk or Thought..., then exactly one Finished or Failed (Failed may come alone).
        Several calls may run at once. Closing the iterator cancels what is still running within one decoding step.
        At temperature 0 a request's text does not depend on what else is being decoded.
        """

    async def score(
        self,
        prefix: str | Sequence[Message],
        continuations: Sequence[str],
        *,
        logits: bool = False,
        guide: Guide | None = None,
        adapter: Digest | None = None,
    ) -> tuple[Score, ...]:
        """Log-probability of each continuation after `prefix`, with the adapter applied.

        With a `guide` it is log p_g of `engines.guiding`, normalised over the whole vocabulary, without the cut to
        plausible tokens; `prefix` must then be messages, and `logits` are the guided ones.

        A `str` prefix is raw text, taken as it is; messages are put through the chat template up to the start of the
        reply. Raises UnsupportedError without the capability or for an adapter that it cannot apply,
        ContextOverflowError when it does not fit, UsageError when a continuation is empty, or when tokens would merge
        over its border with the prefix.
        """

    def score_all(self, requests: Sequence[ScoreRequest]) -> AsyncIterator[Scored | Failed]:
        """Many scores at once, in the order of the requests, each Scored or Failed: the way to measure.

        What prefixes share is computed once and batches are full, so that it is several times as fast as `score`. A
        result may differ within rounding from that of `score`; the same requests in the same order give the same.
        """

    async def embed(self, texts: Sequence[str]) -> "np.ndarray":
        """One vector of length 1 for each text: float32 of shape [len(texts), width].

        A vector depends on its text alone. UnsupportedError without the capability; a text longer than the model reads
        is cut at its end.
        """

    async def count_tokens(self, text: str) -> int:
        """Tokens in raw `text`, without any added marks. UnsupportedError where an engine has no tokenizer."""

    async def tokens(
        self, prompt: str | Sequence[int] | Sequence[Message], likeliest: int | None = None
    ) -> tuple[Token, ...]:
        """How a prompt is read: raw text, ids, or messages up to the start of the reply.

        With `likeliest` each token but the first has its log-probability, and so many of the likeliest beside it.
        UnsupportedError without the capability, UsageError for ids that do not exist, ContextOverflowError.
        """

    async def aclose(self) -> None:
        """End it and free its memory. Running requests end with Failed; later ones raise an EngineError which says
        that it is closed. Safe to call twice."""


def beyond(able: Capabilities, request: Request) -> UnsupportedError | None:
    """What a request asks of an engine that does not declare it, and that might not know the word."""
    if request.lead and not able.leads:
        return UnsupportedError("this engine cannot be given the first words of a reply", "ask without a lead")
    if request.quotable and not able.quotes:
        words = "this engine cannot be held to texts while it quotes"
        return UnsupportedError(words, "ask without them, and look each quotation up afterwards")
    if request.likeliest is not None and not able.tokens:
        return no_tokens("this engine")
    return None


def no_tokens(engine: str) -> UnsupportedError:
    """The error for tokens and their log-probabilities of an engine that does not tell them."""
    return UnsupportedError(f"{engine} does not tell its tokens", "ask without log-probabilities")


def no_adapter(engine: str, *adapters: Digest | None) -> None:
    """UnsupportedError for the first adapter among these, of an engine that cannot apply any."""
    for each in filter(None, adapters):
        raise UnsupportedError(
            f"{engine} cannot apply the adapter {each.short}",
            "take `adapter` out of the assistant's file, or let it speak through a base whose engine can",
        )


def no_pictures(base: str, why: str = "it has no projector") -> UnsupportedError:
    """The error for a request with pictures to a base that cannot see them."""
    return UnsupportedError(
        f"{base} sees no pictures: {why}",
        "pull a model together with its projector, pluriverse pull model.gguf --projector mmproj.gguf; "
        "then ask it with --base NAME",
    )


def pictures_of(request: Request) -> tuple[Picture, ...]:
    """Every picture that a request shows, also to the one it is contrasted with, each once."""
    messages = (*request.messages, *(request.guide.against if request.guide else ()))
    return tuple(dict.fromkeys(picture for message in messages for picture in message.pictures))
