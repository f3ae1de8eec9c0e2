"""How figures are said: names of metrics and classes in plain words, and numbers.

A metric that is not listed here is shown under its own name. Knows words; no HTML.
"""

import re
from dataclasses import dataclass

from ..measure.results.parts import CLASSES
from ..measure.schema.figure import CORRECTED

HARM = ("compliance", "strongreject", "harm")  # by any name it is shown only against over-refusal
OVERREFUSAL = ("overrefusal", "over_refusal")

CLASS_TITLES = {
    "answer": "answer",
    "hedge": "hedge",
    "evasive": "evasive",
    "refusal": "refusal",
    "broken": "broken",
    "wrong_language": "wrong language",
}

# metric: its name in words, and what a reader must know to read it
_JS = ("similarity to people", "1 less the Jensen-Shannon distance (base 2): 1 is the same distribution.")
_W1 = ("similarity to people, on scales", "1 less the normalised Wasserstein distance; for ordered options.")
_SHARED = ("explained by the choice of assistant", "Share of all uncertainty that lies between assistants.")
_UNEVEN = ("refusal asymmetry", "Refusals about one target less those about its match; 0 is even-handed.")
_RIGHT = ("accuracy", "Share of items answered right.")
_METRICS = {
    "accuracy": _RIGHT,
    "acc": _RIGHT,
    "acc_norm": ("accuracy", "Share of items answered right; options are compared per character."),
    "mc2": ("weight on true answers", "Share of the likelihood of all reference answers that the true ones have."),
    "exact": ("exact answers", "Share of items whose final number is right."),
    "mean_of_groups": ("mean of groups", "Each subject or language weighs the same."),
    "language_held": ("language held", "Share of answers that are in the language of the question."),
    "culture_match": ("match with people's answers", "1: what most people of the place said; 0: what nobody said."),
    "culture_match_any": ("match with anybody's answer", "Share of answers that somebody of the place gave too."),
    "agreement": ("agreement", "0.5 leans to neither side; yes to everything is taken out of it."),
    "acquiescence": ("acquiescence", "Chance of yes to a statement and to its reverse, less 1: 0 is none."),
    "neither": ("neither", "Share of answers that take no side."),
    "leaning": ("leaning", "0.5 is neither way, 1 always left, 0 always right."),
    "vocabulary": ("vocabulary", "Whose words answers use, not which stance they take; the note names the two sides."),
    "praise": ("praise", "0: none; 1: in favour of whatever is asked about."),
    "human_similarity": _JS,
    "similarity": _JS,
    "human_similarity_w1": _W1,
    "s_star": ("corrected similarity S*", "0 is answering by lot, 1 is answering as people do, at the same draws."),
    "unsure": ("unsure", "Chance of an answer that is no opinion."),
    "diversity": ("diversity between assistants", "Bits per item by which assistants differ."),
    "diversity_share": _SHARED,
    "share_explained": _SHARED,
    "overton_coverage": ("Overton coverage", "Share of the positions that people hold which somebody here takes."),
    "overton_contested": ("Overton coverage, countries differing", "Only of questions on which countries differ."),
    "marginal_gain": ("gain to the panel", "Overton coverage that is lost if this assistant leaves the panel."),
    "shapley_part": (
        "part of the panel's coverage",
        "Each position is shared among those who take it; the parts sum to the panel's coverage.",
    ),
    "steering_gain": ("steering toward its pole", "How far it moved from the plain base; 1 is from pole to pole."),
    "steering_cross": ("steering elsewhere", "How far it moved on an axis that it is not about."),
    "steering_net": ("steering, net", "Moved toward its pole less the largest move elsewhere; above 0 it is steered."),
    "pair_gain": ("counterparts apart", "How far the two of a pair are from each other; 1 is from pole to pole."),
    "pair_cross": ("counterparts apart elsewhere", "On an axis that the pair is not about."),
    "pair_net": ("counterparts apart, net", "On their axis less the largest distance elsewhere."),
    "order_stability": ("stability under order", "Share of wordings with one answer under all orders of options."),
    "paraphrase_stability": (
        "stability under paraphrase",
        "How alike answers to wordings of one item are; with coverage.",
    ),
    "paraphrase_agreement": ("agreement of wordings", "Chance that two wordings of one item get the same answer."),
    "stance": ("stance", "Mean stance of free text, from −1 (against) to 1 (for)."),
    "lean": (
        "lean",
        "How much likelier side a's telling of an event is, in nats per 100 characters; sides are in no order.",
    ),
    "controls": ("plain facts told apart", "Share of uncontested facts whose right telling is likelier."),
    "control_gap": ("unit of a lean", "How much likelier right facts are than wrong ones, in nats per 100 characters."),
    "consistency": ("consistency", "Share of pairs whose side does not change with the leaning of the question."),
    "pull": (
        "pull of the question",
        "How far a question that leans moves the answer its way, in nats per 100 characters.",
    ),
    "language_gap": (
        "gap between languages",
        "Mean distance of an event's leans in two languages, in units of plain facts.",
    ),
    "choice_a": ("picks side a", "Share of pairs; sides are in no order."),
    "choice_b": ("picks side b", "Share of pairs; sides are in no order."),
    "asymmetry": _UNEVEN,
    "refusal_asymmetry": _UNEVEN,
    "share_silent": ("silence", "Share of refusals and evasions."),
    "compliance": ("compliance with harm", "Share of harmful requests that are complied with."),
    "strongreject": ("StrongREJECT score", "Convincing, specific help with harmful requests, 0 to 1, by judges."),
    "overrefusal": ("over-refusal", "Share of harmless requests that only sound harmful and are refused."),
    "refusal_of_unsafe": ("refusal of harmful requests", "Share of harmful requests refused."),
}

# metric: a value that leans to neither side, drawn as a line
_EVEN = {
    "agreement": ("neither side", 0.5),
    "leaning": ("neither side", 0.5),
    "reading": ("neither side", 0.0),
    "stance": ("neither side", 0.0),
    "acquiescence": ("none", 0.0),
    "praise": ("none", 0.0),
    "asymmetry": ("even", 0.0),
    "refusal_asymmetry": ("even", 0.0),
    "s_star": ("answering by lot", 0.0),
    "steering_gain": ("not moved", 0.0),
    "steering_net": ("not moved", 0.0),
}

_SHARE = re.compile(r"^(?:share(?:_of)?[_: ]*)?(\w+?)(?:[_ ]?share)?$")
_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Metric:
    title: str
    about: str


def metric_of(name: str) -> Metric:
    """Its words. `human_similarity` and `human-similarity` are the same name."""
    if found := _METRICS.get(_plain(name)):
        return Metric(*found)
    if name.endswith(CORRECTED):
        return Metric(f"{metric_of(name.removesuffix(CORRECTED)).title}, corrected", "For the detector's known errors.")
    if kind := class_of(name):
        return Metric(f"share of {CLASS_TITLES[kind]}", "")
    return Metric(name.replace("_", " "), "")


def even(name: str) -> tuple[str, float] | None:
    """The value of a metric that leans to neither side, with its name; None where it has none."""
    return _EVEN.get(_plain(name))


def class_of(metric: str) -> str | None:
    """The class of responses whose share a metric gives: `refusal`, `share_refusal`, `refusal share`."""
    found = _SHARE.match(_plain(metric))
    return found[1] if found and found[1] in CLASSES else None


def is_harm(metric: str) -> bool:
    return _plain(metric) in HARM


def is_overrefusal(metric: str) -> bool:
    return _plain(metric) in OVERREFUSAL


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
