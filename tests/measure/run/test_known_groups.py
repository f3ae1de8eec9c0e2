"""An instrument speaks on a base only after it told known opposites apart there, and not a voice from itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pluriverse.measure.data.instruments import known
from pluriverse.measure.results.assemble import as_shown
from pluriverse.measure.results.result_set import latest
from pluriverse.measure.run.check_items import LEAST, asked_of, few
from pluriverse.measure.run.known_groups import _separation
from pluriverse.measure.run.record import Plan, Run
from pluriverse.measure.run.sensitivity import KeptChecks, SensitivityCheck
from pluriverse.measure.schema.figure import PANEL, Figure
from pluriverse.measure.schema.items import Item, key_of
from pluriverse.measure.schema.responses import Respondent, Response, blank
from pluriverse.measure.schema.words import check
from pluriverse.measure.stats.verdict import finding

from ..metrics.replaying import DATA, items_of


def proof(**changes: object) -> SensitivityCheck:
    given = {
        "instrument": "quiz", "version": "1", "base": "m", "weights": "sha256:1", "engine": "wheel", "separation": 0.9,
        "low": 0.8, "high": 1.0, "control": 0.5, "control_low": 0.4, "control_high": 0.6, "items": 20,
        "opposites": ("a", "b"),
    }  # fmt: skip
    return SensitivityCheck(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "passed", "words"),
    [
        ({}, True, "tells known opposites apart"),
        ({"separation": 0.5, "low": 0.45, "high": 0.65}, False, "known opposites do not differ by it"),
        ({"separation": 0.2, "low": 0.1, "high": 0.3}, False, "takes known opposites for each other"),
        ({"low": 0.45, "control": None, "control_low": None, "control_high": None}, False, "undecided whether"),
        ({"control_low": 0.55}, False, "tells a voice from itself"),
        ({"items": 3, "low": 0.0}, False, "undecided: only 3 items"),
    ],
)
def test_what_a_proof_allows(changes: dict, passed: bool, words: str) -> None:
    made = proof(**changes)
    assert made.passed is passed and words in check(made.outcome)


def test_separation_finds_opposites_on_either_side_and_no_difference_in_none() -> None:
    a = {f"i{n}": float(n % 5) + 4 for n in range(20)}
    b = {f"i{n}": float(n % 5) for n in range(20)}
    for one, other in ((a, b), (b, a)):
        value, low, _, number = _separation(one, other)
        assert value > 0.9 and low > 0.5 and number == 20
    value, low, high, _ = _separation(a, dict(a), oriented=False)
    assert value == 0.5 and low <= 0.5 <= high
    assert _separation(a, {"i1": 1.0})[:3] == (0.5, 0.0, 1.0)


def test_proofs_are_kept_per_weights_and_version(tmp_path: Path) -> None:
    checks = KeptChecks(tmp_path)
    checks.keep(proof())
    checks.keep(proof(separation=0.95))
    checks.keep(proof(weights="sha256:2"))
    assert len(checks.all()) == 2
    who = Respondent("k", "ana", "m", "sha256:1", None, None, "d", "", {}, None, "wheel")
    quiz = next(iter(known().values()))
    assert checks.of(quiz, who) is None
    (tmp_path / "proofs.json").write_text("{")
    assert checks.all() == []


def test_a_proof_asks_few_cells_but_enough_items() -> None:
    spoken = [Item(f"i{n}", "?", "chat", wording=str(w)) for n in range(40) for w in range(8)]
    assert len({item.id for item in few(spoken)}) == LEAST
    scored = [Item(f"i{n}", "?", "chat", ("A", "B"), rotation=r) for n in range(40) for r in range(2)]
    assert len({item.id for item in few(scored)}) == 24


@pytest.mark.parametrize("name", sorted(known()))
def test_every_instrument_is_described_whole(name: str) -> None:
    each = known()[name]
    assert each.about.strip() and each.source and each.licence and each.measures and each.count
    assert each.raw or each.opposites or name in {"mgsm", "blend", "deccp"}, "says how it is proved"


def test_a_blind_instrument_gives_no_number() -> None:
    quiz = next(each for each in known().values() if each.opposites)
    who = Respondent("k", "ana", "m", "sha256:1", None, None, "d", "", {}, None, "wheel")
    rows = tuple(Response(**blank(Item("i", "?", "chat"), who, quiz.name, quiz.version, 0), text="x") for _ in "a")
    found = latest([Run("r", "2026-11-24", Plan(((quiz.name, quiz.version),), (who,), 10, 0), rows)])
    figure = Figure("ana", quiz.name, "accuracy", 0.7, 0.6, 0.8, 30)
    mine = proof(instrument=quiz.name, version=quiz.version)
    assert as_shown(figure, quiz, found, [mine]) == figure
    assert "was not checked" in as_shown(figure, quiz, found, []).note
    told = as_shown(figure, quiz, found, [replace(mine, low=0.4)])
    assert told.value is None and "undecided whether it tells known opposites apart" in told.note
    assert as_shown(figure, quiz, found, [replace(mine, low=0.4, base="another")]).value == 0.7
    assert as_shown(replace(figure, assistant=PANEL), quiz, found, [replace(mine, low=0.4)]).value is None


def test_a_blind_proof_is_made_anew_where_more_items_areasked_of(tmp_path: Path) -> None:
    """Else a first look at few items would keep an instrument silent for ever."""
    quiz = next(each for each in known().values() if each.opposites and not each.opposites.language)
    who = Respondent("k", "ana", "m", "sha256:1", None, None, "d", "", {}, None, "wheel")
    items = [Item(f"i{n}", "?", "chat") for n in range(20)]
    why_none = proof(instrument=quiz.name, version=quiz.version, low=0.4, asked=8)
    KeptChecks(tmp_path).keep(why_none)
    assert KeptChecks(tmp_path).of(quiz, who, items) is None
    assert KeptChecks(tmp_path).of(quiz, who, items[:8]) == KeptChecks(tmp_path).of(quiz, who) == why_none
    seeing = replace(why_none, low=0.8)
    KeptChecks(tmp_path).keep(seeing)
    assert KeptChecks(tmp_path).of(quiz, who, items) == seeing


@pytest.mark.skipif(DATA is None, reason="PLURIVERSE_DATA is not set")
@pytest.mark.parametrize("name", [each.name for each in known().values() if each.opposites])
def test_a_proof_asks_items_that_can_have_a_value(name: str, tmp_path: Path) -> None:
    """Enough of them, so that opposites which are told apart always are seen."""
    instrument = known()[name]
    asked = asked_of(instrument, items_of(name, tmp_path))
    assert len({item.id for item in asked}) >= LEAST
    sides = [item for item in asked if {"polarity", "key"} & set(item.metadata)]
    assert all(key_of(item.metadata) for item in sides)


def test_opposites_the_wrong_way_round_prove_nothing_of_a_side() -> None:
    """Whoever is called left must not speak as the right does."""
    a, b = ({f"i{n}": value + n % 3 / 10 for n in range(20)} for value in (0.1, 0.8))
    value, low, high, _ = _separation(a, b, oriented=False)
    assert value == 0 and high <= 0.5 and low <= 0.5


def test_other_voices_are_proved_anew(tmp_path: Path) -> None:
    checks, quiz = KeptChecks(tmp_path), next(iter(known().values()))
    who = Respondent("k", "ana", "m", "sha256:1", None, None, "d", "", {}, None, "wheel")
    kept = proof(instrument=quiz.name, version=quiz.version, voices="one")
    checks.keep(kept)
    assert checks.of(quiz, who, voices="one") == kept and checks.of(quiz, who, voices="other") is None


@pytest.mark.parametrize(
    ("value", "low", "high", "verdict"),
    [
        (0.9, 0.8, 1.0, "apart"), (0.6, 0.51, 0.69, "apart"), (0.5, 0.4, 0.6, "no_difference"),
        (0.1, 0.0, 0.2, "no_difference"), (0.55, 0.35, 0.75, "undecided"), (0.8, 0.5, 1.0, "undecided"),
    ],
)  # fmt: skip
def test_cannot_see_is_three_things(value: float, low: float, high: float, verdict: str) -> None:
    found = finding(value, low, high, 24)
    assert found.verdict == verdict and (found.more is None) is (verdict != "undecided")
    told = proof(separation=value, low=low, high=high).as_dict()
    assert told["reversed"] is found.reversed is (high < 0.5)
    assert ("wrong way round" in found.words) is found.reversed, "a large difference is not called none"
    assert told["verdict"] == verdict and told["margin"] == 0.2 and told["sees"] is (verdict == "apart")


def test_with_so_many_more_it_is_decided() -> None:
    """Where the separation stays what it is: its interval then lies above chance, or below the margin."""
    for value, half in ((0.62, 0.2), (0.51, 0.25), (0.75, 0.3)):
        more = finding(value, value - half, value + half, 24).more
        assert more
        narrow = half * (24 / (24 + more)) ** 0.5
        assert finding(value, value - narrow, value + narrow, 24 + more).verdict != "undecided"
        wide = half * (24 / (24 + more - 3)) ** 0.5
        assert finding(value, value - wide, value + wide, 24 + more - 3).verdict == "undecided"


@pytest.mark.slow
def test_how_often_the_check_of_twenty_four_items_is_right() -> None:
    """By simulation: opposites that are alike are seldom told apart, and those far apart seldom called alike."""
    generator = np.random.default_rng(3)

    def share(shift: float, verdict: str, items: int = 24) -> float:
        found = []
        for _ in range(25):
            a, b = generator.normal(shift, 1, items), generator.normal(0, 1, items)
            sides = ({f"i{n}": float(x) for n, x in enumerate(each)} for each in (a, b))
            value, low, high, number = _separation(*sides, oriented=False)
            found.append(finding(value, low, high, number).verdict == verdict)
        return float(np.mean(found))

    assert share(0.0, "apart") <= 0.1 and share(0.0, "no_difference") >= 0.5
    assert share(1.2, "apart") >= 0.85 and share(1.2, "no_difference") <= 0.02  # a separation of 0.8
    assert share(0.74, "no_difference", 40) <= 0.08, "a separation of 0.7, which the margin must not hide"


def test_items_for_a_check_are_as_many_as_are_wanted(tmp_path: Path) -> None:
    quiz = next(each for each in known().values() if each.opposites and not each.opposites.language)
    who = Respondent("k", "ana", "m", "sha256:1", None, None, "d", "", {}, None, "wheel")
    items = [Item(f"i{n}", "?", "chat", wording=str(w)) for n in range(60) for w in range(4)]
    assert len({item.id for item in asked_of(quiz, items)}) == 12
    assert len({item.id for item in asked_of(quiz, items, 40)}) == 40
    kept = proof(instrument=quiz.name, version=quiz.version, low=0.45, asked=12)
    KeptChecks(tmp_path).keep(kept)
    assert (
        KeptChecks(tmp_path).of(quiz, who, items) == kept and KeptChecks(tmp_path).of(quiz, who, items, most=40) is None
    )
    assert "--check-items" in check(kept.outcome) or "does not have" in check(kept.outcome)
