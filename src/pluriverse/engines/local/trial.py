"""Whether the engine's library can load a model, before it is taken in: tried in a process of its own, with limits.

The library reads the header, the vocabulary and the list of tensors and leaves the weights alone, which takes a
fraction of a second. Only it knows which architectures and tokenizers it has: it is asked, and no list is kept here.

    python -m pluriverse.engines.local.trial    {"path", "called", "projector"} on stdin -> {"tried", "error"} on stdout
"""

import json
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from ... import children
from ...errors import EngineError, PluriverseError, UnsupportedError, from_dict
from ...files import write
from .library import Library, open_library
from .model import load
from .vision import VisionLibrary

_SECONDS = 60
_MEMORY = 4 * 1024**3  # bytes of address space


async def trial(path: Path, called: str, projector: Path | None = None) -> PluriverseError | None:
    """Why the pinned wheel's library cannot run the model at `path`, or None: it can, or nothing can be tried here.

    `projector`: why it cannot see through this one.

    UnsupportedError for a kind of model that it does not know, EngineError for one that it knows and cannot load.
    """
    import asyncio

    question = {"path": str(path), "called": called, "projector": str(projector) if projector else None}
    command = children.python("pluriverse.engines.local.trial")
    process = await children.start(command, speaks=True, GGML_NO_BACKTRACE="1")
    try:
        said, words = await asyncio.wait_for(process.communicate(json.dumps(question).encode()), _SECONDS)
    except TimeoutError:
        return EngineError(f"the engine's library took more than {_SECONDS} s to read {called}", _OTHER)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return _verdict(process.returncode or 0, said, words.decode("utf-8", "replace"), called)


async def knows(architecture: str, called: str) -> UnsupportedError | None:
    """Why the library cannot run models of this architecture, asked with a file that has no more than its name."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="pluriverse-") as folder:
        path = Path(folder) / "name.gguf"
        write(path, _named(architecture))
        error = await trial(path, called)
    return error if isinstance(error, UnsupportedError) else None


def _named(architecture: str) -> bytes:
    """A GGUF file (version 3) without tensors and with one key."""
    key, value = b"general.architecture", architecture.encode()
    string = 8  # GGUF's number for the type
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    return head + struct.pack("<Q", len(key)) + key + struct.pack("<IQ", string, len(value)) + value


_OTHER = "take another file of this model, or another model: pluriverse catalogue"


def _verdict(code: int, said: bytes, words: str, called: str) -> PluriverseError | None:
    with suppress(ValueError, KeyError, TypeError):
        error = json.loads(said)["error"]
        return from_dict(error) if error else None
    if code >= 0:  # it could not be tried
        return None
    last = [line.strip() for line in words.splitlines() if line.strip()]
    return EngineError(f"the engine's library breaks off over {called}{': ' + last[-1][-200:] if last else ''}", _OTHER)


def _refusal(library: Library, path: Path, called: str, projector: Path | None) -> PluriverseError | None:
    try:
        handle = load(library, path, called, no_alloc=True, load_mode=0)  # 0: no mapping, which needs the weights
    except EngineError as error:
        return error
    if projector:
        try:
            VisionLibrary(library).load(projector, handle, called, 1, False)
        except EngineError as error:
            return error
    what = None
    if library.llama_model_has_encoder(handle):
        what = "an encoder-decoder, which the engine cannot run"
    elif library.llama_model_is_diffusion(handle):
        what = "a diffusion model, which the engine cannot run"
    library.llama_model_free(handle)
    return UnsupportedError(f"{called} is {what}", "see what can be asked: pluriverse catalogue") if what else None


def _limit() -> None:
    with suppress(ImportError, OSError, ValueError):  # not on Windows; not all on macOS
        import resource

        for kind, most in (("CPU", _SECONDS), ("AS", _MEMORY), ("CORE", 0)):
            number = getattr(resource, f"RLIMIT_{kind}")
            hard = resource.getrlimit(number)[1]
            resource.setrlimit(number, (most if hard < 0 else min(most, hard), hard))


def main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # native code may print
    question = json.load(sys.stdin)
    answer: dict[str, Any] = {"tried": True, "error": None}
    try:
        library = open_library()
    except EngineError:
        answer["tried"] = False
    else:
        _limit()
        projector = Path(question["projector"]) if question["projector"] else None
        error = _refusal(library, Path(question["path"]), question["called"], projector)
        answer["error"] = error.as_dict() if error else None
    json.dump(answer, out)
    out.close()


if __name__ == "__main__":
    main()
