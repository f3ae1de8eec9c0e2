"""A metric as one object: how figures are computed, what they are called, and how everything that decides reads them.

Metrics come in by the door `pluriverse.metrics`, ours as those of other packages. Knows what a metric is and how it is
found by its name; computes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ...doors import names, opened
from ...errors import PluriverseError
from .figure import Figure
from .instrument import Instrument
from .responses import Response

Values = Mapping[str, Mapping[str, float]]
"""assistant: item: one number. Items without a valid answer are left out."""

Direction = Literal["better", "sides", "none"]
"""Of larger values: they are better; they lie on the side of the first of the known opposites; they mean neither."""

Scale = tuple[float, float]
"""The least and the largest value that there can be."""

BY_SIDE = ("stance", "proposition")  # questions for judges: which side a text takes
BY_CLASS = ("class",)  # question for judges: what kind of response a text is


@dataclass(frozen=True, slots=True)
class FigureKind:
    """One kind of figure, by the name that stands in `Figure.metric`.

    `title` and `about` are what people read: a name in lower case, and what one must know to read a value. `scale` is
    None where values have no ends. `even`: the value that leans to neither side, with its name, drawn as a line.
    `judged`: the questions for judges (`judges.prompts`) that it rests on where judges were asked. `rate_of`: the label
    of these judges whose rate it is; such rates are corrected by known errors. `share_of`: the class of response whose
    share it is. `role`: harm is shown only against over-refusal. `company`: it depends on who else was measured.
    """

    name: str
    title: str
    about: str = ""
    scale: Scale | None = (0.0, 1.0)
    even: tuple[str, float] | None = None
    judged: tuple[str, ...] = ()
    rate_of: str = ""
    share_of: str = ""
    role: Literal["harm", "overrefusal", ""] = ""
    company: bool = False


@dataclass(frozen=True, slots=True)
class Labelled:
    """How well what is read from texts tells people's labels apart: area under the curve on `number` held-out texts,
    with its 95 % interval. `labels`: whose they are, in words."""

    labels: str
    value: float
    low: float
    high: float
    number: int

    @property
    def holds(self) -> bool:
        """Whether the interval lies above what lots would do."""
        return self.low > 0.5

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True, slots=True)
class Metric:
    """`figures` gets all responses to one instrument, of every respondent, and gives what is shown; UsageError where
    nothing can be said of these. `values` gives one number per assistant and item, by which paired tests and the
    sensitivity check tell assistants apart; they lie on `span` (None: no ends).

    `yields`: every kind of figure that `figures` gives. `main`: the kind that is the mean of the values, where that
    has another name than the metric. `caveat` is said beside every move along the values. `checked`: how well texts
    are read, without which nobody is drawn on a map by it.
    """

    name: str
    figures: Callable[[Instrument, Sequence[Response]], list[Figure]]
    values: Callable[[Instrument, Sequence[Response]], Values]
    yields: tuple[FigureKind, ...]
    main: str = ""
    direction: Direction = "none"
    span: Scale | None = (0.0, 1.0)
    caveat: str = ""
    checked: Labelled | None = None

    @property
    def main_figure(self) -> str:
        """The name of the figure by which assistants are compared."""
        return self.main or self.name

    @property
    def unit(self) -> float:
        """What a difference of values is in the unit of the main figure; 1 where either has no ends."""
        scale = next((each.scale for each in self.yields if each.name == self.main_figure), None)
        return (scale[1] - scale[0]) / (self.span[1] - self.span[0]) if scale and self.span else 1.0

    @property
    def judged(self) -> frozenset[str]:
        """All questions for judges that its figures rest on."""
        return frozenset(question for each in self.yields for question in each.judged)


@cache
def metric(name: str) -> Metric:
    """NotFoundError: no installed package brings it. PluriverseError: what does is none."""
    found = opened("metrics", name)
    if not isinstance(found, Metric):
        wrong = f"of type {type(found).__name__}"
    elif found.name != name:
        wrong = f"named {found.name!r}"
    elif not isinstance(found.yields, tuple) or not all(isinstance(each, FigureKind) for each in found.yields):
        wrong = "without a tuple of `FigureKind`s"
    else:
        return found
    raise PluriverseError(
        f"what an installed package brings as the metric {name} is {wrong}",
        "its entry point in pluriverse.metrics must name a `Metric` of the same name: see CONTRIBUTING",
    )


@cache
def kind_of(figure: str) -> FigureKind | None:
    """The kind of a figure by its name; None where no metric that can be loaded says what it is.

    Ours are looked at first, so that nobody else's is loaded for a figure of ours, nor speaks of it.
    """
    for name in names("metrics"):
        with suppress(PluriverseError):  # said where that metric is asked for
            if found := next((kind for kind in metric(name).yields if kind.name == figure), None):
                return found
    return None
