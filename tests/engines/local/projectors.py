"""Tiny random projectors, in the layouts of llama.cpp's tools/mtmd/clip.cpp, and pictures to show them.

Kinds: `llava` (SigLIP with two linear layers), `clip` (the same of CLIP, which has a class token) and `qwen2vl`
(positions in two dimensions).
"""

import struct
import zlib
from pathlib import Path

import numpy as np
from gguf import GGUFWriter
from numpy.typing import NDArray

from .architectures import SIZES

IMAGE, PATCH, WIDTH, INNER, HEADS, LAYERS = 56, 14, 32, 64, 2, 3
EPSILON = 1e-6
MEAN, DEVIATION = [0.48, 0.46, 0.41], [0.27, 0.26, 0.28]
TEXT_WIDTH = SIZES["d"]
Weights = dict[str, NDArray[np.float32]]


def llava_weights() -> Weights:
    """By their names in the file."""
    draw = _Draw(2)
    found = {
        **draw.linear("mm.0", WIDTH, TEXT_WIDTH),
        **draw.linear("mm.2", TEXT_WIDTH, TEXT_WIDTH),
        "v.patch_embd.weight": draw(WIDTH, 3, PATCH, PATCH),
        "v.patch_embd.bias": draw(WIDTH),
        "v.position_embd.weight": draw((IMAGE // PATCH) ** 2, WIDTH),
    }
    return found | draw.layers()


def clip_weights() -> Weights:
    draw = _Draw(4)
    found = llava_weights()
    del found["v.patch_embd.bias"]
    places = draw((IMAGE // PATCH) ** 2 + 1, WIDTH)
    return {**found, "v.position_embd.weight": places, "v.class_embd": draw(WIDTH), **draw.norm("v.pre_ln")}


def qwen2vl_weights() -> Weights:
    draw = _Draw(3)
    merged = 4 * WIDTH
    found = {
        "v.patch_embd.weight": draw(WIDTH, 3, PATCH, PATCH),
        "v.patch_embd.weight.1": draw(WIDTH, 3, PATCH, PATCH),
        **draw.norm("v.post_ln"),
        **draw.linear("mm.0", merged, merged),
        **draw.linear("mm.2", merged, TEXT_WIDTH),
    }
    return found | draw.layers()


class _Draw:
    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def __call__(self, *shape: int) -> NDArray[np.float32]:
        return (self._random.standard_normal(shape) * 0.2).astype(np.float32)

    def linear(self, name: str, given: int, wanted: int) -> Weights:
        return {f"{name}.weight": self(wanted, given), f"{name}.bias": self(wanted)}

    def norm(self, name: str) -> Weights:
        return {f"{name}.weight": 1 + self(WIDTH), f"{name}.bias": self(WIDTH)}

    def layers(self) -> Weights:
        found: Weights = {}
        for layer in range(LAYERS):
            name = f"v.blk.{layer}"
            for each in ("attn_q", "attn_k", "attn_v", "attn_out"):
                found |= self.linear(f"{name}.{each}", WIDTH, WIDTH)
            found |= self.linear(f"{name}.ffn_up", WIDTH, INNER) | self.linear(f"{name}.ffn_down", INNER, WIDTH)
            found |= self.norm(f"{name}.ln1") | self.norm(f"{name}.ln2")
        return found


def llava(path: Path, width: int = TEXT_WIDTH) -> Path:
    """`width`: of the model that it claims to be for."""
    weights = llava_weights()
    if width != TEXT_WIDTH:
        weights |= _Draw(2).linear("mm.2", TEXT_WIDTH, width)
    return _write(path, "mlp", weights, width, gelu=True)


def clip(path: Path) -> Path:
    return _write(path, "mlp", clip_weights())


def qwen2vl(path: Path) -> Path:
    return _write(path, "qwen2vl_merger", qwen2vl_weights())


def hearing(path: Path) -> Path:
    """One for sounds."""
    return _write(path, "ultravox", llava_weights(), senses="audio")


def _write(
    path: Path, kind: str, weights: Weights, width: int = TEXT_WIDTH, gelu: bool = False, senses: str = "vision"
) -> Path:
    file = GGUFWriter(str(path), "clip")
    file.add_type("mmproj")
    file.add_bool(f"clip.has_{senses}_encoder", True)
    file.add_string("clip.projector_type", kind)
    file.add_bool("clip.use_gelu", gelu)
    sizes = {"image_size": IMAGE, "patch_size": PATCH, "embedding_length": WIDTH, "feed_forward_length": INNER}
    sizes |= {"block_count": LAYERS, "projection_dim": width, "attention.head_count": HEADS}
    for key, value in sizes.items():
        file.add_uint32(f"clip.vision.{key}", value)
    file.add_float32("clip.vision.attention.layer_norm_epsilon", EPSILON)
    file.add_array("clip.vision.image_mean", MEAN)
    file.add_array("clip.vision.image_std", DEVIATION)
    for name, values in weights.items():
        file.add_tensor(name, values)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path


def pixels(seed: int, width: int = IMAGE, height: int = IMAGE) -> NDArray[np.uint8]:
    """uint8 [height, width, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png(picture: NDArray[np.uint8]) -> bytes:
    height, width, _ = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
