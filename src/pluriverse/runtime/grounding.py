"""From a question to what an assistant's works say of it: passages are found by words and by meaning, and the sentence
that answers best is chosen, or none where the works do not speak of it.

Knows works, their search, and how what embeds is made ready. Asks no model to speak.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from ..engines.quoting import quotations, standing
from ..values import Work
from ..works.index.keeping import index_words
from ..works.index.meaning import Vectors
from ..works.index.search import search
from ..works.index.vectors import Meaning
from ..works.nearness import Evidence, Weighed
from ..works.quoting import Nearness, Quotable, best, quotables
from ..works.schema import Found
from ..works.texts import text_of
from ..works.wording import Wording, wording
from .events import Fetching, FetchingWork, Studying
from .grounds import Grounds
from .meaning import WordsAlone, of_question
from .studying import study

if TYPE_CHECKING:
    from ..assistant import Assistant
    from .workspace import Workspace

FOUND = 5  # passages that are looked at, neighbours as one
_READ = 5000  # characters of them whose meaning is looked at: they cost time before the first word is on the screen
_SHOWN = 1  # passages that stand before the model: what it reads costs the time


class Grounding:
    """Finds what works say of questions, for one ask or one measurement; what embeds is made ready once."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._ready: dict[tuple[Work, ...], Meaning | WordsAlone] = {}
        self._one = asyncio.Lock()

    async def of(
        self, assistant: "Assistant", question: str, beyond: bool = False
    ) -> AsyncGenerator[FetchingWork | Fetching | Studying | Grounds, None]:
        """What the works of an assistant say of a question comes last. `beyond`: it is answered also where they say
        nothing. Raises as the search of works does.

        The first time that works are searched by meaning, what embeds is fetched and reads them: its events come first.
        """
        async with aclosing(self._studied(assistant.works)) as steps:
            async for step in steps:
                yield step
        how = of_question(self._ready[assistant.works], question)
        meaning = how if isinstance(how, Meaning) else None
        store, settings, works = self._workspace.store, self._workspace.settings, assistant.works
        found = await search(store, settings, works, question, FOUND, meaning)
        weighed = _weighed(self._workspace, works, question)
        evidence = _evidence(found, weighed)
        language = (assistant.languages or ("en",))[0]
        chosen = await self._chosen(question, language, found, weighed, meaning) if evidence.value > 0 else None
        yield Grounds(
            works=tuple(sorted(work.digest for work in works)),
            language=language,
            passages=_shown(found, chosen),
            evidence=evidence,
            quotation=chosen,
            beyond=chosen is None and beyond,
            words_alone=how.why if isinstance(how, WordsAlone) else None,
            lacking=how.model if isinstance(how, WordsAlone) and how.why != "language" else None,
        )

    async def _studied(self, works: tuple[Work, ...]) -> AsyncGenerator[FetchingWork | Fetching | Studying, None]:
        """Have these works read for their meaning, once; or know why words alone serve."""
        async with self._one:
            if works not in self._ready:
                async with aclosing(study(self._workspace, works)) as steps:
                    async for step in steps:
                        if isinstance(step, FetchingWork | Fetching | Studying):
                            yield step
                        else:
                            self._ready[works] = step

    async def _chosen(
        self, question: str, language: str, found: Sequence[Found], weighed: Weighed, meaning: Meaning | None
    ) -> Quotable | None:
        """The words that answer best."""
        says = wording(language)
        store, settings = self._workspace.store, self._workspace.settings
        works = {each.passage.work for each in found}
        known = store.works({work.digest for work in works})  # without one that could not be kept
        texts = {work: text_of(work, known.get(work.digest), settings).decode() for work in works}
        ranks = {part: rank for rank, each in enumerate(found) for part in each.parts}
        quotable = [each for part in ranks for each in quotables(part, texts[part.work]) if _can_lead(each, says)]
        if meaning is None:
            near = [Nearness(weighed.shared(each.text, each.passage.work.language)) for each in quotable]
        else:
            quotable = _of_first(quotable, _READ)
            meanings = await _Meanings.of(question, quotable, meaning)
            near = [
                Nearness(
                    weighed.shared(each.text, each.passage.work.language),
                    meanings.cosine(each.pieces),
                    meanings.cosine(each.around),
                )
                for each in quotable
            ]
        return best(list(zip(quotable, near, strict=True)), ranks)


