"""Memory and speed worked out by hand, for shapes from headers and from facts; verdicts with their reasons."""

from dataclasses import dataclass, replace

import pytest

from pluriverse import catalogue
from pluriverse.catalogue.fit import Machine, fits, memory_of
from pluriverse.catalogue.needs import PROGRAM, Kernel, Load, Profile, Timing, reading_seconds, step_seconds
from pluriverse.catalogue.needs import memory_of as needs
from pluriverse.catalogue.shape import TYPES, Matrix, ModelShape, from_facts, from_header
from pluriverse.catalogue.verdict import Question, Reason, judged, of_entry, with_alternatives
from pluriverse.store import gguf

GB, MIB = 10**9, 1024**2
BY_ID = {entry.id: entry for entry in catalogue.entries()}
SHAPE = ModelShape(
    layers=2, width=64, feed=128, cached=2 * 2 * 64, queries=2 * 64, words=1000, merges=500,
    matrices=(
        Matrix("embedding", "Q8_0", 64_000, 68_000, False), Matrix("output", "Q8_0", 64_000, 0, False),
        Matrix("layer", "Q4_0", 1_000_000, 562_500),
    ),
    header=1000, context_length=2048,
)  # fmt: skip
TIMING = Timing({1: 1e-9, 2: 1e-9, 4: 2e-9, 8: 3e-9}, 1e-10)
KERNEL = Kernel(TIMING, TIMING, copied=True)
PROFILE = Profile(
    {"Q4_0": KERNEL, "Q8_0": replace(KERNEL, copied=False)}, attention=1e-9, attention_read=1e-10, layer=1e-5,
    word=1e-9, token=1e-4,
)  # fmt: skip


@dataclass
class Listed:
    name: str
    shape: tuple[int, ...]
    type: int = 0

    @property
    def bytes(self) -> int:
        return 4 * self.shape[0] * (self.shape[1] if len(self.shape) > 1 else 1)


def test_the_formats_are_those_of_the_reader() -> None:
    for number, per_block, size in TYPES.values():
        assert gguf._TENSOR_TYPES[number] == (per_block, size)


def test_memory_is_the_sum_of_its_parts() -> None:
    found = needs(SHAPE, Load(context=300, streams=3, prompt=100), frozenset({"Q4_0"}))
    assert (found.weights, found.copies) == (631_500, 562_500)
    # Streams grow by 256; a beginning of 100 tokens is kept three times, with its logits; three more while it is saved.
    assert found.cache == 3 * 512 * 512 + 3 * (100 * 512 + 4000) + 3 * 100 * 512
    assert found.compute == 4 * 512 * (3 * 128 + 5 * 64) + 2 * 512 * 512 + 4 * 3 * 1000
    assert found.program == PROGRAM + 225 * 1500
    assert found.least == found.total - 562_500
    fixed = needs(replace(SHAPE, fixed=True, memories=2), Load(context=256, prompt=0))
    assert fixed.cache == 8 * 256 * 512 + 4000, "streams that cannot be added are all there from the beginning"


def test_speed_is_worked_out_of_what_was_measured() -> None:
    matrices = 1_000_000 * 2.5e-9 + 64_000 * 2.5e-9  # six tokens: between four and eight
    attention, words = 6 * 128 * 50 * 1e-9, 6 * (1000 * 1e-9 + 1e-4)
    assert step_seconds(SHAPE, PROFILE, 6, 50) == pytest.approx(matrices + attention + 2e-5 + words)
    assert TIMING.seconds(16) == pytest.approx(5e-9), "beyond what was measured on as before"
    reading = 1_000_000 * 600 * 1e-10 + 64_000 * 1e-9 + 1e-10 * 128 * 600**2 / 2 + 2 * 2e-5
    assert reading_seconds(SHAPE, PROFILE, 600) == pytest.approx(reading)
    with pytest.raises(KeyError):
        step_seconds(SHAPE, Profile({"Q8_0": KERNEL}), 1, 0)
    assert PROFILE.bandwidth == pytest.approx(34 / 32 / 1e-9)


