"""Agreement, nearness to people, diversity, stability and stance of respondents whose answers are known."""

from pathlib import Path

import numpy as np
import pytest

from pluriverse.errors import UsageError
from pluriverse.measure.data.instruments import find
from pluriverse.measure.metrics.opinions import (
    agreement,
    agreement_values,
    diversity,
    diversity_values,
    stability,
    stability_values,
)
from pluriverse.measure.metrics.people import _Near, _nearest, human_similarity, human_similarity_values
from pluriverse.measure.metrics.stances import stance, stance_values
from pluriverse.measure.schema.figure import PANEL
from pluriverse.measure.schema.items import Item

from .replaying import DATA, first, items_of, one, scored, with_metadata, written

needs_data = pytest.mark.skipif(DATA is None, reason="PLURIVERSE_DATA is not set")
FORCED, UNFORCED, FREE = (f"propositions-{mode}" for mode in ("forced", "unforced", "free"))


def left(item: Item) -> list[float]:
    yes = 0.98 if item.metadata["polarity"] > 0 else 0.02
    return [yes, 1 - yes]


def right(item: Item) -> list[float]:
    return left(item)[::-1]


def yes(item: Item) -> list[float]:
    return [0.95, 0.05]


def nobody(item: Item) -> list[float]:
    return [0.5, 0.5]


def silent(item: Item) -> list[float]:
    return [0.01, 0.01, 0.49, 0.49]


def test_agreement_is_freed_of_saying_yes(tmp_path: Path) -> None:
    items = items_of(FORCED, tmp_path)
    people = {"left": left, "right": right, "yes": yes, "nobody": nobody}
    rows = [row for name, each in people.items() for row in scored(FORCED, items, name, each)]
    figures = agreement(find(FORCED), rows)
    expected = {"left": (0.98, 0.0), "right": (0.02, 0.0), "yes": (0.5, 0.9), "nobody": (0.5, 0.0)}
    for name, (agrees, says_yes) in expected.items():
        found = one(figures, "agreement", name)
        assert found.value == pytest.approx(agrees, abs=1e-6) and found.n == 28
        assert found.low is not None and found.high is not None and found.low <= agrees + 1e-6 <= found.high + 2e-6
        assert "forced" in found.note
        assert one(figures, "acquiescence", name).value == pytest.approx(says_yes, abs=1e-6)
    assert not [each for each in figures if each.metric == "neither"]
    values = agreement_values(find(FORCED), rows)
    assert np.mean(list(values["left"].values())) == pytest.approx(0.96, abs=1e-6)
    assert np.mean(list(values["yes"].values())) == pytest.approx(0, abs=1e-6)


def test_who_says_neither_has_no_lean(tmp_path: Path) -> None:
    items = items_of(UNFORCED, tmp_path)
    rows = scored(UNFORCED, items, "silent", silent)
    rows += scored(UNFORCED, items, "left", lambda item: [0.7 * each for each in left(item)] + [0.2, 0.1])
    figures = agreement(find(UNFORCED), rows)
    assert one(figures, "neither", "silent").value == pytest.approx(0.98, abs=1e-6)
    assert one(figures, "agreement", "silent").value == pytest.approx(0.5, abs=0.01)
    assert one(figures, "neither", "left").value == pytest.approx(0.3, abs=1e-6)
    assert one(figures, "agreement", "left").value == pytest.approx(0.5 + 0.7 * 0.48, abs=1e-6)


def test_forced_unforced_and_free_are_never_one_figure(tmp_path: Path) -> None:
    rows = scored(FORCED, items_of(FORCED, tmp_path), "a", left)
    more = scored(UNFORCED, items_of(UNFORCED, tmp_path), "a", silent)
    for measure in (agreement, diversity):
        with pytest.raises(UsageError, match="never one figure"):
            measure(find(FORCED), rows + more)


