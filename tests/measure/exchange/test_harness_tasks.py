"""Simple tasks of the lm-evaluation-harness become items, prompt for prompt; all else is refused in words."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pluriverse.errors import NotFoundError, UsageError
from pluriverse.measure.exchange.harness_tasks import imported
from pluriverse.measure.metrics.texts import exact_match, exact_match_values
from pluriverse.measure.schema.items import Item
from pluriverse.measure.schema.responses import Response

ROWS = [
    {"q": f"What follows {n}?", "right": str(n + 1), "wrong": [str(n), "cat"], "label": n % 3, "topic": "counting"}
    for n in range(12)
]
CHOICE: dict[str, Any] = {
    "task": "follows",
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {"test": "test.jsonl", "dev": "dev.jsonl"}},
    "test_split": "test",
    "output_type": "multiple_choice",
    "doc_to_text": "Question: {{q}}\nAnswer:",
    "doc_to_choice": "{{[right] + wrong}}",
    "doc_to_target": 0,
    "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    "metadata": {"version": 2.0, "licence": "CC0-1.0"},
}
TEXT: dict[str, Any] = {
    **{name: CHOICE[name] for name in ("task", "dataset_path", "dataset_kwargs", "test_split", "doc_to_text")},
    "doc_to_target": "{{right}}",
    "generation_kwargs": {"until": ["\n", "."], "max_gen_toks": 7, "do_sample": False},
    "metric_list": [{"metric": "exact_match", "ignore_case": True, "regexes_to_ignore": [","]}],
}
SHOTS = {"num_fewshot": 3, "fewshot_split": "dev", "description": "On {{topic}}.\n\n"}
TASKS = {
    "plain": CHOICE,
    "drawn": {**CHOICE, **SHOTS},
    "first": {**CHOICE, **SHOTS, "fewshot_config": {"sampler": "first_n"}, "target_delimiter": "\n"},
    "own": {**CHOICE, **SHOTS, "fewshot_split": "test", "fewshot_delimiter": "\n###\n"},
    "samples": {**CHOICE, "num_fewshot": 2, "fewshot_config": {"sampler": "first_n", "samples": ROWS[6:9]}},
    "fields": {**CHOICE, **SHOTS, "doc_to_text": "q", "doc_to_choice": ["no", "yes", "oh"], "doc_to_target": "label"},
    "letters": {**CHOICE, **SHOTS, "doc_to_choice": {"a": "A", "b": "B", "c": "C"}, "doc_to_target": "{{label}}"},
    "named": {**CHOICE, **SHOTS, "doc_to_target": "right"},
    "spaced": {**CHOICE, "doc_to_text": "{{q}} It is ", "target_delimiter": ""},
    "text": TEXT,
    "text-shots": {**TEXT, **SHOTS, "generation_kwargs": None},
    "several": {**TEXT, "doc_to_target": "{{[right, 'x']}}"},
    "one-file": {**CHOICE, "dataset_kwargs": {"data_files": "test.jsonl"}, "test_split": "train"},
    "csv": {**CHOICE, "dataset_path": "csv", "dataset_kwargs": {"data_files": {"test": "test.csv"}},
            "doc_to_choice": ["no", "yes"], "doc_to_target": "label"},
}  # fmt: skip


def task(folder: Path, config: Any) -> Path:
    for name, rows in (("test", ROWS[:7]), ("dev", ROWS[5:])):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, "utf-8")
    (folder / "test.csv").write_text('q,label,topic\n"What, then?",1,a\nWhy?,0,a\n', "utf-8")
    (folder / "task.yaml").write_text(config if isinstance(config, str) else yaml.safe_dump(config), "utf-8")
    return folder / "task.yaml"


def test_options_are_scored_as_continuations(tmp_path: Path) -> None:
    instrument, items = imported(task(tmp_path, CHOICE))
    assert len(items) == 7 and items[2] == Item(
        id="2",
        prompt="Question: What follows 2?\nAnswer:",
        form="raw",
        options=(" 3", " 2", " cat"),
        target=(0,),
        metadata={"lengths": [1, 1, 3]},
    )
    assert (instrument.name, instrument.measures, instrument.norm) == ("follows", ("accuracy",), "sum")
    assert instrument.version.startswith("2.0+") and instrument.licence == "CC0-1.0"
    assert instrument.chance == pytest.approx(1 / 3) and instrument.dimension == "expertise"


def test_per_character_where_the_file_says_so(tmp_path: Path) -> None:
    more = {"metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}, {"metric": "f1"}]}
    instrument, _ = imported(task(tmp_path, {**CHOICE, **more}))
    assert instrument.norm == "characters" and "acc, f1" in instrument.about


def test_a_number_of_other_documents_makes_another_version(tmp_path: Path) -> None:
    first, _ = imported(task(tmp_path, CHOICE))
    with (tmp_path / "test.jsonl").open("a") as file:
        file.write(json.dumps(ROWS[9]) + "\n")
    again, items = imported(tmp_path / "task.yaml")
    assert len(items) == 8 and first.version != again.version


def test_texts_are_matched_letter_for_letter(tmp_path: Path) -> None:
    instrument, items = imported(task(tmp_path, {**TEXT, "doc_to_target": "{{['Yes', right]}}"}))
    assert items[0].stop == ("\n", ".") and items[0].max_tokens == 7 and items[0].temperature == 0
    assert items[0].target == ("Yes", "1") and instrument.chance is None
    texts = [" y,es", "Yes!", "3", "4", "no", "yes", "yes", "YES "]
    rows = [
        Response("k", "a", "follows", "1", str(n), "", 0, "en", 0, target=("Yes", str(n + 1)), text=text)
        for n, text in enumerate(texts)
    ]
    assert list(exact_match_values(instrument, rows)["a"].values()) == [1, 0, 1, 1, 0, 1, 1, 1]
    (figure,) = exact_match(instrument, rows)
    assert figure.value == 0.75 and figure.n == 8 and figure.low is not None and figure.low < 0.75


def test_space_before_the_border_belongs_to_the_options(tmp_path: Path) -> None:
    _, items = imported(task(tmp_path, TASKS["spaced"]))
    assert items[0].prompt.endswith("It is") and items[0].options[0] == " 1"


@pytest.mark.parametrize("name", TASKS)
def test_prompts_are_the_harness_own(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task_module = pytest.importorskip("lm_eval.api.task")
    path = task(tmp_path, TASKS[name])
    monkeypatch.chdir(tmp_path)  # it reads data files from where it is started
    theirs = task_module.ConfigurableTask(config=yaml.safe_load(path.read_text("utf-8")))
    theirs.set_fewshot_seed(1234)
    theirs.build_all_requests()
    asked: dict[int, list[Any]] = {}
    for instance in theirs.instances:
        asked.setdefault(instance.doc_id, []).append(instance.args)
    _, items = imported(path)
    assert len(items) == len(asked)
    for place, item in enumerate(items):
        document = list(theirs.eval_docs)[place]
        if item.options:
            assert [item.prompt + option for option in item.options] == ["".join(each) for each in asked[place]]
            gold = theirs.doc_to_target(document)
            choices = theirs.doc_to_choice(document)
            assert item.target == (choices.index(gold) if isinstance(gold, str) else gold,)
            assert item.metadata["lengths"] == [len(each) for each in choices]
        else:
            prompt, given = asked[place][0]
            assert (item.prompt, list(item.stop), item.max_tokens) == (
                prompt, given["until"], given.get("max_gen_toks", 256),
            )  # fmt: skip
            gold = theirs.doc_to_target(document)
            assert item.target == tuple(gold if isinstance(gold, list) else [gold])


REFUSED = {
    "python": ("task: a\ndoc_to_text: !function utils.text\n", "utils.text"),
    "object": ("task: a\nx: !!python/object/apply:os.system ['true']\n", "is not YAML"),
    "broken": ("task: [a\n", "is not YAML"),
    "list": ("- a\n", "no task"),
    "group": ({"group": "many", "task": ["a", "b"]}, "group"),
    "several names": ({**CHOICE, "task": ["a", "b"]}, "no single task"),
    "filters": ({**CHOICE, "filter_list": []}, "filter_list"),
    "include": ({**CHOICE, "include": "base.yaml"}, "include"),
    "remote": ({**CHOICE, "dataset_path": "allenai/sciq", "dataset_kwargs": None}, "allenai/sciq"),
    "address": ({**CHOICE, "dataset_kwargs": {"data_files": {"test": "https://example.org/a.jsonl"}}}, "only local"),
    "several files": ({**CHOICE, "dataset_kwargs": {"data_files": {"test": ["a", "b"]}}}, "one data file"),
    "no file": ({**CHOICE, "dataset_kwargs": {"data_files": {"test": "away.jsonl"}}}, "away.jsonl"),
    "no split": ({**CHOICE, "test_split": None}, "no split"),
    "other split": ({**CHOICE, "test_split": "train"}, "'train'"),
    "rolling": ({**CHOICE, "output_type": "loglikelihood_rolling"}, "loglikelihood_rolling"),
    "likelihood": ({**CHOICE, "output_type": "loglikelihood"}, "loglikelihood"),
    "no choices": ({**CHOICE, "doc_to_choice": None}, "lacks doc_to_choice"),
    "one choice": ({**CHOICE, "doc_to_choice": ["a"]}, "two texts"),
    "no template": ({**CHOICE, "doc_to_text": "{{nothing}}"}, "nothing"),
    "escape": ({**CHOICE, "doc_to_text": "{{q.__class__.__mro__}}"}, "fails"),
    "syntax": ({**CHOICE, "doc_to_text": "{{q"}, "fails"),
    "inputs": ({**CHOICE, "doc_to_text": "{{label}}"}, "no text"),
    "target": ({**CHOICE, "doc_to_target": 3}, "document 1"),
    "no examples": ({**CHOICE, "num_fewshot": 1}, "whence"),
    "too many": ({**CHOICE, **SHOTS, "num_fewshot": 8}, "too few"),
    "too many first": ({**CHOICE, **SHOTS, "num_fewshot": 8, "fewshot_config": {"sampler": "first_n"}}, "too few"),
    "sampler": ({**CHOICE, **SHOTS, "fewshot_config": {"sampler": "balanced"}}, "balanced"),
    "own examples": ({**CHOICE, **SHOTS, "fewshot_config": {"doc_to_text": "x"}}, "doc_to_text"),
    "metric": ({**TEXT, "metric_list": [{"metric": "bleu"}]}, "bleu"),
    "aggregation": ({**CHOICE, "metric_list": [{"metric": "acc", "aggregation": "median"}]}, "mean"),
    "sampling": ({**TEXT, "generation_kwargs": {"top_k": 3}}, "top_k"),
    "repeats": ({**TEXT, "repeats": 3}, "3 times"),
    "dimension": ({**CHOICE, "metadata": {"dimension": "taste"}}, "taste"),
    "shape": ({**CHOICE, "metric_list": ["acc"]}, "metric_list"),
    "shape of keys": ({**TEXT, "generation_kwargs": ["x"]}, "generation_kwargs"),
    "number": ({**CHOICE, "num_fewshot": "many"}, "num_fewshot"),
    "length": ({**TEXT, "generation_kwargs": {"max_gen_toks": "long"}}, "max_gen_toks"),
    "empty": ({**CHOICE, "doc_to_text": " "}, "empty prompt"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_simple_is_refused_in_words(name: str, tmp_path: Path) -> None:
    config, words = REFUSED[name]
    with pytest.raises(UsageError, match=words):
        imported(task(tmp_path, config))


@pytest.mark.parametrize("text", ["", "no json\n", '["a"]\n', "3\n", "\xff"])
def test_broken_data_are_said(text: str, tmp_path: Path) -> None:
    path = task(tmp_path, CHOICE)
    (tmp_path / "test.jsonl").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"test\.jsonl"):
        imported(path)


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        imported(tmp_path / "away.yaml")
