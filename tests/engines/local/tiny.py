"""A random llama model of 150 kB that the library loads in a millisecond, with whatever of it a test wants changed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

WORDS = ["<unk>", "<s>", "</s>", *(f"<0x{n:02X}>" for n in range(256)), *"\u2581abcdefghijklmnopqrstuvwxyz?"]
TYPES = [2, 3, 3, *[6] * 256, *[1] * (len(WORDS) - 259)]
CHAT = "{% for m in messages %}{{ m.role + ':' + m.content + ' ' }}{% endfor %}"


def write_tiny(
    path: Path,
    *,
    architecture: str = "llama",
    tokenizer: str = "llama",
    pre: str | None = None,
    layers: int = 1,
    pooling: int | None = None,
    without: Sequence[str] = (),
) -> Path:
    """Write it. `layers`: how many it claims; one is there. `without`: tensors that are left out."""
    from gguf import GGUFWriter

    draw, width = np.random.default_rng(1), 32
    file = GGUFWriter(path, architecture)
    sizes = {"context_length": 256, "embedding_length": width, "block_count": layers, "feed_forward_length": width}
    for key, value in {**sizes, "attention.head_count": 2, "rope.dimension_count": 16}.items():
        file.add_uint32(f"{architecture}.{key}", value)
    if pooling is not None:
        file.add_uint32(f"{architecture}.pooling_type", pooling)
    file.add_float32(f"{architecture}.attention.layer_norm_rms_epsilon", 1e-5)
    file.add_tokenizer_model(tokenizer)
    if pre:
        file.add_tokenizer_pre(pre)
        file.add_token_merges(["a b"])
    file.add_token_list(WORDS)
    file.add_token_types(TYPES)
    file.add_token_scores([0.0] * 259 + [-float(n) for n in range(len(WORDS) - 259)])
    file.add_chat_template(CHAT)
    matrices = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    shapes = {f"blk.0.{name}.weight": (width, width) for name in matrices}
    shapes |= {"token_embd.weight": (len(WORDS), width), "output.weight": (len(WORDS), width)}
    shapes |= dict.fromkeys(("output_norm.weight", "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight"), (width,))
    for name, shape in shapes.items():
        if name not in without:
            file.add_tensor(name, draw.standard_normal(shape).astype(np.float32))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path
