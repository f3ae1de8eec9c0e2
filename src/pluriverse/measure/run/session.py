"""What assistants answer to a list of questions, generated exactly as `ask` would.

Knows drafts of replies and engines; judges nothing.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import numpy as np

from ...asking.asking import settle_guidance
from ...assistant import Assistant, Opposite
from ...assistant.bases import Base
from ...assistant.per_base import on_base
from ...engines.contract import Engine, Failed, Guide, Request, Score, ScoreRequest
from ...engines.quoting import quotations
from ...errors import EngineError, UnsupportedError
from ...runtime.grounding import Grounding, grounded
from ...runtime.grounds import Grounds
from ...runtime.requests import AskOptions, Draft, Heard
from ...runtime.workspace import Workspace
from ...values import Digest, Message, Sampling
from ..classify.guards import Fluency, language_held, repetition
from ..schema.recital import trigram_recital


@dataclass(frozen=True, slots=True)
class Answers:
    """One voice's answers, in the order of the questions."""

    assistant: Assistant
    guidance: Opposite | None
    texts: tuple[str, ...]
    tokens: int
    seconds: float


class AssistantSession:
    """One assistant on its engine, ready to answer and to be scored."""

    def __init__(
        self, workspace: Workspace, assistant: Assistant, engine: Engine, base: Base, other: str | None = None
    ) -> None:
        """`other`: the base, where it is another than the assistant's own; whom it is guided against uses it too."""
        self.assistant = on_base(assistant, base.digest)
        self.engine = engine
        self._workspace = workspace
        self._base = base
        self._other = other
        self._grounds: dict[str, Grounds] = {}
        self._grounding = Grounding(workspace)
        self._leads: dict[str, int] = {}  # tokens of what an answer begins with: those asked for come on top

    @classmethod
    async def of(cls, workspace: Workspace, assistant: Assistant, base: str | None = None) -> "AssistantSession":
        """Raises what the base's store and engine raise; another `base` replaces the assistant's."""
        if base is not None:
            assistant = replace(assistant, base=base)
        ready = await workspace.ready(assistant.base)
        return cls(workspace, assistant, ready.engine, ready.base, base)

    @property
    def name(self) -> str:
        return self.assistant.name

    @property
    def digest(self) -> Digest | None:
        """Of the weights it speaks through."""
        return self.engine.identity.weights

    @property
    def place(self) -> Base:
        """Where its base is."""
        return self._base

    @property
    def model(self) -> str:
        return self._base.name

    def told_nothing(self) -> "AssistantSession":
        """The plain base under this voice."""
        plain = Assistant("plain", base=self.assistant.base)
        return AssistantSession(self._workspace, plain, self.engine, self._base)

    def opposite(self, strength: float | None = None) -> Opposite | None:
        """Whom it is guided against, with the declared strength or another one."""
        return self._draft("?", AskOptions(guidance=strength)).guidance

    def asked(self, options: AskOptions) -> tuple[Opposite | None, Sampling]:
        """Whom it is guided against, with the strength that holds on this base, and how its tokens are chosen."""
        draft = self._draft("?", options)
        settle_guidance(draft, self.engine, self._base, self._workspace)
        return draft.guidance, draft.request.sampling

    async def ground(self, questions: Iterable[str]) -> None:
        """Find what its works say of the questions; what is asked of its engine then has the passages. Nothing without
        works."""
        if self.assistant.works:
            for question in set(questions) - set(self._grounds):
                found = self._grounds[question] = await grounded(self._grounding, self.assistant, question)
                self._leads[question] = await self._tokens(found.lead)

    async def _tokens(self, lead: str) -> int:
        try:
            return await self.engine.count_tokens(lead) if lead else 0
        except UnsupportedError:
            return len(lead.encode()) // 2

    def grounds(self, question: str) -> Grounds | None:
        """What was found of a question."""
        return self._grounds.get(question)

    def messages(self, question: str) -> tuple[Message, ...]:
        return self._draft(question, AskOptions(guidance=0)).unled.messages

    def guide(self, question: str, strength: float | None = None) -> Guide | None:
        return self._draft(question, AskOptions(guidance=strength)).request.guide

    def request(self, question: str, options: AskOptions, led: bool = True) -> Request:
        """What its engine is asked, exactly as `ask` would, with the strength of guidance that holds on this base.
        Options are scored behind one that is not `led`."""
        draft = self._draft(question, options)
        settle_guidance(draft, self.engine, self._base, self._workspace)
        return draft.request if led else draft.unled

    async def answer(self, questions: Sequence[str], options: AskOptions) -> Answers:
        """All questions in one batch. Raises the error of any that failed: a measure has no holes."""
        await self.ground(questions)
        drafts = [self._draft(question, options) for question in questions]
        asked = [draft for draft in drafts if draft.reply is None]
        for draft in drafts:
            draft.declared = False  # a strength that was found before must not hide what is measured now
            settle_guidance(draft, self.engine, self._base, self._workspace)
        started = time.perf_counter()
        async for event in self.engine.generate([draft.request for draft in asked]):
            asked[event.index].take(event, time.perf_counter() - started)
        replies = [draft.reply for draft in drafts]
        for reply in replies:
            if reply is None:
                raise EngineError(f"the engine of {self.engine.base} ended before its replies did", "try again")
            if reply.error is not None:
                raise reply.error
        said = [reply for reply in replies if reply is not None]
        return Answers(
            self.assistant,
            drafts[0].guidance,
            tuple(reply.text.strip() for reply in said),
            sum(reply.completion_tokens or 0 for reply in said),
            time.perf_counter() - started,
        )

    def _draft(self, question: str, options: AskOptions) -> Draft:
        heard = Heard(self.assistant, (Message("user", question),))
        if options.base is None:
            options = replace(options, base=self._other)
        if options.max_tokens is not None:
            options = replace(options, max_tokens=options.max_tokens + self._leads.get(question, 0))
        draft = Draft(0, heard, options, self._base.name, self._workspace.shelf)
        draft.speaks_through(self._base.name, self._base.digest)
        draft.can(self.engine.capabilities)
        if grounds := self._grounds.get(question):
            draft.stand_on(grounds, 0.0)
        return draft


