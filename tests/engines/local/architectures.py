"""Tiny random models of many architectures, each with the tensors, metadata and kind of tokenizer that real ones have.

An entry of ARCHITECTURES says what a real file of it holds, in the sizes of `Architecture`; `write` makes the file.
Names and shapes are those that llama.cpp's src/models read. Tensors are written as `name=rows,columns` in the order of
numpy (GGUF's own is the other way round), `.weight` unless the name says otherwise, and letters stand for sizes.
"""

from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter

from .tiny_tokenizers import CHATML, bpe_words, sentencepiece_words

TIED = "token_embd=v,d output_norm=d"
TOP = f"{TIED} output=v,d"
TOP_BIASED = f"{TOP} output_norm.bias=d"
NORMS = "attn_norm=d ffn_norm=d"
NORMS_BIASED = f"{NORMS} attn_norm.bias=d ffn_norm.bias=d"
POST_NORMS = "post_attention_norm=d post_ffw_norm=d"
ATTENTION = "attn_q=q,d attn_k=k,d attn_v=k,d attn_output=d,q"
BIASES = "attn_q.bias=q attn_k.bias=k attn_v.bias=k"
HEAD_NORMS = "attn_q_norm=n attn_k_norm=n"
FUSED = "attn_qkv=w,d attn_output=d,q"
FUSED_BIASED = f"{FUSED} attn_qkv.bias=w attn_output.bias=d"
GATED = "ffn_gate=f,d ffn_up=f,d ffn_down=d,f"
PLAIN = "ffn_up=f,d ffn_down=d,f"
PLAIN_BIASED = f"{PLAIN} ffn_up.bias=f ffn_down.bias=d"
DOUBLE = "ffn_up=2*f,d ffn_down=d,f"  # gate and up in one
EXPERTS = "ffn_gate_inp=e,d ffn_gate_exps=e,x,d ffn_up_exps=e,x,d ffn_down_exps=e,d,x"
SHARED = "ffn_gate_shexp=s,d ffn_up_shexp=s,d ffn_down_shexp=d,s"
LATENT = (
    "attn_q_a=32,d attn_q_a_norm=32 attn_q_b=h*24,32 attn_kv_a_mqa=40,d attn_kv_a_norm=32 attn_k_b=h,32,16 "
    "attn_v_b=h,16,32 attn_output=d,h*16"
)
MAMBA = (
    "attn_norm=d ssm_in=4*d,d ssm_conv1d=2*d,4 ssm_conv1d.bias=2*d ssm_x=36,2*d ssm_dt=2*d,4 ssm_dt.bias=2*d "
    "ssm_a.=2*d,16 ssm_d.=2*d ssm_out=d,2*d"
)
MAMBA2 = (  # inner 2*d, 4 heads, 1 group, state 16
    "ssm_in=292,d ssm_conv1d=160,4 ssm_conv1d.bias=160 ssm_dt.bias=4 ssm_a.=4,1 ssm_d.=4,1 ssm_norm=1,2*d ssm_out=d,2*d"
)
DELTA = (  # gated delta net: 2 key heads, 4 value heads, state 16
    "attn_qkv=128,d attn_gate=64,d ssm_conv1d=128,4 ssm_dt.bias=4 ssm_a.=4 ssm_ba=8,d ssm_norm=16 ssm_out=d,64"
)
MIXED = {"expert_count": 4, "expert_used_count": 2}
EXPERT_WIDTH = {**MIXED, "expert_feed_forward_length": 32}
ONE_DENSE = {"leading_dense_block_count": 1, "expert_shared_count": 1}
LATENT_SIZES = {
    "attention.q_lora_rank": 32,
    "attention.kv_lora_rank": 32,
    "attention.key_length": 40,
    "attention.value_length": 32,
    "attention.key_length_mla": 24,
    "attention.value_length_mla": 16,
    "rope.dimension_count": 8,
}
WINDOW = {"attention.sliding_window": 16, "attention.sliding_window_pattern": 2}
SECTIONS = {"rope.dimension_sections": [2, 3, 3, 0]}
SCALES = {"logit_scale": 4.0, "residual_scale": 0.5, "embedding_scale": 3.0, "attention.scale": 0.2}
RECURRENT = {"ssm.conv_kernel": 4, "ssm.inner_size": 128, "ssm.state_size": 16, "ssm.time_step_rank": 4}


