"""The scripted engine: no model, no waiting, the same words every time. For tests, demonstrations and documentation.

A script (`script`) gives the replies. Of requests with `quotable` texts it is as good as its word: what a reply quotes
that stands in none of them loses its marks. Knows scripts, a toy tokenizer and a toy distribution over 4,096 tokens.
Never claims to be a model.

    base = "scripted"              the script `plain`
    base = "scripted:demo"         one of `engines/scripts`
    base = "scripted:/path.toml"   a file of yours
"""

import asyncio
import random
import re
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from ..errors import ContextOverflowError, EngineError, PluriverseError, UnsupportedError, UsageError
from ..errors import from_dict as error_from
from ..settings import Settings
from ..values import Digest, Message, Sampling
from .contract import (
    AdapterKind,
    Capabilities,
    Chosen,
    Chunk,
    EngineEvent,
    Failed,
    Finished,
    FinishReason,
    Guide,
    Identity,
    Request,
    Score,
    Scored,
    ScoreRequest,
    Started,
    Thought,
    Token,
    no_adapter,
    no_pictures,
    pictures_of,
)
from .quoting import check_lead, truthful
from .script import Rule, Script
from .thinking import Piece, ReplyStream
from .thinking import told as said

if TYPE_CHECKING:
    import numpy as np

    from ..assistant.bases import Base

VOCABULARY = 4096
WIDTH = 64  # of vectors
_TOKENS = re.compile(rb" ?[A-Za-z0-9']+|[\x00-\x7f]|[\x80-\xff]{1,2}")
_MESSAGE_MARKS = 3  # tokens that a message's frame would cost


@dataclass(slots=True)
class _Speaking:
    """One reply on its way."""

    index: int
    rule: Rule
    tokens: list[bytes]
    text: ReplyStream
    sampling: Sampling
    prompt_tokens: int
    cached_tokens: int
    seed: int
    lead: int = 0  # of its tokens, which it is given
    said: int = 0
    thought: int = 0
    likeliest: int | None = None


