"""`panel check`: everybody answers the same questions, judges try to tell them apart, guards watch how they speak.

Yields small frozen events while it works; the last one carries the report. What is found to be too strong a guidance
is lowered to what holds, and noted for every later ask.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Coroutine, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from ..assistant import Assistant
from ..assistant.bases import resolve
from ..assistant.strengths import Found
from ..errors import IntegrityError, UnreachableError, UnsupportedError, UsageError
from ..measure.classify.guards import Fluency, broken
from ..measure.classify.personas import persona_judge, statements_of
from ..measure.data.datasets import missing, truthfulqa
from ..measure.run.session import Answers, AssistantSession, fluency_of
from ..measure.schema.reasons import RanOff
from ..measure.schema.words import ran_off
from ..measure.stats.intervals import Interval, auc_of, mean_of
from ..runtime.events import Fetching
from ..runtime.ready import fetched_all
from ..runtime.requests import AskOptions
from ..runtime.workspace import Workspace
from .facts import spread, truth_of
from .questions import chosen
from .report import MOST_QUESTIONS, FactsMissing, PanelReport, Separation, Speed, VoiceReport
from .separability import Sensitivity, calibrated, described, known_sides, sided, told_apart

_STEP = 0.5  # what strengths are multiples of where a declared one is too high
_TOKENS, _SHORTER = 48, 32  # of an answer
_FACTS = 6  # questions of fact; they are dealt out to the voices that are guided
_CONTROL = 2  # every second question is asked again: a control says 0.5, and needs no narrow interval
_QUESTIONS, _FEWER = 12, 6  # asked where nobody says how many
_LARGE = 3 * 10**8  # bytes of weights from which `_FEWER` are asked, of `_SHORTER` answers: each takes times as long


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How much is asked. More questions make the intervals narrower and the check longer; None: 12, or 6 where a base
    has weights of 300 MB or more."""

    questions: int | None = None
    seed: int = 1
    base: str | None = None  # everybody speaks through it
    facts: bool = True  # also what guidance costs in facts; else no public data are fetched

    def __post_init__(self) -> None:
        if self.questions is not None and not 4 <= self.questions <= MOST_QUESTIONS:
            raise UsageError(f"{self.questions} questions is out of range", f"ask 4 to {MOST_QUESTIONS} questions")


@dataclass(frozen=True, slots=True)
class CheckStarted:
    assistants: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckStep:
    """What is being done now, and how far it is: steps of unequal length."""

    words: str
    done: int
    steps: int


@dataclass(frozen=True, slots=True)
class StrengthLowered:
    """A voice ran off at `strength`; `lower` is the strongest at which it does not, of multiples of a half.

    It is found by halving: what holds at one strength is taken to hold below it."""

    assistant: str
    strength: float
    lower: float
    why: RanOff


@dataclass(frozen=True, slots=True)
class PanelChecked:
    """The last event."""

    report: PanelReport


CheckEvent = Fetching | CheckStarted | CheckStep | StrengthLowered | PanelChecked


async def check(
    workspace: Workspace, panel: str, assistants: Sequence[Assistant], options: CheckOptions | None = None
) -> AsyncGenerator[CheckEvent, None]:
    """Measure how plural these assistants are. UsageError for fewer than two, or a counterpart that cannot be one;
    UnsupportedError for an engine that cannot score or guide; otherwise raises what asking raises."""
    if len(assistants) < 2:
        raise UsageError("a panel of one cannot be plural", "check at least two assistants")
    if len({each.name for each in assistants}) < len(assistants):
        raise UsageError("an assistant is named twice", "name each assistant once")
    started = time.perf_counter()
    work = _Check(workspace, assistants, options or CheckOptions())
    async for event in work.everything():
        yield event
    yield PanelChecked(work.report(panel, time.perf_counter() - started))


