"""Judge panels at work: who sits on them, what they are asked about which response, first on texts of known label.

A judge is a model, or an assistant's model; the assistant's own words are not heard. Whoever shares the weights of the
judged is left out for those responses. Judges take turns by the `TOGETHER` texts, so that large ones need not be in
memory at once. What was said before is not asked again. Knows engines, rows and records; no figures.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cache

from ... import catalogue
from ...assistant.bases import Base, resolve
from ...errors import IntegrityError, NotFoundError, UnreachableError, UsageError
from ...runtime.workspace import Workspace
from ...settings import Settings
from ...store.gguf import read_header
from ..classify.rules import ANSWERED
from ..data.datasets import known as known_data
from ..data.datasets import labelled, of_set
from ..judges.panel import Case, Judge, Judges, Verdict, majority
from ..judges.prompts import judge_prompt
from ..judges.validation import SETS, JudgeIdentity, JudgeValidations, sample, validation_of
from ..judges.verdicts import OPEN, STRONGREJECT, VerdictRow, about, digest
from ..schema.instrument import Instrument
from ..schema.metric import metric
from ..schema.reasons import DoesNotJudge, LabelsUsed, NoLabels, Notice
from ..schema.responses import Respondent, Response
from .record import Record

TOGETHER = 16  # texts that one judge reads before the next takes its turn; a kill loses no more
_CONTEXT = 4096  # tokens: a judged text of the greatest length, its question and the prompt
_NAMED = re.compile(r"(.+[^=?#\s])=([A-Za-z][\w.-]*)")


@dataclass(frozen=True, slots=True)
class Step:
    """What is going on, and how much of it is done."""

    words: str
    done: int
    total: int


def questions(instrument: Instrument, row: Response) -> tuple[str, ...]:
    """What a judge panel is asked about a response: what rules leave open, and what they cannot give."""
    if not row.text or row.logprobs or row.kind not in ANSWERED | OPEN:
        return ()
    asked = ["class"] if row.kind in OPEN else []
    if row.kind in ANSWERED:
        if "issue" in row.metadata:
            asked.append("stance")
        elif row.metadata.get("proposition") or row.metadata.get("statement"):
            asked.append("proposition")
    return tuple(each for each in (*asked, *STRONGREJECT) if each in _judged(instrument.measures))


@cache
def _judged(measures: tuple[str, ...]) -> frozenset[str]:
    """The questions that some figure of these rests on."""
    return frozenset(question for name in measures for question in metric(name).judged)


class JudgePanel:
    """The judges of one measurement, by the place in which they were named."""

    def __init__(self, workspace: Workspace, refs: Sequence[str], judges: Sequence[JudgeIdentity]) -> None:
        self._workspace, self._refs, self.judges = workspace, refs, tuple(judges)
        self._judges: dict[int, Judge] = {}

    @classmethod
    def of(cls, workspace: Workspace, names: Sequence[str]) -> "JudgePanel":
        """UsageError for more than three judges or two of one family; NotFoundError for a model that is not here."""
        refs = refs_of(workspace, names)
        judges = []
        for name, ref in zip(names, refs, strict=True):
            base = resolve(ref, workspace.store, workspace.settings)
            family = _split(name)[1] or family_of(base)
            judges.append(JudgeIdentity(base.name, family, str(base.digest) if base.digest else None))
        Judges([Judge(each.name, each.family, None) for each in judges])  # type: ignore[arg-type]  # only to be refused
        return cls(workspace, refs, judges)

    def places(self, respondent: Respondent) -> tuple[int, ...]:
        """Judges that are not the judged."""
        return tuple(
            place
            for place, identity in enumerate(self.judges)
            if not (identity.weights == respondent.weights if identity.weights else identity.name == respondent.base)
        )

    def check(self, respondents: Sequence[Respondent]) -> list[DoesNotJudge]:
        """Who does not judge whom. UsageError where nobody is left to judge anybody."""
        if not any(self.places(each) for each in respondents):
            names = ", ".join(identity.name for identity in self.judges)
            raise UsageError(
                f"{names} would judge itself: all that is measured speaks through it", "name a judge with other weights"
            )
        left = []
        for each in respondents:
            kept = self.places(each)
            judges = [identity for place, identity in enumerate(self.judges) if place not in kept]
            left += [DoesNotJudge(identity.name, each.assistant, bool(kept)) for identity in judges]
        return list(dict.fromkeys(left))

    async def judge(self, place: int) -> Judge:
        """With its engine, which may have had to make room for another."""
        identity = self.judges[place]
        ready = await self._workspace.ready(self._refs[place], context=_CONTEXT)
        known = self._judges.setdefault(place, Judge(identity.name, identity.family, ready.engine))
        known.engine = ready.engine
        return known


def refs_of(workspace: Workspace, names: Sequence[str]) -> list[str]:
    """The models that are meant: an assistant stands for the model it speaks through."""
    found = []
    for name in names:
        ref = _split(name)[0]
        try:
            found.append(workspace.shelf.assistant(ref).base)
        except NotFoundError:
            found.append(ref)
    return found


def _split(name: str) -> tuple[str, str]:
    """NAME=FAMILY, or NAME."""
    named = _NAMED.fullmatch(name)
    return (named[1], named[2].lower()) if named and not named[1].endswith("sha256") else (name, "")


def family_of(base: Base) -> str:
    """Whose models it belongs to: by the catalogue, else by what the model's file says of its origin, else its name."""
    entries = catalogue.entries()
    entry = next((e for e in entries if e.id == base.name or (e.digest and e.digest == base.digest)), None)
    if entry is not None:
        if not entry.parents:
            return entry.maker.lower()
        owner = entry.parents[0].partition("/")[0]
        makers = Counter(e.maker for e in entries if e.parents and e.parents[0].partition("/")[0] == owner)
        return makers.most_common(1)[0][0].lower()
    metadata = read_header(base.path).metadata if base.path else {}
    for key in ("general.base_model.0.organization", "general.organization", "general.architecture"):
        if isinstance(value := metadata.get(key), str) and value:
            return value.lower()
    return base.name