@dataclass(frozen=True, slots=True)
class Architecture:
    """`layers`: the tensors of each layer, from the first on again when there are more layers than entries."""

    layers: tuple[str, ...]
    whole: str = TOP
    metadata: dict[str, Any] = field(default_factory=dict)
    tokenizer: str = "llama"  # or the pre-tokenizer of a byte-level BPE
    arch: str = ""  # as the file names it, where that is not the entry's name
    norm: str = "rms"  # rms or layer
    sizes: dict[str, int] = field(default_factory=dict)  # letters that differ from SIZES
    count: int = 2  # layers
    seed: int = 1  # one with which it does not end its first reply at once


# d: width, h: heads, g: key/value heads, n: width of a head, f: inner width, e: experts, x: their inner width,
# s: inner width of the shared expert, c: context. q = h * n, k = g * n, w = q + 2 * k, v: vocabulary.
SIZES = {"d": 64, "h": 4, "g": 2, "n": 16, "f": 96, "e": 4, "x": 32, "s": 48, "c": 256}
ALL_HEADS = {"g": 4}


def _of(*layer: str, **more: Any) -> Architecture:
    return Architecture((" ".join(layer),), **more)


LLAMA = (NORMS, ATTENTION, GATED)

ARCHITECTURES: dict[str, Architecture] = {
    "llama": _of(*LLAMA),
    "llama-experts": _of(NORMS, ATTENTION, EXPERTS, arch="llama", metadata=MIXED, sizes={"x": 96}),
    "llama4": Architecture(
        (f"{NORMS} {ATTENTION} {EXPERTS} ffn_gate_shexp=x,d ffn_up_shexp=x,d ffn_down_shexp=d,x",),
        metadata={**EXPERT_WIDTH, "interleave_moe_layer_step": 1},
        tokenizer="llama4",
        count=4,
    ),
    "mistral3": _of(*LLAMA, tokenizer="tekken"),
    "qwen": _of(
        f"{NORMS} attn_qkv=w,d attn_qkv.bias=w attn_output=d,q {GATED}",
        metadata={"feed_forward_length": 192},
        tokenizer="qwen2",
        sizes=ALL_HEADS,
    ),
    "qwen2": _of(*LLAMA, BIASES, tokenizer="qwen2"),
    "qwen2moe": _of(
        NORMS,
        ATTENTION,
        BIASES,
        EXPERTS,
        SHARED,
        "ffn_gate_inp_shexp=d",
        metadata={**EXPERT_WIDTH, "expert_shared_feed_forward_length": 48},
        tokenizer="qwen2",
    ),
    "qwen2vl": _of(*LLAMA, BIASES, metadata=SECTIONS, tokenizer="qwen2"),
    "qwen3": _of(*LLAMA, HEAD_NORMS, tokenizer="qwen2", sizes={"n": 32}),
    "qwen3moe": _of(NORMS, ATTENTION, HEAD_NORMS, EXPERTS, metadata=EXPERT_WIDTH, tokenizer="qwen2"),
    "qwen3vl": _of(
        *LLAMA,
        HEAD_NORMS,
        metadata={"rope.dimension_sections": [4, 2, 2, 0], "rope.freq_base": 5e6},
        tokenizer="qwen2",
    ),
    "qwen3next": Architecture(
        tuple(
            f"attn_norm=d post_attention_norm=d {part} {EXPERTS} {SHARED} ffn_gate_inp_shexp=d"
            for part in (DELTA, f"attn_q=2*q,d attn_k=k,d attn_v=k,d attn_output=d,q {HEAD_NORMS}")
        ),
        metadata={
            **EXPERT_WIDTH,
            **RECURRENT,
            "ssm.inner_size": 64,
            "ssm.group_count": 2,
            "full_attention_interval": 2,
            "expert_shared_feed_forward_length": 48,
            "rope.dimension_count": 4,
        },
        tokenizer="qwen2",
    ),
    "hunyuan-dense": _of(*LLAMA, HEAD_NORMS, tokenizer="hunyuan-dense"),
    "hunyuan-moe": _of(
        NORMS,
        ATTENTION,
        HEAD_NORMS,
        EXPERTS,
        SHARED,
        metadata={**EXPERT_WIDTH, "expert_shared_feed_forward_length": 32, "feed_forward_length": 32},
        tokenizer="hunyuan",
        sizes={"s": 32},
    ),
    "grok": _of(NORMS, ATTENTION, EXPERTS, "attn_output_norm=d layer_output_norm=d", metadata=MIXED, sizes={"x": 96}),
    "deepseek": Architecture(
        (f"{NORMS} {ATTENTION} {GATED}", f"{NORMS} {ATTENTION} {EXPERTS} {SHARED}"),
        metadata={**EXPERT_WIDTH, **ONE_DENSE, "expert_weights_scale": 1.0},
        tokenizer="deepseek-llm",
        sizes={"s": 32},
    ),
    "deepseek2": Architecture(
        (f"{NORMS} {LATENT} {GATED}", f"{NORMS} {LATENT} {EXPERTS} {SHARED} exp_probs_b.bias=e"),
        metadata={
            **EXPERT_WIDTH,
            **LATENT_SIZES,
            **ONE_DENSE,
            "expert_weights_scale": 1.5,
            "expert_weights_norm": True,
            "expert_gating_func": 2,
        },
        tokenizer="deepseek-v3",
        sizes={"s": 32, "g": 1},
    ),
    "gemma": _of(*LLAMA, whole=TIED, sizes={"n": 32}),
    "gemma2": _of(
        *LLAMA,
        POST_NORMS,
        whole=TIED,
        metadata={**WINDOW, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0},
    ),
    "gemma3": _of(*LLAMA, POST_NORMS, HEAD_NORMS, whole=TIED, metadata={**WINDOW, "rope.freq_base": 1e6}),
    "gemma4": Architecture(
        (f"{NORMS} {POST_NORMS} {ATTENTION} {HEAD_NORMS} {GATED}",),
        whole=f"{TIED} rope_freqs=8",
        metadata={
            "attention.sliding_window": 16,
            "attention.sliding_window_pattern": [True, False],
            "embedding_length_per_layer_input": 0,
            "attention.key_length_swa": 16,
            "attention.value_length_swa": 16,
            "rope.dimension_count_swa": 16,
            "final_logit_softcapping": 30.0,
        },
    ),
    "phi2": _of(
        "attn_norm=d attn_norm.bias=d",
        ATTENTION,
        BIASES,
        "attn_output.bias=d",
        PLAIN_BIASED,
        whole=f"{TOP_BIASED} output.bias=v",
        metadata={"rope.dimension_count": 8},
        tokenizer="gpt-2",
        norm="layer",
        sizes=ALL_HEADS,
    ),
    "phi3": _of(NORMS, FUSED, DOUBLE),
    "phimoe": _of(
        NORMS_BIASED,
        ATTENTION,
        BIASES,
        "attn_output.bias=d",
        EXPERTS,
        whole=f"{TOP_BIASED} output.bias=v",
        metadata=MIXED,
        sizes={"x": 96},
    ),
    "falcon": _of(
        "attn_norm=d attn_norm.bias=d", FUSED, PLAIN, whole=TOP_BIASED, tokenizer="falcon", norm="layer", sizes={"g": 1}
    ),
    "falcon-h1": _of(
        "attn_norm=d ffn_norm.=d",
        MAMBA2,
        ATTENTION,
        GATED,
        metadata={**RECURRENT, "ssm.group_count": 1},
        tokenizer="falcon-h1",
    ),
    "command-r": _of(
        "attn_norm=d", ATTENTION, GATED, whole=TIED, metadata={"logit_scale": 0.25}, tokenizer="command-r", norm="layer"
    ),
    "cohere2": _of(
        "attn_norm=d",
        ATTENTION,
        GATED,
        whole=TIED,
        metadata={**WINDOW, "logit_scale": 0.25},
        tokenizer="command-r",
        norm="layer",
    ),
    "olmo": _of(
        ATTENTION, GATED, whole="token_embd=v,d", metadata={"attention.clamp_kqv": 8.0}, tokenizer="olmo", norm="layer"
    ),
    "olmo2": _of(ATTENTION, "attn_q_norm=q attn_k_norm=k", POST_NORMS, GATED, tokenizer="dbrx"),
    "olmoe": _of(
        NORMS,
        ATTENTION,
        "attn_q_norm=q attn_k_norm=k",
        EXPERTS,
        metadata=MIXED,
        tokenizer="olmo",
        sizes={"x": 96, "g": 4},
    ),
    "gpt-oss": _of(
        "attn_norm=d post_attention_norm=d attn_sinks=h",
        ATTENTION,
        BIASES,
        "attn_output.bias=d",
        EXPERTS,
        "ffn_gate_inp.bias=e ffn_gate_exps.bias=e,x ffn_up_exps.bias=e,x ffn_down_exps.bias=e,d",
        metadata={**EXPERT_WIDTH, "attention.sliding_window": 16},
        tokenizer="gpt-4o",
    ),
    "smollm3": _of(*LLAMA, tokenizer="smaug-bpe", count=4),
    "gptneox": _of(
        NORMS_BIASED,
        FUSED_BIASED,
        PLAIN_BIASED,
        whole=TOP_BIASED,
        metadata={"use_parallel_residual": True, "rope.dimension_count": 4},
        tokenizer="gpt-2",
        norm="layer",
        sizes=ALL_HEADS,
    ),
    "bloom": _of(
        NORMS_BIASED,
        FUSED_BIASED,
        PLAIN_BIASED,
        whole=f"{TIED} output_norm.bias=d token_embd_norm=d token_embd_norm.bias=d",
        tokenizer="bloom",
        norm="layer",
        sizes={"g": 4, "f": 256},
    ),
    "gpt2": _of(
        NORMS_BIASED,
        FUSED_BIASED,
        PLAIN_BIASED,
        whole=f"{TIED} output_norm.bias=d position_embd=c,d",
        tokenizer="gpt-2",
        norm="layer",
        sizes=ALL_HEADS,
    ),
    "mpt": _of(
        NORMS,
        FUSED,
        PLAIN,
        whole=TIED,
        metadata={"attention.max_alibi_bias": 8.0},
        tokenizer="mpt",
        norm="layer",
        sizes={"g": 4, "f": 256},
    ),
    "jais": _of(
        NORMS_BIASED,
        FUSED_BIASED,
        GATED,
        "ffn_gate.bias=f ffn_up.bias=f ffn_down.bias=d",
        whole=TOP_BIASED,
        metadata={"attention.max_alibi_bias": 8.0},
        tokenizer="gpt-2",
        norm="layer",
        sizes=ALL_HEADS,
    ),
    "jais2": _of(
        NORMS_BIASED,
        ATTENTION,
        BIASES,
        "attn_output.bias=d",
        PLAIN_BIASED,
        whole=TOP_BIASED,
        tokenizer="jais-2",
        norm="layer",
        sizes=ALL_HEADS,
    ),
    "baichuan": _of(*LLAMA, sizes=ALL_HEADS, seed=2),
    "internlm2": _of(*LLAMA),
    "chatglm": _of(
        NORMS,
        "attn_qkv=w,d attn_qkv.bias=w attn_output=d,q",
        DOUBLE,
        tokenizer="chatglm-bpe",
        metadata={"rope.dimension_count": 8},
    ),
    "glm4": _of(NORMS, ATTENTION, POST_NORMS, DOUBLE, tokenizer="glm4", metadata={"rope.dimension_count": 8}),
    "glm4moe": Architecture(
        (
            f"attn_norm=d post_attention_norm=d {ATTENTION} {BIASES} {GATED}",
            f"attn_norm=d post_attention_norm=d {ATTENTION} {BIASES} {EXPERTS} {SHARED} exp_probs_b.bias=e",
        ),
        metadata={
            **EXPERT_WIDTH,
            **ONE_DENSE,
            "expert_weights_scale": 1.5,
            "expert_weights_norm": True,
            "expert_gating_func": 2,
            "rope.dimension_count": 8,
        },
        tokenizer="glm4",
        sizes={"s": 32},
    ),
    "granite": _of(*LLAMA, metadata=SCALES, tokenizer="refact"),
    "granitemoe": _of(NORMS, ATTENTION, EXPERTS, metadata={**SCALES, **MIXED}, tokenizer="refact", sizes={"x": 96}),
    "granitehybrid": Architecture(
        (f"{NORMS} {MAMBA2} {GATED}", f"{NORMS} {ATTENTION} {GATED}"),
        metadata={**SCALES, **RECURRENT, "ssm.group_count": 1, "attention.head_count_kv": [0, 2]},
        tokenizer="refact",
    ),
    "mamba": Architecture((MAMBA,), metadata=RECURRENT, tokenizer="gpt-2"),
    "dbrx": _of(
        "attn_norm=d attn_output_norm=d",
        FUSED,
        EXPERTS,
        metadata={**MIXED, "attention.clamp_kqv": 8.0},
        tokenizer="dbrx",
        norm="layer",
        sizes={"x": 96},
    ),
    "exaone": _of(*LLAMA, tokenizer="exaone"),
    "exaone4": _of(ATTENTION, HEAD_NORMS, POST_NORMS, GATED, tokenizer="exaone4"),
    "seed_oss": _of(
        "attn_norm=d post_attention_norm=d", ATTENTION, BIASES, GATED, tokenizer="seed-coder", sizes={"n": 32}
    ),
    "apertus": _of(
        NORMS,
        ATTENTION,
        HEAD_NORMS,
        PLAIN,
        metadata={":xielu.alpha_n": 0.8, ":xielu.alpha_p": 0.7, ":xielu.beta": 0.5, ":xielu.eps": -1e-6},
        tokenizer="tekken",
    ),
    "minimax-m2": _of(
        NORMS,
        ATTENTION,
        "attn_q_norm=q attn_k_norm=k exp_probs_b.bias=e",
        EXPERTS,
        metadata={**EXPERT_WIDTH, "expert_gating_func": 2, "feed_forward_length": 32, "rope.dimension_count": 8},
        tokenizer="minimax-m2",
    ),
    "stablelm": _of(
        NORMS_BIASED,
        ATTENTION,
        GATED,
        whole=TOP_BIASED,
        metadata={"rope.dimension_count": 4},
        tokenizer="stablelm2",
        norm="layer",
    ),
    "starcoder2": _of(
        NORMS_BIASED,
        ATTENTION,
        BIASES,
        "attn_output.bias=d",
        PLAIN_BIASED,
        whole=f"{TIED} output_norm.bias=d",
        tokenizer="starcoder",
        norm="layer",
    ),
    "nemotron": _of(
        NORMS_BIASED,
        ATTENTION,
        PLAIN,
        whole=TOP_BIASED,
        metadata={"rope.dimension_count": 8},
        tokenizer="llama",
        norm="layer",
    ),
}


