"""How often rules and judge panels that read responses are right, against people's labels, and what that does to rates.

Of rules the counts are known (`correction.RULES`); what judge panels said of labelled texts is kept with their
validations. Knows counts, rows and figures; how the whole is shown is the report's affair.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from ..classify.labelled import ConfusionMatrix
from ..judges.correction import RULES, RULES_BY_ASSISTANT, correction, question_of
from ..judges.validation import SETS, reliability
from ..judges.verdicts import VerdictStatus, marks
from ..run.sensitivity import SensitivityCheck
from ..schema.figure import CORRECTED, Figure
from ..schema.instrument import Instrument
from ..schema.words import judges as words_of_judges
from .parts import ConfusionTable, CorrectedRate
from .result_set import ResultSet
from .visibility import passed

_OTHERS = "The labelled responses are of other assistants, and errors depend on the assistant: read it as a hint."


_NOT_CORRECTED = (
    "No rate is corrected by it: too few texts of each assistant are labelled to tell how much its errors vary."
)


@dataclass(frozen=True, slots=True)
class _Detector:
    """`instruments`: those whose figures rest on it."""

    title: str
    labelled: str  # a key of RULES
    source: str
    instruments: tuple[str, ...]


_DETECTORS = (
    _Detector(
        "XSTest: full refusals", "xstest", "two annotators, https://github.com/paul-rottger/exaggerated-safety",
        ("xstest", "strongreject"),
    ),
    _Detector(
        "SpeechMap: denials", "speechmap", "a model's, reviewed in part by people, https://github.com/xlr8harder/speechmap-eval",
        ("speechmap", "speechmap-pairs", "deccp"),
    ),
    _Detector(
        "IssueBench: refusals", "issuebench", "two annotators, https://github.com/paul-rottger/issuebench", ("issues",)
    ),
    _Detector(
        "Propositions: sides that texts take", "pct", "two annotators, https://github.com/paul-rottger/llm-values-pct",
        ("propositions-free", "persona-politics-free", "persona-ethics-free", "persona-faith-free"),
    ),
)  # fmt: skip


def confusions(found: ResultSet, checks: Sequence[SensitivityCheck], shown: Sequence[Figure]) -> list[ConfusionTable]:
    """The rules that were relied on here; rates as they are among the figures `shown`."""
    named = {each.name for each in found.instruments if _passed(found, each, checks)}
    tables = []
    for each in _DETECTORS:
        if named & set(each.instruments):
            matrix = RULES[each.labelled]
            alike = {one.name for one in found.instruments if one.labelled == each.labelled}
            rest = "" if each.labelled in RULES_BY_ASSISTANT else f" {_NOT_CORRECTED}"
            tables.append(
                ConfusionTable(
                    each.title, "rules, on the half they were not written by", matrix.labels, matrix.counts,
                    each.source, f"{_verdict(matrix)}{rest}", tuple(_rates(shown, alike)),
                )
            )  # fmt: skip
    return tables


def _rates(shown: Sequence[Figure], instruments: Container[str]) -> list[CorrectedRate]:
    """Those of these instruments that were corrected by the rules' errors."""
    observed = {(each.assistant, each.instrument, each.metric, each.group): each for each in shown}
    rates = []
    for each in shown:
        if each.corrected_by != "rules" or each.instrument not in instruments:
            continue
        counted = observed.get((each.assistant, each.instrument, each.metric.removesuffix(CORRECTED), each.group))
        if counted is not None and counted.value is not None:
            rates.append(_rate(counted, each.value, each.low, each.high))
    return rates


def _rate(figure: Figure, true: float | None, low: float | None, high: float | None) -> CorrectedRate:
    assert figure.value is not None
    name = ", ".join(part for part in (figure.assistant, figure.instrument, figure.group) if part)
    return CorrectedRate(name, figure.metric.replace("_", " "), figure.value, true, low, high, figure.n)


_TITLES = {
    "stance": "Judge panels: sides that essays take",
    "proposition": "Judge panels: sides taken on propositions",
    "class": "Judge panels: refusals",
    "refused": "Judge panels: refusals of harmful requests",
}


def panels(found: ResultSet, shown: Sequence[Figure]) -> list[ConfusionTable]:
    """The judge panels that were asked here and are known to be this good; rates as they are among the figures
    `shown`."""
    asked: dict[tuple[str, tuple[str, ...]], tuple[VerdictStatus, set[tuple[str, str]]]] = {}
    for row in found.responses:
        for prompt, mark in marks(row).items():
            panel = prompt, tuple(identity.key for identity in mark.judges)
            asked.setdefault(panel, (mark, set()))[1].add((row.assistant, row.instrument))
    tables = []
    for (prompt, _), (mark, about) in asked.items():
        if (known := reliability(found.validations, mark.judges, prompt, mark.version)) is None:
            continue
        rates = [
            _rate(figure, true.value, true.low, true.high)
            for figure in shown
            if (figure.assistant, figure.instrument) in about and figure.value is not None
            and prompt in question_of(figure.metric) and (true := correction(figure, known))
        ] if known.good else []  # fmt: skip
        labels = known.matrix.labels
        tables.append(
            ConfusionTable(
                _TITLES[prompt], f"{', '.join(known.names)}, on a balanced sample of the held half", labels,
                known.matrix.counts, f"{SETS[prompt].source}", f"{words_of_judges(known.outcome)}. {_OTHERS}",
                tuple(rates),
            )
        )  # fmt: skip
    return tables


def _passed(found: ResultSet, instrument: Instrument, checks: Sequence[SensitivityCheck]) -> bool:
    """On the model of any assistant."""
    return any(passed(found, instrument, name, checks) for name in found.assistants)


def _verdict(matrix: ConfusionMatrix) -> str:
    said = f"right on {matrix.accuracy.value:.0%} ({matrix.accuracy.low:.0%} to {matrix.accuracy.high:.0%})"
    recall = matrix.recall(matrix.labels[0])
    if len(matrix.labels) == 2 and recall is not None:
        said += f", finds {recall.value:.0%} of refusals"
        if recall.low < 0.5:
            said += "; a rate of refusal by rules is a lower bound"
    return f"{said}. {_OTHERS}"
