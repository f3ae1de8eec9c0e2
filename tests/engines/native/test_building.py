"""A build ends with a proved library in use, or with a sentence and the wheel; a kill costs only the step it hit."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock

from pluriverse.engines.local.libraries import Kept
from pluriverse.engines.native import additions, building
from pluriverse.engines.native.building import BuildProgress, BuildStep, Built
from pluriverse.engines.native.gains import Here, chosen, overall
from pluriverse.errors import EngineError

from .conftest import GCC, ZIG, Pretence

Build = Callable[..., list[Any]]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "home")


def test_the_faster_compiler_wins_and_engines_use_it(build: Build, kept: Kept, pretence: Pretence) -> None:
    pretence.speed = {"zig": 1.0, "system": 2.0}
    *others, last = build()
    assert isinstance(last, Built) and last.library.compiler == "system (gcc 1)"
    assert kept.choice == "native" and kept.used() == last.library
    assert {type(event) for event in others} == {BuildStep, BuildProgress}
    assert pretence.compiled == [("zig", "mtmd"), ("system", "ggml-cpu")]
    assert not (kept.folder / "work").exists()


def here(*formats: str) -> list[Here]:
    """A model of each format; their stems are the formats."""
    return [Here(f"model-{each}", f"sha256:{each}", each, Path(f"{each}.gguf"), 100) for each in formats]


def test_compilers_are_compared_by_the_formats_that_are_here(build: Build, pretence: Pretence) -> None:
    """In turns with the wheel's library, so that what disturbs, disturbs all alike."""
    pretence.speed = {"zig": 9.0, "system": 1.0}  # of every other format
    pretence.speed_of = {("zig", "Q4_1"): 1.0, ("system", "Q4_1"): 2.0}
    built = build(here=here("Q4_1"))[-1]
    assert built.library.compiler == "system (gcc 1)" and [each.name for each in built.gains] == ["model-Q4_1"]
    assert [kind for kind, stem in pretence.timed if stem == "Q4_1"] == ["wheel", "zig", "system"] * 2


def test_what_it_gains_is_said_and_the_wheel_stays_where_that_is_nothing(
    build: Build, kept: Kept, pretence: Pretence
) -> None:
    pretence.speed_of = {(kind, "Q4_1"): 0.51 for kind in ("zig", "system")}  # the wheel: 0.5
    built = build(here=here("Q4_1"))[-1]
    assert not built.used and kept.choice == "wheel" and kept.used() is None
    assert overall(built.gains) == pytest.approx(1.02) and kept.fitting() == built.library, "it is kept all the same"
    again = build(here=here("Q4_1", "Q8_0"))[-1]  # another model has come
    assert again.already_here and again.used and kept.choice == "native"
    assert [each.format for each in again.gains] == ["Q4_1", "Q8_0"]
    before = len(pretence.timed)
    assert not build(here=here("Q4_1"))[-1].used and kept.choice == "wheel" and len(pretence.timed) == before
    assert [each["format"] for each in kept.all()[0].speeds["here"]] == ["Q4_1", "Q8_0"]


def test_a_model_that_no_library_runs_decides_nothing(build: Build, pretence: Pretence) -> None:
    pretence.unknown = {"RWKV"}
    built = build(here=here("RWKV", "Q8_0"))[-1]
    assert built.used and [each.format for each in built.gains] == ["Q8_0"]


def test_of_each_format_the_smallest_is_measured_and_none_that_takes_an_hour() -> None:
    small, large, huge = (
        Here(name, name, "Q8_0", Path(name), size) for name, size in (("s", 1), ("l", 9), ("h", 10**12))
    )
    other = Here("o", "o", "Q4_0", Path("o"), 5)
    assert chosen([large, huge, small, other]) == [small, other] and chosen([huge]) == []


def test_a_second_build_is_here_already_until_again(build: Build, pretence: Pretence) -> None:
    build()
    (built,) = build()
    assert built.already_here
    assert not build(again=True)[-1].already_here
    assert pretence.fetched == 2


