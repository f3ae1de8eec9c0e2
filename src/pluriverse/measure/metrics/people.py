"""How near an assistant's answers are to people's, country by country, and the bars without which that means nothing.

Similarities are 1 - JS (base 2) and, where options are a scale, 1 - W1; S* is 1 - JS on the way from answering by lot
(0) to answering exactly as the people (1). "Don't know" is dropped on both sides first. Knows rows and formulas.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..schema.figure import PANEL, Figure
from ..schema.instrument import Instrument
from ..schema.metric import FigureKind, Metric, Values
from ..schema.responses import Response, by_assistant, by_item
from ..stats.distributions import chance_corrected, similarity_js, similarity_w1
from ..stats.intervals import LEVEL, Interval
from ..stats.resampling import LEAST as TRUSTED
from .cells import LEAST, averaged, figure_of, mean, no_figure


@dataclass(frozen=True, slots=True)
class _Item:
    """A question's opinions: people's by country, whether they are a scale; `kept`: their places among all options."""

    people: Mapping[str, np.ndarray]
    ordered: bool
    kept: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Near:
    """Of one question and country: the similarities of whoever answers, and of answering by lot."""

    item: str
    country: str
    js: float
    w1: float | None
    lot: float


def human_similarity(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Similarities to people in general and by country, S*, the nearest countries, and bars to read them by."""
    items = _items(responses)
    figures = []
    for assistant, rows in by_assistant(responses).items():
        chances = averaged(rows)
        near = [each for item, p in chances.items() if item in items for each in _nearness(item, items[item], p)]
        figures += _general(instrument, assistant, near)
        figures += _countries(instrument, assistant, near)
        unsure = [float(p.sum() - p[list(items[item].kept)].sum()) for item, p in chances.items() if item in items]
        figures.append(mean(instrument, assistant, "unsure", unsure, note="chance of an answer that is no opinion"))
    return figures + _bars(instrument, items)


def human_similarity_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    """Per item: 1 - JS, mean over countries."""
    items = _items(responses)
    return {
        assistant: {
            item: float(np.mean([each.js for each in _nearness(item, items[item], p)]))
            for item, p in averaged(rows).items()
            if item in items
        }
        for assistant, rows in by_assistant(responses).items()
    }


def _items(responses: Sequence[Response]) -> dict[str, _Item]:
    """Questions with two opinions or more that some country's people chose among."""
    found = {}
    for item, cells in by_item(responses).items():
        about = cells[0].metadata
        kept = tuple(place for place in range(len(cells[0].contents)) if place not in set(about.get("unsure", ())))
        people = {}
        for country, shares in about.get("human", {}).items():
            opinions = np.array(shares, float)[list(kept)]
            if opinions.sum() > 0:
                people[country] = opinions / opinions.sum()
        if people and len(kept) >= 2:
            found[item] = _Item(people, bool(about.get("ordered")), kept)
    return found


def _nearness(name: str, item: _Item, chances: np.ndarray) -> Iterable[_Near]:
    opinions = chances[list(item.kept)]
    opinions = opinions / opinions.sum()
    lot = np.full(len(opinions), 1 / len(opinions))
    for country, theirs in item.people.items():
        w1 = float(similarity_w1(opinions, theirs)) if item.ordered else None
        yield _Near(name, country, float(similarity_js(opinions, theirs)), w1, float(similarity_js(lot, theirs)))


def _general(instrument: Instrument, assistant: str, near: Sequence[_Near]) -> list[Figure]:
    """Each question counts once, as the mean over its countries."""
    js = _by_item(near, lambda each: each.js)
    w1 = _by_item([each for each in near if each.w1 is not None], lambda each: each.w1 or 0.0)
    figures = [
        mean(instrument, assistant, "human_similarity", js, note="1 - JS, base 2, of option probabilities"),
        mean(instrument, assistant, "human_similarity_w1", w1, note="1 - W1, scales only"),
    ]
    if len(js) < LEAST:
        return [*figures, no_figure(instrument, assistant, "s_star", len(js))]
    return [*figures, _s_star(instrument, assistant, near, "", _nearest(near))]


def _countries(instrument: Instrument, assistant: str, near: Sequence[_Near]) -> list[Figure]:
    """Countries with items enough; which they are depends on what was asked, so that few items name few."""
    figures = []
    for country, part in sorted(_by_country(near).items()):
        js = [each.js for each in part]
        figures.append(mean(instrument, assistant, "human_similarity", js, group=country))
        figures.append(_s_star(instrument, assistant, part, country, ""))
    return figures


