"""What is added to llama.cpp's source before it is compiled: AMX kernels for BF16 weights, packing for attention.
And what is mended in it: where CLIP's class token stands.

Files of ours, and lines of the source that are changed to call them (docs/decisions/0010). The source is pinned by its
digest, so these lines are where they were; were one not there exactly once, nothing is compiled. Knows text and files.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ...errors import EngineError

_CPU = "ggml/src/ggml-cpu"
FILES = {"amx_bf16.h": f"{_CPU}/amx/amx_bf16.h", "attention_tiles.h": f"{_CPU}/attention_tiles.h"}


@dataclass(frozen=True, slots=True)
class Change:
    """`old`, which the file has once, becomes `new`."""

    file: str
    old: str
    new: str


def _before(file: str, anchor: str, text: str) -> Change:
    return Change(file, anchor, text + anchor)


CHANGES = (
    # AMX for BF16 weights
    _before(f"{_CPU}/amx/amx.cpp", '#include "mmq.h"\n', '#include "amx_bf16.h"\n'),
    _before(f"{_CPU}/amx/mmq.cpp", '#include "mmq.h"\n', '#include "amx_bf16.h"\n'),
    _before(
        f"{_CPU}/amx/amx.cpp",
        "            case GGML_TYPE_F16:\n                alignment = 16;\n",
        "            case GGML_TYPE_BF16:\n"
        "                return amx_bf16::takes(src0) && src1->type == GGML_TYPE_F32;\n",
    ),
    _before(
        f"{_CPU}/amx/amx.cpp",
        "    if (qtype_has_amx_kernels(tensor->type)) {\n        GGML_LOG_DEBUG",
        "    if (amx_bf16::takes(tensor)) {\n        GGML_ASSERT(offset == 0 && size == ggml_nbytes(tensor));\n"
        "        amx_bf16::pack_weights(tensor, data);\n        return;\n    }\n",
    ),
    _before(
        f"{_CPU}/amx/mmq.cpp",
        "    const bool is_floating_type = TYPE == GGML_TYPE_F16;\n    if (is_floating_type) {\n        return 0;\n",
        "    if (TYPE == GGML_TYPE_BF16) {\n        return amx_bf16::work_size(dst);\n    }\n",
    ),
    _before(
        f"{_CPU}/amx/mmq.cpp",
        "    // f16 only has avx512 kernels for now,\n",
        "    if (TYPE == GGML_TYPE_BF16) {\n        amx_bf16::mul_mat(params, dst);\n        return;\n    }\n",
    ),
    # packing for tiled attention
    _before(f"{_CPU}/ops.cpp", '#include "simd-gemm.h"\n', '#include "attention_tiles.h"\n'),
    Change(
        f"{_CPU}/ops.cpp",
        """\
                    for (int tk = 0; tk < kv_tile; tk++) {
                        mask32[tq * KV_TILE_SZ + tk] = slope * GGML_CPU_FP16_TO_FP32(mp_row[ic + tk]);
                        if (mask32[tq * KV_TILE_SZ + tk] != -INFINITY) {
                            can_skip = false;
                        }
                    }
""",
        """\
                    if (attention_tiles::pack_mask(mp_row + ic, slope, kv_tile, mask32 + tq * KV_TILE_SZ)) {
                        can_skip = false;
                    }
""",
    ),
    Change(
        f"{_CPU}/ops.cpp",
        """\
            for (int tk = 0; tk < kv_tile; tk++) {
                const char * k_data = (const char *)k->data + (ic + tk)*nbk1 + ik2*nbk2 + ik3*nbk3;
                if (kv_type == GGML_TYPE_F16) {
""",
        """\
            int packed = 0;
            if (kv_type == GGML_TYPE_F16) {
                const char * keys = (const char *)k->data + ic*nbk1 + ik2*nbk2 + ik3*nbk3;
                packed = attention_tiles::pack_keys(keys, nbk1, kv_tile, DK, K_f32, KV_TILE_SZ);
            }
            for (int tk = packed; tk < kv_tile; tk++) {
                const char * k_data = (const char *)k->data + (ic + tk)*nbk1 + ik2*nbk2 + ik3*nbk3;
                if (kv_type == GGML_TYPE_F16) {
""",
    ),
    Change(
        f"{_CPU}/ops.cpp",
        """\
                float tile_max;
                ggml_vec_max_f32(KV_TILE_SZ, &tile_max, kq_row);
""",
        """\
                const float tile_max = attention_tiles::greatest(kq_row, KV_TILE_SZ);
""",
    ),
    # CLIP's class token before the patches, where its position is (github.com/ggml-org/llama.cpp/issues/25814)
    Change(
        "tools/mtmd/models/llava.cpp",
        "ggml_concat(ctx0, inp, model.class_embedding, 1)",
        "ggml_concat(ctx0, model.class_embedding, inp, 1)",
    ),
)


def content(name: str) -> str:
    """A file of ours."""
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def digest() -> str:
    """Of everything that is added, so that another addition makes another library."""
    parts = [part for name, place in FILES.items() for part in (place, content(name))]
    parts += [part for each in CHANGES for part in (each.file, each.old, each.new)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def add(source: Path) -> None:
    """To the unpacked source. EngineError where a line is missing or is there twice."""
    for name, place in FILES.items():
        (source / place).write_text(content(name), "utf-8", newline="\n")
    for each in CHANGES:
        path = source / each.file
        text = path.read_text("utf-8")
        if text.count(each.old) != 1:
            missing = each.old.strip().splitlines()[0]
            raise EngineError(f"{path.name} of llama.cpp is not what it was: {missing!r} is not there once")
        path.write_text(text.replace(each.old, each.new), "utf-8", newline="\n")
