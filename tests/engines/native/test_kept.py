"""Native libraries as files: whole or not there, never used on another processor, removable."""

import dataclasses
import json
from pathlib import Path

import pytest

from pluriverse.engines.local import LocalEngine, libraries
from pluriverse.engines.local.calibration import Calibration, Calibrations
from pluriverse.engines.local.libraries import Kept, NativeLibrary
from pluriverse.engines.local.processor import Processor, this_processor
from pluriverse.engines.native import additions
from pluriverse.engines.status import likely_gain, status_of
from pluriverse.errors import NotFoundError, UsageError
from pluriverse.settings import Settings

OTHER = Processor("another one", "x86_64", frozenset({"sse3"}), 2)


def library(key: str, built: str = "2026-11-24", processor: Processor | None = None) -> NativeLibrary:
    known = processor or this_processor()
    return NativeLibrary(
        key, libraries.NAMES["Linux"], "llama-cpp-python 0", "0" * 64, "zig (1)", (), known.model, known.key,
        tuple(known.features), 1.0, built,
    )  # fmt: skip


def put(kept: Kept, made: NativeLibrary, tmp_path: Path) -> NativeLibrary:
    folder = tmp_path / f"made-{made.key}"
    folder.mkdir()
    (folder / made.library).write_bytes(b"code")
    return kept.add(folder, made)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "home")


def test_the_wheel_is_used_until_somebody_chooses(kept: Kept, tmp_path: Path) -> None:
    put(kept, library("a"), tmp_path)
    assert kept.choice == "wheel" and kept.used() is None
    kept.use("native")
    assert kept.used() and kept.used().key == "a"  # type: ignore[union-attr]


def test_a_library_of_another_processor_is_never_used(kept: Kept, tmp_path: Path) -> None:
    put(kept, library("a", processor=OTHER), tmp_path)
    with pytest.raises(NotFoundError, match="another processor"):
        kept.use("native")
    (kept.folder / "choice.json").write_text('{"use": "native"}')  # the data folder was carried to another machine
    assert kept.used() is None
    settings = Settings(home=kept.folder.parent)
    assert LocalEngine.options_for(settings).library is None
    assert any("another processor" in words for words in status_of(settings).advice)


def test_the_newest_fitting_one_is_used(kept: Kept, tmp_path: Path) -> None:
    for each in (library("old", "2026-01-01"), library("new", "2026-02-02"), library("far", "2027-01-01", OTHER)):
        put(kept, each, tmp_path)
    assert kept.fitting() and kept.fitting().key == "new"  # type: ignore[union-attr]
    assert [each.key for each in kept.all()] == ["far", "new", "old"]


def test_a_library_from_before_kernels_were_added_serves_and_a_newer_one_is_advised(kept: Kept, tmp_path: Path) -> None:
    made = put(kept, library("a"), tmp_path)
    described = kept.libraries / made.key / "build.json"
    document = json.loads(described.read_text("utf-8"))
    del document["added"]
    described.write_text(json.dumps(document), "utf-8")
    kept.use("native")
    assert kept.used() is not None
    settings = Settings(home=tmp_path / "home")
    assert any("faster since" in words for words in status_of(settings).advice)
    document["added"] = additions.digest()
    described.write_text(json.dumps(document), "utf-8")
    assert not any("faster since" in words for words in status_of(settings).advice)


DAMAGES = ["truncate", "garbage", "no library", "other fields"]


def test_advice_does_not_ask_for_what_gains_nothing(kept: Kept, tmp_path: Path) -> None:
    slow = {"prefill": {"512": 100.0}, "decode 8": {"40": 10.0}}
    for times, words in ((1.01, "gains nothing for the models that were here (1.01 times"), (1.5, "use native")):
        fast = {measure: {held: speed * times for held, speed in cells.items()} for measure, cells in slow.items()}
        here = {"name": "m", "digest": "d", "format": "Q4_1", "wheel": slow, "native": fast, "times": times}
        put(
            kept,
            dataclasses.replace(library(f"x{times}"), built=f"2026-11-2{times}", speeds={"here": [here]}),
            tmp_path,
        )
        kept.use("wheel")
        advice = status_of(Settings(home=tmp_path / "home")).advice
        assert any(words in each for each in advice), advice


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_left_out(kept: Kept, tmp_path: Path, damage: str) -> None:
    made = put(kept, library("a"), tmp_path)
    assert made.path
    place = made.path.parent / "build.json"
    if damage == "truncate":
        place.write_text(place.read_text()[:40])
    elif damage == "garbage":
        place.write_bytes(b"\xff\x00")
    elif damage == "no library":
        made.path.unlink()
    else:
        place.write_text(json.dumps({"key": "a"}))
    assert kept.all() == [] and kept.used() is None


def test_replacing_and_removing(kept: Kept, tmp_path: Path) -> None:
    put(kept, library("a"), tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    (again / libraries.NAMES["Linux"]).write_bytes(b"newer code")
    made = kept.add(again, library("a", "2027-01-01"))
    assert made.path and made.path.read_bytes() == b"newer code"
    kept.use("native")
    assert kept.remove() > 0
    assert kept.choice == "wheel" and kept.all() == []
    with pytest.raises(UsageError):
        kept.use("gpu")


def test_what_calibration_found_is_used_and_what_the_user_says_comes_first(kept: Kept, tmp_path: Path) -> None:
    home = kept.folder.parent
    found = Calibration(1, False, 128, 100.0, 50.0, "m", "2026-11-24", {"prefill": {"512": 100.0}})
    Calibrations(home).keep(None, found)
    options = LocalEngine.options_for(Settings(home=home))
    assert (options.threads, options.flash_attention, options.chunk) == (1, False, 128)
    mine = LocalEngine.options_for(Settings(home=home, threads=2, flash_attention=True))
    assert (mine.threads, mine.flash_attention, mine.chunk) == (2, True, 128)
    assert status_of(Settings(home=home)).as_dict()["speeds"] == {"prefill": {"512": 100.0}}
    put(kept, library("a"), tmp_path)
    kept.use("native")
    assert LocalEngine.options_for(Settings(home=home)).flash_attention  # found for the wheel, not for this one


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}'])
def test_a_calibration_that_cannot_be_read_is_none(kept: Kept, text: str) -> None:
    kept.folder.mkdir(parents=True)
    (kept.folder / "calibration.json").write_text(text)
    assert Calibrations(kept.folder.parent).of(None) is None


def test_a_likely_gain_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = dataclasses.replace(OTHER, features=frozenset({"avx512f"}))
    monkeypatch.setattr("pluriverse.engines.status.this_processor", lambda: fast)
    settings = Settings(home=tmp_path)
    assert (
        likely_gain(settings) == "this processor has instructions that nothing here uses yet: pluriverse engine status"
    )
    assert likely_gain(settings) is None
    monkeypatch.setattr("pluriverse.engines.status.this_processor", lambda: OTHER)
    assert likely_gain(Settings(home=tmp_path / "other")) is None
