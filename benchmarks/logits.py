"""Full logits of the engine against transformers, on the same weights in F32.

    pip install -e '.[reference]'
    python benchmarks/logits.py

The default model's file is dequantised once to F32 (`dequantised`), the engine runs it with an F32 cache and flash
attention off, transformers runs a Llama of the same tensors. Eight prompts, some beyond 500 tokens; every position
counts. Prints one JSON document. Needs about 3 GB of memory.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from common import default_model_path

TEXT = (
    "The Universal Declaration of Human Rights was adopted by the General Assembly in Paris on 10 December 1948. "
    "Forty-eight states voted for it, none against, and eight abstained. Its thirty articles name rights that belong "
    "to everyone, whatever their country, language, religion or opinion; historians still dispute whose ideas shaped "
    "it most. "
)
PROMPTS = (
    "The capital of France is Paris, and the capital of Japan is",
    "def fibonacci(n):\n    if n < 2:\n        return n\n    return fibonacci(n - 1) +",
    "In 1789 the Bastille fell. Some saw liberty in it, others saw",
    "Die Würde des Menschen ist unantastbar. Sie zu achten und zu schützen ist",
    "<|im_start|>system\nYou answer briefly.<|im_end|>\n<|im_start|>user\nIs lying ever right?<|im_end|>\n"
    "<|im_start|>assistant\n",
    TEXT * 2,
    TEXT * 8,
    TEXT * 10 + "In short:",
)


def dequantised(path: Path, folder: Path) -> Path:
    """An F32 copy of a GGUF file with the same metadata, for comparisons only."""
    import gguf
    from gguf.quants import dequantize

    target = folder / "f32.gguf"
    reader = gguf.GGUFReader(path)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        kind = field.types[0]
        if name == "general.file_type":
            writer.add_uint32(name, 0)
        elif kind == gguf.GGUFValueType.ARRAY:
            writer.add_key_value(name, field.contents(), kind, field.types[-1])
        else:
            writer.add_key_value(name, field.contents(), kind)
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, values.reshape([int(n) for n in reversed(tensor.shape)]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def reference(path: Path):
    """A transformers Llama with the tensors of an F32 GGUF file, undoing llama.cpp's permutation of q and k rows."""
    import gguf
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    reader = gguf.GGUFReader(path)

    def number(key: str) -> float:
        return reader.fields[f"llama.{key}"].contents()

    heads, kv_heads = number("attention.head_count"), number("attention.head_count_kv")
    tensors = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}
    config = LlamaConfig(
        vocab_size=tensors["token_embd.weight"].shape[0],
        hidden_size=number("embedding_length"),
        intermediate_size=number("feed_forward_length"),
        num_hidden_layers=number("block_count"),
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        rms_norm_eps=number("attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": number("rope.freq_base")},
        max_position_embeddings=number("context_length"),
        tie_word_embeddings="output.weight" not in tensors,
        attn_implementation="eager",
    )
    names = {
        "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    }  # fmt: skip
    state = {
        "model.embed_tokens.weight": tensors["token_embd.weight"],
        "model.norm.weight": tensors["output_norm.weight"],
        "lm_head.weight": tensors.get("output.weight", tensors["token_embd.weight"]),
    }
    for name, values in tensors.items():
        if name.startswith("blk."):
            _, layer, part, _ = name.split(".")
            if part in {"attn_q", "attn_k"}:
                h = heads if part == "attn_q" else kv_heads
                values = values.reshape(h, values.shape[0] // h // 2, 2, -1).swapaxes(1, 2).reshape(values.shape)
            state[f"model.layers.{layer}.{names[part]}.weight"] = values
    model = LlamaForCausalLM(config).eval()
    model.load_state_dict({key: torch.from_numpy(np.ascontiguousarray(v)) for key, v in state.items()})
    return model


def engine_logits(path: Path, threads: int) -> list[tuple[list[int], np.ndarray]]:
    """Token ids and float32 [tokens, vocabulary] of each prompt, through the engine's own classes."""
    from pluriverse.engines.local.context import Context, Shape
    from pluriverse.engines.local.library import Library, find
    from pluriverse.engines.local.model import Model
    from pluriverse.engines.local.turns import Turns

    model = Model(Library(find()), path)
    shape = Shape(1, 1280, 512, threads, flash_attention=False, cache_type="f32")
    context = Context(model, shape, Turns(None))
    results = []
    for prompt in PROMPTS:
        tokens = model.tokenize(prompt, special=True)
        context.remove(0)
        rows = []
        for low in range(0, len(tokens), 512):
            part = tokens[low : low + 512]
            context.decode(part, range(low, low + len(part)), [0] * len(part), range(len(part)))
            rows += [context.logits(row).copy() for row in range(len(part))]
        results.append((tokens, np.stack(rows)))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = dequantised(default_model_path(), Path(folder))
        ours = engine_logits(path, arguments.threads)
        model = reference(path)
        rows = []
        for tokens, logits in ours:
            with torch.inference_mode():
                theirs = model(torch.tensor([tokens])).logits[0].numpy()
            difference = float(np.abs(logits - theirs).max())
            top = np.sort(theirs, axis=1)[:, -2:]
            clear = (top[:, 1] - top[:, 0]) > difference
            same = logits.argmax(1) == theirs.argmax(1)
            rows.append(
                {
                    "tokens": len(tokens),
                    "max_difference": round(difference, 6),
                    "argmax_differs_where_clear": int((~same & clear).sum()),
                    "argmax_differs": int((~same).sum()),
                }
            )
    json.dump({"max_difference": max(row["max_difference"] for row in rows), "prompts": rows}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
