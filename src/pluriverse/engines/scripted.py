"""The scripted engine: no model, no waiting, the same words every time. For tests, demonstrations and documentation.

A script is a TOML file of rules: the first whose patterns are found in the system prompt and the question gives the
reply. A rule with `adapter = "sha256:..."` plays the base with that adapter applied: it answers requests that carry it,
and adapters that no rule names are refused. Knows scripts, a toy tokenizer and a toy distribution over 4,096 tokens.
Never claims to be a model.

    base = "scripted"              the script `plain`
    base = "scripted:demo"         one of `engines/scripts`
    base = "scripted:/path.toml"   a file of yours
"""

import asyncio
import hashlib
import random
import re
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from .. import files as user_files
from .. import toml
from ..errors import ContextOverflowError, EngineError, NotFoundError, PluriverseError, UnsupportedError, UsageError
from ..errors import from_dict as error_from
from ..settings import Settings
from ..values import Digest, Message, Sampling
from .contract import (
    AdapterKind,
    Capabilities,
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
    no_adapter,
)
from .thinking import Piece, ReplyStream
from .thinking import told as said

if TYPE_CHECKING:
    import numpy as np

    from ..assistant.bases import Base

VOCABULARY = 4096
WIDTH = 64  # of vectors
_TOKENS = re.compile(rb" ?[A-Za-z0-9']+|[\x00-\x7f]|[\x80-\xff]{1,2}")
_MESSAGE_MARKS = 3  # tokens that a message's frame would cost
_MOST_BYTES = 16 * 2**20  # of a script
_KEYS = {"pace", "context_length", "guidance", "embeds", "rule"}
_RULE_KEYS = {"system", "question", "replies", "fail_after", "error", "hang", "thinks", "adapter"}


@dataclass(frozen=True, slots=True)
class Rule:
    """`replies` are alternatives; `{question}` and `{voice}` (the system prompt's first sentence) are filled in."""

    replies: tuple[str, ...]
    system: str = ""
    question: str = ""
    fail_after: int | None = None  # tokens after which the reply ends with `error`
    error: str = "engine"  # its kind
    hang: bool = False  # say nothing until cancelled
    thinks: bool = False  # play a model whose template opens thinking: the reply begins inside it
    adapter: str = ""  # digest: only for requests that carry it


@dataclass(frozen=True, slots=True)
class Script:
    rules: tuple[Rule, ...]
    pace: float = 0.0  # seconds a step takes in which every reply says one token
    context_length: int = 4096  # tokens
    guidance: bool = True  # False: play an engine that cannot guide
    embeds: bool = field(default=True, repr=False)  # False: play an engine that cannot embed; no reply depends on it

    @classmethod
    def load(cls, name: str) -> "Script":
        """A script by its name or path. NotFoundError, or UsageError where the file cannot be understood."""
        try:
            if name.endswith(".toml"):
                data = user_files.read(Path(name).expanduser(), _MOST_BYTES)
                if len(data) > _MOST_BYTES:
                    raise ValueError(f"it has more than {_MOST_BYTES // 2**20} MB")
                text = data.decode("utf-8-sig")
            else:
                text = (files(__package__) / "scripts" / f"{Path(name).name}.toml").read_text("utf-8")
            return cls.parse(text)
        except FileNotFoundError:
            raise NotFoundError(
                f"there is no script {name!r}", 'use "scripted" or "scripted:/path/of/a.toml"'
            ) from None
        except (ValueError, TypeError, re.error, OSError, RuntimeError) as error:  # the last: ~ of nobody
            raise UsageError(f"the script {name!r} cannot be read: {error}") from error

    @classmethod
    def parse(cls, text: str) -> "Script":
        document = toml.parse(text)
        _known(document, _KEYS)
        rules = []
        for given in document.get("rule", []):
            _known(given, _RULE_KEYS)
            rule = Rule(**{**given, "replies": tuple(given.get("replies", ()))})
            re.compile(rule.system), re.compile(rule.question)
            if rule.adapter:
                Digest(rule.adapter)
            rules.append(rule)
        settings = {key: document[key] for key in ("pace", "context_length", "guidance", "embeds") if key in document}
        return cls(tuple(rules), **settings)

    @property
    def digest(self) -> Digest:
        """Of all that decides what it answers."""
        return Digest(f"sha256:{hashlib.sha256(repr(self).encode()).hexdigest()}")

    @property
    def adapters(self) -> set[str]:
        """Digests of those that it plays."""
        return {rule.adapter for rule in self.rules if rule.adapter}

    def rule(self, system: str, question: str, adapter: Digest | None) -> Rule:
        for rule in self.rules:
            applied = not rule.adapter or rule.adapter == adapter
            if applied and re.search(rule.system, system) and re.search(rule.question, question):
                return rule
        return Rule(("I have no line for this.",))


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
    said: int = 0
    thought: int = 0
    events: list[EngineEvent] = field(default_factory=list)


