"""What is tried in a process of its own, here in this one: on a random model that loads in a millisecond."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pluriverse.engines.native import bench, trial
from pluriverse.errors import EngineCrashedError, EngineError

from ..local.tiny import write_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny(tmp_path_factory.mktemp("tiny") / "m.gguf"))


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "STEPS", 8)
    monkeypatch.setattr(bench, "QUESTIONS", ("What is rain?", "Why?"))
    monkeypatch.setattr(bench, "physical_cores", lambda: 1)


def test_the_sensitivity_check_is_passed_and_compared_with_another_library(tiny: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.npy"
    found = trial.check_sensitivity({"model": tiny, "rows": str(rows)})
    assert found["checks"] == dict.fromkeys(found["checks"], True) and len(found["checks"]) == 4
    assert np.load(rows).shape[0] == 2 * trial.STEPS
    again = trial.check_sensitivity({"model": tiny, "rows": str(rows), "said": found["said"], "check": False})
    assert again["said"] == found["said"] and "checks" not in again


@pytest.mark.parametrize("quick", [True, False])
def test_speeds_are_told(tiny: str, quick: bool) -> None:
    given = {"model": tiny, "times": 1, "threads": 1, "chunk": 256, "quick": quick, "held": [4] if quick else None}
    found = trial.speed(given)
    assert set(found["prefill"]) == ({"512"} if quick else {"128", "512", "1024"})
    assert set(found["decode 8"]) == ({"4"} if quick else {"40", "200"}) and ("decode 1" in found) is not quick
    assert min(found["decode 8"].values()) > 0


def test_two_models_differ_by_what_they_expect(tiny: str, tmp_path: Path) -> None:
    other = str(write_tiny(tmp_path / "other.gguf", without=()))
    asked = {"models": [tiny, other], "pairs": [[0, 0], [0, 1]], "texts": ["what is so?", ""]}
    found = trial.differ(asked)
    assert len(found["tokens"]) == 1 and found["kl"][0] == [0.0] and found["same"][0] == found["tokens"]


def test_a_document_goes_in_and_one_comes_out(
    tiny: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(**document: Any) -> Any:
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(document)))
        trial.main()
        return json.loads(capsys.readouterr().out)

    assert asked(do="profile", types=[], layer=[], rest=False) == {"kernels": {}, "rest": None}
    assert "cannot load" in asked(do="differ", models=[tiny + "x"], pairs=[], texts=[])["error"]["message"]


@pytest.mark.parametrize(
    ("code", "out", "err", "error", "words"),
    [
        (0, 'noise\n{"said": 1}\n', "", None, ""),
        (0, '{"error": {"kind": "engine", "message": "no", "hint": null}}', "", EngineError, "no"),
        (-6, "", "GGML_ASSERT\n", EngineCrashedError, "signal 6"),
        (1, "", "a\nKeyError: 'x'\n\n", EngineCrashedError, "KeyError: 'x'"),
        (0, " \n", "", EngineCrashedError, "without a word"),
    ],
)
def test_how_it_ended_is_told(
    code: int, out: str, err: str, error: type[Exception] | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = SimpleNamespace(returncode=code, stdout=out, stderr=err)
    monkeypatch.setattr(trial.children, "run", lambda *given, **more: done)
    if error is None:
        assert trial.run({}) == {"said": 1}
    else:
        with pytest.raises(error, match=words):
            trial.run({})
