"""Tiny random llama models with tokenizers of several kinds. They say nonsense; what counts is how text goes in."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from gguf import GGUFWriter

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
WIDTH, INNER, CONTEXT = 32, 48, 128


def tiny(
    path: Path,
    tokenizer: str,
    tokens: Sequence[str],
    types: Sequence[int],
    *,
    begin: int,
    end: int,
    more: Callable[[GGUFWriter], None] = lambda writer: None,
) -> Path:
    """Write a model of one layer with this vocabulary."""
    random = np.random.default_rng(1)

    def weights(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) * 0.3).astype(np.float32)

    writer = GGUFWriter(str(path), "llama")
    sizes = {"context_length": CONTEXT, "embedding_length": WIDTH, "block_count": 1, "feed_forward_length": INNER}
    heads = {"attention.head_count": 2, "attention.head_count_kv": 2, "rope.dimension_count": WIDTH // 2}
    for key, value in {**sizes, **heads, "vocab_size": len(tokens)}.items():
        writer.add_uint32(f"llama.{key}", value)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_tokenizer_model(tokenizer)
    writer.add_token_list(list(tokens))
    writer.add_token_types(list(types))
    writer.add_token_scores([-float(place) / 10 for place in range(len(tokens))])
    for key, value in {"bos": begin, "eos": end, "unknown": 0}.items():
        writer.add_uint32(f"tokenizer.ggml.{key}_token_id", value)
    writer.add_chat_template(CHATML)
    more(writer)
    shapes = {
        "attn_q": (WIDTH, WIDTH),
        "attn_k": (WIDTH, WIDTH),
        "attn_v": (WIDTH, WIDTH),
        "attn_output": (WIDTH, WIDTH),
    }
    shapes |= {"ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
    for name, shape in shapes.items():
        writer.add_tensor(f"blk.0.{name}.weight", weights(*shape))
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    for name in ("token_embd", "output"):
        writer.add_tensor(f"{name}.weight", weights(len(tokens), WIDTH))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def sentencepiece_words() -> tuple[list[str], list[int]]:
    """Tokens and types: letters, bytes for what is lacking, `<|im_start|>` and `<|im_end|>` as control tokens."""
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,?▁\n")
    tokens = ["<unk>", "<s>", "</s>", *bytes_, "<|im_start|>", "<|im_end|>", *letters]
    return tokens, [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256, CONTROL, CONTROL, *[NORMAL] * len(letters)]


def bpe_words() -> tuple[list[str], list[int]]:
    """Tokens and types of a byte-level BPE: every byte as GPT-2 spells it, two merges and the same control tokens."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [value for value in range(256) if value not in printable]
    spelled = {**{v: chr(v) for v in printable}, **{v: chr(256 + place) for place, v in enumerate(others)}}
    bytes_ = [spelled[value] for value in range(256)]
    tokens = ["<unk>", "<s>", "</s>", *bytes_, "<|im_start|>", "<|im_end|>", "th", "the"]
    return tokens, [CONTROL, CONTROL, CONTROL, *[NORMAL] * 256, CONTROL, CONTROL, NORMAL, NORMAL]


def sentencepiece(path: Path, more: Callable[[GGUFWriter], None] = lambda writer: None) -> Path:
    """A tokenizer of letters, with bytes for what it lacks and `<|im_start|>` and `<|im_end|>` as control tokens."""
    tokens, types = sentencepiece_words()
    return tiny(path, "llama", tokens, types, begin=1, end=2, more=more)


def rwkv(path: Path) -> Path:
    """A tokenizer that finds the longest word of its vocabulary in any text, control tokens too."""
    tokens = ["<s>", *(f"\\x{value:02x}" for value in range(1, 256)), "hello", "<s><s>"]
    return tiny(path, "rwkv", tokens, [CONTROL, *[NORMAL] * 256, CONTROL], begin=0, end=0)