def _by_country(near: Sequence[_Near]) -> dict[str, list[_Near]]:
    found: dict[str, list[_Near]] = {}
    for each in near:
        found.setdefault(each.country, []).append(each)
    return {country: part for country, part in found.items() if len(part) >= LEAST}


def _nearest(near: Sequence[_Near]) -> str:
    """In words: the countries whose S* is above that of most others, as far as intervals tell. By S*, since countries
    were asked questions that are not equally easy; a country stands apart where its interval, at the level that as many
    countries ask for (Bonferroni), lies above the mean of all."""
    parts = {country: part for country, part in _by_country(near).items() if len(part) >= TRUSTED}
    if len(parts) < 2:
        return f"no two countries were asked {TRUSTED} of these questions: which are nearest is not told"
    level = 1 - (1 - LEVEL) / len(parts)
    places = {country: found for country, part in parts.items() if (found := _corrected(part, level)) is not None}
    middle = float(np.mean([each.value for each in places.values()])) if places else 0.0
    apart = sorted(country for country, each in places.items() if each.low > middle)
    if not apart:
        return "no country stands out as nearest"
    return "nearer than to most: " + ", ".join(f"{country} ({places[country].value:.2f})" for country in apart)


def _corrected(near: Sequence[_Near], level: float = LEVEL) -> Interval | None:
    """S* over items; None where people answered as if by lot."""
    js, lot = (np.array(_by_item(near, value)) for value in (lambda each: each.js, lambda each: each.lot))
    return chance_corrected(js, np.ones(len(js)), lot, level) if lot.mean() < 1 else None


def _s_star(instrument: Instrument, assistant: str, near: Sequence[_Near], group: str, note: str) -> Figure:
    if (found := _corrected(near)) is None:
        why = "people answered these as if by lot: nothing can be told"
        return no_figure(instrument, assistant, "s_star", len({each.item for each in near}), group, why)
    return figure_of(instrument, assistant, "s_star", found, group, note)


def _by_item(near: Sequence[_Near], value: Callable[[_Near], float]) -> list[float]:
    found: dict[str, list[float]] = {}
    for each in near:
        found.setdefault(each.item, []).append(value(each))
    return [float(np.mean(values)) for values in found.values()]


def _bars(instrument: Instrument, items: Mapping[str, _Item]) -> list[Figure]:
    """What others than assistants reach on the same questions: without these a similarity is a bare number."""
    bars: dict[str, dict[str, list[float]]] = {"js": {}, "w1": {}}
    for item in items.values():
        people = list(item.people.values())
        lot = np.full(len(item.kept), 1 / len(item.kept))
        answers = {
            "answering by lot": [(lot, each) for each in people],
            "always the commonest answer": [(np.eye(len(each))[each.argmax()], each) for each in people],
            "people of another country": list(combinations(people, 2)),
        }
        for name, pairs in answers.items():
            if pairs:
                bars["js"].setdefault(name, []).append(float(np.mean([similarity_js(a, b) for a, b in pairs])))
            if pairs and item.ordered:
                bars["w1"].setdefault(name, []).append(float(np.mean([similarity_w1(a, b) for a, b in pairs])))
    metrics = {"js": "human_similarity", "w1": "human_similarity_w1"}
    return [
        mean(instrument, PANEL, metric, bars[kind][name], group=name, note="a bar to read the others by")
        for kind, metric in metrics.items()
        for name in bars[kind]
    ]


HUMAN_SIMILARITY = Metric(
    "human_similarity",
    human_similarity,
    human_similarity_values,
    (
        FigureKind(
            "human_similarity",
            "similarity to people",
            "1 less the Jensen-Shannon distance (base 2): 1 is the same distribution.",
        ),
        FigureKind(
            "human_similarity_w1",
            "similarity to people, on scales",
            "1 less the normalised Wasserstein distance; for ordered options.",
        ),
        FigureKind(
            "s_star",
            "corrected similarity S*",
            "0 is answering by lot, 1 is answering as people do, at the same draws.",
            scale=None,
            even=("answering by lot", 0.0),
        ),
        FigureKind("unsure", "unsure", "Chance of an answer that is no opinion."),
    ),
    direction="better",
)
