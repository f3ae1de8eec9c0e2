"""What a GGUF file is for, by its header: a model that writes text, one that embeds it, or one of the other things that
have the format.

Knows headers only. Whether the engine's library knows an architecture or a tokenizer, only the library can say:
`engines.local.trial`. Keys and names: gguf-py/gguf/constants.py of llama.cpp.
"""

from ..errors import UnsupportedError
from .gguf import Header

_CATALOGUE = "see what can be asked: pluriverse catalogue"
_SPLIT = "give all its files their own names again, NAME-00001-of-00003.gguf and on, and pull the first of them"
_RERANK = 4  # pooling_type


def check_kind(header: Header, called: str, part: bool = False) -> None:
    """UnsupportedError for what is no model that writes or embeds text; the error's words call it `called`. `part`: it
    is of the first part of a split model, which has all metadata and perhaps no weights."""
    if found := _other(header, part):
        what, hint = found
        raise UnsupportedError(f"{called} is {what}", hint)


def check_projector(header: Header, called: str) -> None:
    """UnsupportedError for what is no projector that sees; the error's words call it `called`."""
    if not is_projector(header):
        raise UnsupportedError(
            f"{called} is no projector", "a projector's file has mmproj in its name: --projector MMPROJ.gguf"
        )
    if header.metadata.get("clip.has_vision_encoder") is not True:
        raise UnsupportedError(f"{called} is a projector that hears, and sees no pictures", "take one that sees")


def is_projector(header: Header) -> bool:
    metadata = header.metadata
    return metadata.get("general.type") == "mmproj" or metadata.get("general.architecture") == "clip"


def check_writes(header: Header, called: str, part: bool = False) -> None:
    """The same for what is no model that writes text."""
    check_kind(header, called, part)
    if embeds(header):
        raise writes_none(called)


def writes_none(called: str) -> UnsupportedError:
    return UnsupportedError(
        f"{called} is an embedding model, which turns texts into numbers and writes none", _CATALOGUE
    )


def embeds(header: Header) -> bool:
    """Whether it turns texts into vectors, and writes none."""
    architecture = str(header.metadata.get("general.architecture", ""))
    pooling = header.metadata.get(f"{architecture}.pooling_type", 0)
    return bool(pooling > 0 or architecture.endswith("bert") or "embedding" in architecture)


def has_vocabulary(header: Header) -> bool:
    return bool(header.metadata.get("tokenizer.ggml.model", "none") != "none")


def _other(header: Header, part: bool) -> tuple[str, str] | None:
    """What it is instead, and what to do; None for a model."""
    metadata = header.metadata
    architecture, kind = metadata.get("general.architecture", ""), metadata.get("general.type", "model")
    names = [tensor.name for tensor in header.tensors]
    if metadata.get("split.count", 1) > 1 and not part:
        number, of = metadata.get("split.no", 0) + 1, metadata["split.count"]
        return f"part {number} of {of} of a model that was split into several files, by its header", _SPLIT
    if is_projector(header):
        return (
            "a projector, the eyes or ears of a model, and no model itself",
            "pull the model it belongs to, with it: pluriverse pull model.gguf --projector mmproj.gguf",
        )
    if kind == "imatrix" or "imatrix.chunk_count" in metadata or _all_end(names, (".in_sum2", ".counts")):
        return "an importance matrix, which quantizers read, and no model", "pull the model it was made from"
    if kind == "adapter" or "adapter.type" in metadata or _all_end(names, (".lora_a", ".lora_b")):
        return "an adapter, which changes a model and is none itself", "pull the model it was made for"
    if architecture == "controlvector":
        return "a control vector, which steers a model and is none itself", "pull the model it was made for"
    if kind == "vocab" or not (names or part):
        return "without any weights: metadata or a vocabulary only", _CATALOGUE
    if kind != "model":
        return f"of the type {kind[:40]!r}, not a model", _CATALOGUE
    if not architecture:
        return "without the name of an architecture, so that nobody can say how to compute it", _CATALOGUE
    return _reader(header, str(architecture), names)


def _reader(header: Header, architecture: str, names: list[str]) -> tuple[str, str] | None:
    """Models that read text, and do not go on writing it."""
    pooling = header.metadata.get(f"{architecture}.pooling_type", 0)
    if pooling == _RERANK:
        return "a model that ranks texts and writes none", _CATALOGUE
    if any(name.startswith(("enc.", "encoder.")) for name in names):
        return "an encoder-decoder (such as T5), which the engine cannot run", _CATALOGUE
    if header.metadata.get(f"{architecture}.attention.causal") is False and not embeds(header):
        return "a model that reads in both directions (for diffusion), which the engine cannot ask", (_CATALOGUE)
    return None


def _all_end(names: list[str], endings: tuple[str, ...]) -> bool:
    return bool(names) and all(name.endswith(endings) for name in names)
