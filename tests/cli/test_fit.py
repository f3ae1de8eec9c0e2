"""`fit`, as it is typed: the contract's document, the words, what was compared with measured speeds, and exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from pluriverse.catalogue import verdict
from pluriverse.engines.native import trial
from pluriverse.errors import EngineCrashedError

from .conftest import Call

REST = {"attention": 1e-10, "attention_read": 1e-10, "layer": 1e-5, "word": 1e-9, "token": 1e-4}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A machine with memory enough, that is measured at once; which formats it was measured for."""
    asked: list[Any] = []

    def run(document: dict[str, Any]) -> dict[str, Any]:
        asked.append(document["types"] or "rest")
        timing = {"decode": {"1": 1e-11, "8": 4e-11}, "read": 5e-12}
        kernel = {"wide": timing, "narrow": timing, "copied": False}
        kernels = dict.fromkeys(document["types"], kernel)
        return {"kernels": kernels, "rest": REST if document["rest"] else None}

    monkeypatch.setattr(trial, "run", run)
    for name in ("physical_memory", "free_memory"):
        monkeypatch.setattr(f"pluriverse.catalogue.fit.{name}", lambda: 32 * 10**9)
    monkeypatch.setattr("pluriverse.catalogue.fit.shutil.disk_usage", lambda _: type("Disk", (), {"free": 10**12}))
    return asked


def test_the_document_has_the_fields_of_the_contract(call: Call, machine: list[Any]) -> None:
    found = call("fit", "qwen2.5-7b-instruct", "--json").document
    assert {"ref", "fits", "bytes", "memory_needed", "memory_free", "tokens_per_s", "why"} <= set(found)
    assert found["fits"] is True and found["ref"] == "qwen2.5-7b-instruct" and found["memory_free"] == 32 * 10**9
    speed = found["tokens_per_s"]
    assert 0 < speed["low"] < speed["value"] < speed["high"] and found["reading_s"] > 0
    assert found["quantisation"] == found["take"] == "Q4_K_M" and machine[0] == "rest"
    measured = len(machine)
    assert call("fit", "qwen2.5-7b-instruct", "--json").document == found and len(machine) == measured, "once"


def test_the_words(call: Call, machine: list[Any]) -> None:
    said = call("fit", "qwen2.5-7b-instruct", "--assistants", "3", "--guided")
    assert said.code == 0 and "qwen2.5-7b-instruct  fits" in said.out
    for words in ("for 3 assistants, guided, of 4,096 tokens", "weights", "tokens/s of all together", "reading"):
        assert words in said.out, words
    assert "measured, once" in said.err and "pluriverse pull qwen2.5-7b-instruct" in said.err


@pytest.mark.parametrize("worst", [None, 0.27])
def test_how_wrong_predictions_were_is_told(
    call: Call, machine: list[Any], worst: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = verdict.Accuracy() if worst is None else verdict.Accuracy(2, 0.11, worst, 0.04)
    monkeypatch.setattr(verdict, "accuracy", lambda: known)
    document = call("fit", "qwen2.5-7b-instruct", "--json").document
    assert document["accuracy"] == known.as_dict()
    speed, kinds = document["tokens_per_s"], [each["kind"] for each in document["why"]]
    said = call("fit", "qwen2.5-7b-instruct")
    if worst is None:
        assert "unchecked" in kinds and "have not been compared" in said.out
    else:
        assert "unchecked" not in kinds and "within 27% of what was measured, on 2 machines" in said.err
        assert (
            speed["low"] <= speed["value"] * (1 - worst) + 0.01 and speed["high"] >= speed["value"] * (1 + worst) - 0.01
        )


def test_what_does_not_fit_is_told_with_what_else_could_be_done(call: Call, machine: list[Any]) -> None:
    found = call("fit", "qwen1.5-72b-chat", "--json")
    assert found.code == 0 and found.document["fits"] is False
    assert {each["kind"] for each in found.document["alternatives"]} >= {"remote"}
    said = call("fit", "qwen1.5-72b-chat")
    assert "does not fit" in said.out and "- it needs at least" in said.out
    closed = call("fit", "claude-2.1")
    assert closed.code == 0 and "it is closed" in closed.out and "tokens/s" not in closed.out


def test_a_machine_that_is_not_measured_has_no_speed(call: Call, machine: list[Any]) -> None:
    found = call("fit", "qwen2.5-7b-instruct", "--no-measure", "--json").document
    assert found["tokens_per_s"] is None and found["fits"] is True and machine == []
    assert "this machine was not measured" in call("fit", "qwen2.5-7b-instruct", "--no-measure").out


def test_a_machine_that_cannot_be_measured_is_a_warning(
    call: Call, machine: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(document: object) -> None:
        raise EngineCrashedError("the library's process ended: signal 4", None)

    monkeypatch.setattr(trial, "run", run)
    said = call("fit", "qwen2.5-7b-instruct")
    assert said.code == 0 and "could not be measured: the library's process ended" in said.err


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        (("no-such-model",), 1, "not_found"),
        (("qwen2.5-7b-instruct", "--context", "0"), 2, "usage"),
        (("qwen2.5-7b-instruct", "--assistants", "many"), 2, "usage"),
        (("qwen2.5-7b-instruct", "--quantisation", "Q9"), 2, "usage"),
        (("hf:somebody/something:Q4_K_M",), 1, "unreachable"),
        (("scripted",), 2, "usage"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged(call: Call, words: tuple[str, ...], code: int, kind: str) -> None:
    said = call("fit", *words, "--json")
    error = json.loads(said.out)["error"]
    assert (said.code, error["kind"]) == (code, kind) and error["message"] and error["hint"]


def test_a_file_that_is_no_model(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "cut.gguf"
    file.write_bytes(b"GGUF")
    said = call("fit", str(file), "--no-measure", "--json")
    assert said.code == 3 and json.loads(said.out)["error"]["message"]
