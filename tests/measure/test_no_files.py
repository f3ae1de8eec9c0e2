"""What stands in the place of a file of rows and never ends, or never begins, is told and not waited for."""

import os
from pathlib import Path

import pytest

from pluriverse.errors import IntegrityError
from pluriverse.jsonl import cut_torn_line, whole_lines
from pluriverse.measure.data.datasets import _agreed
from pluriverse.measure.judges.validation import JudgeValidations
from pluriverse.measure.run.record import runs, unreadable
from pluriverse.measure.run.sensitivity import KeptChecks
from pluriverse.settings import Settings


@pytest.fixture(params=["pipe", "endless"])
def in_place(request: pytest.FixtureRequest) -> "object":
    def put(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if request.param == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to("/dev/zero")
        return path

    return put


pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")


def test_a_run(tmp_path: Path, in_place) -> None:  # type: ignore[no-untyped-def]
    place = in_place(tmp_path / "runs" / "abc" / "run.json")
    if place.is_file():
        pytest.skip("no device")
    assert not runs(tmp_path)
    assert "run.json" in unreadable(tmp_path)[0].message


def test_rows(tmp_path: Path, in_place) -> None:  # type: ignore[no-untyped-def]
    place = in_place(tmp_path / "responses.jsonl")
    with pytest.raises(IntegrityError, match="cannot be read"):
        cut_torn_line(place)
    with pytest.raises(IntegrityError, match="cannot be read"):
        list(whole_lines(place, dict, "row", "again"))


def test_what_is_kept_beside(tmp_path: Path, in_place) -> None:  # type: ignore[no-untyped-def]
    for name in ("judges.json", "proofs.json", "licences.json"):
        in_place(tmp_path / name)
    assert not JudgeValidations(tmp_path).all()
    assert not KeptChecks(tmp_path).all()
    assert not _agreed(Settings(home=tmp_path))
