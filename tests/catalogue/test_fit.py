"""The simple rule of what fits, and search by facts."""

import dataclasses

import pytest

from pluriverse import catalogue
from pluriverse.catalogue.fit import Machine, best, fits, memory_of, pullable_for, quantisation_for, size_of
from pluriverse.catalogue.words import Wanted, fitting
from pluriverse.errors import UnsupportedError

GB = 10**9
BY_ID = {entry.id: entry for entry in catalogue.entries()}
LAPTOP = Machine(16 * GB, 200 * GB)


def test_sizes_are_exact_where_pinned_and_else_near_those_that_llama_cpp_tells() -> None:
    assert size_of(BY_ID["smollm2-135m-instruct"]) == 98_362_432
    assert size_of(BY_ID["llama-3.1-8b-instruct"]) == pytest.approx(4.9 * GB, rel=0.02)
    assert size_of(BY_ID["llama-3.1-70b-instruct"]) == pytest.approx(43.1 * GB, rel=0.02)
    assert size_of(BY_ID["qwen2.5-1.5b-instruct"]) == pytest.approx(1_117_320_768, rel=0.05)
    unknown = dataclasses.replace(BY_ID["qwen2.5-7b-instruct"], params_b=None)
    assert size_of(unknown) is memory_of(unknown) is fits(unknown, LAPTOP) is None
    assert fits(BY_ID["gpt-3.5-turbo"], LAPTOP) is None


def test_the_best_quantisation_that_fits_is_taken() -> None:
    entry = BY_ID["qwen2.5-32b-instruct"]
    for memory, wanted in ((64, "Q4_K_M"), (21, "Q3_K_L"), (16, "Q2_K"), (8, None)):
        assert quantisation_for(entry, Machine(memory * GB, 500 * GB)) == wanted
    assert quantisation_for(entry, Machine(64 * GB, 10 * GB)) is None, "no room on the disk"
    assert str(pullable_for(entry, Machine(21 * GB, 500 * GB)).sources[0]).startswith(
        f"hf:{entry.hub.split(':')[0]}/:Q3_K_L"
    )
    with pytest.raises(UnsupportedError, match="does not fit: even in Q2_K") as raised:
        pullable_for(entry, Machine(8 * GB, 500 * GB))
    assert raised.value.hint and f"pluriverse pull hf:{entry.hub}" in raised.value.hint
    assert catalogue.parse(entry.id, machine=LAPTOP).sources != entry.pullable().sources
    assert pullable_for(BY_ID["smollm2-135m-instruct"], Machine(1, 1)).digest, "what is pinned may be here already"


def test_the_best_for_a_machine_fits_it_and_may_be_used() -> None:
    names = [entry.id for entry in best(catalogue.entries(), LAPTOP)]
    assert names[0] == "qwen2.5-14b-instruct"
    assert not any("coder" in name or "math" in name for name in names)
    assert "smaug-72b-v0.1" not in [entry.id for entry in best(catalogue.entries(), Machine(500 * GB, 500 * GB))]
    assert best(catalogue.entries(), Machine(GB // 10, GB)) == []


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        (Wanted(country="china"), "qwen-72b", "grok-1"),
        (Wanted(country="CN"), "qwen-72b", "grok-1"),
        (Wanted(maker="deepseek"), "deepseek-llm-67b-chat", "qwen-72b"),
        (Wanted(language="Français"), "eurollm-9b-instruct", "qwen-72b"),
        (Wanted(language="fr"), "eurollm-9b-instruct", "grok-1"),
        (Wanted(permission="commercial"), "qwen-72b", "llama-3.1-kazllm-1.0-8b"),
        (Wanted(permission="unrestricted"), "grok-1", "llama-2-70b"),
        (Wanted(max_size=5 * GB), "qwen2.5-7b-instruct", "qwen-72b"),
        (Wanted(architecture="grok"), "grok-1", "qwen-72b"),
        (Wanted(architecture="QWenLMHeadModel"), "qwen-72b", "grok-1"),
    ],
)  # fmt: skip
def test_search_by_facts(wanted: Wanted, inside: str, outside: str) -> None:
    names = {entry.id for entry in fitting(wanted, catalogue.entries())}
    assert inside in names and outside not in names


def test_search_by_several_facts_at_once() -> None:
    both = fitting(Wanted(country="france", permission="unrestricted", max_size=5 * GB), catalogue.entries())
    assert both and all("FR" in entry.country and (size_of(entry) or 0) <= 5 * GB for entry in both)