def test_free_text_is_read_and_silence_left_out(tmp_path: Path) -> None:
    items = items_of(FREE, tmp_path)

    def say(item: Item) -> tuple[str, str]:
        if item.wording == "think":
            return "I am sorry, but I cannot help with that.", "refusal"
        agrees = item.metadata["polarity"] > 0
        return ("I agree with this statement." if agrees else "I disagree with this statement."), "answer"

    rows = written(FREE, items, "left", say)
    rows += written(FREE, items, "mute", lambda item: ("I cannot discuss that.", "refusal"))
    figures = agreement(find(FREE), rows)
    assert one(figures, "agreement", "left").value == pytest.approx(1)
    assert one(figures, "neither", "left").value == pytest.approx(0)
    refused = one(figures, "agreement", "mute")
    assert refused.value is None and refused.n == 0 and "at least" in refused.note
    found = stability(find(FREE), [row for row in rows if row.assistant == "left"])
    assert one(found, "paraphrase_agreement", "left").value == pytest.approx(1)
    assert "75% answered" in one(found, "paraphrase_stability", "left").note


def test_too_few_items_say_nothing(tmp_path: Path) -> None:
    rows = scored(FORCED, first(items_of(FORCED, tmp_path), 5), "a", left)
    for figures in (agreement(find(FORCED), rows), stability(find(FORCED), rows), diversity(find(FORCED), rows)):
        assert figures and all(each.value is None and each.note for each in figures)


def test_a_panel_of_opposites_is_all_diversity(tmp_path: Path) -> None:
    items = items_of(FORCED, tmp_path)
    rows = scored(FORCED, items, "a", left) + scored(FORCED, items, "b", right)
    same = scored(FORCED, items, "a", left) + scored(FORCED, items, "b", left)
    found = diversity(find(FORCED), rows)
    mixed = -(0.98 * np.log2(0.98) + 0.02 * np.log2(0.02))
    assert one(found, "diversity", PANEL).value == pytest.approx(1 - mixed, abs=1e-5)
    assert one(found, "diversity_share", PANEL).value == pytest.approx(1 - mixed, abs=1e-5)
    assert one(diversity(find(FORCED), same), "diversity", PANEL).value == pytest.approx(0, abs=1e-9)
    assert diversity(find(FORCED), scored(FORCED, items, "a", left))[0].value is None
    away = diversity_values(find(FORCED), rows)
    assert all(value > 0.4 for value in away["a"].values())


def test_order_and_wording_move_who_has_no_opinion(tmp_path: Path) -> None:
    items = items_of(UNFORCED, tmp_path)

    def first_place(item: Item) -> list[float]:  # always the letter A
        return [0.9 if content == item.order[0] else 0.03 for content in range(4)]

    def by_wording(item: Item) -> list[float]:
        return [0.9, 0.05, 0.03, 0.02] if item.wording in ("plain", "view") else [0.05, 0.9, 0.03, 0.02]

    rows = scored(UNFORCED, items, "place", first_place) + scored(UNFORCED, items, "words", by_wording)
    figures = stability(find(UNFORCED), rows)
    assert one(figures, "order_stability", "place").value == 0
    assert one(figures, "order_stability", "words").value == 1
    assert one(figures, "paraphrase_stability", "words").value == pytest.approx(0.5)
    assert one(figures, "paraphrase_agreement", "words").value == pytest.approx(1 / 3)
    assert list(stability_values(find(UNFORCED), rows)["words"].values()) == pytest.approx([1 / 3] * 28)


# --- people ---------------------------------------------------------------------------------------------------------


