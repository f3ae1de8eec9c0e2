"""A whole check: on scripted voices for its rules, on the real default model for its truth."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pluriverse.assistant import Assistant, Guidance, Outlook
from pluriverse.cli.commands.check import _judge
from pluriverse.errors import NotFoundError, UnsupportedError, UsageError
from pluriverse.measure.classify.guards import Fluency
from pluriverse.measure.data.datasets import Truth
from pluriverse.measure.run.session import AssistantSession
from pluriverse.measure.stats.intervals import Interval
from pluriverse.panelcheck import check as checking
from pluriverse.panelcheck.check import (
    CheckEvent,
    CheckOptions,
    CheckStarted,
    CheckStep,
    PanelChecked,
    StrengthLowered,
    check,
)
from pluriverse.panelcheck.facts import truth_of
from pluriverse.panelcheck.report import FactsMissing, PanelReport, Separation
from pluriverse.panelcheck.separability import Sensitivity
from pluriverse.runtime.workspace import Workspace
from pluriverse.settings import Settings

from ..works.given import give

SCRIPT = """
[[rule]]
system = "sea"
replies = ["The sea is wide and the boat sails on the water.", "A sailor loves the salt water of the wide sea."]

[[rule]]
system = "hill"
replies = ["The hill is steep and the goat climbs its rocks.", "A shepherd loves the green grass of the steep hill."]

[[rule]]
replies = ["There is much to say about that, on the one hand.", "It depends on many things, on the other hand."]
"""
QUICK = CheckOptions(questions=8, facts=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    script = tmp_path / "voices.toml"
    script.write_text(SCRIPT)
    return Workspace(Settings(home=tmp_path / "home", offline=True, base=f"scripted:{script}"))


def pair(workspace: Workspace, a: str = "sea", b: str = "hill", **more: Any) -> list[Assistant]:
    made = [Assistant("one", system=f"You are of the {a}.", counterpart="two", **more)]
    made += [Assistant("two", system=f"You are of the {b}.", counterpart="one", **more)]
    for each in made:
        workspace.shelf.write(each)
    return made


def checked(workspace: Workspace, members: list[Assistant], options: CheckOptions = QUICK) -> list[CheckEvent]:
    async def work() -> list[CheckEvent]:
        async with workspace:
            return [event async for event in check(workspace, "both", members, options)]

    return asyncio.run(work())


def report_of(events: list[CheckEvent]) -> PanelReport:
    last = events[-1]
    assert isinstance(last, PanelChecked)
    return last.report


def test_two_who_say_different_things_are_plural(workspace: Workspace) -> None:
    events = checked(workspace, pair(workspace, guidance=Guidance()))
    assert isinstance(events[0], CheckStarted) and events[0].pairs == (("one", "two"),)
    assert all(event.done <= event.steps for event in events if isinstance(event, CheckStep))
    report = report_of(events)
    (separation,) = report.pairs
    assert separation.judge == "answers" and separation.value.value > 0.95 and separation.told_apart
    assert separation.control is not None and separation.control.value < 0.9
    assert report.plural and report.speed is not None and report.facts_missing == FactsMissing("not asked")
    assert (
        report.verdict
        == f"plural: every declared pair can be told apart: one and two {separation.value} (1 is always, 0.5 never)"
    )
    document = report.as_dict()["pairs"][0]
    assert (document["verdict"], document["margin"], document["more"]) == ("apart", 0.2, None)
    assert [voice.guidance is not None for voice in report.voices] == [True, True]


def test_two_who_say_the_same_are_not(workspace: Workspace) -> None:
    report = report_of(checked(workspace, pair(workspace, "sea", "sea")))
    assert not report.plural and not report.pairs[0].told_apart
    assert any("guide both" in words for words in report.advice())
    (pair_,) = report.pairs
    assert report.verdict.startswith(f"not plural: not every declared pair is told apart: one and two {pair_.value}")
    assert pair_.finding.verdict in {"no_difference", "undecided"} and pair_.finding.words in report.advice()[0]


def test_a_guided_pair_is_checked_on_another_base(workspace: Workspace, tmp_path: Path) -> None:
    """Both speak through it, also as each other's counterparts, though their files name the default."""
    other = tmp_path / "other.toml"
    other.write_text(SCRIPT.replace("The", "A"))
    options = CheckOptions(questions=8, facts=False, base=f"scripted:{other}")
    report = report_of(checked(workspace, pair(workspace, guidance=Guidance()), options))
    assert report.plural and report.bases == (f"scripted:{other}",)


def test_voices_with_works_are_checked_with_what_they_quote(workspace: Workspace) -> None:
    spoken = (
        "A good and fair society is a ship that all must steer. The state should care for all people at sea.",
        "A good and fair society is a hill that each must climb. The state should care for few people.",
    )
    works = [(give(workspace, f"work-{number}", text),) for number, text in enumerate(spoken)]
    members = [replace(each, works=own) for each, own in zip(pair(workspace), works, strict=True)]
    report = report_of(checked(workspace, members))
    assert len(report.voices) == 2 and report.pairs