class ScriptedEngine:
    """See `engines.contract.Engine` for what it promises."""

    def __init__(self, base: str = "scripted", script: Script | None = None) -> None:
        self._base = base
        self._script = script or Script.load(base.partition(":")[2] or "plain")
        self._spelled: dict[int, bytes] = {}  # tokens that were told, by their ids
        self._systems: set[tuple[Digest | None, str]] = set()  # heard before, under which adapter
        self._closed = False

    @property
    def base(self) -> str:
        return self._base

    @property
    def identity(self) -> Identity:
        return Identity("scripted", None, script=self._script.digest)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            logprobs=True,
            logits=True,
            grammar=False,
            seed=True,
            guidance=self._script.guidance,
            context_length=self._script.context_length,
            adapters=frozenset(get_args(AdapterKind)) if self._script.adapters else frozenset(),
            leads=True,
            quotes=True,
            embeds=self._script.embeds,
            images=self._script.images,
            tokens=True,
        )

    @property
    def memory(self) -> int:
        return 0

    async def start(self) -> None:
        if self._closed:
            raise EngineError(f"the engine of {self._base} is closed")

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[EngineEvent]:
        await self.start()
        speaking: list[_Speaking] = []
        for index, request in enumerate(requests):
            try:
                speaking.append(self._prepare(index, request))
            except PluriverseError as error:
                yield Failed(index, error)
        for each in speaking:
            yield Started(each.index, each.prompt_tokens, each.cached_tokens, each.seed)
        for each in list(speaking):
            for event in self._lead(each):
                yield event
                if isinstance(event, Finished):
                    speaking.remove(each)
        while speaking:
            await asyncio.sleep(self._script.pace)
            for each in list(speaking):
                for event in [Failed(each.index, self._gone())] if self._closed else self._say(each):
                    yield event
                    if isinstance(event, Finished | Failed):
                        speaking.remove(each)

    async def score(
        self,
        prefix: str | Sequence[Message],
        continuations: Sequence[str],
        *,
        logits: bool = False,
        guide: Guide | None = None,
        adapter: Digest | None = None,
    ) -> tuple[Score, ...]:
        from .guiding import contrasted, log_softmax

        await self.start()
        self._check(guide, adapter)
        if guide and isinstance(prefix, str):
            raise UsageError("a guided score needs messages, not raw text")
        before = prefix if isinstance(prefix, str) else _flat(prefix)
        scores = []
        for text in continuations:
            tokens, rows = self._rows(before, text, adapter)
            if guide:
                rows = contrasted(rows, self._rows(_flat(guide.against), text, guide.adapter)[1], guide.strength)
            ids = [_id(token) for token in tokens]
            logprobs = log_softmax(rows)[range(len(ids)), ids].tolist()
            scores.append(Score(tuple(ids), tuple(logprobs), rows if logits else None))
        return tuple(scores)

    async def score_all(self, requests: Sequence[ScoreRequest]) -> AsyncIterator[Scored | Failed]:
        for index, request in enumerate(requests):
            try:
                scores = await self.score(
                    request.prefix, request.continuations, guide=request.guide, adapter=request.adapter
                )
                yield Scored(index, scores)
            except PluriverseError as error:
                yield Failed(index, error)

    def _rows(self, before: str, text: str, adapter: Digest | None) -> "tuple[list[bytes], np.ndarray]":
        """The tokens of `text` behind `before`, and the toy logits that predict each: float32 [tokens, VOCABULARY]."""
        import numpy as np

        head, whole = _split(before), _split(before + text)
        tokens = whole[len(head) :]
        if not text or not tokens:
            raise UsageError("a continuation is empty")
        if whole[: len(head)] != head:
            raise UsageError(f"the continuation {text[:40]!r} merges with the end of the prefix")
        self._check_length(len(whole))
        applied = (adapter or "").encode()
        return tokens, np.stack([_logits(applied + b"".join(head + tokens[:n])) for n in range(len(tokens))])

    async def embed(self, texts: Sequence[str]) -> "np.ndarray":
        """Texts that share words lie near each other: each word has a direction of its own."""
        import numpy as np

        await self.start()
        if not self._script.embeds:
            raise UnsupportedError(f"the engine of {self._base} cannot embed")
        return np.stack([_vector(text) for text in texts]) if texts else np.zeros((0, WIDTH), np.float32)

    async def count_tokens(self, text: str) -> int:
        return len(_split(text))

    async def tokens(
        self, prompt: str | Sequence[int] | Sequence[Message], likeliest: int | None = None
    ) -> tuple[Token, ...]:
        """Ids stand for the tokens that were told with them before."""
        from .guiding import log_softmax

        await self.start()
        said = [each for each in prompt if isinstance(each, Message)]
        ids = [each for each in prompt if isinstance(each, int)]
        text = prompt if isinstance(prompt, str) else _flat(said)
        pieces = [self._spelled.get(each, b"?") for each in ids] or _split(text)
        self._check_length(len(pieces))
        self._spelled |= {_id(each): each for each in pieces}
        if likeliest is None:
            return tuple(Token(_id(each), _text(each)) for each in pieces)
        told = [Token(_id(each), _text(each)) for each in pieces[:1]]
        for place in range(1, len(pieces)):
            told.append(self._token(log_softmax(_logits(b"".join(pieces[:place]))), pieces[place], likeliest))
        return tuple(told)

    def _token(self, logprobs: "np.ndarray", piece: bytes, likeliest: int) -> Token:
        best = (-logprobs).argsort(kind="stable")[:likeliest]
        beside = tuple((int(each), _text(self._spelled.get(int(each), b"?")), float(logprobs[each])) for each in best)
        return Token(_id(piece), _text(piece), float(logprobs[_id(piece)]), beside)

    async def aclose(self) -> None:
        self._closed = True

    def _prepare(self, index: int, request: Request) -> _Speaking:
        if request.sampling.grammar is not None:
            raise UnsupportedError(f"the engine of {self._base} cannot follow a grammar")
        self._check(request.guide, request.adapter)
        pictures = pictures_of(request)
        if pictures and not self._script.images:
            raise no_pictures(self._base, "its script plays none")
        messages = request.messages if request.raw is None else (Message("user", request.raw),)
        system = next((m.content for m in messages if m.role == "system"), "")
        question = next((m.content for m in reversed(messages) if m.role == "user"), "") + " [picture]" * len(pictures)
        prompt = sum(len(_split(m.content)) + _MESSAGE_MARKS for m in messages)
        heard = request.guide.against if request.guide else ()
        self._check_length(max(prompt, sum(len(_split(m.content)) + _MESSAGE_MARKS for m in heard)) + 1)
        place = request.adapter, system
        cached = len(_split(system)) + _MESSAGE_MARKS if system and place in self._systems else 0
        self._systems.add(place)
        sampling = request.sampling
        seed = random.randrange(2**32) if sampling.seed is None else sampling.seed  # noqa: S311
        rule = self._script.rule(system, question, request.adapter)
        text = _reply(rule, system, question, sampling, seed)
        opened = rule.thinks and sampling.think is not False and not request.lead
        text = text if rule.thinks == opened else said(text, opened=True).text
        lead = _split(request.lead)[: sampling.max_tokens]
        if request.quotable:
            check_lead(request.lead, request.quotable)
            text = self._truthful(request.lead, text, request.quotable)
        stream = ReplyStream(sampling.stop, "<think>" if opened else "")
        tokens = [*lead, *_split(text)]
        return _Speaking(index, rule, tokens, stream, sampling, prompt, cached, seed, len(lead),
                         likeliest=request.likeliest)  # fmt: skip

    def _lead(self, each: _Speaking) -> list[EngineEvent]:
        """All that a reply is given to begin with, at once."""
        if not each.lead or each.rule.hang:
            return []
        events = _told(each.index, each.text.push(b"".join(each.tokens[: each.lead])))
        each.said = each.lead
        return events + self._end(each, False)

    def _say(self, each: _Speaking) -> list[EngineEvent]:
        """One token of one reply, and its end where it ends."""
        from .guiding import log_softmax

        if each.rule.hang:
            return []
        if each.said == each.rule.fail_after:
            words = "the script says that this reply fails"
            return [Failed(each.index, error_from({"kind": each.rule.error, "message": words, "hint": None}))]
        events: list[EngineEvent] = []
        over = each.said >= len(each.tokens)
        if each.likeliest is not None:
            rows, piece = _logits(b"".join(each.tokens[: each.said])), b"" if over else each.tokens[each.said]
            events.append(Chosen(each.index, self._token(log_softmax(rows), piece, each.likeliest)))
        if not over:
            inside = each.text.unfinished
            events += _told(each.index, each.text.push(each.tokens[each.said]))
            each.thought += inside or each.text.unfinished
            if each.text.unfinished and each.thought == each.sampling.thinking_tokens:
                each.tokens[each.said + 1 :] = _ended(each.tokens[each.said + 1 :], each.text.closing)
        each.said += 1
        return events + self._end(each, over)

    def _end(self, each: _Speaking, over: bool) -> list[EngineEvent]:
        """The end of a reply, where it ends. `over`: it has nothing more to say."""
        reason: FinishReason
        if over or each.text.stopped:
            reason = "stop"
        elif each.said - each.thought >= each.sampling.max_tokens:
            reason = "length"
        elif each.prompt_tokens + each.said >= self._script.context_length:
            reason = "context"
        else:
            return []
        end = Finished(each.index, reason, each.prompt_tokens, each.said, each.text.unfinished)
        return [*_told(each.index, each.text.finish()), end]

    def _truthful(self, lead: str, text: str, texts: Sequence[str]) -> str:
        """What the script says after `lead`, its false quotations without their marks."""
        if lead and text and not (lead[-1].isspace() or text[0].isspace()):
            text = f" {text}"
        said = truthful(lead + text, texts)
        if not said.startswith(lead):
            words = f"what the script of {self._base} says does not go on with the quotation that its lead opens"
            raise UnsupportedError(words, "close the quotation in the lead")
        return said[len(lead) :]

    def _check(self, guide: Guide | None, adapter: Digest | None) -> None:
        """UnsupportedError for what the script does not play."""
        if guide and not self._script.guidance:
            raise UnsupportedError(f"the engine of {self._base} cannot guide", "ask without it: --guidance 0")
        wanted = (adapter, guide.adapter if guide else None)
        no_adapter(f"the engine of {self._base}", *(each for each in wanted if each not in self._script.adapters))

    def _check_length(self, tokens: int) -> None:
        limit = self._script.context_length
        if tokens > limit:
            raise ContextOverflowError(
                f"the conversation has {tokens:,} tokens; the script reads {limit:,}", "shorten it, or start a new one"
            )

    def _gone(self) -> EngineError:
        return EngineError(f"the engine of {self._base} was closed")


