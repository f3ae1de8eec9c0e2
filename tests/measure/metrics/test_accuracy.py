"""Right and wrong from rows made by hand."""

import math
from dataclasses import replace
from typing import Any

import pytest

from pluriverse.measure.data.instruments import find
from pluriverse.measure.metrics import accuracy as measured
from pluriverse.measure.metrics.by_name import figures_of, values_of
from pluriverse.measure.schema.instrument import Instrument
from pluriverse.measure.schema.responses import Response

ARC, TRUTH, MMLU, MGSM = find("arc"), find("truthfulqa"), find("mmlu"), find("mgsm")
SPANISH = "Primero sumamos los dos números y después damos el resultado, que es"


def row(item: str, assistant: str = "a", instrument: Instrument = ARC, **more: Any) -> Response:
    fields = {"respondent": assistant, "assistant": assistant, "instrument": instrument.name, "version": "1"}
    cell = {"item": item, "wording": "", "rotation": 0, "language": "en", "draw": 0}
    return Response(**{**fields, **cell, **more})


def scored(item: str, logprobs: tuple[float, ...], target: tuple[int, ...] = (0,), **more: Any) -> Response:
    more = {"contents": tuple(range(len(logprobs))), "lengths": (1,) * len(logprobs), **more}
    return row(item, logprobs=logprobs, target=target, **more)


def test_picks_are_per_character_where_the_instrument_says_so() -> None:
    rows = [scored(str(n), (-4.0, -6.0), (1,), lengths=(5, 11), metadata={"lengths": [4, 10]}) for n in range(20)]
    (per_character,) = measured.accuracy(ARC, rows)
    (plain,) = measured.accuracy(replace(ARC, norm="sum"), rows)
    assert (per_character.value, plain.value, plain.n) == (1.0, 0.0, 20)
    assert plain.low == 0.0 and plain.high == pytest.approx(0.161, abs=1e-3)  # Wilson, 0 of 20
    assert plain.metric == "accuracy" and plain.note == ""


def test_rotated_options_are_matched_by_content() -> None:
    rotated = scored("1", (-1.0, -2.0, -3.0), (2,), contents=(2, 0, 1), metadata={"lengths": [1, 1, 1]})
    assert measured.accuracy_values(ARC, [rotated]) == {"a": {"1": 1.0}}
    longer = replace(rotated, metadata={"lengths": [9, 1, 1]})  # the answer number 0, at the second place
    assert measured.accuracy_values(ARC, [longer]) == {"a": {"1": 0.0}}


def test_too_few_items_say_nothing() -> None:
    (figure,) = measured.accuracy(ARC, [scored("1", (-1.0, -2.0))])
    assert figure.value is None and figure.n == 1 and "at least" in figure.note
    (silent,) = measured.accuracy(ARC, [row("1", text="no log-probabilities")])
    assert silent.value is None and silent.n == 0


def test_mc2_is_the_share_of_likelihood_on_true_answers() -> None:
    rows = [
        scored("1", (math.log(0.2), math.log(0.1), math.log(0.1)), (0, 1)),
        scored("2", (-2000.0, -2000.0 + math.log(3)), (0,)),  # the harness would see two zeros here
    ]
    values = measured.mc2_values(TRUTH, rows)["a"]
    assert values == {"1": pytest.approx(0.75), "2": pytest.approx(0.25)}
    many = [replace(each, item=f"{each.item}-{n}") for each in rows for n in range(20)]
    (figure,) = measured.mc2(TRUTH, many)
    assert figure.value == pytest.approx(0.5) and figure.low and figure.high and figure.low < 0.5 < figure.high
    assert figure.n == 40
    assert values_of(TRUTH, rows) == {"a": values}


def test_subjects_weigh_the_same_in_their_mean() -> None:
    rows = [scored(f"big/{n}", (-1.0, -2.0), (0,), metadata={"group": "big"}) for n in range(30)]
    rows += [scored(f"small/{n}", (-1.0, -2.0), (n % 2,), metadata={"group": "small"}) for n in range(10)]
    figures = {(each.metric, each.group): each for each in figures_of(MMLU, rows)}
    assert figures["accuracy", ""].value == pytest.approx(35 / 40)
    assert figures["accuracy", "big"].value == 1.0 and figures["accuracy", "small"].value == 0.5
    mean = figures["mean_of_groups", ""]
    assert mean.value == pytest.approx(0.75) and mean.n == 40 and "2 groups" in mean.note
    assert mean.low is not None and mean.high is not None and 0.5 < mean.low < 0.75 < mean.high < 0.95


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so 3 + 4 = 7.", 7),
        ("Es sind 1.234 Euro", 1234),
        ("That is $2,125,000 in all", 2125000),
        ("it costs 12.50", 12.5),
        ("il coûte 12,50 euros", 12.5),
        ("1,234.50 is the sum", 1234.5),
        ("উত্তর হল ১৮", 18),
        ("it is -3", -3),
        ("from 3-5", 5),
        ("12.5-7 = 5.5", 5.5),
        ("about 0.125", 0.125),
        ("no number", None),
    ],
)
def test_the_last_number_is_read_as_people_write_it(text: str, number: float | None) -> None:
    assert measured.last(text) == number


def test_marked_numbers_are_compared_as_the_harness_does() -> None:
    gsm8k = find("gsm8k")
    texts = {"1": "2*9=18\n#### 18", "2": " The answer is 18", "3": "#### 1,8", "4": "#### 18.0"}
    rows = [row(item, instrument=gsm8k, text=text, target=("18",)) for item, text in texts.items()]
    assert measured.exact_values(gsm8k, rows) == {"a": {"1": 1.0, "2": 0.0, "3": 1.0, "4": 0.0}}


def test_translations_of_a_problem_are_one_item() -> None:
    rows = []
    for number in range(20):
        for language, said in (("es", "5"), ("en", str(number % 2 * 5))):
            more: dict[str, Any] = {"language": language, "metadata": {"group": language}, "target": ("5",)}
            rows.append(row(f"mgsm/{number}", instrument=MGSM, text=f"{SPANISH} {said}", **more))
    figures = {(each.metric, each.group): each for each in figures_of(MGSM, rows)}
    assert (figures["exact", ""].value, figures["exact", ""].n) == (0.75, 20)
    assert figures["exact", "es"].value == 1.0 and figures["exact", "en"].value == 0.5
    assert figures["language_held", "es"].value == 1.0 and figures["language_held", "en"].value == 0.0
    assert figures["language_held", ""].value == 0.5


def test_texts_too_short_tell_no_language() -> None:
    more: dict[str, Any] = {"language": "es", "instrument": MGSM}
    rows = [row(str(n), text=SPANISH, **more) for n in range(9)] + [row("x", text="18", **more)]
    (figure,) = measured.language_held(MGSM, rows)
    assert (figure.value, figure.n) == (1.0, 9) and "1 of 10 texts" in figure.note
    assert "x" not in measured.language_held_values(MGSM, rows)["a"]
    sundanese = [row(str(n), text=SPANISH, language="su", instrument=MGSM) for n in range(9)]
    (unknown,) = measured.language_held(MGSM, sundanese)
    assert unknown.value is None, "a language that the rule does not know is neither held nor lost"


def test_each_assistant_gets_its_own_figure() -> None:
    rows = [scored(str(n), (-1.0, -2.0), (who,), assistant=name) for n in range(20) for who, name in enumerate("ab")]
    assert [(each.assistant, each.value) for each in measured.accuracy(MMLU, rows)] == [("a", 1.0), ("b", 0.0)]
