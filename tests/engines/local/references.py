"""The models of `architectures` in transformers: the same weights under its names, for logits to be compared.

Needs `pip install -e '.[reference]'`. Names are translated by gguf's own table; what conversion to GGUF changes in the
weights (the order of rows in q and k, norms that are kept less one, parts that are kept as one) is taken back here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from .architectures import ARCHITECTURES, SIZES, Architecture

Tensors = dict[str, np.ndarray]
Part = Callable[["Layer"], np.ndarray]

WHY_NOT = "transformers has no class for it"


class Layer:
    """The tensors of one layer of a file, by their short names."""

    def __init__(self, tensors: Tensors, key: str, size: dict[str, int], used: set[str]) -> None:
        self._prefix = next((f"blk.{part}." for part in key.split(".") if part.isdigit()), "")
        self._tensors, self._used, self.size = tensors, used, size

    def __getitem__(self, name: str) -> np.ndarray:
        name = name.rstrip(".") if "." in name else f"{name}.weight"
        self._used.add(self._prefix + name)
        return self._tensors[self._prefix + name]


def of(name: str) -> Part:
    return lambda layer: layer[name]


def turned(name: str) -> Part:
    return lambda layer: layer[name].T


def joined(*names: str) -> Part:
    return lambda layer: np.concatenate([layer[name] for name in names], -1 if "bias" in names[0] else -2)


def inputs_first(part: Part) -> Part:
    """Of each expert."""
    return lambda layer: part(layer).swapaxes(1, 2)


def mixed(*names: str) -> Part:
    """Rows of both in turn, and inputs before outputs where these are matrices."""

    def part(layer: Layer) -> np.ndarray:
        rows = np.stack([layer[name] for name in names], 2)
        rows = rows.reshape(rows.shape[0], -1, *rows.shape[3:])
        return rows.swapaxes(1, 2) if rows.ndim == 3 else rows

    return part


def third(place: int, kind: str) -> Part:
    """q, k or v of what the file keeps as one."""

    def part(layer: Layer) -> np.ndarray:
        q, k = (layer.size[each] * layer.size["n"] for each in "hg")
        return np.split(layer[f"attn_qkv.{kind}"], [q, q + k])[place]

    return part


def by_head(kind: str) -> Part:
    """q, k and v of each head beside each other, where the file has all q, all k, all v."""

    def part(layer: Layer) -> np.ndarray:
        values = layer[f"attn_qkv.{kind}"]
        return values.reshape(3, layer.size["h"], layer.size["n"], *values.shape[1:]).swapaxes(0, 1)

    return part


def latent(layer: Layer) -> np.ndarray:
    """Keys and values of each head out of the latent."""
    return np.concatenate([layer["attn_k_b"].swapaxes(1, 2), layer["attn_v_b"]], 1)


def delta(layer: Layer) -> np.ndarray:
    """q, k, v and z of each of two key heads of 16, which have two value heads each."""
    parts = (*np.split(layer["attn_qkv"], [32, 64]), layer["attn_gate"])
    return np.concatenate([part.reshape(2, -1, part.shape[1]) for part in parts], 1)


def constant(value: float) -> Part:
    return lambda layer: np.float32(value)


# What the table of names does not lead to, by how its key ends.
PARTS: dict[str, Part] = {
    "experts.gate_up_proj": joined("ffn_gate_exps", "ffn_up_exps"),
    "experts.down_proj": of("ffn_down_exps"),
    "e_score_correction_bias": of("exp_probs_b.bias"),
    "mlp.gate.weight": of("ffn_gate_inp"),
    "gate.wg.weight": of("ffn_gate_inp"),
    "router.weight": of("ffn_gate_inp"),
    "router.bias": of("ffn_gate_inp.bias"),
    "self_attn.sinks": of("attn_sinks"),
    "A_log": lambda layer: np.log(-layer["ssm_a."]),
    "mamba.D": of("ssm_d."),
    "mixer.D": of("ssm_d."),
    "dt_bias": of("ssm_dt.bias"),
    "kv_b_proj.weight": latent,
    "in_proj_qkvz.weight": delta,
    "linear_attn.in_proj_ba.weight": of("ssm_ba"),
    "linear_attn.norm.weight": of("ssm_norm"),
    "shared_mlp.input_linear.weight": joined("ffn_gate", "ffn_up"),
    "shared_mlp.output_linear.weight": of("ffn_down"),
    "pre_ff_layernorm.weight": of("ffn_norm."),
    "layer_scalar": constant(1),
}
BY_HEAD = {f"query_key_value.{kind}": by_head(kind) for kind in ("weight", "bias")}
TURNED = {f"{ours}.weight": turned(theirs) for ours, theirs in {
    "c_attn": "attn_qkv", "attn.c_proj": "attn_output", "c_fc": "ffn_up", "mlp.c_proj": "ffn_down"
}.items()}  # fmt: skip
APART = {f"{name}_proj.{kind}": third(place, kind) for place, name in enumerate("qkv") for kind in ("weight", "bias")}


@dataclass(frozen=True, slots=True)
class Reference:
    """`permuted`: q and k have their rows in llama.cpp's order. `less`: what is taken off norms. `parts`: as PARTS, of
    this one only. `close`: how far logits may be apart."""

    model: str
    config: dict[str, Any] = field(default_factory=dict)
    permuted: bool = False
    less: float = 0.0
    parts: dict[str, Part] = field(default_factory=dict)


MOE = {"num_local_experts": 4, "num_experts": 4, "n_routed_experts": 4, "num_experts_per_tok": 2}
NARROW = {**MOE, "moe_intermediate_size": 32}
SECTIONS = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 3, 3]}
SLIDING = {"sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"]}
GRANITE = {
    "logits_scaling": 4.0, "residual_multiplier": 0.5, "embedding_multiplier": 3.0, "attention_multiplier": 0.2
}  # fmt: skip


def part_rotary(share: float) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": share}}


REFERENCES: dict[str, Reference] = {
    "llama": Reference("LlamaForCausalLM", permuted=True),
    "llama-experts": Reference("MixtralForCausalLM", {**MOE, "sliding_window": None}, True),
    "mistral3": Reference("LlamaForCausalLM", permuted=True),
    "qwen2": Reference("Qwen2ForCausalLM"),
    "qwen2moe": Reference(
        "Qwen2MoeForCausalLM",
        {**NARROW, "shared_expert_intermediate_size": 48, "norm_topk_prob": False},
    ),
    "qwen3": Reference("Qwen3ForCausalLM"),
    "qwen3moe": Reference("Qwen3MoeForCausalLM", {**NARROW, "norm_topk_prob": True}),
    "hunyuan-dense": Reference("HunYuanDenseV1ForCausalLM"),
    "gemma": Reference("GemmaForCausalLM", less=1),
    "gemma2": Reference("Gemma2ForCausalLM", {**SLIDING, "query_pre_attn_scalar": 16}, less=1),
    "gemma3": Reference(
        "Gemma3ForCausalLM",
        {
            **SLIDING,
            "query_pre_attn_scalar": 16,
            "rope_parameters": {
                "full_attention": {"rope_type": "default", "rope_theta": 1e6},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            },
        },
        less=1,
    ),
    "phi2": Reference("PhiForCausalLM", part_rotary(0.5)),
    "phi3": Reference("Phi3ForCausalLM"),
    "command-r": Reference("CohereForCausalLM", {"logit_scale": 0.25}),
    "cohere2": Reference("Cohere2ForCausalLM", {**SLIDING, "logit_scale": 0.25}),
    "olmo": Reference("OlmoForCausalLM", {"clip_qkv": 8.0}, True),
    "olmo2": Reference("Olmo2ForCausalLM"),
    "olmoe": Reference("OlmoeForCausalLM", {**MOE, "norm_topk_prob": False}),
    "smollm3": Reference("SmolLM3ForCausalLM", {"no_rope_layers": [1, 1, 1, 0]}, True),
    "granite": Reference("GraniteForCausalLM", GRANITE, True),
    "glm4": Reference("Glm4ForCausalLM", part_rotary(0.5)),
    "exaone4": Reference("Exaone4ForCausalLM", {"sliding_window": None, "layer_types": ["full_attention"] * 2}),
    "seed_oss": Reference("SeedOssForCausalLM", {"attention_bias": True, "attention_out_bias": False}),
    "stablelm": Reference("StableLmForCausalLM", part_rotary(0.25)),
    "starcoder2": Reference("Starcoder2ForCausalLM", {"sliding_window": None, "use_bias": True}),
    "nemotron": Reference("NemotronForCausalLM", part_rotary(0.5), less=1),
    "llama4": Reference(
        "Llama4ForCausalLM",
        {**MOE, "num_experts_per_tok": 2, "intermediate_size": 32, "interleave_moe_layer_step": 1},
        parts={
            "experts.gate_up_proj": inputs_first(PARTS["experts.gate_up_proj"]),
            "experts.down_proj": inputs_first(PARTS["experts.down_proj"]),
        },
    ),
    "qwen2vl": Reference("Qwen2VLTextModel", {"rope_parameters": SECTIONS}),
    "qwen3vl": Reference(
        "Qwen3VLTextModel",
        {"rope_parameters": {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [4, 2, 2]}},
    ),
    "qwen3next": Reference(
        "Qwen3NextForCausalLM",
        {
            **NARROW,
            **part_rotary(0.25),
            "shared_expert_intermediate_size": 48,
            "norm_topk_prob": True,
            "layer_types": ["linear_attention", "full_attention"],
            "linear_conv_kernel_dim": 4,
            "linear_key_head_dim": 16,
            "linear_value_head_dim": 16,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
        },
        less=1,
    ),
    "hunyuan-moe": Reference("HunYuanMoEV1ForCausalLM", {**MOE, "moe_topk": 2, "intermediate_size": 32}),
    "deepseek2": Reference(
        "DeepseekV3ForCausalLM",
        {
            **NARROW,
            "n_shared_experts": 1,
            "routed_scaling_factor": 1.5,
            "kv_lora_rank": 32,
            "q_lora_rank": 32,
            "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 16,
            "v_head_dim": 16,
            "n_group": 1,
            "topk_group": 1,
            "first_k_dense_replace": 1,
            "norm_topk_prob": True,
            "num_key_value_heads": 4,
            "rope_interleave": True,
            "head_dim": 8,
        },
    ),
    "gemma4": Reference(
        "Gemma4ForCausalLM",
        {
            **SLIDING,
            "hidden_size_per_layer_input": 0,
            "global_head_dim": 16,
            "final_logit_softcapping": 30.0,
            "rope_parameters": {
                "full_attention": {"rope_type": "default", "rope_theta": 10_000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            },
        },
    ),
    "phimoe": Reference(
        "PhimoeForCausalLM", {**MOE, "sliding_window": None, "attention_bias": True, "lm_head_bias": True}
    ),
    "falcon": Reference(
        "FalconForCausalLM",
        {"ffn_hidden_size": 96, "bias": False, "multi_query": True, "alibi": False, "new_decoder_architecture": False},
        parts={"query_key_value.weight": of("attn_qkv")},
    ),
    "falcon-h1": Reference(
        "FalconH1ForCausalLM",
        {
            "mamba_d_ssm": 128,
            "mamba_n_heads": 4,
            "mamba_d_head": 32,
            "mamba_n_groups": 1,
            "mamba_d_state": 16,
            "mamba_rms_norm": True,
            "mamba_norm_before_gate": False,
        },
    ),
    "gpt-oss": Reference(
        "GptOssForCausalLM",
        {**MOE, **SLIDING, "intermediate_size": 32, "attention_bias": True},
        parts={
            "experts.gate_up_proj": mixed("ffn_gate_exps", "ffn_up_exps"),
            "experts.gate_up_proj_bias": mixed("ffn_gate_exps.bias", "ffn_up_exps.bias"),
            "experts.down_proj": inputs_first(PARTS["experts.down_proj"]),
            "experts.down_proj_bias": of("ffn_down_exps.bias"),
        },
    ),
    "gptneox": Reference("GPTNeoXForCausalLM", {**part_rotary(0.25), "attention_bias": True}, parts=BY_HEAD),
    "bloom": Reference("BloomForCausalLM", {"n_layer": 2, "n_head": 4}, parts=BY_HEAD),
    "gpt2": Reference(
        "GPT2LMHeadModel", {"n_positions": 256, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_inner": 96}, parts=TURNED
    ),
    "mpt": Reference("MptForCausalLM", {"d_model": 64, "n_layers": 2, "n_heads": 4, "max_seq_len": 256}),
    "jais2": Reference("Jais2ForCausalLM", {"attention_bias": True, "mlp_bias": True}),
    "chatglm": Reference(
        "GlmForCausalLM",
        {**part_rotary(0.5), "attention_bias": True},
        parts={**APART, "gate_up_proj.weight": of("ffn_up")},
    ),
    "glm4moe": Reference(
        "Glm4MoeForCausalLM",
        {
            **NARROW,
            **part_rotary(0.5),
            "n_shared_experts": 1,
            "routed_scaling_factor": 1.5,
            "n_group": 1,
            "topk_group": 1,
            "first_k_dense_replace": 1,
            "norm_topk_prob": True,
            "attention_bias": True,
            "use_qk_norm": False,
        },
    ),
    "granitemoe": Reference("GraniteMoeForCausalLM", {**GRANITE, **MOE}, True),
    "granitehybrid": Reference(
        "GraniteMoeHybridForCausalLM",
        {
            **GRANITE,
            "num_local_experts": 0,
            "layer_types": ["mamba", "attention"],
            "shared_intermediate_size": 96,
            "mamba_n_heads": 4,
            "mamba_d_head": 32,
            "mamba_n_groups": 1,
            "mamba_d_state": 16,
            "mamba_d_conv": 4,
            "mamba_expand": 2,
            "position_embedding_type": "rope",
        },
        True,
    ),
    "mamba": Reference(
        "MambaForCausalLM",
        {"state_size": 16, "expand": 2, "intermediate_size": 128, "time_step_rank": 4, "conv_kernel": 4},
    ),
    "dbrx": Reference(
        "DbrxForCausalLM",
        {
            "d_model": 64,
            "n_heads": 4,
            "n_layers": 2,
            "max_seq_len": 256,
            "attn_config": {"kv_n_heads": 2, "clip_qkv": 8.0, "rope_theta": 10_000.0},
            "ffn_config": {"ffn_hidden_size": 96, "moe_num_experts": 4, "moe_top_k": 2, "hidden_size": 64},
        },
        parts={
            "mlp.w1": of("ffn_gate_exps"),
            "mlp.v1": of("ffn_up_exps"),
            "mlp.w2": inputs_first(of("ffn_down_exps")),
        },
    ),
    "apertus": Reference(
        "ApertusForCausalLM",
        parts={
            "act_fn.alpha_p": constant(0.7),
            "act_fn.alpha_n": constant(0.8),
            "act_fn.beta": constant(0.5),
            "act_fn.eps": constant(-1e-6),
        },
    ),
    "minimax-m2": Reference("MiniMaxM2ForCausalLM", {**MOE, **part_rotary(0.5), "intermediate_size": 32}),
}

# For these transformers has no class; the models came with code of their own.
MISSING = ("baichuan", "deepseek", "exaone", "grok", "internlm2", "jais", "qwen")


def model(path: Path, name: str) -> Any:
    """The transformers model of the tiny file at `path`."""
    import torch
    import transformers

    entry, reference = ARCHITECTURES[name], REFERENCES[name]
    tensors = {tensor.name: np.array(tensor.data) for tensor in gguf.GGUFReader(path).tensors}
    kind = getattr(transformers, reference.model)
    made = kind(_configured(kind.config_class, {**_config(entry, tensors), **reference.config})).eval()
    used: set[str] = set()
    state = {
        key: torch.from_numpy(np.ascontiguousarray(_found(key, tensors, name, used))).reshape(wanted.shape)
        for key, wanted in made.state_dict().items()
    }
    made.load_state_dict(state)
    if missed := set(tensors) - used - {"rope_freqs.weight", "output.weight"}:
        raise KeyError(f"{reference.model} knows no {sorted(missed)}")
    return made


def logits(path: Path, name: str, tokens: Sequence[int]) -> np.ndarray:
    """float32 [tokens, vocabulary] of transformers."""
    import torch

    made = model(path, name)
    with torch.inference_mode():
        found = made(torch.tensor([list(tokens)]), use_cache=False)
    if hasattr(found, "logits"):
        return np.asarray(found.logits[0].float().numpy())
    head = next(tensor for tensor in gguf.GGUFReader(path).tensors if tensor.name == "output.weight")
    return np.asarray(found.last_hidden_state[0].float().numpy() @ head.data.T)  # the text side of a model that sees


def _configured(kind: Any, config: dict[str, Any]) -> Any:
    """Some have names of their own for the common ones, and no room for the others."""
    taken = {name for name in config if not isinstance(getattr(kind, name, None), property)}
    made = kind(**{name: value for name, value in config.items() if name in taken}, attn_implementation="eager")
    return made


def _config(entry: Architecture, tensors: Tensors) -> dict[str, Any]:
    size = {**SIZES, **entry.sizes}
    epsilons = ("rms_norm_eps", "layer_norm_eps", "norm_eps", "norm_epsilon", "layer_norm_epsilon")
    return {
        "vocab_size": tensors["token_embd.weight"].shape[0],
        "hidden_size": size["d"],
        "intermediate_size": size["f"],
        "num_hidden_layers": entry.count,
        "num_attention_heads": size["h"],
        "num_key_value_heads": size["g"],
        "head_dim": size["n"],
        "max_position_embeddings": size["c"],
        **dict.fromkeys(epsilons, 1e-5),
        "pad_token_id": None,
        "tie_word_embeddings": "output.weight" not in tensors,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
        "attention_bias": False,
    }


def _found(key: str, tensors: Tensors, name: str, used: set[str]) -> np.ndarray:
    """The values of one tensor of transformers; adds what they are made of. KeyError where the file has none such."""
    entry, reference = ARCHITECTURES[name], REFERENCES[name]
    size = {**SIZES, **entry.sizes}
    parts = {**PARTS, **reference.parts}
    if part := next((parts[ending] for ending in parts if key.endswith(ending)), None):
        return part(Layer(tensors, key, size, used))
    if key.endswith("lm_head.weight") and "output.weight" not in tensors:
        return tensors["token_embd.weight"]
    arch = next(kind for kind, word in gguf.MODEL_ARCH_NAMES.items() if word == (entry.arch or name))
    names = gguf.get_tensor_name_map(arch, entry.count)
    endings = (".weight", ".bias")
    spelled = (key, f"model.{key}", key.removeprefix("transformer."))
    translated = next((found for each in spelled if (found := names.get_name(each, endings))), None)
    if translated not in tensors:
        raise KeyError(f"{key}: {translated}")
    used.add(translated)
    values, part_name = tensors[translated], translated.split(".")[-2]
    if reference.permuted and part_name in {"attn_q", "attn_k"}:
        heads = size["h" if part_name == "attn_q" else "g"]
        return values.reshape(heads, values.shape[0] // heads // 2, 2, *values.shape[1:]).swapaxes(1, 2)
    return values - reference.less if "norm" in part_name and translated.endswith(".weight") else values


# What is known of the cause where logits are not alike.
DIFFERENT = {
    "phimoe": "the library divides by the root mean square where transformers subtracts the mean too, and weighs "
    "experts otherwise",
}
