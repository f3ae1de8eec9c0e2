"""From rows to what statistics take: a distribution per item, a figure from an interval, a sentence where none can be.

Knows responses, figures and how cells of one item belong together; no formula and no instrument.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.reasons import FewItems, NotMeasurable, Remark, TooFew
from ..schema.responses import Response, by_item
from ..stats.intervals import Interval
from ..stats.rates import wilson
from ..stats.resampling import LEAST as TRUSTED
from ..stats.resampling import of_means, trusted

LEAST = 8  # items; of fewer nothing is said

_TIED = 1e-9  # what rounding leaves of no difference

Key = Callable[[Response], Any]


def figure_of(
    instrument: Instrument,
    assistant: str,
    metric: str,
    interval: Interval,
    group: str = "",
    note: str = "",
    remarks: tuple[Remark, ...] = (),
) -> Figure:
    """The figure of an interval; of fewer items than intervals are good for, it says so. `note`: its caption."""
    few = () if trusted(interval) else (FewItems(TRUSTED),)
    return Figure(
        assistant, instrument.name, metric, interval.value, interval.low, interval.high, interval.number, group, note,
        remarks=(*remarks, *few),
    )  # fmt: skip


def no_figure(
    instrument: Instrument, assistant: str, metric: str, number: int, group: str = "", why: str = ""
) -> Figure:
    """No value, and why: too few items, where the metric does not say another thing."""
    reason = NotMeasurable(why) if why else TooFew(number, LEAST)
    return Figure(assistant, instrument.name, metric, None, None, None, number, group, withheld=reason)


def mean(
    instrument: Instrument,
    assistant: str,
    metric: str,
    values: Sequence[float],
    *,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    group: str = "",
    note: str = "",
) -> Figure:
    """Mean of one value per item, resampled by item."""
    if len(values) < LEAST:
        return no_figure(instrument, assistant, metric, len(values), group)
    return figure_of(instrument, assistant, metric, of_means(np.array(values, float), bounds=bounds), group, note)


def rate(
    instrument: Instrument,
    assistant: str,
    metric: str,
    hits: Mapping[str, Sequence[bool]],
    group: str = "",
    note: str = "",
) -> Figure:
    """Share of yes: Wilson's interval where each item was asked once, else resampled by item. `hits` is by item."""
    if len(hits) < LEAST:
        return no_figure(instrument, assistant, metric, len(hits), group)
    if all(len(each) == 1 for each in hits.values()):
        share = wilson(sum(each[0] for each in hits.values()), len(hits))
        return figure_of(instrument, assistant, metric, share, group, note)
    shares = [float(np.mean(each)) for each in hits.values()]
    return mean(instrument, assistant, metric, shares, group=group, note=note)


def grouped(responses: Iterable[Response], key: Key) -> dict[Any, list[Response]]:
    """In the order in which the keys first appear; those whose key is None are left out."""
    found: dict[Any, list[Response]] = {}
    for response in responses:
        if (name := key(response)) is not None:
            found.setdefault(name, []).append(response)
    return found


def probabilities(response: Response) -> np.ndarray:
    """Chances of the options among themselves, by the answers' own order whatever the rotation; float64 [options]."""
    logprobs = np.array(response.logprobs, float)
    chances = np.exp(logprobs - logprobs.max())
    placed = np.empty(len(chances))
    placed[list(response.contents)] = chances / chances.sum()
    return placed


def by_wording(responses: Sequence[Response]) -> dict[str, np.ndarray]:
    """Of one item: chances of its options in each wording, averaged over rotations."""
    return {
        wording: np.mean([probabilities(each) for each in cells], 0)
        for wording, cells in grouped(responses, lambda each: each.wording).items()
    }


def averaged(responses: Sequence[Response]) -> dict[str, np.ndarray]:
    """By item: chances of its options, averaged over rotations, then over wordings."""
    scored = [each for each in responses if each.logprobs]
    return {item: np.mean(list(by_wording(cells).values()), 0) for item, cells in by_item(scored).items()}


def likeliest(chances: np.ndarray) -> int | None:
    """The place of the largest chance; None where two share it, so that answering by lot picks nothing."""
    place = int(chances.argmax())
    return place if (chances >= chances[place] - _TIED).sum() == 1 else None


def place_picked(response: Response, instrument: Instrument | None) -> int | None:
    """The place of the option that is likeliest as the instrument compares them; None for texts."""
    if not response.logprobs:
        return None
    per: Sequence[int] = (1,) * len(response.logprobs)
    if instrument and instrument.norm == "characters":
        own = response.metadata.get("lengths")  # by the answers' own order, as `accuracy` takes them
        per = [own[content] for content in response.contents] if own else response.lengths
    shares = [total / max(length, 1) for total, length in zip(response.logprobs, per, strict=True)]
    return shares.index(max(shares))


def classified(responses: Sequence[Response]) -> list[Response]:
    """Texts whose class is known."""
    return [each for each in responses if each.kind]
