"""Opinions: agreement with outlooks, nearness to people's answers, diversity of a panel, stability of answers.

Works on chances of options (forced or unforced choice) and on what texts declare (free); one call sees one mode only,
since the three give different figures of the same assistant. Knows rows and formulas of `statistics`; asks nobody.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UsageError
from ..classify.rules import ANSWERED
from ..classify.stance import declared
from ..schema.figure import PANEL, Figure
from ..schema.instrument import Instrument
from ..schema.metric import BY_SIDE, FigureKind, Labelled, Metric, Values
from ..schema.responses import Response, by_assistant, by_item
from ..stats.distributions import diversity as spread_of
from ..stats.distributions import similarity_js
from ..stats.stability import balanced, paraphrase_stability
from .cells import LEAST, averaged, by_wording, figure_of, grouped, mean, no_figure, probabilities
from .stances import side_of_issue

_MODES = {
    "forced": "forced: only the two sides could be picked",
    "unforced": "unforced: neither could be picked too",
    "free": "free text, read by rules",
}


def one_mode(responses: Sequence[Response]) -> str:
    """The mode of asking; UsageError where two were mixed."""
    modes = {str(row.metadata.get("mode", "")) for row in responses}
    if len(modes) > 1:
        named = " and ".join(sorted(modes))
        raise UsageError(f"{named} answers are never one figure", "measure each instrument by itself")
    return modes.pop() if modes else ""


# --- agreement -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """Of one item: chances of yes and of no, and its keys."""

    yes: float
    no: float
    polarity: int
    side: int
    group: str

    @property
    def toward(self) -> float:
        """Yes as 1, no as 0, neither as one half."""
        return (1 + self.yes - self.no) / 2


def agreement(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Agreement freed of acquiescence on the instrument's axis and by group, acquiescence, and the share of neither.

    0.5 leans neither way. Neither (unforced, or a text that takes no side) counts as half a yes.
    """
    mode = one_mode(responses)
    figures = []
    for assistant, rows in by_assistant(responses).items():
        read = mode == "free" and any("stance" in row.metadata for row in rows)
        words = "free text, read by judges, and by rules where they reach no majority" if read else _MODES.get(mode, "")
        said = _said(rows)
        axis = [(each, each.polarity * each.side) for each in said.values() if each.side]
        note = "; ".join(part for part in (_poles(instrument), words) if part)
        figures += _balanced(instrument, assistant, axis, "", note)
        groups = {each.group for each in said.values()}
        for group in sorted(groups) if len(groups) > 1 else ():
            part = [(each, each.polarity) for each in said.values() if each.group == group]
            if len(part) >= LEAST:
                figures += _balanced(instrument, assistant, part, group, words)[:1]
        if mode != "forced":
            neither = [1 - each.yes - each.no for each in said.values()]
            figures.append(mean(instrument, assistant, "neither", neither, note=words))
    return figures


def agreement_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    """Per item, from -1 to 1: toward the first side of the axis; saying yes to everything cancels out over items."""
    one_mode(responses)
    return {
        assistant: {
            item: each.side * each.polarity * (each.yes - each.no) for item, each in _said(rows).items() if each.side
        }
        for assistant, rows in by_assistant(responses).items()
    }


def _balanced(
    instrument: Instrument, assistant: str, keyed: Sequence[tuple[_Said, int]], group: str, note: str
) -> list[Figure]:
    keys = np.array([key > 0 for _, key in keyed], bool)
    if len(keyed) < LEAST or min(keys.sum(), (~keys).sum()) < 2:
        why = "" if len(keyed) < LEAST else "all statements have one key: agreeing cannot be told from saying yes"
        return [
            no_figure(instrument, assistant, name, len(keyed), group, why) for name in ("agreement", "acquiescence")
        ]
    found = balanced(np.array([each.toward for each, _ in keyed]), keys)
    return [
        figure_of(instrument, assistant, "agreement", found.agreement, group, note),
        figure_of(instrument, assistant, "acquiescence", found.acquiescence, group, "0: none; 1: yes to everything"),
    ]


def _said(rows: Sequence[Response]) -> dict[str, _Said]:
    """By item, those with an answer."""
    chances = chances_of(rows)
    found = {}
    for item, cells in by_item(rows).items():
        if item not in chances:
            continue
        about = cells[0].metadata
        yes, no = chances[item][0], chances[item][1]
        found[item] = _Said(
            float(yes), float(no), int(about["polarity"]), int(about["side"]), str(about.get("group", ""))
        )
    return found


def _poles(instrument: Instrument) -> str:
    sides = instrument.options.get("sides", {})
    first, other = (" and ".join(name for name, side in sides.items() if side == pole) for pole in (1, -1))
    return f"1: all with {first}, 0: all with {other}" if first and other else "1: all with the left, 0: the right"


