"""How often rules and juries that read responses are right, against people's labels, and what that does to rates.

For rules the labels are read from `gold/` of the folder PLURIVERSE_DATA, the half that the rules were not written by;
without it there is nothing here but a sentence. What juries said of such texts is kept with their gauges. Knows labels,
rules and rows; how the whole is shown is the report's affair.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import NotFoundError, UsageError
from .assembling import Latest, blind
from .classes import ConfusionMatrix, GoldRow, classify, confusion, declared, gold
from .correcting import correction, question_of
from .figure import Figure
from .gauging import SETS, reliability
from .instrument import Instrument
from .measured.cells import LEAST, classified
from .proving import Proof
from .report.parts import ConfusionTable, CorrectedRate
from .responses import Response, by_assistant, by_item
from .statistics.rates import corrected, wilson
from .verdicts import Mark, marks

NOTE = (
    "How often the rules that class responses are right is told in docs/detectors.md; with people's labels at hand"
    " (PLURIVERSE_DATA, gold/) a report shows the tables and corrects rates of refusal by them."
)
_OTHERS = "The labelled responses are of other assistants, and errors depend on the assistant: read it as a hint."


@dataclass(frozen=True, slots=True)
class _Detector:
    """`labels`: what people's words count as, others as the last of `classes`; `corrects`: whose rates of refusal."""

    title: str
    gold: str
    source: str
    classes: tuple[str, ...]
    labels: Mapping[str, str]
    said: Callable[[GoldRow], str]
    instruments: tuple[str, ...]
    corrects: tuple[str, ...] = ()


def _refusal(row: GoldRow) -> str:
    told = classify(row.text, question=row.question, language="en", finish_reason=row.finish_reason)
    return "refusal" if told.kind == "refusal" else "no refusal"


def _side(row: GoldRow) -> str:
    return declared(row.text, row.issue).side


_DETECTORS = (
    _Detector(
        "XSTest: full refusals", "xstest", "two annotators, https://github.com/paul-rottger/exaggerated-safety",
        ("refusal", "no refusal"), {"full_refusal": "refusal"}, _refusal, ("xstest", "strongreject"), ("xstest",),
    ),
    _Detector(
        "SpeechMap: denials", "speechmap", "a model's, reviewed in part by people, https://github.com/xlr8harder/speechmap-eval",
        ("refusal", "no refusal"), {"denial": "refusal"}, _refusal, ("speechmap", "speechmap-pairs", "deccp"),
        ("speechmap", "speechmap-pairs", "deccp"),
    ),
    _Detector(
        "IssueBench: refusals", "issuebench", "two annotators, https://github.com/paul-rottger/issuebench",
        ("refusal", "no refusal"), {"refusal": "refusal"}, _refusal, ("issues",), ("issues",),
    ),
    _Detector(
        "Propositions: sides that texts take", "pct", "two annotators, https://github.com/paul-rottger/llm-values-pct",
        ("agree", "disagree", "other"), {"agree": "agree", "disagree": "disagree"}, _side,
        ("propositions-free", "persona-politics-free", "persona-ethics-free", "persona-faith-free"),
    ),
)  # fmt: skip


def confusions(found: Latest, proofs: Sequence[Proof], data: Path | None) -> list[ConfusionTable]:
    """The detectors that were relied on here, where labels are at hand; empty without them."""
    named = {each.name for each in found.instruments if _sees(found, each, proofs)}
    tables = []
    for each in _DETECTORS:
        if not named & set(each.instruments):
            continue
        try:
            rows = [row for row in gold(each.gold, data) if row.half == "held"]
        except NotFoundError:
            continue
        pairs = [(each.labels.get(row.label, each.classes[-1]), each.said(row)) for row in rows]
        matrix = confusion(pairs, each.classes)
        of = [instrument for instrument in found.instruments if instrument.name in each.corrects]
        several = len(of) > 1
        rates = [rate for instrument in of for rate in _rates(found, instrument, matrix, proofs, several)]
        tables.append(
            ConfusionTable(
                each.title, "rules, on the half they were not written by", each.classes, matrix.counts, each.source,
                _verdict(matrix, each.classes[0]), tuple(rates),
            )
        )  # fmt: skip
    return tables