def write(path: Path, name: str) -> Path:
    """The tiny model of this entry, the same each time."""
    entry = ARCHITECTURES[name]
    arch, random = entry.arch or name, np.random.default_rng(entry.seed)
    words, types = sentencepiece_words() if entry.tokenizer == "llama" else bpe_words()
    size = {**SIZES, **entry.sizes}
    size.update(q=size["h"] * size["n"], k=size["g"] * size["n"], v=len(words))
    size["w"] = size["q"] + 2 * size["k"]
    writer = GGUFWriter(str(path), arch)
    for key, value in {**_common(size, entry), **entry.metadata}.items():
        _put(writer, key[1:] if key.startswith(":") else f"{arch}.{key}", value)
    _vocabulary(writer, entry.tokenizer, words, types)
    for tensor, shape in tensors(entry, size).items():
        writer.add_tensor(tensor, _values(random, tensor, shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors(entry: Architecture, size: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """Shapes by full name."""

    def read(text: str, prefix: str) -> dict[str, tuple[int, ...]]:
        found = {}
        for word in text.split():
            name, _, shape = word.partition("=")
            name = name.rstrip(".") if "." in name else f"{name}.weight"
            found[prefix + name] = tuple(
                prod(size[part] if part in size else int(part) for part in each.split("*")) for each in shape.split(",")
            )
        return found

    made = read(entry.whole, "")
    for layer in range(entry.count):
        made |= read(entry.layers[layer % len(entry.layers)], f"blk.{layer}.")
    return made


def _common(size: dict[str, int], entry: Architecture) -> dict[str, Any]:
    epsilon = "attention.layer_norm_rms_epsilon" if entry.norm == "rms" else "attention.layer_norm_epsilon"
    return {
        "vocab_size": size["v"],
        "context_length": size["c"],
        "embedding_length": size["d"],
        "block_count": entry.count,
        "feed_forward_length": size["f"],
        "attention.head_count": size["h"],
        "attention.head_count_kv": size["g"],
        "attention.key_length": size["n"],
        "attention.value_length": size["n"],
        "rope.dimension_count": size["n"],
        "rope.freq_base": 10_000.0,
        epsilon: 1e-5,
    }


def _put(writer: GGUFWriter, key: str, value: Any) -> None:
    add = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, list: writer.add_array}
    add[type(value)](key, value)


def _vocabulary(writer: GGUFWriter, tokenizer: str, words: list[str], types: list[int]) -> None:
    writer.add_tokenizer_model("llama" if tokenizer == "llama" else "gpt2")
    if tokenizer != "llama":
        writer.add_tokenizer_pre(tokenizer)
        writer.add_token_merges(["t h", "th e"])
    writer.add_token_list(words)
    writer.add_token_types(types)
    writer.add_token_scores([-float(place) / 10 for place in range(len(words))])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(CHATML)


def _values(random: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Random weights under which activations neither vanish nor blow up, and states of recurrent layers decay."""
    values = random.standard_normal(shape)
    if name.endswith("ssm_a"):
        values = -np.exp(values)
    elif "norm.weight" in name:
        values = 1 + 0.1 * values
    elif name == "rope_freqs.weight":
        values = np.ones(shape)
    elif "ffn_gate_inp.weight" in name:  # clear choices of experts, which rounding does not turn
        pass
    elif len(shape) == 1 or name.endswith("bias"):
        values = 0.1 * values
    else:
        values = values * 0.2
    return values.astype(np.float32)
