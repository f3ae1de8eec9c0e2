"""Struct layouts of the two pinned libllama builds, on 64-bit platforms.

WHEEL is xllamacpp 2026.10.11549. It ships no header: its layouts were found by dumping defaults, setting fields and
reading them back (docs/decisions/0001-engine.md). NATIVE is the llama.cpp inside the source distribution of
llama-cpp-python 0.3.36, built on this machine; its layouts are those of its include/llama.h. `library.prove` checks
every default here against the loaded library, and refuses any other. Knows nothing of how structs are used.
"""

import ctypes as c
from dataclasses import dataclass
from typing import Any

WHEEL_VERSION = "2026.10.11549"
NATIVE_VERSION = "0.3.36"

TYPE_F32, TYPE_F16, TYPE_Q8_0 = 0, 1, 8  # ggml_type, of those a key/value cache may have


class ModelParams(c.Structure):
    _fields_ = (
        ("devices", c.c_void_p),
        ("tensor_buft_overrides", c.c_void_p),
        ("n_gpu_layers", c.c_int32),
        ("split_mode", c.c_int32),
        ("load_mode", c.c_int32),
        ("lazy_mode", c.c_int32),
        ("main_gpu", c.c_int32),
        ("tensor_split", c.c_void_p),
        ("progress_callback", c.c_void_p),
        ("progress_callback_user_data", c.c_void_p),
        ("kv_overrides", c.c_void_p),
        ("vocab_only", c.c_bool),
        ("check_tensors", c.c_bool),
        ("use_extra_bufts", c.c_bool),
        ("no_host", c.c_bool),
        ("no_alloc", c.c_bool),
        ("load_mtp", c.c_bool),
    )


_CONTEXT_FIELDS: tuple[tuple[str, Any], ...] = (
    ("n_ctx", c.c_uint32),
    ("n_batch", c.c_uint32),
    ("n_ubatch", c.c_uint32),
    ("n_seq_max", c.c_uint32),
    ("n_rs_seq", c.c_uint32),
    ("n_outputs_max", c.c_uint32),
    ("n_outputs_max_per_seq", c.c_uint32),
    ("n_threads", c.c_int32),
    ("n_threads_batch", c.c_int32),
    ("ctx_type", c.c_int32),
    ("rope_scaling_type", c.c_int32),
    ("pooling_type", c.c_int32),
    ("attention_type", c.c_int32),
    ("flash_attn_type", c.c_int32),
    ("rope_freq_base", c.c_float),
    ("rope_freq_scale", c.c_float),
    ("yarn_ext_factor", c.c_float),
    ("yarn_attn_factor", c.c_float),
    ("yarn_beta_fast", c.c_float),
    ("yarn_beta_slow", c.c_float),
    ("yarn_orig_ctx", c.c_uint32),
    ("defrag_thold", c.c_float),
    ("cb_eval", c.c_void_p),
    ("cb_eval_user_data", c.c_void_p),
    ("type_k", c.c_int32),
    ("type_v", c.c_int32),
    ("unknown_112", c.c_void_p),  # new in this build, of unknown meaning; a pointer here crashes, so it stays null
    ("abort_callback", c.c_void_p),
    ("abort_callback_data", c.c_void_p),
    ("embeddings", c.c_bool),
    ("offload_kqv", c.c_bool),
    ("no_perf", c.c_bool),
    ("op_offload", c.c_bool),
    ("swa_full", c.c_bool),
    ("kv_unified", c.c_bool),
    ("samplers", c.c_void_p),
    ("n_samplers", c.c_size_t),
    ("ctx_other", c.c_void_p),
)


class ContextParams(c.Structure):
    """As the wheel has it."""

    _fields_ = _CONTEXT_FIELDS


class NativeContextParams(c.Structure):
    """As llama-cpp-python's header has it."""

    _fields_ = tuple(field for field in _CONTEXT_FIELDS if field[0] != "unknown_112")


class Batch(c.Structure):
    _fields_ = (
        ("n_tokens", c.c_int32),
        ("token", c.POINTER(c.c_int32)),
        ("embd", c.c_void_p),
        ("pos", c.POINTER(c.c_int32)),
        ("n_seq_id", c.POINTER(c.c_int32)),
        ("seq_id", c.POINTER(c.POINTER(c.c_int32))),
        ("logits", c.POINTER(c.c_int8)),
    )


class SamplerChainParams(c.Structure):
    _fields_ = (("no_perf", c.c_bool),)


class Candidate(c.Structure):
    """llama_token_data."""

    _fields_ = (("id", c.c_int32), ("logit", c.c_float), ("p", c.c_float))