def test_narrow_matrices_cost_more_by_their_rows() -> None:
    """What a row costs besides its weights: twice as much at half the width, and nothing is faster than wide ones."""
    kernel = Kernel(Timing({1: 1e-9}, 1e-10), Timing({1: 1.6e-9}, 3e-10), copied=False)
    assert [kernel.seconds(1, width) for width in (2048, 512, 8192)] == pytest.approx([1e-9, 1.6e-9, 1e-9])
    assert kernel.seconds(1, 1024) == pytest.approx(1.2e-9) and kernel.seconds(1, 256) == pytest.approx(2.4e-9)
    assert kernel.reading(512) == pytest.approx(3e-10)


def test_experts_are_read_as_far_as_they_are_used() -> None:
    experts = replace(SHAPE, matrices=(Matrix("expert", "Q4_0", 8_000_000, 4_500_000),), experts=1 / 4)
    none = replace(PROFILE, attention=0, attention_read=0, layer=0, word=0, token=0)
    assert step_seconds(experts, none, 1, 0) == pytest.approx(2_000_000 * 1e-9)
    assert step_seconds(experts, none, 8, 0) < 8_000_000 * 2e-9
    assert reading_seconds(experts, none, 10) == pytest.approx(2_000_000 * 10 * 1e-10)


def test_a_header_says_what_its_layers_hold() -> None:
    metadata = {"general.architecture": "x", "x.block_count": 2, "x.embedding_length": 64, "x.attention.head_count": 4,
                "x.attention.sliding_window": 512, "x.context_length": 4096}  # fmt: skip
    tensors = [
        Listed("token_embd.weight", (64, 100)), Listed("blk.0.attn_q.weight", (64, 64)),
        Listed("blk.0.attn_k.weight", (64, 16)), Listed("blk.0.attn_v.weight", (64, 16)),
        Listed("blk.1.attn_qkv.weight", (64, 128)), Listed("blk.1.ffn_up.weight", (64, 256)),
        Listed("blk.1.attn_norm.weight", (64,)),
    ]  # fmt: skip
    shape = from_header(metadata, tensors, 100)
    assert (shape.cached, shape.queries, shape.feed, shape.words) == (32 + 64, 64 + 64, 256, 100)
    assert (shape.fixed, shape.memories, shape.context_length) == (True, 2, 4096)
    assert shape.bytes == 100 + sum(each.bytes for each in tensors), "a tied output is no bytes of its own"
    assert [each.role for each in shape.matrices].count("output") == 1
    with pytest.raises(ValueError, match="how many layers"):
        from_header({"general.architecture": "clip"}, tensors, 100)


def test_facts_that_are_all_told_leave_no_range() -> None:
    llama = BY_ID["llama-3.1-8b-instruct"]
    whole = {"layers": 32, "hidden_size": 4096, "heads": 32, "kv_heads": 8, "ffn": 14336, "vocab": 128256}
    low, high = from_facts(whole, llama.params_b * 1e9, "Q4_K_M")
    assert low == high and low.cached == 2 * 32 * 1024
    assert low.bytes == pytest.approx(4.92e9, rel=0.02), "as large as the file that is published"
    assert low.types == ("Q4_K", "Q6_K")
    low, high = from_facts({}, llama.params_b * 1e9, "Q4_K_M")
    assert low.cached * 8 == high.cached
    odd, _ = from_facts({**whole, "hidden_size": 896}, 5e8, "Q4_K_M")
    assert "Q5_0" in odd.types, "rows that cannot be cut into blocks of 256"
    with pytest.raises(KeyError):
        from_facts({}, 1e9, "Q9")


def entry_question(name: str, machine: Machine, **changes: object) -> Question:
    shapes = of_entry(BY_ID[name], "Q4_K_M")
    return replace(Question(name, shapes, Load(), machine, quantisation="Q4_K_M"), **changes)


