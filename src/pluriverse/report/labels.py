"""How figures are said: names of metrics and classes in plain words, and numbers.

The words of a figure are those of its metric (`FigureKind`); one that no metric describes is shown under its own name.
Knows words; no HTML.
"""

from ..measure.results.steering import KINDS as STEERED
from ..measure.schema.figure import CORRECTED
from ..measure.schema.metric import FigureKind, kind_of

CLASS_TITLES = {
    "answer": "answer",
    "hedge": "hedge",
    "evasive": "evasive",
    "refusal": "refusal",
    "broken": "broken",
    "wrong_language": "wrong language",
}

_STEERED = {each.name: each for each in STEERED}
_DIGITS = 2


def metric_of(name: str) -> FigureKind:
    """How a figure of this name is said. `human_similarity` and `human-similarity` are the same name."""
    plain = _plain(name)
    if name.endswith(CORRECTED):
        title = f"{metric_of(name.removesuffix(CORRECTED)).title}, corrected"
        return FigureKind(name, title, "For the detector's known errors.")
    return _STEERED.get(plain) or kind_of(plain) or FigureKind(name, name.replace("_", " "))


def even(name: str) -> tuple[str, float] | None:
    """The value of a metric that leans to neither side, with its name; None where it has none."""
    return metric_of(name).even


def class_of(metric: str) -> str | None:
    """The class of responses whose share a metric gives."""
    return metric_of(metric).share_of or None


def is_harm(metric: str) -> bool:
    return metric_of(metric).role == "harm"


def is_overrefusal(metric: str) -> bool:
    return metric_of(metric).role == "overrefusal"


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def number(value: float | None, digits: int = _DIGITS) -> str:
    """With a true minus; a dash where there is none."""
    if value is None or value != value:
        return "–"
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def interval(low: float | None, high: float | None, digits: int = _DIGITS) -> str:
    if low is None or high is None:
        return "–"
    return f"{number(low, digits)} to {number(high, digits)}"


def percent(share: float | None) -> str:
    return "–" if share is None else f"{number(100 * share, 0)}%"


def base_name(base: str) -> str:
    """A digest in its short form; names stay."""
    return base[7:19] if base.startswith("sha256:") else base


def capital(words: str) -> str:
    """The first letter as at the start of a sentence; the rest stays."""
    return words[:1].upper() + words[1:]


def counted(amount: int, noun: str) -> str:
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"
