"""What is added to llama.cpp's source before it is compiled: AMX kernels for BF16 weights (docs/decisions/0010).

Whole files of ours, and lines that call them, put before or behind lines of the source. The source is pinned by its
digest, so these are where they were; were one not there exactly once, nothing is compiled. Knows text and files.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ...errors import EngineError

_AMX = "ggml/src/ggml-cpu/amx"
_KERNEL = "amx_bf16.h"


@dataclass(frozen=True, slots=True)
class Insertion:
    """`text` goes before `anchor`, which the file has once."""

    file: str
    anchor: str
    text: str


INSERTIONS = (
    *(Insertion(f"{_AMX}/{name}", '#include "mmq.h"\n', f'#include "{_KERNEL}"\n') for name in ("amx.cpp", "mmq.cpp")),
    Insertion(
        f"{_AMX}/amx.cpp",
        "            case GGML_TYPE_F16:\n                alignment = 16;\n",
        "            case GGML_TYPE_BF16:\n"
        "                return amx_bf16::takes(src0) && src1->type == GGML_TYPE_F32;\n",
    ),
    Insertion(
        f"{_AMX}/amx.cpp",
        "    if (qtype_has_amx_kernels(tensor->type)) {\n        GGML_LOG_DEBUG",
        "    if (amx_bf16::takes(tensor)) {\n        amx_bf16::pack_weights(tensor, data);\n        return;\n    }\n",
    ),
    Insertion(
        f"{_AMX}/mmq.cpp",
        "    const bool is_floating_type = TYPE == GGML_TYPE_F16;\n    if (is_floating_type) {\n        return 0;\n",
        "    if (TYPE == GGML_TYPE_BF16) {\n        return amx_bf16::work_size(dst);\n    }\n",
    ),
    Insertion(
        f"{_AMX}/mmq.cpp",
        "    // f16 only has avx512 kernels for now,\n",
        "    if (TYPE == GGML_TYPE_BF16) {\n        amx_bf16::mul_mat(params, dst);\n        return;\n    }\n",
    ),
)


def kernel() -> str:
    return resources.files(__package__).joinpath(_KERNEL).read_text("utf-8")


def digest() -> str:
    """Of everything that is added, so that another addition makes another library."""
    parts = [kernel(), *(part for each in INSERTIONS for part in (each.file, each.anchor, each.text))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def add(source: Path) -> None:
    """To the unpacked source. EngineError where a line is missing or is there twice."""
    (source / _AMX / _KERNEL).write_text(kernel(), "utf-8", newline="\n")
    for each in INSERTIONS:
        path = source / each.file
        text = path.read_text("utf-8")
        if text.count(each.anchor) != 1:
            raise EngineError(
                f"{path.name} of llama.cpp is not what it was: {each.anchor.strip()[:60]!r} is not there once"
            )
        path.write_text(text.replace(each.anchor, each.text + each.anchor), "utf-8", newline="\n")