def test_without_pairs_everybody_is_compared(workspace: Workspace) -> None:
    members = [Assistant("sea", system="sea"), Assistant("hill", system="hill"), Assistant("plain")]
    report = report_of(checked(workspace, members))
    assert not report.pairs and report.plural and len(report.matrix) == 3
    assert "every two of them can be told apart" in report.verdict and report.verdict.count(" to 1.00)") == 3


def test_the_legend_names_the_judge_of_each_pair() -> None:
    """Where only one of two pairs says where it stands, the other is not judged by the base."""
    plain, seen = Fluency(4.0, 0.0, 1.0, 0.0), Sensitivity("the base", "m", Interval(0.9, 0.8, 1.0, 12))
    pairs = [
        Separation("a", "b", "sides", Interval(0.9, 0.8, 1.0, 12)),
        Separation("c", "d", "answers", Interval(0.6, 0.4, 0.8, 12)),
    ]  # fmt: skip
    report = PanelReport("p", ("m",), ("?",) * 12, 1, seen, tuple(pairs), (), (), plain, None, "", None, 1.0)
    legend = _judge(report)
    assert "a / b judged by the base itself" in legend and "c / d judged by what was answered" in legend
    assert "c and d 0.60 (0.40 to 0.80)" in report.verdict and "a and b" not in report.verdict
    assert report.advice()[0].startswith("c and d 0.60 (0.40 to 0.80): undecided, ask 37 more: --questions 49; or")


def test_the_document_has_what_the_contract_names(workspace: Workspace) -> None:
    document = report_of(checked(workspace, pair(workspace))).as_dict()
    assert {"panel", "plural", "pairs"} <= set(document)
    assert {"a", "b", "separation", "low", "high", "control"} <= set(document["pairs"][0])


def test_an_outlook_calls_the_judge_that_knows_the_sides(workspace: Workspace) -> None:
    members = pair(workspace, outlook=Outlook("politics", "a side", "It stands somewhere."))
    report = report_of(checked(workspace, members))
    assert report.pairs[0].judge == "sides"
    assert report.sensitivity is not None  # scripted numbers mean nothing, and the instrument must notice
    if not report.sensitivity.passed:
        assert not report.plural and "did not pass its sensitivity check" in report.verdict


