"""Shares of classes, asymmetry, over-refusal and harm of respondents whose classes are known."""

from pathlib import Path

import pytest

from pluriverse.measure.data.instruments import find
from pluriverse.measure.metrics.silence import (
    asymmetry,
    asymmetry_values,
    harm,
    harm_values,
    overrefusal,
    overrefusal_values,
    shares,
    shares_values,
)
from pluriverse.measure.schema.items import Item

from .replaying import DATA, first, items_of, one, with_metadata, written

pytestmark = pytest.mark.skipif(DATA is None, reason="PLURIVERSE_DATA is not set")
NO, YES = ("I cannot help with that.", "refusal"), ("Here it is: one, two, three.", "answer")


def test_shares_are_rates_with_wilson_ends(tmp_path: Path) -> None:
    items = first(items_of("xstest", tmp_path), 50)
    rows = written("xstest", items, "mute", lambda item: NO) + written("xstest", items, "frank", lambda item: YES)
    figures = shares(find("xstest"), rows)
    none = one(figures, "share_refusal", "frank")
    assert none.value == 0 and none.n == 50 and none.high == pytest.approx(0.0714, abs=0.0005)  # the note's 7.1 %
    assert one(figures, "share_refusal", "mute").value == 1
    assert sum(one(figures, f"share_{kind}", "mute").value or 0 for kind in ("answer", "refusal", "evasive")) == 1
    assert set(shares_values(find("xstest"), rows)["mute"].values()) == {1.0}


def test_several_answers_to_one_item_are_not_several_items(tmp_path: Path) -> None:
    items = items_of("speechmap-pairs", tmp_path)
    rows = written("speechmap-pairs", items, "a", lambda item: NO if item.metadata["target"] == "China" else YES)
    figures = shares(find("speechmap-pairs"), rows)
    whole = one(figures, "share_refusal", "a")
    assert whole.n == 50 and whole.value == pytest.approx(0.5)
    assert one(figures, "share_silent", "a", "China").value == 1
    assert one(figures, "share_silent", "a", "US").value == 0
    assert one(figures, "share_silent", "a", "zh").value == 1


def test_whose_criticism_is_refused_more(tmp_path: Path) -> None:
    items = items_of("speechmap-pairs", tmp_path)

    def loyal(item: Item) -> tuple[str, str]:
        silent = item.metadata["target"] == "China" and (item.language == "zh" or int(item.metadata["pair"]) <= 20)
        return NO if silent else YES

    rows = written("speechmap-pairs", items, "loyal", loyal) + written("speechmap-pairs", items, "even", lambda _: NO)
    figures = asymmetry(find("speechmap-pairs"), rows)
    assert len(figures) == 2 * (6 + 3)
    against = one(figures, "refusal_asymmetry", "loyal", "China less US")
    assert against.value == pytest.approx(0.4) and against.n == 50 and against.low is not None and against.low > 0.2
    assert "McNemar p = 1.91e-06" in against.note  # 20 pairs one way, none the other: 2 / 2^20
    assert one(figures, "refusal_asymmetry", "loyal", "China: zh less en").value == pytest.approx(0.6)
    assert one(figures, "refusal_asymmetry", "loyal", "US less EU").value == 0
    for each in figures:
        if each.assistant == "even":
            assert each.value == 0 and "p = 1" in each.note
    values = asymmetry_values(find("speechmap-pairs"), rows)
    assert sum(values["loyal"].values()) == 20 and not any(values["even"].values())
    few = asymmetry(find("speechmap-pairs"), written("speechmap-pairs", first(items, 5), "a", loyal))
    assert all(each.value is None and "at least 8" in each.note for each in few)


def test_over_refusal_is_of_the_harmless(tmp_path: Path) -> None:
    items = items_of("xstest", tmp_path)
    rows = written("xstest", items, "careful", lambda item: NO if item.metadata["label"] == "unsafe" else YES)
    rows += written("xstest", items, "mute", lambda item: NO)
    figures = overrefusal(find("xstest"), rows)
    assert one(figures, "overrefusal", "careful").value == 0 and one(figures, "overrefusal", "careful").n == 250
    assert one(figures, "refusal_of_unsafe", "careful").value == 1
    assert one(figures, "overrefusal", "mute").value == 1 == one(figures, "overrefusal", "mute", "homonyms").value
    assert len(overrefusal_values(find("xstest"), rows)["mute"]) == 250


def test_harm_needs_a_judge_to_be_more_than_compliance(tmp_path: Path) -> None:
    items = first(items_of("strongreject", tmp_path), 60)
    rows = written("strongreject", items, "frank", lambda item: YES)
    rows += written("strongreject", items, "noise", lambda item: ("%%%%", "broken"))
    figures = harm(find("strongreject"), rows)
    assert one(figures, "compliance", "frank").value == 1 and "judge" in one(figures, "compliance", "frank").note
    assert one(figures, "compliance", "noise").value == 0
    assert one(figures, "compliance", "frank", "Violence").n == 10
    assert not [each for each in figures if each.metric == "strongreject"]
    judged = harm(find("strongreject"), with_metadata(rows, convincing=4, specific=2))
    assert one(judged, "strongreject", "frank").value == pytest.approx(0.5)
    assert one(judged, "strongreject", "noise").value == 0
    assert set(harm_values(find("strongreject"), rows)["frank"].values()) == {1.0}


def test_unclassed_answers_are_no_figure(tmp_path: Path) -> None:
    items = first(items_of("deccp", tmp_path), 20)
    (figure,) = shares(find("deccp"), written("deccp", items, "a", lambda item: ("hm", "")))
    assert figure.value is None and "classify" in figure.note
