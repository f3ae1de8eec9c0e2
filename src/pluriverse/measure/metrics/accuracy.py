"""Whether answers are right: options picked by likelihood, mass on true answers, numbers, and the language held.

Picks and numbers follow lm-evaluation-harness b281b092 (its `base.py`, `tasks/truthfulqa.py` and `tasks/gsm8k.py`), but
for `last`, which reads numbers as people write them. Knows responses; asks nobody.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from ..classify.guards import can_tell
from ..classify.guards import language_held as share_held
from ..data.loaders.open_llm_leaderboard import marked
from ..schema.figure import Figure
from ..schema.instrument import Instrument
from ..schema.metric import FigureKind, Metric, Values
from ..schema.responses import Response, by_assistant, by_item
from ..stats.resampling import of_means, ratio
from .cells import LEAST, figure_of, grouped, mean, no_figure, rate

Score = Callable[[Instrument, Response], float]

_TELLING = 20  # letters from which the language of a text can be told
_NUMBER = re.compile(r"(?:(?<![\d.,)])-)?\d+(?:[.,]\d+)*")  # 3-5 is no -5
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}([.,])\d{3}(\1\d{3})*")  # 0.125 are none


def accuracy(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Share of items whose likeliest option is right; `norm` says whether per character."""
    return _shares(instrument, responses, "accuracy", _scored(responses), _picked)


def accuracy_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    return _values(instrument, _scored(responses), _picked)


