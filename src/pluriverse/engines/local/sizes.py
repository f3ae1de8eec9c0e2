"""Arithmetic on what an engine needs: bytes of key/value cache, and processor cores.

Knows GGUF metadata keys. Does not load anything.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ELEMENT_BYTES = {"f16": 2.0, "f32": 4.0, "q8_0": 34 / 32}  # q8_0: blocks of 32 with a 2-byte scale


def cache_bytes_per_token(metadata: Mapping[str, Any], cache_type: str) -> int:
    """Bytes of keys and values that one token takes, over all layers; an upper bound where the header is silent."""
    arch = metadata.get("general.architecture", "llama")

    def number(key: str, default: int) -> int:
        value = metadata.get(f"{arch}.{key}")
        return value if isinstance(value, int) and value > 0 else default

    layers, heads, width = (
        number("block_count", 32),
        number("attention.head_count", 32),
        number("embedding_length", 4096),
    )
    kv_heads = number("attention.head_count_kv", heads)
    head = max(width // heads, 1)
    row = kv_heads * (number("attention.key_length", head) + number("attention.value_length", head))
    return int(layers * row * _ELEMENT_BYTES[cache_type])


def physical_cores() -> int:
    """Cores this process may use, hyper-threads counted once: a second thread on a core slows matrix products."""
    try:
        allowed = os.sched_getaffinity(0)
    except AttributeError:  # not on macOS and Windows
        return max((os.cpu_count() or 2) // 2, 1)
    cores = set()
    for cpu in allowed:
        try:
            topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
            cores.add((topology / "physical_package_id").read_text() + (topology / "core_id").read_text())
        except OSError:
            return len(allowed)
    return max(len(cores), 1)