# --- what was answered, as distributions ----------------------------------------------------------------------------


def chances_of(rows: Sequence[Response]) -> dict[str, np.ndarray]:
    """By item: chances of its answers; of texts, shares of yes, no and neither among those that answer."""
    found = averaged(rows)
    texts = [row for row in rows if not row.logprobs and (row.kind in ANSWERED or not row.kind)]
    for item, cells in by_item(texts).items():
        found[item] = np.bincount([_side(cell) for cell in cells], minlength=3) / len(cells)
    return found


def _side(row: Response) -> int:
    """0 yes or pro, 1 no or con, 2 neither or unclear."""
    if "issue" in row.metadata:
        return {"pro": 0, "con": 1}.get(side_of_issue(row), 2)
    judged = row.metadata.get("stance")
    proposition = str(row.metadata.get("proposition") or row.metadata.get("statement") or "")
    return {"agree": 0, "pro": 0, "disagree": 1, "con": 1}.get(str(judged or declared(row.text, proposition).side), 2)


# --- diversity -----------------------------------------------------------------------------------------------------


def diversity(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Of the panel: bits per item by which assistants differ, and the share of all uncertainty that this is."""
    one_mode(responses)
    each = {assistant: _opinions(rows) for assistant, rows in by_assistant(responses).items()}
    names = ("diversity", "diversity_share")
    if len(each) < 2:
        return [no_figure(instrument, PANEL, name, 0, why="one assistant alone has no diversity") for name in names]
    items = _common(each)
    if len(items) < LEAST:
        return [no_figure(instrument, PANEL, name, len(items)) for name in names]
    width = max(len(chances[item]) for chances in each.values() for item in items)
    panel = np.stack([[_padded(chances[item], width) for item in items] for chances in each.values()])
    note = f"{len(each)} assistants"
    draws = _texts(responses, list(each), items)
    if not np.ptp(panel, axis=0).any():
        note += ", all with the same answers"
    found = spread_of(panel, draws)
    return [
        figure_of(instrument, PANEL, "diversity", found.value, note=f"{note}; bits per item"),
        figure_of(instrument, PANEL, "diversity_share", found.share, note=note),
    ]


def diversity_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    """Per item: how far an assistant stands from the mean of all, as Jensen-Shannon distance."""
    each = {assistant: _opinions(rows) for assistant, rows in by_assistant(responses).items()}
    items = _common(each)
    means = {item: np.mean([chances[item] for chances in each.values()], 0) for item in items}
    return {
        assistant: {item: float(1 - similarity_js(chances[item], means[item])) for item in items}
        for assistant, chances in each.items()
    }


def _opinions(rows: Sequence[Response]) -> dict[str, np.ndarray]:
    """Chances without "don't know"."""
    unsure = {item: cells[0].metadata.get("unsure", ()) for item, cells in by_item(rows).items()}
    found = {}
    for item, chances in chances_of(rows).items():
        kept = np.delete(chances, list(unsure[item]))
        if kept.sum() > 0:
            found[item] = kept / kept.sum()
    return found


def _common(each: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """Items that all have answered, in order."""
    first, *others = each.values()
    return [item for item in first if all(item in other for other in others)]


def _padded(chances: np.ndarray, width: int) -> np.ndarray:
    return np.pad(chances, (0, width - len(chances)))


def _texts(responses: Sequence[Response], assistants: Sequence[str], items: Sequence[str]) -> np.ndarray | None:
    """How many texts stand behind each distribution, int [assistants, items]; None where these are of
    log-probabilities."""
    texts = [row for row in responses if not row.logprobs and (row.kind in ANSWERED or not row.kind)]
    if not texts:
        return None
    numbers = Counter((row.assistant, row.item) for row in texts)
    return np.array([[numbers[name, item] for item in items] for name in assistants])


# --- stability -----------------------------------------------------------------------------------------------------


def stability(instrument: Instrument, responses: Sequence[Response]) -> list[Figure]:
    """Share of one answer under all orders of the options; and how often wordings of one item get one answer."""
    figures = []
    for assistant, rows in by_assistant(responses).items():
        orders = _per_item(rows, _order_held)
        if orders:
            note = "share of wordings with one answer under all orders"
            figures.append(mean(instrument, assistant, "order_stability", orders, note=note))
        figures += _paraphrased(instrument, assistant, rows)
    return figures


def stability_values(instrument: Instrument, responses: Sequence[Response]) -> Values:
    """Per item: the chance that two wordings get the same answer."""
    found: dict[str, dict[str, float]] = {}
    for assistant, rows in by_assistant(responses).items():
        found[assistant] = {}
        for item, cells in by_item(rows).items():
            counts = np.array(_picks(cells), float)
            if (m := counts.sum()) >= 2:
                found[assistant][item] = float((counts * (counts - 1)).sum() / (m * (m - 1)))
    return found


def _paraphrased(instrument: Instrument, assistant: str, rows: Sequence[Response]) -> list[Figure]:
    items = by_item(rows)
    asked = max(len({cell.wording for cell in cells}) for cells in items.values())
    names = ("paraphrase_stability", "paraphrase_agreement")
    if asked < 2:
        return [no_figure(instrument, assistant, name, len(items), why="asked in one wording only") for name in names]
    picks = [_picks(cells) for cells in items.values()]
    width = max(map(len, picks))
    counts = np.array([[*each, *[0] * (width - len(each))] for each in picks])
    number = int((counts.sum(1) >= 2).sum())
    if number < LEAST:
        return [no_figure(instrument, assistant, name, number) for name in names]
    found = paraphrase_stability(counts, asked)
    note = f"{asked} wordings, {found.coverage:.0%} answered"
    return [
        figure_of(instrument, assistant, names[0], found.value, note=note),
        figure_of(instrument, assistant, names[1], found.agreement, note=note),
    ]


def _picks(cells: Sequence[Response]) -> list[int]:
    """Of one item: in how many wordings each answer was given, or was the likeliest over all orders."""
    scored = [cell for cell in cells if cell.logprobs]
    if scored:
        width = len(scored[0].logprobs)
        picked = [int(each.argmax()) for each in by_wording(scored).values()]
        return [picked.count(answer) for answer in range(width)]
    texts = [cell for cell in cells if cell.kind in ANSWERED or not cell.kind]
    first = {cell.wording: _side(cell) for cell in reversed(texts)}
    return [list(first.values()).count(side) for side in range(3)]


def _per_item(rows: Sequence[Response], value: Callable[[Sequence[Response]], float | None]) -> list[float]:
    scored = by_item([row for row in rows if row.logprobs]).values()
    return [found for cells in scored if (found := value(cells)) is not None]


def _order_held(cells: Sequence[Response]) -> float | None:
    """Of one item: the share of its wordings whose answer is the same under all orders; None without several orders."""
    held = [
        len({int(probabilities(cell).argmax()) for cell in wording}) == 1
        for wording in grouped(cells, lambda cell: cell.wording).values()
        if len({cell.contents for cell in wording}) > 1
    ]
    return float(np.mean(held)) if held else None


# --- as objects ------------------------------------------------------------------------------------------------------


# Counted anew by a test.
PCT = Labelled("agree and disagree, of two annotators of llm-values-pct", 0.99, 0.97, 1.0, 71)
NEITHER = FigureKind("neither", "neither", "Share of answers that take no side.", judged=BY_SIDE, rate_of="other")
ORDER_STABILITY = FigureKind(
    "order_stability",
    "stability under order",
    "Share of wordings with one answer under all orders of options.",
    judged=BY_SIDE,
)

AGREEMENT = Metric(
    "agreement",
    agreement,
    agreement_values,
    (
        FigureKind(
            "agreement",
            "agreement",
            "0.5 leans to neither side; yes to everything is taken out of it.",
            even=("neither side", 0.5),
            judged=BY_SIDE,
        ),
        FigureKind(
            "acquiescence",
            "acquiescence",
            "Chance of yes to a statement and to its reverse, less 1: 0 is none.",
            scale=(-1.0, 1.0),
            even=("none", 0.0),
            judged=BY_SIDE,
        ),
        NEITHER,
    ),
    direction="sides",
    span=(-1.0, 1.0),
    checked=PCT,
)
DIVERSITY = Metric(
    "diversity",
    diversity,
    diversity_values,
    (
        FigureKind(
            "diversity",
            "diversity between assistants",
            "Bits per item by which assistants differ.",
            scale=None,
            judged=BY_SIDE,
        ),
        FigureKind(
            "diversity_share",
            "explained by the choice of assistant",
            "Share of all uncertainty that lies between assistants.",
            judged=BY_SIDE,
        ),
    ),
)
STABILITY = Metric(
    "stability",
    stability,
    stability_values,
    (
        ORDER_STABILITY,
        FigureKind(
            "paraphrase_stability",
            "stability under paraphrase",
            "How alike answers to wordings of one item are; with coverage.",
            judged=BY_SIDE,
        ),
        FigureKind(
            "paraphrase_agreement",
            "agreement of wordings",
            "Chance that two wordings of one item get the same answer.",
            judged=BY_SIDE,
        ),
    ),
    main="paraphrase_agreement",
    direction="better",
)