def test_a_library_without_the_present_additions_is_built_anew(
    build: Build, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = build()[-1].library
    monkeypatch.setattr(additions, "digest", lambda: "other")
    new = build()[-1]
    assert not new.already_here and new.library.key != old.key and new.library in kept.all()


def test_where_kernels_for_bf16_are_ours_they_are_proved_too(build: Build, kept: Kept, pretence: Pretence) -> None:
    pretence.fine = True
    library = build()[-1].library
    assert library.proof["BF16"]["same_choice"] == 1 and "BF16" in library.speeds["native"]
    pretence.off_fine = 2.0
    with pytest.raises(EngineError, match="KL"):
        build(again=True)
    assert kept.all() == [library], "what was there goes on serving"


def test_kernels_that_crash_are_left_out(build: Build, pretence: Pretence) -> None:
    pretence.crashing = {"system"}
    pretence.speed = {"zig": 1.0, "system": 9.0}
    assert build()[-1].library.compiler.startswith("zig")


def test_where_all_kernels_crash_the_wheel_serves(build: Build, kept: Kept, pretence: Pretence) -> None:
    pretence.crashing = {"system", "zig"}
    with pytest.raises(EngineError, match="signal 4") as error:
        build()
    assert error.value.hint == "the wheel's library goes on serving"
    assert kept.choice == "wheel" and kept.all() == []


def test_one_compiler_is_enough(build: Build, pretence: Pretence) -> None:
    pretence.broken = {"system"}
    assert build()[-1].library.compiler.startswith("zig")


def test_without_a_compiler_there_is_a_sentence(build: Build, pretence: Pretence) -> None:
    pretence.compilers = []
    with pytest.raises(EngineError, match="no compiler is here") as error:
        build()
    assert error.value.hint and "gcc" in error.value.hint


def test_a_compiler_that_was_asked_for_and_is_missing(build: Build, pretence: Pretence) -> None:
    pretence.compilers = [ZIG]
    with pytest.raises(EngineError, match="no system compiler is here"):
        build("system")


@pytest.mark.parametrize("what", ["checks", "logits"])
def test_a_library_that_does_not_prove_itself_is_never_used(
    build: Build, kept: Kept, pretence: Pretence, what: str
) -> None:
    if what == "checks":
        pretence.checks["together as alone"] = False
    else:
        pretence.off = 2.0
    with pytest.raises(EngineError, match="together as alone" if what == "checks" else "KL"):
        build()
    assert kept.choice == "wheel" and kept.used() is None


def test_a_killed_build_goes_on_where_it_was(build: Build, kept: Kept, pretence: Pretence) -> None:
    pretence.stop_at = 2
    with pytest.raises(KeyboardInterrupt):
        build()
    assert kept.all() == [] and kept.choice == "wheel"
    pretence.stop_at = None
    assert isinstance(build()[-1], Built)
    assert pretence.fetched == 1  # what was whole is not fetched again


def test_a_full_disk_is_told_before_anything_is_fetched(
    build: Build, pretence: Pretence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1024))
    with pytest.raises(EngineError, match="2 GB of free disk"):
        build()
    assert pretence.fetched == 0


def test_a_disk_that_fills_up_meanwhile(build: Build, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(building.compiling, "gather", full)
    with pytest.raises(EngineError, match="No space left") as error:
        build()
    assert error.value.hint == "go on with it: pluriverse engine build"
    assert kept.choice == "wheel"


def test_two_builds_at_once(build: Build, kept: Kept) -> None:
    kept.folder.mkdir(parents=True)
    with FileLock(kept.folder / "build.lock"), pytest.raises(EngineError, match="another build is running"):
        build()


def test_only_zig_where_the_machine_has_no_compiler(build: Build, pretence: Pretence) -> None:
    pretence.compilers = [ZIG]
    assert build()[-1].library.compiler == "zig (zig 1)"
    assert pretence.compiled == [("zig", "mtmd")]


def test_only_the_system_where_there_is_no_zig(build: Build, pretence: Pretence) -> None:
    pretence.compilers = [GCC]
    assert build()[-1].library.compiler == "system (gcc 1)"
