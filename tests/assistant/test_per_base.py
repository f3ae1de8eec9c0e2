"""Prompts and strengths by base: only where they were measured, for the starter set, below what a user says."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.assistant import Assistant, Shelf, per_base
from pluriverse.assistant.per_base import measured_on, on_base
from pluriverse.catalogue import find
from pluriverse.runtime.requests import AskOptions, Draft, Heard
from pluriverse.settings import Settings
from pluriverse.values import Digest, Message, check_strength

HERE, ELSEWHERE = Digest("sha256:" + "1" * 64), Digest("sha256:" + "2" * 64)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(Settings(home=tmp_path / "home"))


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """duty and outcomes were measured on a base of the digest HERE."""
    text = f'base = "one"\ndigest = "{HERE}"\n[strengths]\nduty = 1.25\n[prompts]\nduty = "Duty."\noutcomes = "Ends."\n'
    (tmp_path / "one.toml").write_text(text)
    monkeypatch.setattr(per_base, "_FOLDER", tmp_path)
    per_base._all.cache_clear()
    yield
    per_base._all.cache_clear()


def draft(assistant: Assistant, shelf: Shelf, digest: Digest, options: AskOptions | None = None) -> Draft:
    made = Draft(0, Heard(assistant, (Message("user", "?"),)), options or AskOptions(), "one", shelf)
    made.speaks_through("one", digest)
    return made


def test_it_holds_for_its_digest_alone(found: None, shelf: Shelf) -> None:
    duty = shelf.assistant("duty")
    assert on_base(duty, ELSEWHERE) is duty and on_base(duty, None) is duty
    there = on_base(duty, HERE)
    assert there.guidance and (there.system, there.guidance.strength) == ("Duty.", 1.25)
    assert there.digest != duty.digest, "another definition, so that measures are told apart"
    assert on_base(there, HERE) is there


def test_a_users_own_stays_what_its_file_says(found: None, shelf: Shelf) -> None:
    shelf.write(Assistant("duty", system="Mine."), overwrite=True)
    assert on_base(shelf.assistant("duty"), HERE).system == "Mine."


def test_both_sides_are_asked_as_they_are_there(found: None, shelf: Shelf) -> None:
    asked = draft(shelf.assistant("duty"), shelf, HERE)
    other = on_base(shelf.assistant("outcomes"), HERE)
    assert asked.guidance and (asked.guidance.system, asked.guidance.definition) == ("Ends.", other.digest)
    assert asked.guidance.strength == 1.25 and asked.request.messages[0].content == "Duty."
    plain = draft(shelf.assistant("duty"), shelf, ELSEWHERE)
    assert plain.guidance and plain.guidance.system == shelf.assistant("outcomes").system


def test_what_the_user_says_goes_before(found: None, shelf: Shelf) -> None:
    duty = shelf.assistant("duty")
    assert draft(duty, shelf, HERE, AskOptions(system="X")).request.messages[0].content == "X"
    stronger = draft(duty, shelf, HERE, AskOptions(guidance=3.0)).guidance
    assert stronger and stronger.strength == 3.0
    assert draft(duty, shelf, HERE, AskOptions(guidance=0)).guidance is None


def test_what_ships_names_real_assistants_and_pinned_models(shelf: Shelf) -> None:
    for name, there in per_base._all().items():
        assistant = shelf.assistant(name)
        for each in there:
            pullable = find(each.base)
            assert pullable and pullable.digest == each.digest
            assert each.strength is None or (check_strength(each.strength) and assistant.guidance)
            on_base(assistant, each.digest)  # is a valid one


def test_on_small_nothing_has_changed(shelf: Shelf) -> None:
    small = find("small")
    assert small
    for assistant in shelf.assistants():
        assert bool(measured_on(assistant)) == (assistant.guidance is not None)
        assert on_base(assistant, small.digest) is assistant
        assert on_base(replace(assistant, base="small"), small.digest).base == "small"