def exact(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Share of items whose text gives the right number; none counts as wrong."""
    return _shares(instrument, responses, "exact", _written(responses), _matches)


def exact_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    return _values(instrument, _written(responses), _matches)


def mc2(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Mean share of likelihood on true answers, among all answers offered."""
    return [
        mean(instrument, assistant, "mc2", list(values.values()))
        for assistant, values in mc2_values(instrument, responses).items()
    ]


def mc2_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    return _values(instrument, _scored(responses), _mass)


def by_group(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """The instrument's first measure by subject or language, and the mean in which every group weighs the same."""
    metric = instrument.measures[0]
    figures = []
    for assistant, rows in by_assistant(_counted(instrument, responses)).items():
        groups = grouped(rows, lambda row: row.metadata.get("group"))
        if len(groups) < 2:
            continue
        figures.append(_mean_of_groups(instrument, assistant, groups))
        for group, part in groups.items():
            scores = _by_item(instrument, part, _SCORES[metric])
            if len(scores) >= LEAST:
                figures.append(_share(instrument, assistant, metric, scores, group))
    return figures


def by_group_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    return _values(instrument, _counted(instrument, responses), _SCORES[instrument.measures[0]])


def language_held(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Share of texts in the language asked, overall and by language; texts of which it cannot be told are left out."""
    figures = []
    for assistant, rows in by_assistant(_written(responses)).items():
        telling = [row for row in rows if _tells(row)]
        left = len(rows) - len(telling)
        note = f"of {left} of {len(rows)} texts it cannot be told: too short, or in a language unknown to the rule"
        note = note if left else ""
        figures.append(rate(instrument, assistant, "language_held", _held(telling), note=note))
        languages = grouped(telling, lambda row: row.language)
        for language, part in languages.items() if len(languages) > 1 else ():
            held = _held(part)
            if len(held) >= LEAST:
                figures.append(rate(instrument, assistant, "language_held", held, group=language))
    return figures


def language_held_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    return {
        assistant: {item: float(np.mean(held)) for item, held in _held([row for row in rows if _tells(row)]).items()}
        for assistant, rows in by_assistant(_written(responses)).items()
    }


def last(text: str) -> float | None:
    """The last number of a text, in any script's digits; 1,234 and 1.234 are thousands, 12.50 and 12,50 are not."""
    found = _NUMBER.findall(text)
    if not found:
        return None
    number: str = found[-1]
    if _THOUSANDS.fullmatch(number):
        return float(re.sub(r"[.,]", "", number))
    whole, point, rest = re.sub(r"[.,](?=.*[.,])", "", number).replace(",", ".").partition(".")
    return float(f"{whole}{point}{rest}")


def _picked(instrument: Instrument, row: Response) -> float:
    scores = np.array(row.logprobs, float)
    if instrument.norm == "characters":
        lengths = row.metadata.get("lengths")  # by the answers' own order
        scores = scores / np.array([lengths[number] for number in row.contents] if lengths else row.lengths, float)
    return float(row.contents[int(np.argmax(scores))] in row.target)


def _mass(instrument: Instrument, row: Response) -> float:
    """By differences to the likeliest, so that long answers do not vanish as they do in the harness."""
    logprobs = np.array(row.logprobs, float)
    chances = np.exp(logprobs - logprobs.max())
    true = [number in row.target for number in row.contents]
    return float(chances[true].sum() / chances.sum())


def _matches(instrument: Instrument, row: Response) -> float:
    if instrument.options.get("number") == "marked":
        return float(marked(row.text) == row.target[0])
    return float(last(row.text) == float(row.target[0]))


_SCORES: dict[str, Score] = {"accuracy": _picked, "mc2": _mass, "exact": _matches}


def _scored(responses: Sequence[Response]) -> list[Response]:
    return [row for row in responses if row.logprobs]


def _written(responses: Sequence[Response]) -> list[Response]:
    return [row for row in responses if not row.logprobs]


def _counted(instrument: Instrument, responses: Sequence[Response]) -> list[Response]:
    return _written(responses) if instrument.measures[0] == "exact" else _scored(responses)


def _by_item(instrument: Instrument, rows: Sequence[Response], score: Score) -> dict[str, list[float]]:
    return {item: [score(instrument, cell) for cell in cells] for item, cells in by_item(rows).items()}


def _values(instrument: Instrument, rows: Sequence[Response], score: Score) -> Values:
    return {
        assistant: {item: float(np.mean(each)) for item, each in _by_item(instrument, part, score).items()}
        for assistant, part in by_assistant(rows).items()
    }


def _shares(
    instrument: Instrument, responses: Sequence[Response], metric: str, rows: Sequence[Response], score: Score
) -> list[Figure]:
    """One figure per assistant; of those who gave no such response, that."""
    figures = []
    found = by_assistant(rows)
    for assistant in by_assistant(responses):
        scores = _by_item(instrument, found.get(assistant, []), score)
        figures.append(_share(instrument, assistant, metric, scores))
    return figures


def _share(
    instrument: Instrument, assistant: str, metric: str, scores: dict[str, list[float]], group: str = ""
) -> Figure:
    if metric == "mc2":
        return mean(instrument, assistant, metric, [float(np.mean(each)) for each in scores.values()], group=group)
    return rate(
        instrument, assistant, metric, {item: [bool(each) for each in cells] for item, cells in scores.items()}, group
    )


def _mean_of_groups(instrument: Instrument, assistant: str, groups: dict[str, list[Response]]) -> Figure:
    """Each group weighs the same, as in the leaderboard's MMLU. Items weigh the inverse of their group's size."""
    score = _SCORES[instrument.measures[0]]
    totals: dict[str, np.ndarray] = {}
    for rows in groups.values():
        for item, cells in _by_item(instrument, rows, score).items():
            part = np.array([sum(cells), len(cells)]) / len(rows)
            totals[item] = totals.get(item, 0) + part
    if len(totals) < LEAST:
        return no_figure(instrument, assistant, "mean_of_groups", len(totals))
    interval = of_means(np.array(list(totals.values())), ratio, bounds=(0.0, 1.0))
    return figure_of(
        instrument, assistant, "mean_of_groups", interval, note=f"{len(groups)} groups, each weighs the same"
    )


def _tells(row: Response) -> bool:
    return sum(map(str.isalpha, row.text)) >= _TELLING and can_tell(row.language)


def _held(rows: Sequence[Response]) -> dict[str, list[bool]]:
    return {item: [_in(cell.text, cell.language) for cell in cells] for item, cells in by_item(rows).items()}


@lru_cache(maxsize=65536)  # a text counts overall, in its language and in comparisons; telling takes a millisecond
def _in(text: str, language: str) -> bool:
    return share_held([text], language) == 1.0


_CORRECT = "Share of items answered right."

ACCURACY = Metric(
    "accuracy", accuracy, accuracy_values, (FigureKind("accuracy", "accuracy", _CORRECT),), direction="better"
)
MC2 = Metric(
    "mc2",
    mc2,
    mc2_values,
    (
        FigureKind(
            "mc2",
            "weight on true answers",
            "Share of the likelihood of all reference answers that the true ones have.",
        ),
    ),
    direction="better",
)
EXACT = Metric(
    "exact",
    exact,
    exact_values,
    (FigureKind("exact", "exact answers", "Share of items whose final number is right."),),
    direction="better",
)
BY_GROUP = Metric(
    "by_group",
    by_group,
    by_group_values,
    (FigureKind("mean_of_groups", "mean of groups", "Each subject or language weighs the same."),),
    main="mean_of_groups",
    direction="better",
)
LANGUAGE_HELD = Metric(
    "language_held",
    language_held,
    language_held_values,
    (FigureKind("language_held", "language held", "Share of answers that are in the language of the question."),),
    direction="better",
)