class Candidates(c.Structure):
    """llama_token_data_array; `selected` is an index into `data`, no token id."""

    _fields_ = (("data", c.POINTER(Candidate)), ("size", c.c_size_t), ("selected", c.c_int64), ("sorted", c.c_bool))


class VisionParams(c.Structure):
    """mtmd_context_params, the same in both builds: tools/mtmd/mtmd.h of llama-cpp-python's source."""

    _fields_ = (
        ("use_gpu", c.c_bool),
        ("device", c.c_void_p),
        ("print_timings", c.c_bool),
        ("n_threads", c.c_int32),
        ("image_marker", c.c_void_p),
        ("media_marker", c.c_void_p),
        ("flash_attn_type", c.c_int32),
        ("warmup", c.c_bool),
        ("image_min_tokens", c.c_int32),
        ("image_max_tokens", c.c_int32),
        ("cb_eval", c.c_void_p),
        ("cb_eval_user_data", c.c_void_p),
        ("batch_max_tokens", c.c_int32),
        ("progress_callback", c.c_void_p),
        ("progress_callback_user_data", c.c_void_p),
    )


class InputPart(c.Structure):
    """mtmd_input_part: one of the two."""

    _fields_ = (("text", c.c_void_p), ("bitmap", c.c_void_p))


_SIZES: dict[type[c.Structure], int] = {ModelParams: 80, Batch: 56, Candidates: 32}

# What the library's own *_default_params() must say, field by field; padding between fields is not compared.
MODEL_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("devices", "tensor_buft_overrides", "tensor_split", "progress_callback"), None),
    **dict.fromkeys(("progress_callback_user_data", "kv_overrides"), None),
    "n_gpu_layers": -1,
    "split_mode": 1,
    "load_mode": -1,
    "lazy_mode": 1,
    "main_gpu": 0,
    "vocab_only": False,
    "check_tensors": False,
    "use_extra_bufts": True,
    "no_host": False,
    "no_alloc": False,
    "load_mtp": False,
}
CONTEXT_DEFAULTS: dict[str, Any] = {
    "n_ctx": 512,
    "n_batch": 2048,
    "n_ubatch": 512,
    "n_seq_max": 1,
    "n_rs_seq": 0,
    "n_outputs_max": 0,
    "n_outputs_max_per_seq": 1,
    "n_threads": 4,
    "n_threads_batch": 4,
    "ctx_type": 0,
    "rope_scaling_type": -1,
    "pooling_type": -1,
    "attention_type": -1,
    "flash_attn_type": -1,
    "rope_freq_base": 0.0,
    "rope_freq_scale": 0.0,
    "yarn_ext_factor": -1.0,
    "yarn_attn_factor": -1.0,
    "yarn_beta_fast": -1.0,
    "yarn_beta_slow": -1.0,
    "yarn_orig_ctx": 0,
    "defrag_thold": -1.0,
    **dict.fromkeys(("cb_eval", "cb_eval_user_data", "unknown_112", "abort_callback", "abort_callback_data"), None),
    "type_k": TYPE_F16,
    "type_v": TYPE_F16,
    "embeddings": False,
    "offload_kqv": True,
    "no_perf": True,
    "op_offload": True,
    "swa_full": True,
    "kv_unified": False,
    "samplers": None,
    "n_samplers": 0,
    "ctx_other": None,
}
VISION_SIZE = 96
VISION_DEFAULTS: dict[str, Any] = {
    "use_gpu": True,
    "device": None,
    "print_timings": True,
    "n_threads": 4,
    "image_marker": None,
    "flash_attn_type": -1,
    "warmup": True,
    "image_min_tokens": -1,
    "image_max_tokens": -1,
    "cb_eval": None,
    "cb_eval_user_data": None,
    "batch_max_tokens": 1024,
    "progress_callback": None,
    "progress_callback_user_data": None,
}


@dataclass(frozen=True, slots=True)
class Build:
    """One libllama that is known field by field."""

    name: str
    context_params: type[c.Structure]
    sizes: dict[type[c.Structure], int]
    context_defaults: dict[str, Any]
    model_defaults: dict[str, Any]


WHEEL = Build(
    f"xllamacpp {WHEEL_VERSION}", ContextParams, {**_SIZES, ContextParams: 168}, CONTEXT_DEFAULTS, MODEL_DEFAULTS
)
NATIVE = Build(
    f"llama-cpp-python {NATIVE_VERSION}",
    NativeContextParams,
    {**_SIZES, NativeContextParams: 160},
    {name: value for name, value in CONTEXT_DEFAULTS.items() if name != "unknown_112"},
    MODEL_DEFAULTS,
)