@dataclass(frozen=True, slots=True)
class _Meanings:
    """The vectors of a question and of sentences. What is made of several sentences has the mean of theirs, the longer
    ones weighing more: each is embedded once, in however many quotations it stands."""

    question: Vectors
    sentences: Mapping[str, Vectors]

    @classmethod
    async def of(cls, question: str, quotable: Sequence[Quotable], meaning: Meaning) -> "_Meanings":
        texts = list(dict.fromkeys(piece for each in quotable for piece in each.around))
        model = meaning.model
        asked, *said = await meaning.engine.embed([model.question(question), *map(model.passage, texts)])
        return cls(asked, dict(zip(texts, said, strict=True)))

    def cosine(self, sentences: Sequence[str]) -> float:
        mean = np.sum([len(each) * self.sentences[each] for each in sentences], axis=0)
        return float(mean @ self.question / (np.linalg.norm(mean) or 1.0))


def _of_first(quotable: Sequence[Quotable], most: int) -> list[Quotable]:
    """Those of the first passages that have together about `most` characters, of at least one."""
    passages = list(dict.fromkeys(each.passage for each in quotable))
    ends = accumulate(len(passage.text) for passage in passages)
    kept = {passage for passage, end in zip(passages, ends, strict=True) if end <= most or passage is passages[0]}
    return [each for each in quotable if each.passage in kept]


async def grounded(grounding: Grounding, assistant: "Assistant", question: str) -> Grounds:
    """What the works say, for who does not wait at a screen."""
    async with aclosing(grounding.of(assistant, question)) as steps:
        async for step in steps:
            if isinstance(step, Grounds):
                return step
    raise AssertionError("it ends with grounds or an error")


def speak_of(workspace: "Workspace", works: Sequence[Work], question: str, found: Sequence[Found]) -> bool:
    """Whether works speak of a question, by the passages that were found for it: where they do not, a voice says so."""
    return _evidence(found[:FOUND], _weighed(workspace, works, question)).value > 0


def _weighed(workspace: "Workspace", works: Sequence[Work], question: str) -> Weighed:
    return Weighed.of(question, [each.index for each in index_words(workspace.store, workspace.settings, works)])


def _can_lead(quotable: Quotable, says: Wording) -> bool:
    """Whether it is one true quotation between the marks of a language: not where marks of its own end it early, or it
    has what nobody may quote."""
    opening = says.quoted(quotable.shown)
    quoted = quotations(opening)
    whole = [(each.start, each.end, each.closed) for each in quoted] == [(0, len(opening), True)]
    return whole and standing(quoted[0], [quotable.passage.text]) is not None


def _evidence(found: Sequence[Found], weighed: Weighed) -> Evidence:
    parts = [part for each in found for part in each.parts]
    covered = max((weighed.shared(part.text, part.work.language) for part in parts), default=0.0)
    by_meaning = [each.meaning for each in found if "meaning" in each.by]
    return Evidence(covered, weighed.unknown, max(by_meaning, default=None))


def _shown(found: Sequence[Found], chosen: Quotable | None) -> tuple[Found, ...]:
    """The passage that is quoted first, without what was joined to it; where none is, the nearest."""
    if chosen is None:
        return tuple(found[:_SHOWN])
    (first,) = (each for each in found if chosen.passage in each.parts)
    rest = [each for each in found if each is not first]
    return (replace(first, passage=chosen.passage, parts=(chosen.passage,)), *rest[: _SHOWN - 1])