class _Check:
    """One check while it goes on: stages that fill in what the report needs."""

    def __init__(self, workspace: Workspace, assistants: Sequence[Assistant], options: CheckOptions) -> None:
        self.workspace = workspace
        self.options = options
        self.assistants = {each.name: each for each in assistants}
        self.pairs = [
            (each.name, each.counterpart)
            for place, each in enumerate(assistants)
            if each.counterpart in {other.name for other in assistants[place + 1 :]}
            and self.assistants[each.counterpart].counterpart == each.name
        ]
        self.questions: tuple[str, ...] = ()
        self.tokens = _TOKENS
        self.voices: dict[str, AssistantSession] = {}
        self.answers: dict[str, Answers] = {}
        self.fluency: dict[str, Fluency] = {}
        self.plain: dict[str, Fluency] = {}  # by model
        self.lowered: dict[str, RanOff] = {}
        self.broken: dict[str, RanOff] = {}
        self.separations: list[Separation] = []
        self.sensitivity: Sensitivity | None = None
        self.facts: Interval | None = None
        self.facts_missing: FactsMissing | None = None
        self.unreachable: UnreachableError | None = None  # why there are no public data: asked once, not for every pair
        self.speed: Speed | None = None
        self._done = 0

    async def everything(self) -> AsyncGenerator[CheckEvent, None]:
        for stage in (self._fetch, self._answer, self._guard, self._separate, self._cost):
            async for event in stage():
                yield event

    def _step(self, words: str) -> CheckStep:
        self._done += 1
        steps = 2 * len(self.assistants) + len(self.pairs) + 5
        return CheckStep(words, min(self._done, steps), steps)

    async def _fetch(self) -> AsyncGenerator[CheckEvent, None]:
        bases = [self.options.base or each.base for each in self.assistants.values()]
        async for event in fetched_all(bases, self.workspace.store, self.workspace.settings):
            yield event
        large = any(map(self._large, bases))
        self.tokens = _SHORTER if large else _TOKENS
        number = self.options.questions or (_FEWER if large else _QUESTIONS)
        self.questions = chosen([each.outlook.dimension for each in self.assistants.values()], number)
        yield CheckStarted(tuple(self.assistants), tuple(self.pairs), self.questions)

    def _large(self, ref: str) -> bool:
        path = resolve(ref, self.workspace.store, self.workspace.settings).path
        return path is not None and path.stat().st_size >= _LARGE

    async def _answer(self) -> AsyncGenerator[CheckEvent, None]:
        """Everybody in one batch, but for the base and one guided voice: they are timed, each alone."""
        for name, assistant in self.assistants.items():
            voice = self.voices[name] = await AssistantSession.of(self.workspace, assistant, self.options.base)
            if not voice.engine.capabilities.logprobs:
                raise UnsupportedError(
                    f"the engine of {voice.model} cannot tell how likely a text is", "check on a local base: --base REF"
                )
        plain: dict[str, Answers] = {}
        for model, voice in {voice.model: voice for voice in reversed(self.voices.values())}.items():
            yield self._step(f"{model} answers without a prompt")
            base = voice.told_nothing()
            plain[model] = await self._said(base)
            self.plain[model] = await fluency_of(base, plain[model], self.questions)
        rest = list(self.voices.values())
        if alone := next((voice for voice in rest if voice.opposite()), None):
            rest.remove(alone)
            yield self._step(f"{alone.name} answers")
            said = self.answers[alone.name] = await self._said(alone)
            self.speed = _speed(said, plain[alone.model])
        yield self._step("the others answer" if alone else "all answer")
        for voice in rest:
            await voice.ground(self.questions)  # an index is made by one at a time
        answers = await _together([self._said(voice) for voice in rest])
        self.answers |= zip((voice.name for voice in rest), answers, strict=True)
        self.answers = {name: self.answers[name] for name in self.voices}

    async def _said(self, voice: AssistantSession, *, strength: float | None = None) -> Answers:
        options = AskOptions(max_tokens=self.tokens, seed=self.options.seed, guidance=strength)
        return await voice.answer(self.questions, options)

    async def _guard(self) -> AsyncGenerator[CheckEvent, None]:
        """Lower what runs off. A voice that is broken without guidance too keeps its own: that is not to blame."""
        for name, voice in self.voices.items():
            yield self._step(f"watching {name}")
            declared = self.answers[name].guidance
            first = self.fluency[name] = await fluency_of(voice, self.answers[name], self.questions)
            why = broken(first, self.plain[voice.model])
            if why and declared is None:
                self.broken[name] = why
            elif why and declared is not None:
                held = await self._lowered(voice, declared.strength)
                if held is None:
                    self.broken[name] = why
                elif held[0] < declared.strength:
                    strength, self.answers[name], self.fluency[name] = held
                    self.lowered[name] = why
                    yield StrengthLowered(name, declared.strength, strength, why)
            self._note(voice)

    async def _lowered(self, voice: AssistantSession, strength: float) -> tuple[float, Answers, Fluency] | None:
        """The strongest guidance up to `strength` at which all guards hold, found by halving; None where not even
        without guidance they do.

        What it says without guidance is asked first. A prompt alone may ask for what the base would seldom say; then
        it is this that guidance must not make much harder to read."""
        said = await self._said(voice, strength=0)
        alone, plain = await fluency_of(voice, said, self.questions), self.plain[voice.model]
        usual = replace(plain, perplexity=max(plain.perplexity, alone.perplexity))
        if broken(alone, usual):
            return None
        if not broken(self.fluency[voice.name], usual):
            return strength, self.answers[voice.name], self.fluency[voice.name]
        held = 0.0, said, alone
        lower = [step * _STEP for step in range(1, math.ceil(strength / _STEP))]
        while lower:
            middle = len(lower) // 2
            said = await self._said(voice, strength=lower[middle])
            fluency = await fluency_of(voice, said, self.questions)
            if broken(fluency, usual):
                lower = lower[:middle]
            else:
                held, lower = (lower[middle], said, fluency), lower[middle + 1 :]
        return held

    def _note(self, voice: AssistantSession) -> None:
        """Keep the strength that was found, for every later ask."""
        declared = voice.opposite()
        if declared is None:
            return
        now = self.answers[voice.name].guidance
        why = self.lowered.get(voice.name)
        strength = now.strength if now else 0.0
        kept = Found(voice.name, strength, declared.strength, ran_off(why)) if why else None
        self.workspace.strengths.keep(voice.digest, voice.assistant, declared, kept)

    async def _separate(self) -> AsyncGenerator[CheckEvent, None]:
        described_pairs = [pair for pair in self.pairs if self._sides(pair)]
        if described_pairs:
            yield self._step("statements of known side")
            self.sensitivity = await calibrated(self.voices[described_pairs[0][0]].engine, self._dimensions())
        if self.pairs:
            yield self._step("some answer once more")
        again = await _together([self._said_again(first) for first, _ in self.pairs])
        for pair, once_more in zip(self.pairs, again, strict=True):
            yield self._step(f"{pair[0]} or {pair[1]}?")
            self.separations.append(await self._separation(pair, once_more))

    async def _said_again(self, name: str) -> Answers:
        options = AskOptions(max_tokens=self.tokens, seed=self.options.seed + 1, guidance=self._strength(name))
        return await self.voices[name].answer(self.questions[::_CONTROL], options)

    def _sides(self, pair: tuple[str, str]) -> tuple[str, str] | None:
        """How the judge is told of both sides; None where one does not say where it stands."""
        a, b = (self.assistants[name].outlook for name in pair)
        return (described(a), described(b)) if (a.position or a.summary) and (b.position or b.summary) else None

    def _dimensions(self) -> list[str]:
        """Those of the pairs, as far as there are statements for them."""
        named = [self.assistants[a].outlook.dimension for a, _ in self.pairs]
        return [dimension for dimension in dict.fromkeys(named) if dimension in known_sides()] or list(known_sides())

    def _strength(self, name: str) -> float | None:
        """What the voice was guided with in the end, to ask it alike again."""
        guidance = self.answers[name].guidance
        return guidance.strength if guidance else 0.0

    async def _separation(self, pair: tuple[str, str], again: Answers) -> Separation:
        a, b = (self.answers[name].texts for name in pair)
        sides = self._sides(pair)
        if sides:
            engine = self.voices[pair[0]].engine
            texts = [(a[n], b[n], *again.texts[n // _CONTROL :][: n % _CONTROL == 0]) for n in range(len(a))]
            asked = [(question, text) for question, each in zip(self.questions, texts, strict=True) for text in each]
            odds = np.split(await sided(engine, sides, asked), np.cumsum([len(each) for each in texts])[:-1])
            value = auc_of(*np.array([each[:2] for each in odds]).T)
            control = auc_of(*np.array(odds[::_CONTROL])[:, [0, 2]].T)
        else:
            value, control = auc_of(*told_apart(a, b)), auc_of(*told_apart(a[::_CONTROL], again.texts))
        return Separation(*pair, "sides" if sides else "answers", value, control, await self._persona(pair))

    async def _persona(self, pair: tuple[str, str]) -> Interval | None:
        settings = self.workspace.settings
        if self.unreachable or (not self.options.facts and missing(statements_of(*pair), settings)):
            return None  # without facts nothing is fetched: what is here already is used
        try:
            judge = await persona_judge(*pair, settings)
        except UnreachableError as error:  # a judge more would be welcome; the other one stands
            self.unreachable = error
            return None
        if judge is None:
            return None
        a, b = (judge.score(self.answers[name].texts) for name in pair)
        return auc_of(a, b)

    async def _cost(self) -> AsyncGenerator[CheckEvent, None]:
        guided = [voice for name, voice in self.voices.items() if self.answers[name].guidance is not None]
        if not guided:
            self.facts_missing, self.speed = FactsMissing("nobody guided"), None
            return
        if not self.options.facts or self.unreachable:
            why = FactsMissing("no data", self.unreachable.message) if self.unreachable else None
            self.facts_missing = why if why and self.options.facts else FactsMissing("not asked")
            return
        try:
            questions = spread(await truthfulqa(self.workspace.settings), _FACTS)
        except (UnreachableError, IntegrityError) as error:
            self.facts_missing = FactsMissing("no data", error.message)
            return
        lost, hands = [], max(min(len(guided), _FACTS), 2)
        for number, voice in enumerate(guided):
            yield self._step(f"facts of {voice.name}")
            asked = questions[number % hands :: hands]
            lost.append(np.subtract(*(await truth_of(voice, asked, self._strength(voice.name))).T))
        self.facts = mean_of(np.concatenate([np.mean(lost[n::hands], axis=0) for n in range(min(hands, len(lost)))]))

    def report(self, panel: str, seconds: float) -> PanelReport:
        matrix = [
            Separation(a, b, "answers", auc_of(*told_apart(self.answers[a].texts, self.answers[b].texts)))
            for a, b in combinations(self.answers, 2)
        ]
        return PanelReport(
            panel=panel,
            bases=tuple(dict.fromkeys(voice.model for voice in self.voices.values())),
            questions=self.questions,
            seed=self.options.seed,
            sensitivity=self.sensitivity,
            pairs=tuple(self.separations),
            matrix=tuple(matrix),
            voices=tuple(self._voice_report(voice) for voice in self.voices.values()),
            plain=next(iter(self.plain.values())),
            facts=self.facts,
            facts_missing=self.facts_missing,
            speed=self.speed,
            seconds=seconds,
        )

    def _voice_report(self, voice: AssistantSession) -> VoiceReport:
        declared = voice.opposite()
        return VoiceReport(
            voice.name,
            self.answers[voice.name].guidance,
            declared.strength if declared else 0.0,
            self.fluency[voice.name],
            self.lowered.get(voice.name),
            self.broken.get(voice.name),
        )


def _speed(guided: Answers, plain: Answers) -> Speed | None:
    if not (guided.seconds > 0 and plain.seconds > 0 and plain.tokens):
        return None
    return Speed(guided.tokens / guided.seconds, plain.tokens / plain.seconds)


async def _together(answering: Sequence[Coroutine[Any, Any, Answers]]) -> list[Answers]:
    """Their engines decode them in one batch. Raises the first error, after the others have ended."""
    tasks = [asyncio.ensure_future(each) for each in answering]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
