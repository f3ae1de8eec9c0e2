"""Guidance as it is declared: whom a voice is decoded against, and every way in which a counterpart cannot be one."""

from pathlib import Path

import pytest

from pluriverse.assistant import Assistant, Guidance, Shelf, opposite_of
from pluriverse.assistant.strengths import Found, Strengths
from pluriverse.errors import NotFoundError, PluriverseError, UsageError
from pluriverse.settings import Settings
from pluriverse.values import Digest

BASE = Digest("sha256:" + "b" * 64)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(Settings(home=tmp_path))


def put(shelf: Shelf, name: str, counterpart: str | None = None, **more: object) -> Assistant:
    made = Assistant(name, system=f"You are {name}.", counterpart=counterpart, **more)  # type: ignore[arg-type]
    shelf.write(made)
    return made


def test_the_file_says_it_and_reads_back(shelf: Shelf) -> None:
    for guidance in (Guidance(), Guidance("plain", 1.5), Guidance("You are somebody else.", 3)):
        made = Assistant("a", system="x", counterpart="b", guidance=guidance)
        assert Assistant.from_toml(made.to_toml(), "a") == made
    assert Assistant.from_toml('system = "x"\n[guidance]\n', "a").guidance is None


def test_guidance_is_part_of_what_shapes_a_reply() -> None:
    plain = Assistant("a", system="x", counterpart="b")
    guided = Assistant("a", system="x", counterpart="b", guidance=Guidance())
    other = Assistant("a", system="x", counterpart="c", guidance=Guidance())
    assert len({plain.digest, guided.digest, other.digest}) == 3
    assert plain.digest == Assistant("a", system="x").digest


def test_a_pair_is_each_others_other_side(shelf: Shelf) -> None:
    one, two = put(shelf, "one", "two", guidance=Guidance()), put(shelf, "two", "one", guidance=Guidance())
    for voice, other in ((one, two), (two, one)):
        opposite = opposite_of(voice, shelf)
        assert opposite and (opposite.against, opposite.system, opposite.strength) == (other.name, other.system, 2.0)
    assert opposite_of(one, shelf, 0.0) is None
    assert opposite_of(one, shelf, 3.0).strength == 3.0  # type: ignore[union-attr]


def test_an_override_guides_those_who_declare_nothing(shelf: Shelf) -> None:
    alone = put(shelf, "alone")
    assert opposite_of(alone, shelf) is None
    assert opposite_of(alone, shelf, 2.0).against == "plain"  # type: ignore[union-attr]
    one, _ = put(shelf, "one", "two"), put(shelf, "two", "one")
    assert opposite_of(one, shelf, 2.0).against == "two"  # type: ignore[union-attr]
    assert opposite_of(Assistant("base"), shelf, 2.0) is None  # it is the plain base itself


def test_a_counterpart_must_be_one(shelf: Shelf) -> None:
    cases = [("missing", "nobody-here", NotFoundError, "nobody-here")]
    put(shelf, "silent")
    cases.append(("onesided", "silent", UsageError, "names nobody"))
    put(shelf, "x", "y")
    put(shelf, "y", "z")
    put(shelf, "z", "x")
    cases.append(("x", "y", UsageError, "circle"))
    put(shelf, "taken", "other")
    put(shelf, "other", "taken")
    cases.append(("jealous", "taken", UsageError, "names other"))
    for name, counterpart, kind, words in cases:
        with pytest.raises(kind) as error:
            opposite_of(Assistant(name, system="s", counterpart=counterpart, guidance=Guidance()), shelf)
        assert words in error.value.message and "--guidance 0" in (error.value.hint or "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('counterpart = "b"\n[guidance]\nstrength = 9', "strength"),
        ('counterpart = "b"\n[guidance]\nstrength = -1', "strength"),
        ('counterpart = "b"\n[guidance]\nstrength = nan', "strength"),
        ('counterpart = "b"\n[guidance]\nstrength = "2"', "strength"),
        ('counterpart = "b"\n[guidance]\nstrenght = 2', "strength"),
        ('[guidance]\nagainst = "counterpart"', "counterpart"),
        ('[guidance]\nagainst = "plain"', "system"),
        ('system = "x"\n[guidance]\nagainst = ""\nstrength = 1', "against"),
    ],
)
def test_what_cannot_be_is_named(text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        Assistant.from_toml(text, "x")
    assert words in f"{error.value.message} {error.value.hint}" and "x.toml" in error.value.message


def test_strengths_found_belong_to_base_definition_and_other_side(shelf: Shelf, tmp_path: Path) -> None:
    one, _ = put(shelf, "one", "two", guidance=Guidance()), put(shelf, "two", "one", guidance=Guidance())
    opposite = opposite_of(one, shelf)
    assert opposite
    strengths = Strengths(tmp_path / "strengths.json")
    assert strengths.strength(BASE, one, opposite) == 2.0
    strengths.keep(BASE, one, opposite, Found("one", 1.0, 2.0, "it repeats"))
    assert strengths.strength(BASE, one, opposite) == 1.0
    assert strengths.strength(Digest("sha256:" + "c" * 64), one, opposite) == 2.0
    changed = Assistant("one", system="Something else.", counterpart="two", guidance=Guidance())
    assert strengths.strength(BASE, changed, opposite) == 2.0
    assert strengths.strength(None, one, opposite) == 2.0
    strengths.keep(BASE, one, opposite, None)
    assert strengths.strength(BASE, one, opposite) == 2.0 and not strengths.all()


def test_a_broken_strengths_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "strengths.json"
    for text in ("{", "[]", '{"a": 1}', '{"a": {"strength": 1}}'):
        path.write_text(text)
        with pytest.raises(PluriverseError) as error:
            Strengths(path).all()
        assert "strengths.json" in error.value.message and error.value.hint
