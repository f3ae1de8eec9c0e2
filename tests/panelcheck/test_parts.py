"""The parts of a check by themselves: classifier, intervals, guards, data sets, questions."""

import asyncio
import hashlib
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pluriverse import settings as settings_module
from pluriverse.assistant.assistant import DIMENSIONS
from pluriverse.errors import IntegrityError, UnreachableError
from pluriverse.measure.classify import guards
from pluriverse.measure.classify.classifier import accuracy, trained
from pluriverse.measure.classify.guards import Fluency, broken, language_held, repetition
from pluriverse.measure.data import datasets
from pluriverse.measure.schema.recital import recital, trigram_recital
from pluriverse.measure.schema.words import ran_off
from pluriverse.measure.stats.intervals import auc, auc_of, mean_of
from pluriverse.panelcheck.facts import spread
from pluriverse.panelcheck.questions import by_dimension, chosen
from pluriverse.panelcheck.separability import known_sides, told_apart
from pluriverse.settings import Settings

DATA = settings_module.load().data  # before each test gets an environment of its own
SEA = [f"the sea is {word} and the boat sails" for word in ("wide", "blue", "deep", "calm", "cold", "grey")]
HILL = [f"the hill is {word} and the goat climbs" for word in ("wide", "green", "steep", "calm", "cold", "grey")]
PLAIN = Fluency(perplexity=4.0, repetition=0.02, language=1.0, recital=0.0)


def test_the_classifier_learns_sides_it_is_shown() -> None:
    judge = trained(SEA, HILL)
    assert judge.probability(["a boat on the sea"])[0] > 0.9 > 0.1 > judge.probability(["a goat on the hill"])[0]
    assert judge.score(["nothing known"])[0] == pytest.approx(judge.bias)
    assert accuracy(SEA, HILL, folds=3) == 1.0


def test_the_classifier_says_nothing_where_nothing_differs() -> None:
    assert trained(SEA, SEA).probability(SEA) == pytest.approx(0.5, abs=1e-6)


def test_unequal_numbers_do_not_tip_the_scales() -> None:
    odds = trained(SEA * 5, HILL).score(["something else"])[0]
    assert abs(odds) < 2