def open_scripted(base: "Base", settings: Settings) -> ScriptedEngine:
    """What stands behind the door `engines`; raises what `Script.load` raises."""
    return ScriptedEngine(base.name)


def _ended(rest: list[bytes], closing: str) -> list[bytes]:
    """What is left of a reply whose thinking is ended here: the answer that the script has after it."""
    _, found, answer = b"".join(rest).decode(errors="replace").partition(closing.strip())
    return _split(closing + answer.lstrip() if found else closing)


def _told(index: int, pieces: list[Piece]) -> list[EngineEvent]:
    return [Thought(index, each.text) if each.thinking else Chunk(index, each.text) for each in pieces]


def _reply(rule: Rule, system: str, question: str, sampling: Sampling, seed: int) -> str:
    """At temperature 0 the first alternative; else one that the seed and the prompt decide."""
    if not rule.replies:
        return ""
    choice = 0
    if sampling.temperature > 0:
        choice = random.Random(f"{seed}|{system}|{question}").randrange(len(rule.replies))  # noqa: S311
    voice = re.split(r"(?<=[.!?])\s", system.strip(), maxsplit=1)[0] or "I was given no system prompt."
    return rule.replies[choice].replace("{question}", question.strip()).replace("{voice}", voice)


def _split(text: str) -> list[bytes]:
    """Tokens: ASCII words with the space before them, single ASCII characters, else one or two bytes."""
    return _TOKENS.findall(text.encode("utf-8", "replace"))


def _id(token: bytes) -> int:
    return zlib.crc32(token) % VOCABULARY


def _text(token: bytes) -> str:
    return token.decode("utf-8", "surrogateescape")


def _flat(messages: Sequence[Message]) -> str:
    return "".join(f"{m.role}: {m.content}\n" for m in messages)


def _vector(text: str) -> "np.ndarray":
    """float32 [WIDTH], of length 1: the sum of directions drawn once and for all, one for each word."""
    import numpy as np

    words = re.findall(r"\w+", text.casefold()) or [""]
    rows = [np.random.default_rng(zlib.crc32(word.encode("utf-8", "replace"))).standard_normal(WIDTH) for word in words]
    whole = np.sum(rows, axis=0)
    vector: np.ndarray = (whole / np.linalg.norm(whole)).astype(np.float32)
    return vector


def _logits(before: bytes) -> "np.ndarray":
    """float32 [VOCABULARY]: drawn once and for all from what stands before."""
    import numpy as np

    return np.random.default_rng(zlib.crc32(before)).standard_normal(VOCABULARY).astype(np.float32)