@needs_data
def test_the_people_themselves_are_perfect_and_lot_is_zero(tmp_path: Path) -> None:
    name = "globalopinionqa"
    items = first(items_of(name, tmp_path), 400)
    country = "Germany"
    asked = [item for item in items if country in item.metadata["human"]]

    def german(item: Item) -> list[float]:
        return list(item.metadata["human"][country])

    def lot(item: Item) -> list[float]:
        return [1 / len(item.options)] * len(item.options)

    rows = scored(name, asked, "german", german) + scored(name, asked, "lot", lot)
    figures = human_similarity(find(name), rows)
    assert one(figures, "s_star", "german", country).value == pytest.approx(1, abs=0.01)
    assert one(figures, "human_similarity", "german", country).value == pytest.approx(1, abs=0.01)
    assert one(figures, "s_star", "lot", country).value == pytest.approx(0, abs=1e-6)
    assert "which are nearest is not told" in one(figures, "s_star", "german").note, "of one country only 20 questions"
    bar = one(figures, "human_similarity", PANEL, "answering by lot")
    assert bar.value == pytest.approx(one(figures, "human_similarity", "lot").value)
    assert one(figures, "human_similarity_w1", PANEL, "people of another country").value is not None
    values = human_similarity_values(find(name), rows)
    assert np.mean(list(values["german"].values())) > np.mean(list(values["lot"].values()))


@needs_data
def test_the_bars_are_near_the_anchors(tmp_path: Path) -> None:
    """The note's anchors keep "don't know" and weigh pairs: .581 by lot, .738 another country; here it is dropped."""
    name = "globalopinionqa"
    items = [item for item in items_of(name, tmp_path) if item.wording == "plain" and item.rotation == 0]
    figures = human_similarity(find(name), scored(name, items, "lot", lambda item: [1.0] * len(item.options)))
    lot = one(figures, "human_similarity", PANEL, "answering by lot")
    other = one(figures, "human_similarity", PANEL, "people of another country")
    assert lot.n == 1300 and lot.value == pytest.approx(0.64, abs=0.06)
    assert other.value == pytest.approx(0.75, abs=0.04)


# --- stance ---------------------------------------------------------------------------------------------------------

PRAISE = "It is good, beneficial, valuable, fair, helpful, important, excellent and right. It is a great success."
BLAME = "It is bad, harmful, dangerous, unfair, wrong, terrible, a failure and a disaster. It is a great threat."


@needs_data
def test_a_lean_is_freed_of_praise_for_everything(tmp_path: Path) -> None:
    items = first(items_of("issues", tmp_path), 39)

    def leftist(item: Item) -> tuple[str, str]:
        return (PRAISE if item.metadata["key"] > 0 else BLAME), "answer"

    rows = written("issues", items, "left", leftist) + written("issues", items, "kind", lambda _: (PRAISE, "hedge"))
    figures = stance(find("issues"), rows)
    assert one(figures, "leaning", "left").value == pytest.approx(1)
    assert one(figures, "praise", "left").value == pytest.approx(0)
    assert one(figures, "leaning", "kind").value == pytest.approx(0.5)
    assert one(figures, "praise", "kind").value == pytest.approx(1)
    assert one(figures, "stance_pro", "kind", "con").value == 1
    assert len(stance_values(find("issues"), rows)["left"]) == 26
    judged = with_metadata(rows, stance="mostly con")
    assert one(stance(find("issues"), judged), "stance_con", "kind", "neutral").value == 1


@needs_data
def test_refusing_one_loaded_framing_is_no_lean(tmp_path: Path) -> None:
    items = first(items_of("issues", tmp_path), 39)

    def willing(item: Item) -> tuple[str, str]:
        framing = item.metadata["framing"]
        if framing == "con":
            return "I cannot write that.", "refusal"
        return ("It exists." if framing == "neutral" else PRAISE), "answer"

    figures = stance(find("issues"), written("issues", items, "a", willing))
    assert one(figures, "leaning", "a").value == pytest.approx(0.5)
    assert one(figures, "praise", "a").value == pytest.approx(0)


def test_a_country_is_called_nearest_only_where_it_stands_out() -> None:
    """Of 40 that are all alike the highest is high by chance."""
    generator = np.random.default_rng(3)

    def near(country: str, middle: float) -> list[_Near]:
        return [_Near(f"q{n}", country, middle + generator.normal(0, 0.15), 0.0, 0.5) for n in range(30)]

    alike = [each for n in range(40) for each in near(f"c{n:02}", 0.65)]
    assert _nearest(alike) == "no country stands out as nearest"
    assert _nearest([*alike, *near("there", 0.95)]).startswith("nearer than to most: there (0.")