_TITLES = {
    "stance": "Juries: sides that essays take",
    "proposition": "Juries: sides taken on propositions",
    "class": "Juries: refusals",
    "refused": "Juries: refusals of harmful requests",
}


def juries(found: Latest, shown: Sequence[Figure]) -> list[ConfusionTable]:
    """The juries that were asked here and are known to be this good; rates as they are among the figures `shown`."""
    asked: dict[tuple[str, tuple[str, ...]], tuple[Mark, set[tuple[str, str]]]] = {}
    for row in found.responses:
        for prompt, mark in marks(row).items():
            jury = prompt, tuple(seat.key for seat in mark.judges)
            asked.setdefault(jury, (mark, set()))[1].add((row.assistant, row.instrument))
    tables = []
    for (prompt, _), (mark, about) in asked.items():
        if (known := reliability(found.gauges, mark.judges, prompt, mark.version)) is None:
            continue
        rates = [
            CorrectedRate(
                " ".join(part for part in (figure.assistant, figure.instrument, figure.group) if part),
                figure.metric.replace("_", " "), figure.value, true.value, true.low, true.high, figure.n,
            )
            for figure in shown
            if (figure.assistant, figure.instrument) in about and figure.value is not None
            and prompt in question_of(figure.metric) and (true := correction(figure, known))
        ] if known.good else []  # fmt: skip
        labels = known.matrix.labels
        tables.append(
            ConfusionTable(
                _TITLES[prompt], f"{', '.join(known.names)}, on a balanced sample of the held half", labels,
                known.matrix.counts, f"{SETS[prompt].source}", f"{known.words}. {_OTHERS}", tuple(rates),
            )
        )  # fmt: skip
    return tables


def _sees(found: Latest, instrument: Instrument, proofs: Sequence[Proof]) -> bool:
    """Of any assistant."""
    return any(not blind(found, instrument, name, proofs) for name in found.assistants)


def relied_on(found: Latest) -> bool:
    """Whether any response here was classed or read by rules."""
    return any(row.kind for row in found.responses)


def _verdict(matrix: ConfusionMatrix, label: str) -> str:
    said = f"right on {matrix.accuracy.value:.0%} ({matrix.accuracy.low:.0%} to {matrix.accuracy.high:.0%})"
    recall = matrix.recall(label)
    if len(matrix.labels) == 2 and recall is not None:
        said += f", finds {recall.value:.0%} of refusals"
        if recall.low < 0.5:
            said += "; a rate of refusal by rules is a lower bound"
    return f"{said}. {_OTHERS}"


def _rates(
    found: Latest, instrument: Instrument, matrix: ConfusionMatrix, proofs: Sequence[Proof], named: bool
) -> list[CorrectedRate]:
    """Of each assistant: refusals as counted, and what the detector's errors make of them."""
    rates = []
    counts = matrix.against_rest("refusal")
    for assistant, rows in by_assistant(found.of(instrument)).items():
        shares = _refused(rows)
        if len(shares) < LEAST or blind(found, instrument, assistant, proofs):
            continue
        hits, number = float(sum(shares)), len(shares)
        name = f"{assistant}, {instrument.name}" if named else assistant
        try:
            true = corrected(hits, number, counts)
        except UsageError:  # no better than chance
            rates.append(CorrectedRate(name, "refusal", wilson(hits, number).value, None, None, None, number))
            continue
        rates.append(CorrectedRate(name, "refusal", hits / number, true.value, true.low, true.high, number))
    return rates


def _refused(rows: Sequence[Response]) -> list[float]:
    return [float(np.mean([row.kind == "refusal" for row in cells])) for cells in by_item(classified(rows)).values()]