class ScriptedEngine:
    """See `engines.contract.Engine` for what it promises."""

    def __init__(self, base: str = "scripted", script: Script | None = None) -> None:
        self._base = base
        self._script = script or Script.load(base.partition(":")[2] or "plain")
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
            embeds=self._script.embeds,
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
            ids = [zlib.crc32(token) % VOCABULARY for token in tokens]
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

    async def aclose(self) -> None:
        self._closed = True

    def _prepare(self, index: int, request: Request) -> _Speaking:
        if request.sampling.grammar is not None:
            raise UnsupportedError(f"the engine of {self._base} cannot follow a grammar")
        self._check(request.guide, request.adapter)
        messages = request.messages if request.raw is None else (Message("user", request.raw),)
        system = next((m.content for m in messages if m.role == "system"), "")
        question = next((m.content for m in reversed(messages) if m.role == "user"), "")
        prompt = sum(len(_split(m.content)) + _MESSAGE_MARKS for m in messages)
        heard = request.guide.against if request.guide else ()
        self._check_length(max(prompt, sum(len(_split(m.content)) + _MESSAGE_MARKS for m in heard)) + 1)
        place = request.adapter, system
        cached = len(_split(system)) + _MESSAGE_MARKS if system and place in self._systems else 0
        self._systems.add(place)
        sampling = request.sampling
        seed = random.randrange(2**32) if sampling.seed is None else sampling.seed  # noqa: S311
        rule = self._script.rule(system, question, request.adapter)
        tokens = _split(_reply(rule, system, question, sampling, seed))
        opened = rule.thinks and sampling.think is not False
        tokens = tokens if rule.thinks == opened else _split(said(b"".join(tokens).decode(), opened=True).text)
        stream = ReplyStream(sampling.stop, "<think>" if opened else "")
        return _Speaking(index, rule, tokens, stream, sampling, prompt, cached, seed)

    def _say(self, each: _Speaking) -> list[EngineEvent]:
        """One token of one reply, and its end where it ends."""
        if each.rule.hang:
            return []
        if each.said == each.rule.fail_after:
            words = "the script says that this reply fails"
            return [Failed(each.index, error_from({"kind": each.rule.error, "message": words, "hint": None}))]
        events: list[EngineEvent] = []
        reason: FinishReason | None = None
        if each.said < len(each.tokens):
            inside = each.text.unfinished
            events += _told(each.index, each.text.push(each.tokens[each.said]))
            each.thought += inside or each.text.unfinished
            if each.text.unfinished and each.thought == each.sampling.thinking_tokens:
                each.tokens[each.said + 1 :] = _ended(each.tokens[each.said + 1 :], each.text.closing)
        else:
            reason = "stop"
        each.said += 1
        if reason or each.text.stopped:
            reason = "stop"
        elif each.said - each.thought >= each.sampling.max_tokens:
            reason = "length"
        elif each.prompt_tokens + each.said >= self._script.context_length:
            reason = "context"
        if reason is None:
            return events
        events += _told(each.index, each.text.finish())
        return [*events, Finished(each.index, reason, each.prompt_tokens, each.said, each.text.unfinished)]

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


def _flat(messages: Sequence[Message]) -> str:
    return "".join(f"{m.role}: {m.content}\n" for m in messages)


def _vector(text: str) -> "np.ndarray":
    """float32 [WIDTH], of length 1: the sum of directions drawn once and for all, one for each word."""
    import numpy as np

    words = re.findall(r"\w+", text.casefold()) or [""]
    rows = [np.random.default_rng(zlib.crc32(word.encode("utf-8", "replace"))).standard_normal(WIDTH) for word in words]
    whole = np.sum(rows, axis=0)
    return (whole / np.linalg.norm(whole)).astype(np.float32)


def _logits(before: bytes) -> "np.ndarray":
    """float32 [VOCABULARY]: drawn once and for all from what stands before."""
    import numpy as np

    return np.random.default_rng(zlib.crc32(before)).standard_normal(VOCABULARY).astype(np.float32)


def _known(given: dict[str, Any], keys: set[str]) -> None:
    if unknown := sorted(set(given) - keys):
        raise UsageError(f"a script has the unknown key {unknown[0]!r}", f"known: {', '.join(sorted(keys))}")
