"""Which architectures the pinned library has: it is asked, name by name."""

import re
import tempfile
from pathlib import Path

from gguf import GGUFWriter
from gguf.constants import MODEL_ARCH_NAMES

from pluriverse.engines.local.library import Library, find
from pluriverse.engines.local.model import load
from pluriverse.errors import EngineError, UnsupportedError

AROUND = b"\0hunyuan-moe\0"  # a name in the list of names that the library holds
NEAR = 4096  # bytes


def candidates() -> list[str]:
    """Words near that place of the library, and all names that the package gguf has."""
    library = find().read_bytes()
    place = library.index(AROUND)
    near = library[place - NEAR : place + NEAR]
    words = {word.decode() for word in re.findall(rb"(?<=\0)[a-z][a-z0-9_.-]{1,23}(?=\0)", near)}
    return sorted({word for word in words if "." not in word or "2.5" in word} | set(MODEL_ARCH_NAMES.values()))


def known() -> tuple[list[str], dict[str, str]]:
    """Those that it has, and those of gguf's names that it refuses, each with its reason.

    A file with nothing but an architecture's name is refused for a missing key where the name is known.
    """
    library = Library(find())
    has, refused = [], {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "name.gguf"
        for name in candidates():
            writer = GGUFWriter(path, name)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
            try:
                load(library, path, name)
                has.append(name)
            except UnsupportedError as error:
                if name in MODEL_ARCH_NAMES.values():
                    refused[name] = error.message
            except EngineError as error:
                if "key not found" in error.message:
                    has.append(name)
                else:
                    refused[name] = error.message
    return has, refused