# --- on texts of known label ------------------------------------------------------------------------------------------


async def validated(panel: JudgePanel, prompts: Sequence[str], settings: Settings) -> AsyncIterator[Step | Notice]:
    """Ask each judge once about texts that people labelled; its votes are kept. Notices where that cannot be."""
    kept = JudgeValidations(settings.home)
    for name in prompts:
        prompt = judge_prompt(name)
        if name not in SETS:
            yield NoLabels(name)
            continue
        known = {each.key for each in kept.all()}
        missing = [
            place for place, identity in enumerate(panel.judges) if (identity.key, name, prompt.version) not in known
        ]
        if not missing:
            continue
        try:
            rows = sample(name, await labelled(SETS[name].name, settings))
        except (NotFoundError, UnreachableError, IntegrityError) as error:
            yield NoLabels(name, error.message, error.hint or "")
            continue
        about_it = known_data()[of_set(f"gold-{SETS[name].name}")[0]]
        yield LabelsUsed(name, about_it.set_title, about_it.licence)
        for place in missing:
            judge, said = await panel.judge(place), []
            for low in range(0, len(rows), TOGETHER):
                yield Step(f"can {judge.name} judge {name}?", low, len(rows))
                cases = [Case(row.text, row.question, row.issue) for row in rows[low : low + TOGETHER]]
                said += [vote.label for vote in await judge.votes(prompt, cases)]
            kept.keep(validation_of(panel.judges[place], name, prompt.version, rows, said))


# --- on responses -----------------------------------------------------------------------------------------------------

_Open = tuple[Response, str, tuple[int, ...]]


async def verdicts_on(panel: JudgePanel, record: Record, instruments: Sequence[Instrument]) -> AsyncIterator[Step]:
    """Verdicts on all responses that want one and have none of these judges yet; written down as they come."""
    cases = _cases(panel, record, instruments)
    groups: dict[tuple[str, tuple[int, ...]], list[Response]] = {}
    for row, prompt, places in cases:
        groups.setdefault((prompt, places), []).append(row)
    done = 0
    for (prompt, places), rows in groups.items():
        for low in range(0, len(rows), TOGETHER):
            yield Step(f"judging {prompt}", done, len(cases))
            part = rows[low : low + TOGETHER]
            record.rule(await _verdict_rows(panel, prompt, places, part))
            done += len(part)
    if cases:
        yield Step("judging", done, len(cases))


def asked(panel: JudgePanel, record: Record, instruments: Sequence[Instrument]) -> list[str]:
    """The questions that there is any response for."""
    return list(dict.fromkeys(prompt for _, prompt, _ in _cases(panel, record, instruments, again=True)))


def _cases(panel: JudgePanel, record: Record, instruments: Sequence[Instrument], again: bool = False) -> list[_Open]:
    """Responses, what is asked about them, and who is asked; `again`: those that have their verdict too."""
    known = {(each.about, each.prompt_version, each.panel) for each in record.verdict_rows}
    by_name = {each.name: each for each in instruments}
    places = {each.key: panel.places(each) for each in record.plan.respondents}
    found = []
    for row in record.responses:
        who = places[row.respondent]
        if not who or row.instrument not in by_name:
            continue
        keys = tuple(sorted(panel.judges[place].key for place in who))
        for prompt in questions(by_name[row.instrument], row):
            if again or (about(row, prompt), judge_prompt(prompt).version, keys) not in known:
                found.append((row, prompt, who))
    return found


async def _verdict_rows(
    panel: JudgePanel, name: str, places: tuple[int, ...], rows: Sequence[Response]
) -> list[VerdictRow]:
    """One judge after the other reads all of them."""
    prompt = judge_prompt(name)
    cases = [Case(row.text, row.prompt, _issue(row)) for row in rows]
    votes = []
    for place in places:
        judge = await panel.judge(place)
        votes.append(await judge.votes(prompt, cases))
    found = []
    for row, said in zip(rows, zip(*votes, strict=True), strict=True):
        labels = tuple(vote.label for vote in said)
        verdict = Verdict(majority(labels, ordered=prompt.ordered), said)
        found.append(
            VerdictRow(
                row.respondent, row.instrument, row.version, row.cell, digest(row.text), name, prompt.version,
                tuple(panel.judges[place] for place in places), labels, verdict.label, verdict.unanimous,
            )
        )  # fmt: skip
    return found


def _issue(row: Response) -> str:
    return str(next((row.metadata[key] for key in ("issue", "proposition", "statement") if row.metadata.get(key)), ""))
