"""Remarks on open questions, read by a scale of words that ships with the package."""

import asyncio
import json
import tomllib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from pluriverse.measure.classify.vocabulary import AXES, made, scale
from pluriverse.measure.data.datasets import known, persona_statements
from pluriverse.measure.data.instruments import find
from pluriverse.measure.data.loaders import load as load_items
from pluriverse.measure.measuring import Measured, MeasureOptions, measure
from pluriverse.measure.metrics.vocabulary import vocabulary, vocabulary_values
from pluriverse.measure.schema.figure import Figure
from pluriverse.measure.schema.items import Item
from pluriverse.panelcheck.questions import by_dimension
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from .replaying import DATA, first, one, written

LEFT = "We must protect the rights of workers and minorities, tax the rich, and fund public health care for all."
RIGHT = "I believe in limited government, lower taxes, traditional family values and a strong national defense."


def _items(name: str, home: Path) -> list[Item]:
    return asyncio.run(load_items(find(name), Settings(home=home, offline=True)))


@pytest.mark.skipif(DATA is None, reason="PLURIVERSE_DATA is not set")
@pytest.mark.parametrize("name", sorted(AXES))
def test_a_scale_is_what_the_public_statements_make_of_it(name: str, tmp_path: Path) -> None:
    """`python benchmarks/scales.py` writes the same file again, but for the last digits of another processor."""
    settings = Settings(home=tmp_path, offline=True, data=DATA)
    a, b = (asyncio.run(persona_statements(each, settings)) for each in AXES[name])
    new = made(name, a, b, known()[AXES[name][0]].source, known()[AXES[name][0]].licence)
    file = resources.files("pluriverse.measure.classify").joinpath("vocabularies", f"{name}.json")
    old = json.loads(file.read_text("utf-8"))
    assert {key: new[key] for key in ("name", "sides", "source", "licence")} == {
        key: old[key] for key in ("name", "sides", "source", "licence")
    }
    assert new["held"] == pytest.approx(old["held"], abs=0.003) and new["bias"] == pytest.approx(old["bias"], abs=1e-3)
    assert list(new["terms"]) == list(old["terms"])
    assert np.allclose(list(new["terms"].values()), list(old["terms"].values()), atol=1e-3)
    assert scale(name)(a).mean() > 0.9 and scale(name)(b).mean() < 0.1, "statements of each side"


@pytest.mark.parametrize("axis", ["politics", "ethics"])
def test_the_questions_are_forty_and_nobody_s_prompt_was_chosen_by_them(axis: str, tmp_path: Path) -> None:
    items = _items(f"remarks-{axis}", tmp_path)
    assert len({item.id for item in items}) == find(f"remarks-{axis}").count == 40
    held = tomllib.loads((Path(__file__).parents[3] / "benchmarks/held_out.toml").read_text("utf-8"))
    asked = {item.prompt for item in items}
    assert len(asked) == 40 and not asked & {
        each for part in (held, by_dimension()) for q in part.values() for each in q
    }


def test_words_lean_to_their_side_and_refusals_say_nothing(tmp_path: Path) -> None:
    items = first(_items("remarks-politics", tmp_path), 24)
    rows = written("remarks-politics", items, "left", lambda _: (LEFT, "answer"))
    rows += written("remarks-politics", items, "right", lambda _: (RIGHT, "answer"))
    rows += written("remarks-politics", items, "silent", lambda _: ("I cannot help with that.", "refusal"))
    figures = vocabulary(find("remarks-politics"), rows)
    left, right, silent = (one(figures, "vocabulary", name) for name in ("left", "right", "silent"))
    assert (left.value or 0) > 0.8 and (right.value or 1) < 0.2 and "no stances" in left.note
    assert silent.value is None and "ask at least" in silent.note
    values = vocabulary_values(find("remarks-politics"), rows)
    assert np.mean(list(values["left"].values())) == pytest.approx(left.value) and not values["silent"]


def test_draws_of_one_question_are_one_item(tmp_path: Path) -> None:
    items = first(_items("remarks-ethics", tmp_path), 8)
    rows = written("remarks-ethics", items, "ana", lambda _: (LEFT, "answer"))
    twice = rows + [replace(row, draw=1) for row in rows]

    def told(figures: list[Figure]) -> tuple[float | None, int]:
        return figures[0].value, figures[0].n

    (value, number), (same, items) = (told(vocabulary(find("remarks-ethics"), each)) for each in (twice, rows))
    assert value == pytest.approx(same) and number == items == 8


def test_words_of_the_own_prompt_do_not_count(tmp_path: Path) -> None:
    """Who was told to speak of taxes and workers chooses nothing by speaking of them."""
    items = first(_items("remarks-politics", tmp_path), 8)
    rows = written("remarks-politics", items, "told", lambda _: (LEFT, "answer"))
    free = vocabulary(find("remarks-politics"), rows)[0]
    told = vocabulary(find("remarks-politics"), [replace(row, own_prompt=f"Say: {LEFT}") for row in rows])[0]
    assert (free.value or 0) > 0.8 and told.value is None and told.n == 0, "nothing is left of it"
    some = vocabulary(find("remarks-politics"), [replace(row, own_prompt="Tax the rich!") for row in rows])[0]
    used = scale("politics")
    left_out = LEFT.replace("tax the rich", "zzz zzz zzz")
    assert some.value is not None and some.value != free.value
    assert used([LEFT], "Workers of MINORITIES")[0] == pytest.approx(used([LEFT.replace("workers", "qq").replace(
        "minorities", "qq").replace("of", "qq")])[0], abs=1e-6), left_out  # fmt: skip


def test_the_same_answer_has_the_same_value_whatever_the_prompts(tmp_path: Path) -> None:
    items = first(_items("remarks-politics", tmp_path), 8)
    rows = [
        replace(row, own_prompt=prompt)
        for who, prompt in (("a", "You say: tax the rich."), ("b", "You say: protect the workers."))
        for row in written("remarks-politics", items, who, lambda _: (LEFT, "answer"))
    ]
    a, b = vocabulary_values(find("remarks-politics"), rows).values()
    assert a == b and len(a) == 8


def test_it_says_what_it_is() -> None:
    for axis in ("politics", "ethics"):
        each = find(f"remarks-{axis}")
        assert (
            each.dimension == "vocabulary" and each.title.startswith("Vocabulary") and each.measures[0] == "vocabulary"
        )
        assert "not what it holds" in each.about and "prompts do not count" in each.about


@pytest.mark.slow
@pytest.mark.model
def test_the_default_model_s_sides_are_told_apart(model_settings: Settings) -> None:
    """Proved by the run itself, on more items than the run asks."""

    async def go() -> Measured:
        async with Workspace(model_settings) as workspace:
            who = workspace.choose(["progressive", "conservative"])
            found = [event async for event in measure(workspace, [find("remarks-politics")], who, MeasureOptions(2))]
        assert isinstance(found[-1], Measured)
        return found[-1]

    done = asyncio.run(go())
    (proof,) = done.checks
    assert proof.passed and proof.asked == 24
    figures = {each.assistant: each for each in done.figures if each.metric == "vocabulary"}
    assert all("ask at least" in each.note for each in figures.values()), "two answers say nothing"
