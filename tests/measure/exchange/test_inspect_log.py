"""A run becomes logs that Inspect opens; what the rows know is in them."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pluriverse.errors import IntegrityError, PluriverseError
from pluriverse.measure.exchange.inspect_log import logs, written

from .rows import CREATED, recorded


def test_one_log_per_assistant_and_instrument() -> None:
    found = logs(recorded())
    assert [(log["eval"]["task"], log["eval"]["model"]) for log in found.values()] == [
        ("sums", "pluriverse/a"),
        ("talk", "pluriverse/a"),
        ("sums", "pluriverse/b"),
        ("talk", "pluriverse/b"),
    ]
    assert all(name.startswith("2026-11-24T09-30-00_") and len(name.split("_")) == 4 for name in found)
    assert found.keys() == logs(recorded()).keys()


def test_a_sample_has_what_was_asked_answered_and_recorded() -> None:
    first, turned, two = next(iter(logs(recorded()).values()))["samples"]
    assert first["input"] == "2 + 2 =" and first["choices"] == [" four", " fifty-five"] and first["target"] == "A"
    assert first["output"]["choices"][0]["message"]["content"] == " fifty-five"  # per character, as the instrument says
    assert first["scores"]["pick"] == {"value": "I", "answer": "B"} and first["scores"]["accuracy"]["value"] == 0.5
    assert turned["target"] == "B" and turned["scores"]["pick"] == {"value": "I", "answer": "A"}
    assert two["target"] == ["A", "B"] and two["scores"]["share"]["value"] == pytest.approx(1.0)
    kept = first["metadata"]
    assert kept["logprobs"] == (-1.5, -2.0) and kept["contents"] == (0, 1) and kept["item"] == "s1"
    assert kept["weights"].endswith("a" * 64) and kept["template"].endswith("b" * 64)
    assert kept["sampler"]["top_k"] == 40 and kept["item_metadata"] == {"subject": "sums"}


def test_options_are_compared_as_the_instrument_says() -> None:
    first = next(iter(logs(recorded(instruments={})).values()))["samples"][0]
    assert first["scores"]["pick"] == {"value": "C", "answer": "A"}


def test_draws_are_epochs_and_messages_are_as_heard() -> None:
    talk = list(logs(recorded()).values())[3]
    assert [(each["id"], each["epoch"]) for each in talk["samples"]] == [("t1|plain|0|fr|0", 1), ("t1|plain|0|fr|0", 2)]
    assert [each["role"] for each in talk["samples"][0]["messages"]] == ["system", "user", "assistant"]
    assert talk["samples"][0]["messages"][0]["content"] == "You are b."
    assert talk["samples"][1]["output"]["choices"][0]["stop_reason"] == "max_tokens"
    assert talk["samples"][1]["metadata"]["seed"] == 8 and talk["samples"][1]["target"] == "le bien"
    assert talk["samples"][1]["scores"]["class"]["value"] == "answer"
    assert talk["eval"]["metadata"]["respondent"]["guidance"] == {"against": "plain", "strength": 2.0}
    assert talk["eval"]["config"] == {"epochs": 2} and talk["eval"]["metadata"]["seeds"] == [7, 8]


def test_figures_are_results_and_withheld_ones_have_no_number() -> None:
    sums, talk, *_ = logs(recorded()).values()
    (score,) = sums["results"]["scores"]
    assert {name: each["value"] for name, each in score["metrics"].items()} == {
        "value": 0.75, "value low": 0.3, "value high": 0.95, "sums": 1.0, "sums low": 0.4, "sums high": 1.0,
    }  # fmt: skip
    assert talk["results"]["scores"][0]["metrics"] == {}
    assert talk["results"]["scores"][0]["metadata"]["value"]["note"] == "too few items"


def test_a_reply_that_ended_inside_its_thinking_has_no_class() -> None:
    rows = [replace(row, text="", kind="broken", unfinished=True, thinking="hm") for row in recorded().responses]
    talk = list(logs(recorded(responses=rows)).values())[1]
    for sample in talk["samples"]:
        assert "class" not in sample["scores"] and sample["metadata"]["unfinished"] and not sample["metadata"]["kind"]
        assert "hm" not in str(sample)


def test_rows_alone_are_enough() -> None:
    first = next(iter(logs(recorded(items={}, instruments={}, values={}, figures=())).values()))["samples"][0]
    assert "choices" not in first and first["output"]["choices"][0]["message"]["content"] == "A"


def test_files_are_strict_json_and_the_same_each_time(tmp_path: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    paths = written(recorded(), tmp_path / "new" / "logs")
    texts = [path.read_text("utf-8") for path in paths]
    assert len(paths) == 4 and sorted(tmp_path.rglob("*.json")) == sorted(paths)
    assert json.loads(texts[0], parse_constant=refuse)["samples"][2]["metadata"]["logprobs"] == [-1.0, -1.0, None]
    written(recorded(), tmp_path / "new" / "logs")
    assert [path.read_text("utf-8") for path in paths] == texts


def test_an_unknown_respondent_is_said() -> None:
    with pytest.raises(IntegrityError, match="does not describe"):
        logs(recorded(respondents={}))


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PluriverseError, match="cannot be written"):
        written(recorded(), tmp_path / "file" / "logs")


def test_inspect_opens_them(tmp_path: Path) -> None:
    inspect = pytest.importorskip("inspect_ai.log")
    paths = written(recorded(), tmp_path)
    assert len(inspect.list_eval_logs(str(tmp_path))) == 4
    for path in paths:
        log = inspect.read_eval_log(str(path))
        assert log.version == 2 and log.status == "success" and log.eval.created.startswith(f"{CREATED:%Y-%m-%d}")
        assert log.samples and all(sample.output.completion and sample.scores for sample in log.samples)
        assert inspect.read_eval_log(str(path), header_only=True).samples is None
        again = tmp_path / f"again-{path.name}"
        inspect.write_eval_log(log, str(again), format="json")
        assert inspect.read_eval_log(str(again)).samples == log.samples
        dumped = subprocess.run(
            [sys.executable, "-m", "inspect_ai", "log", "dump", str(path)], capture_output=True, text=True, check=True
        )
        assert json.loads(dumped.stdout)["eval"]["task"] == log.eval.task
    sums = inspect.read_eval_log(str(paths[0]))
    assert sums.results.scores[0].metrics["value"].value == 0.75
    assert sums.samples[0].metadata["logprobs"] == [-1.5, -2.0] and sums.samples[0].choices == [" four", " fifty-five"]