def own_words(text: str) -> str:
    """What a text says outside its quotations."""
    place, outside = 0, []
    for each in quotations(text):
        outside.append(text[place : each.start])
        place = each.end
    return "".join([*outside, text[place:]]).strip()


async def scores_of(engine: Engine, requests: Sequence[ScoreRequest]) -> list[tuple[Score, ...]]:
    """What each request's continuations score, all in one batch. Raises the error of any that failed."""
    if not requests:
        return []
    found: list[tuple[Score, ...]] = []
    async with aclosing(engine.score_all(requests)) as answers:  # type: ignore[type-var]
        async for answer in answers:
            if isinstance(answer, Failed):
                raise answer.error
            found.append(answer.scores)
    if len(found) < len(requests):
        raise EngineError(f"the engine of {engine.base} ended before its scores did", "call again")
    return found


async def fluency_of(voice: AssistantSession, answers: Answers, questions: Sequence[str]) -> Fluency:
    """How the answers read; perplexity is the plain base's, after the question alone. Of a voice with works it is how
    its own words read: what it quotes says nothing of the model."""
    own = [own_words(text) for text in answers.texts] if voice.assistant.works else answers.texts
    spoken = [(question, text) for question, text in zip(questions, own, strict=True) if text]
    asked = [ScoreRequest((Message("user", question),), (text,)) for question, text in spoken]
    scores = [score for (score,) in await scores_of(voice.engine, asked)]
    tokens = sum(len(score.tokens) for score in scores)
    texts = [text for _, text in spoken]
    language = voice.assistant.languages[0] if voice.assistant.languages else "en"
    return Fluency(
        perplexity=float(np.exp(-sum(score.total for score in scores) / tokens)) if tokens else float("inf"),
        repetition=float(np.mean([repetition(text) for text in texts])) if texts else 0.0,
        language=language_held(texts, language) if texts else 0.0,
        recital=float(np.mean([trigram_recital(text, voice.assistant.system) for text in texts])) if texts else 0.0,
    )