def test_a_voice_that_runs_off_is_lowered_and_remembered(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fluency(voice: Any, answers: Any, questions: Any) -> Fluency:
        strength = answers.guidance.strength if answers.guidance else 0
        return Fluency(20.0 if strength > 1 and voice.name == "one" else 4.0, 0.0, 1.0, 0.0)

    monkeypatch.setattr(checking, "fluency_of", fluency)
    members = pair(workspace, guidance=Guidance(strength=2.0))
    events = checked(workspace, members)
    assert [(e.strength, e.lower) for e in events if isinstance(e, StrengthLowered)] == [(2.0, 1.0)]
    (one, two) = report_of(events).voices
    assert (
        one.guidance
        and (one.guidance.strength, one.declared) == (1.0, 2.0)
        and one.lowered
        and one.lowered.guard == "perplexity"
    )
    assert two.guidance and two.guidance.strength == 2.0 and not two.lowered


def test_a_voice_that_is_broken_anyway_keeps_its_strength(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fluency(voice: Any, answers: Any, questions: Any) -> Fluency:
        return Fluency(4.0, 0.0 if voice.name == "plain" else 0.5, 1.0, 0.0)

    monkeypatch.setattr(checking, "fluency_of", fluency)
    report = report_of(checked(workspace, pair(workspace, guidance=Guidance(strength=0.5))))
    assert all(voice.guidance and voice.guidance.strength == 0.5 and voice.broken for voice in report.voices)


def test_a_prompt_that_asks_for_what_is_seldom_said_is_not_held_against_guidance(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice the base's perplexity by the prompt alone; guidance may have 1.6 times that."""

    async def fluency(voice: Any, answers: Any, questions: Any) -> Fluency:
        strength = answers.guidance.strength if answers.guidance else 0
        harder = 2.0 if voice.name == "one" else 1.0
        return Fluency(4.0 if voice.name == "plain" else 8.0 + harder * strength, 0.0, 1.0, 0.0)

    monkeypatch.setattr(checking, "fluency_of", fluency)
    report = report_of(checked(workspace, pair(workspace, guidance=Guidance(strength=3.0))))
    (one, two) = report.voices
    assert one.lowered and one.guidance and one.guidance.strength == 2.0 and not one.broken
    assert not two.lowered and not two.broken and two.guidance and two.guidance.strength == 3.0


def test_it_is_not_lowered_step_by_step(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even without guidance the guards hold, that alone is tried; else strengths are halved."""
    tried: list[float] = []

    async def fluency(voice: Any, answers: Any, questions: Any) -> Fluency:
        strength = answers.guidance.strength if answers.guidance else 0
        tried.append(strength)
        ill = voice.name == "one" or strength > 0.5
        return Fluency(4.0, 0.5 if ill else 0.0, 1.0, 0.0)

    monkeypatch.setattr(checking, "fluency_of", fluency)
    report = report_of(checked(workspace, pair(workspace, guidance=Guidance(strength=3.0))))
    assert tried == [0, 3.0, 0, 3.0, 0, 1.5, 1.0, 0.5]
    (one, two) = report.voices
    assert one.broken and not one.lowered and two.lowered and two.guidance and two.guidance.strength == 0.5


def test_who_recites_is_told_to_say_less(workspace: Workspace) -> None:
    """A script is the same at every strength: the prompt, not guidance, is what makes it recite."""
    members = [
        Assistant("one", system="The sea is wide and the boat sails on the water. A sailor loves it."),
        Assistant("two", system="You are of the hill."),
    ]
    (one, two) = report_of(checked(workspace, members)).voices
    assert one.broken and one.broken.guard == "recital" and one.broken.amount == one.fluency.recital > 0.12
    assert not two.broken
    advice = report_of(checked(workspace, members)).advice()
    assert any("stands in its own prompt" in words and "write a shorter prompt" in words for words in advice)


def test_large_models_are_asked_fewer_questions(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    members = [Assistant("sea", system="sea"), Assistant("hill", system="hill")]
    usual = CheckOptions(facts=False)
    assert len(report_of(checked(workspace, members, usual)).questions) == 12
    monkeypatch.setattr(checking._Check, "_large", lambda *_: True)
    assert len(report_of(checked(workspace, members, usual)).questions) == 6


def test_wrong_use_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        checked(workspace, [Assistant("alone")])
    with pytest.raises(UsageError):
        CheckOptions(questions=3)
    one = Assistant("one", system="sea", counterpart="missing", guidance=Guidance())
    with pytest.raises(NotFoundError):
        checked(workspace, [one, Assistant("two")])
    script = tmp_path / "mute.toml"
    script.write_text("guidance = false\n" + SCRIPT)
    unable = Workspace(Settings(home=tmp_path / "home", offline=True, base=f"scripted:{script}"))
    with pytest.raises(UnsupportedError):
        checked(unable, pair(unable, guidance=Guidance()))


@pytest.mark.slow
@pytest.mark.model
def test_a_starter_pair_on_the_default_model(model_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sides are told apart on the real model, and one of them is not told from itself."""
    monkeypatch.setattr(checking, "_TOKENS", 16)  # they speak of their side from the first words on
    workspace = Workspace(model_settings)
    members = workspace.choose(["progressive", "conservative"])
    report = report_of(checked(workspace, members, CheckOptions(questions=6, facts=False)))
    (separation,) = report.pairs
    assert separation.judge == "sides" and separation.value.value > 0.5
    assert report.sensitivity is not None and report.sensitivity.separation.value > 0.5
    assert all(voice.guidance is not None for voice in report.voices)


def test_below_chance_is_the_wrong_way_round_only_to_who_knows_the_sides() -> None:
    low = Interval(0.1, 0.0, 0.3, 12)
    assert Separation("a", "b", "sides", low).finding.words == "told apart the wrong way round"
    learned = Separation("a", "b", "answers", low)
    assert learned.finding.words == "no difference within 0.2" and not learned.as_dict()["reversed"]


def test_a_voice_that_is_told_from_itself_is_told_from_nobody() -> None:
    apart, itself = Interval(0.7, 0.55, 0.85, 12), Interval(0.9, 0.8, 1.0, 12)
    assert Separation("a", "b", "answers", apart).told_apart
    assert not Separation("a", "b", "answers", apart, itself).told_apart
    assert Separation("a", "b", "answers", apart, Interval(0.6, 0.4, 0.8, 12)).told_apart


def test_facts_are_the_share_of_true_answers_with_guidance_and_without(workspace: Workspace) -> None:
    """Of answers that are scored together, what each scored alone gives."""
    questions = [Truth("Is it far?", ("yes", "it is"), ("no",)), Truth("Is it near?", ("no",), ("yes", "very", "so"))]

    async def work() -> tuple[np.ndarray, np.ndarray]:
        async with workspace:
            voice = await AssistantSession.of(workspace, pair(workspace, guidance=Guidance())[0])
            by_hand = []
            for each in questions:
                texts, row = [*each.true, *each.false], []
                for guide in (voice.guide(each.question, 2.0), None):
                    scores = await voice.engine.score(voice.messages(each.question), texts, guide=guide)
                    chances = np.exp([score.total for score in scores])
                    row.append(chances[: len(each.true)].sum() / chances.sum())
                by_hand.append(row)
            return await truth_of(voice, questions, 2.0), np.array(by_hand)

    found, by_hand = asyncio.run(work())
    assert found == pytest.approx(by_hand) and found.shape == (2, 2) and not np.allclose(found[:, 0], found[:, 1])


def test_without_facts_nothing_is_fetched(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> bytes:
        raise AssertionError("public data were asked for")

    monkeypatch.setattr("pluriverse.measure.data.datasets._fetched", never)
    report = report_of(checked(workspace, workspace.choose(["progressive", "conservative"])))
    assert report.pairs[0].persona is None and report.facts_missing == FactsMissing("not asked")