def test_areas_are_chances() -> None:
    assert auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert auc(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0.5
    assert auc(np.array([0.0, 2.0]), np.array([1.0])) == 0.5


def test_intervals_hold_the_value_and_narrow_with_questions() -> None:
    numbers = np.random.default_rng(3)
    few, many = (auc_of(numbers.normal(1, 1, n), numbers.normal(0, 1, n)) for n in (10, 200))
    for each in (few, many):
        assert each.low <= each.value <= each.high
    assert many.high - many.low < few.high - few.low
    assert mean_of(np.ones(5)) == mean_of(np.ones(5))
    assert auc_of(np.arange(5.0), np.arange(5.0)).low <= 0.5


def test_voices_are_told_apart_by_their_words_and_not_from_themselves() -> None:
    differ = told_apart(SEA, HILL)
    assert auc(differ[0], differ[1]) > 0.9
    assert auc(*told_apart(SEA, SEA)) <= 0.5


def test_repetition_and_recital_are_shares() -> None:
    assert repetition("one two three four five six") == 0
    assert repetition("a b c d " * 4) > 0.6
    assert repetition("") == repetition("two words") == 0
    assert recital("you like the old ways", "You like the old ways best") == 1
    assert recital("entirely other words are said", "You like the old ways") == 0


def test_a_prompt_is_known_again_with_a_word_more_and_other_punctuation() -> None:
    prompt = "You believe in strong unions, public health care, welfare and high taxes on the rich."
    said = "It helps to strengthen unions, public health care, welfare, and high taxes on the rich"
    assert trigram_recital(said, prompt) == 9 / 13 and recital(said, prompt) < trigram_recital(said, prompt)
    assert trigram_recital("Two words", prompt) == 0 == trigram_recital(said, "")


def test_languages_are_told() -> None:
    english = ["The government should help the poor and the old.", "History is made by those who write it down."]
    spanish = ["La historia la escriben los vencedores, dicen algunos.", "El gobierno debe ayudar a los pobres."]
    assert language_held(english, "en") == 1 and language_held(spanish, "es") == 1
    assert language_held(spanish, "en") == 0
    assert language_held([*english, "Государство должно помогать бедным и старым людям."], "en") == pytest.approx(2 / 3)
    assert language_held(["Yes."], "en") == 1  # too short to tell


@pytest.mark.parametrize(
    ("voice", "guard"),
    [
        (Fluency(6.0, 0.05, 1.0, 0.0), None),
        (Fluency(6.6, 0.05, 1.0, 0.0), "perplexity"),
        (Fluency(4.0, 0.13, 1.0, 0.0), "repetition"),
        (Fluency(4.0, 0.02, 0.8, 0.0), "language"),
        (Fluency(4.0, 0.02, 1.0, 0.12), None),
        (Fluency(4.0, 0.02, 1.0, 0.16), "recital"),
    ],
)
def test_guards_say_which_one_fails(voice: Fluency, guard: str | None) -> None:
    found = broken(voice, PLAIN)
    assert (found and found.guard) == guard and (
        not found or f"{found.amount:.0%}" in ran_off(found) or f"{found.amount:.1f}" in ran_off(found)
    )


def test_questions_come_from_all_dimensions_in_turn() -> None:
    assert set(by_dimension()) == set(DIMENSIONS) == set(known_sides())
    both = chosen(["politics", "history"], 6)
    assert sum(question in by_dimension()["politics"] for question in both) == 3
    assert len(chosen([], 12)) == 12 == len(set(chosen([], 12)))
    assert len(chosen(["politics"], 96)) == len(by_dimension()["politics"])


def test_figures_are_reported_on_other_questions_than_choices_were_made_on() -> None:
    held_out = tomllib.loads((Path(__file__).parents[2] / "benchmarks" / "held_out.toml").read_text("utf-8"))
    for dimension, questions in held_out.items():
        assert len(questions) == 40
        assert not set(questions) & set(by_dimension()[dimension])


def test_facts_are_spread_over_the_file() -> None:
    truths = [datasets.Truth(str(n), ("yes",), ("no",)) for n in range(100)]
    assert [each.question for each in spread(truths, 4)] == ["0", "25", "50", "75"]


def test_a_data_set_is_read_only_as_published(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", offline=True, data=tmp_path / "data")
    with pytest.raises(UnreachableError) as away:
        asyncio.run(datasets.text_of("truthfulqa", settings))
    assert "PLURIVERSE_DATA" in (away.value.hint or "")
    place = tmp_path / "data" / "truthfulqa" / "TruthfulQA.csv"
    place.parent.mkdir(parents=True)
    place.write_text("Type,Question\n")
    with pytest.raises(IntegrityError):
        asyncio.run(datasets.text_of("truthfulqa", settings))


def test_addresses_are_pinned() -> None:
    for dataset in datasets.known().values():
        assert len(dataset.sha256) == 64 and dataset.licence and dataset.source
        assert not dataset.repository or (len(dataset.commit) == 40 and f"/{dataset.commit}/" in dataset.url)


def test_labelled_texts_come_from_the_given_folder_or_from_what_was_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home", offline=True, data=tmp_path / "data")
    with pytest.raises(UnreachableError, match="labelled answers"):
        asyncio.run(datasets.labelled("pct", settings))
    content = b"model,completion\n"
    published = replace(
        datasets.known()["gold-pct"], bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )  # fmt: skip
    monkeypatch.setattr(datasets, "known", lambda: {"gold-pct": published})
    kept = settings.home / "data" / published.local
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"x" * len(content))
    with pytest.raises(IntegrityError):
        asyncio.run(datasets.labelled("pct", settings))
    kept.write_bytes(content)
    assert asyncio.run(datasets.labelled("pct", settings)) == settings.home / "data" / "labelled"
    given = tmp_path / "data" / published.local
    given.parent.mkdir(parents=True)
    given.write_bytes(content)
    assert asyncio.run(datasets.labelled("pct", settings)) == tmp_path / "data" / "labelled"
    (tmp_path / "data" / "gold" / "pct").mkdir(parents=True)
    assert asyncio.run(datasets.labelled("pct", settings)) == tmp_path / "data"


@pytest.fixture
def public_data() -> Path:
    """The folder of public sets that the tests were started with."""
    if DATA is None:
        pytest.skip("set PLURIVERSE_DATA to a folder of the public data")
    return DATA


def test_public_sets_are_read(public_data: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, offline=True, data=public_data)
    truths = asyncio.run(datasets.truthfulqa(settings))
    assert len(truths) == 817 and all(each.true and each.false for each in truths)
    statements = asyncio.run(datasets.persona_statements("politically-liberal", settings))
    assert len(statements) == 500
    kept = tmp_path / "data" / "truthfulqa"  # what was fetched before is found without the network
    kept.mkdir(parents=True)
    shutil.copy(public_data / "truthfulqa" / "TruthfulQA.csv", kept)
    assert len(asyncio.run(datasets.truthfulqa(Settings(home=tmp_path, offline=True)))) == 817
    assert guards.MOST_PERPLEXITY == 1.6
