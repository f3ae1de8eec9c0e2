"""The catalogue's files are what they should be: right by the schema, in the index, made from the public facts."""

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from pluriverse import catalogue
from pluriverse import settings as settings_module
from pluriverse.catalogue.entry import V1
from pluriverse.catalogue.licences import licence
from pluriverse.catalogue.lineage import Family, circles
from pluriverse.catalogue.openness import openness
from pluriverse.catalogue.schema import faults

FACTS = settings_module.load().data  # before each test gets an environment of its own
ROOT = Path(__file__).parent.parent.parent
AGAIN = "make them again: python tools/catalogue.py"


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_every_file_is_right_and_in_the_folder_of_its_maker() -> None:
    paths = sorted((ROOT / "src/pluriverse/catalogue/data").glob("*/*.toml"))
    assert len(paths) == len(catalogue.entries())
    for path in paths:
        given = tomllib.loads(path.read_text("utf-8"))
        assert not faults(given, ours=True), path
        assert path.stem == given["id"]


def test_the_index_is_that_of_the_files() -> None:
    made = tool("catalogue")
    assert (made.DATA / "index.json").read_text("utf-8") == made.index(), AGAIN


def test_the_files_are_those_of_the_public_facts() -> None:
    if FACTS is None or not (FACTS / "models.yaml").exists():
        pytest.skip("set PLURIVERSE_DATA to a folder of the public data")
    facts = yaml.load((FACTS / "models.yaml").read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for path, text in tool("catalogue").files_of(facts):
        assert path.read_text("utf-8") == text, AGAIN


def test_averages_of_v1_are_the_mean_of_six_and_agree_with_the_printed_ones() -> None:
    found = [score for entry in catalogue.entries() for score in entry.published if score.board == V1]
    assert len(found) == 35
    for score in found:
        assert score.average == pytest.approx(sum(score.values.values()) / 6)
        assert abs(score.average - (score.printed_average or 0)) <= 0.01


def test_scores_say_who_measured_them() -> None:
    by_id = {entry.id: entry for entry in catalogue.entries()}
    smaug = by_id["smaug-72b-v0.1"].published
    assert [score.flags for score in smaug if score.board == V1] == [("trained-on-benchmark",)]
    assert {score.by for score in smaug} == {"board", "maker"}
    assert "others" in {score.by for score in by_id["llama-2-70b"].published}
    predecessors = [score.of for score in by_id["claude-2.1"].published if score.of and "predecessor" in score.of]
    assert len(predecessors) == 2


def test_lineage() -> None:
    family = Family(catalogue.entries())
    assert not circles(family)
    assert family.ancestors("smaug-72b-v0.1") == ["momo-72b-lora-1.8.7-dpo", "qwen-72b"]
    assert family.up["smaug-72b-v0.1"] == {"momo-72b-lora-1.8.7-dpo": "finetune"}, "not from its grandparent"
    assert family.roots("smaug-72b-v0.1") == ["qwen-72b"]
    assert [(depth, node) for depth, node, _ in family.walk("qwen-72b")] == [
        (0, "qwen-72b"), (1, "momo-72b-lora-1.8.7-dpo"), (2, "smaug-72b-v0.1"), (1, "qwen-72b-chat"),
    ]  # fmt: skip


def test_licences_tell_their_traps() -> None:
    kinds = {name: {trap.kind for trap in terms.traps} for name in LICENCES if (terms := licence(name))}
    assert kinds.keys() == LICENCES
    assert "threshold" in kinds["Llama 2 Community License"] and "naming" not in kinds["Llama 2 Community License"]
    assert {"threshold", "naming"} <= kinds["Llama 3.1 Community License"]
    assert "region" in kinds["Tencent Hunyuan Community License"]
    assert "non-commercial" in kinds["CC-BY-NC-4.0"]
    apache, nc = licence("apache-2.0"), licence("CC-BY-NC-4.0")
    assert apache and apache.allows("unrestricted") and apache.allows("commercial")
    assert nc and not nc.allows("commercial") and nc.allows("share")
    assert licence(None) is None and licence("a licence that nobody read") is None


LICENCES = {
    "apache-2.0", "MIT", "Llama 2 Community License", "Llama 3.1 Community License", "CC-BY-NC-4.0",
    "Tongyi Qianwen LICENSE AGREEMENT", "Tencent Hunyuan Community License",
}  # fmt: skip


def test_openness_says_no_more_than_the_facts() -> None:
    by_id = {entry.id: entry for entry in catalogue.entries()}
    assert openness(by_id["claude-2.1"]).at_most is None
    qwen = openness(by_id["qwen-72b"])  # its licence is not an open one
    assert qwen.at_most is None and {"final weights", "training data", "training code"} <= set(qwen.missing)
    open_weights = openness(by_id["qwen2.5-7b-instruct"])
    assert open_weights.at_most == "II" and open_weights.missing == ("training data",)
    assert "technical report" in open_weights.unknown


def test_the_page_of_models_is_that_of_the_catalogue() -> None:
    page = (ROOT / "docs" / "models.md").read_text("utf-8")
    tool("templates")
    assert page == tool("models_page").page(), "make it again: python tools/catalogue.py --docs"