@pytest.mark.parametrize(
    ("machine", "fits", "kind"),
    [
        (Machine(64 * GB, 500 * GB), True, "unmeasured"),
        (Machine(4 * GB, 500 * GB), False, "memory"),
        (Machine(64 * GB, 500 * GB, 4 * GB), False, "busy"),
        (Machine(64 * GB, 1 * GB), False, "disk"),
        (Machine(MIB, MIB), False, "memory"),
    ],
)
def test_whether_it_fits_has_reasons(machine: Machine, fits: bool, kind: str) -> None:
    entry = replace(BY_ID["llama-3.1-8b-instruct"], architecture={
        "layers": 32, "hidden_size": 4096, "heads": 32, "kv_heads": 8, "ffn": 14336, "vocab": 128256})  # fmt: skip
    asked = Question("it", of_entry(entry, "Q4_K_M"), Load(), machine, quantisation="Q4_K_M")
    found = judged(asked)
    assert found.fits is fits and kind in [each.kind for each in found.why]
    assert found.take == ("Q4_K_M" if fits else None)
    assert found.tokens_per_s is None and found.memory_low is None


def test_it_is_tight_where_only_copies_are_too_much() -> None:
    shape = replace(SHAPE, matrices=(Matrix("layer", "Q4_K", 10**9, 5 * 10**8),))
    total = needs(shape, Load()).total
    found = judged(Question("it", (shape, shape), Load(), Machine(total - 1, 500 * GB)))
    assert found.fits and "tight" in [each.kind for each in found.why]


def test_a_range_that_decides_is_neither_yes_nor_no() -> None:
    low, high = (replace(SHAPE, cached=each) for each in (10_000, 1_000_000))
    middle = (needs(low, Load()).total + needs(high, Load()).least) // 2
    found = judged(Question("it", (low, high), Load(), Machine(middle, 500 * GB)))
    assert found.fits is None and Reason("facts") in found.why
    assert found.memory_low and found.memory_needed and found.memory_low < middle < found.memory_needed


def test_speeds_have_an_interval_and_all_assistants_count() -> None:
    asked = Question("it", (SHAPE, SHAPE), Load(2048, 8, 100), Machine(64 * GB, 500 * GB), PROFILE)
    eight = judged(asked).tokens_per_s
    assert eight and eight.low < eight.value < eight.high
    assert eight.value == pytest.approx(8 / step_seconds(SHAPE, PROFILE, 8, 100))
    guided = judged(replace(asked, guided=True)).tokens_per_s
    assert guided and guided.value == pytest.approx(eight.value / 2), "two conversations speak with one voice"
    formats = judged(replace(asked, profile=Profile({"Q4_0": KERNEL})))
    assert formats.tokens_per_s is None and Reason("formats", names=("Q8_0",)) in formats.why
    assert "context" in [each.kind for each in judged(replace(asked, load=Load(4096))).why]


def test_what_else_could_be_done() -> None:
    entry, small = BY_ID["qwen2.5-32b-instruct"], Machine(8 * GB, 500 * GB)
    asked = entry_question(entry.id, small)
    found = with_alternatives(judged(asked), entry, BY_ID.values(), asked)
    smaller = next(each for each in found.alternatives if each.kind == "smaller")
    assert smaller.name and smaller.name.startswith("qwen2.5") and fits(BY_ID[smaller.name], small)
    assert found.alternatives[-1].kind == "remote" and found.take is None
    middle = replace(asked, machine=Machine(21 * GB, 500 * GB))
    found = with_alternatives(judged(middle), entry, BY_ID.values(), middle)
    assert found.take in ("Q3_K_L", "Q2_K")
    assert found.take in [each.name for each in found.alternatives if each.kind == "quantisation"]


def test_every_entry_can_be_reckoned_with() -> None:
    for entry in BY_ID.values():
        shapes = of_entry(entry, "Q4_K_M")
        assert (shapes is None) == (memory_of(entry) is None)
        if shapes:
            assert 0 < shapes[0].bytes <= 3e12 and shapes[0].cached <= shapes[1].cached
