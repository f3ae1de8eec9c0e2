"""Readings of history of respondents whose leans are known."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pluriverse.errors import UsageError
from pluriverse.measure.data.instruments import find
from pluriverse.measure.metrics.by_name import figures_of
from pluriverse.measure.metrics.contested_history import choice_values, reading, reading_values
from pluriverse.measure.results.compare import LEAST
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import Response
from pluriverse.measure.stats.intervals import auc

from .replaying import first, items_of, one, scored

TOLD, ASKED = "history", "history-asked"
CONTROL = 0.05  # nats per character by which who knows facts finds the right one likelier
Gap = Callable[[Item], float]


def told(items: list[Item], assistant: str, gap: Gap, controls: float = CONTROL) -> list[Response]:
    """Log-probabilities so that the first telling is likelier by `gap` nats per character."""
    rows = scored(TOLD, items, assistant, lambda _: [0.5, 0.5])
    found = []
    for row, item in zip(rows, items, strict=True):
        apart = controls if item.metadata.get("control") else gap(item)
        one, other = (len(option) for option in item.options)
        found.append(replace(row, logprobs=(one * (apart / 2 - 1), other * (-apart / 2 - 1))))
    return found


def rarity(item: Item) -> float:
    """What words do whoever says them: as large as what people think, and of either sign."""
    return 0.03 * math.sin(hash_of(item.id))


def hash_of(text: str) -> int:
    return sum(place * ord(letter) for place, letter in enumerate(text, 1))


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    return items_of(TOLD, tmp_path)


def test_who_always_prefers_side_a(items: list[Item]) -> None:
    figures = reading(find(TOLD), told(items, "a", lambda _: 0.02))
    tibet = one(figures, "lean", "a", "Tibet in 1950 and 1951")
    assert tibet.value == pytest.approx(2) and tibet.n >= 4
    assert "above 0: Chinese state reading; below 0: Tibetan exile reading" in tibet.note and "few" in tibet.note
    assert one(figures, "lean", "a", "Tibet in 1950 and 1951 (ru)").value == pytest.approx(2)
    assert len([each for each in figures if each.metric == "lean"]) == 32 * 7
    for language in find(TOLD).languages:
        assert one(figures, "controls", "a", language).value == 1
        assert one(figures, "control_gap", "a", language).value == pytest.approx(5)
        assert one(figures, "consistency", "a", language).value == 1
        assert one(figures, "pull", "a", language).value == pytest.approx(0)
    assert one(figures, "language_gap", "a").value == pytest.approx(0)
    assert one(figures, "language_gap", "a").n == 32


def test_who_has_no_preference(items: list[Item]) -> None:
    figures = reading(find(TOLD), told(items, "none", lambda _: 0.0))
    assert [each.value for each in figures if each.metric == "lean"] == pytest.approx([0.0] * 32 * 7)
    assert one(figures, "consistency", "none", "en").value == 1


@pytest.mark.parametrize("controls", [0.0, -0.05])
def test_who_is_blind_on_controls_gets_no_number(items: list[Item], controls: float) -> None:
    rows = told(items, "blind", lambda _: 0.02, controls)
    figures = reading(find(TOLD), rows)
    for language in find(TOLD).languages:
        for metric in ("lean", "consistency", "pull"):
            found = one(figures, metric, "blind", language)
            assert found.value is None and f"on this model in {language}" in found.note
        assert one(figures, "controls", "blind", language).value == 0
    assert one(figures, "language_gap", "blind").value is None
    assert reading_values(find(TOLD), rows + told(items, "a", lambda _: 0.02))["blind"] == {}


def test_blindness_is_of_one_language(items: list[Item]) -> None:
    known = [row for row in told(items, "a", lambda _: 0.02) if row.language != "ar"]
    lost = [row for row in told(items, "a", lambda _: 0.02, 0.0) if row.language == "ar"]
    figures = reading(find(TOLD), known + lost)
    assert one(figures, "lean", "a", "ar").value is None
    assert one(figures, "lean", "a", "Crimea in 2014 (fr)").value is not None
    assert "ar" not in one(figures, "language_gap", "a").note.split(";")[0].split(", ")


def test_loaded_questions_turn_who_follows_them(items: list[Item]) -> None:
    gaps = {"neutral": 0.0, "a": 0.01, "b": -0.01}
    figures = reading(find(TOLD), told(items, "a", lambda item: gaps[item.wording]))
    assert one(figures, "consistency", "a", "en").value == 0
    assert one(figures, "pull", "a", "en").value == pytest.approx(2)
    assert one(figures, "lean", "a", "Crimea in 2014").value == pytest.approx(0)


def test_languages_that_disagree_are_apart(items: list[Item]) -> None:
    figures = reading(find(TOLD), told(items, "a", lambda item: 0.025 if item.language == "ru" else -0.025))
    assert one(figures, "language_gap", "a").value == pytest.approx(1.0 * 6 / 21)
    assert one(figures, "lean", "a", "Crimea in 2014").value == pytest.approx(-2.5)


def test_rare_words_do_not_hide_opposites(items: list[Item]) -> None:
    few = first(items, 24)
    rows = told(few, "a", lambda item: rarity(item) + 0.004) + told(few, "b", lambda item: rarity(item) - 0.004)
    rows += told(few, "again", lambda item: rarity(item) + 0.004 + 0.0001 * math.cos(hash_of(item.id)))
    values = reading_values(find(TOLD), rows)
    a, b, again = (np.array(list(values[name].values())) for name in ("a", "b", "again"))
    assert len(a) == 16 >= LEAST
    assert auc(a, b) == 1 and 0.2 < auc(a, again) < 0.8
    assert a - b == pytest.approx(0.8)
    alone = reading_values(find(TOLD), rows[: len(few)])
    assert np.std(list(alone["a"].values())) > 1


def test_too_few_items_say_why(items: list[Item]) -> None:
    figures = reading(find(TOLD), told(first(items, 24), "a", lambda _: 0.02))
    assert "no event was asked with 4 pairs" in one(figures, "lean", "a", "en").note
    assert one(figures, "consistency", "a", "en").value == 1
    figures = reading(find(TOLD), told(first(items, 10), "a", lambda _: 0.02))
    found = one(figures, "lean", "a", "en")
    assert found.value is None and "only 0 plain facts" in found.note


# --- by asking ------------------------------------------------------------------------------------------------------


def test_choices_are_shares(tmp_path: Path) -> None:
    items = items_of(ASKED, tmp_path)

    def sure(item: Item) -> list[float]:
        return [0.9, 0.1, 0.0] if item.metadata.get("control") else [0.5, 0.2, 0.3]

    def by_place(item: Item) -> list[float]:
        return [0.9 if content == item.order[0] else 0.05 for content in range(3)]

    rows = scored(ASKED, items, "sure", sure) + scored(ASKED, items, "place", by_place)
    figures = figures_of(find(ASKED), rows)
    assert one(figures, "choice_a", "sure", "Crimea in 2014").value == pytest.approx(0.5, abs=1e-6)
    assert one(figures, "choice_b", "sure", "Crimea in 2014 (es)").value == pytest.approx(0.2, abs=1e-6)
    assert one(figures, "neither", "sure", "en").value == pytest.approx(0.3, abs=1e-6)
    assert one(figures, "order_stability", "sure", "en").value == 1
    assert one(figures, "controls", "sure", "en").value == 1
    assert one(figures, "order_stability", "place", "en").value == 0
    why_none = one(figures, "choice_a", "place", "en")
    assert why_none.value is None and "cannot tell plain facts" in why_none.note
    values = choice_values(find(ASKED), scored(ASKED, items, "sure", sure))
    assert list(values["sure"].values()) == pytest.approx([0.3] * 128, abs=1e-6)


def test_likelihood_and_choice_are_never_one_figure(items: list[Item], tmp_path: Path) -> None:
    rows = told(items, "a", lambda _: 0.02)
    with pytest.raises(UsageError, match="never one figure"):
        reading(find(TOLD), rows + scored(ASKED, items_of(ASKED, tmp_path), "a", lambda _: [0.4, 0.3, 0.3]))
