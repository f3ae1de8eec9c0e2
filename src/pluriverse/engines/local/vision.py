"""libmtmd's C API, which lies in the wheel's library or beside a native one: what it takes to show a model pictures.

Loaded where somebody asks about a picture, and proved like the rest of the library. Knows names, argument types and
layouts. Does not know models or prompts.
"""

import ctypes as c
import sys
from pathlib import Path
from typing import Any

from ...errors import EngineError
from . import layouts
from .layouts import WHEEL, InputPart, VisionParams
from .library import BOOL, I32, SIZE, STR, TOKENS, U32, Library, P

NAMES = {"darwin": "libmtmd.dylib", "win32": "mtmd.dll"}
WITHOUT = "build it again, with pictures: pluriverse engine build --again; or: pluriverse engine use wheel"
IMAGE = 1  # mtmd_input_chunk_type; 0 is text

_PROTOTYPES: dict[str, tuple[object, list[object]]] = {
    "mtmd_log_set": (None, [P, P]),
    "mtmd_default_marker": (P, []),
    "mtmd_context_params_default": (VisionParams, []),
    "mtmd_init_from_file": (P, [STR, P, VisionParams]),
    "mtmd_free": (None, [P]),
    "mtmd_support_vision": (BOOL, [P]),
    "mtmd_decode_use_non_causal": (BOOL, [P, P]),
    "mtmd_decode_use_mrope": (BOOL, [P]),
    "mtmd_bitmap_init": (P, [U32, U32, STR]),
    "mtmd_bitmap_free": (None, [P]),
    "mtmd_tokenize_from_parts": (I32, [P, P, c.POINTER(c.POINTER(InputPart)), SIZE, BOOL]),
    "mtmd_input_chunks_init": (P, []),
    "mtmd_input_chunks_size": (SIZE, [P]),
    "mtmd_input_chunks_get": (P, [P, SIZE]),
    "mtmd_input_chunks_free": (None, [P]),
    "mtmd_input_chunk_copy": (P, [P]),
    "mtmd_input_chunk_free": (None, [P]),
    "mtmd_input_chunk_get_type": (c.c_int, [P]),
    "mtmd_input_chunk_get_tokens_text": (TOKENS, [P, c.POINTER(SIZE)]),
    "mtmd_input_chunk_get_tokens_image": (P, [P]),
    "mtmd_input_chunk_get_n_tokens": (SIZE, [P]),
    "mtmd_input_chunk_get_n_pos": (I32, [P]),
    "mtmd_helper_image_get_decoder_pos": (None, [P, I32, P]),
    "mtmd_encode_chunk": (I32, [P, P]),
    "mtmd_get_output_embd": (c.POINTER(c.c_float), [P]),
}


class VisionLibrary:
    """The loaded library; its C functions are attributes. EngineError where it is missing or another one."""

    def __init__(self, library: Library) -> None:
        wheel = library.build is WHEEL
        self.library = library
        self.path = library.path if wheel else library.path.with_name(NAMES.get(sys.platform, "libmtmd.so"))
        if not self.path.is_file():
            raise EngineError("the native library that was built here sees no pictures", WITHOUT)
        try:
            dll = c.CDLL(str(self.path))
            for name, (result, arguments) in _PROTOTYPES.items():
                function = getattr(dll, name)
                function.restype, function.argtypes = result, arguments
                setattr(self, name, function)
        except (OSError, AttributeError) as error:
            raise EngineError(f"the engine library {self.path.name} cannot show pictures: {error}", WITHOUT) from error
        self.mtmd_log_set(library.log_callback, None)
        _prove(self)

    def __getattr__(self, name: str) -> Any:  # reached only for names that _PROTOTYPES lacks
        raise AttributeError(f"libmtmd function {name!r} has no prototype here")

    def load(self, projector: Path, model: int, called: str, threads: int, flash_attention: bool) -> int:
        """The native handle of a projector for the loaded model `model`.

        Raises EngineError, with the library's own reason, for one that it cannot load or that is of another model.
        """
        params = self.mtmd_context_params_default()
        params.use_gpu = params.print_timings = params.warmup = False
        params.n_threads, params.flash_attn_type = threads, int(flash_attention)
        self.library.log = []
        handle = self.mtmd_init_from_file(str(projector).encode("utf-8", "surrogateescape"), model, params)
        if not handle:
            raise EngineError(f"the engine cannot use the projector of {called}: {_reason(self.library)}", OTHER)
        if not self.mtmd_support_vision(handle):
            self.mtmd_free(handle)
            raise EngineError(f"the projector of {called} hears, and sees no pictures", OTHER)
        return int(handle)


OTHER = "take the projector that its maker published with the model: pluriverse pull model.gguf --projector mmproj.gguf"


def _prove(vision: VisionLibrary) -> None:
    """Every field of the default parameters is what `layouts` says; the marker's is the library's own marker."""
    if c.sizeof(VisionParams) != layouts.VISION_SIZE:
        raise EngineError(f"mtmd_context_params has {c.sizeof(VisionParams)} bytes here, not {layouts.VISION_SIZE}")
    given = vision.mtmd_context_params_default()
    for name, value in {**layouts.VISION_DEFAULTS, "media_marker": vision.mtmd_default_marker()}.items():
        if (found := getattr(given, name)) != value:
            raise EngineError(
                f"{vision.path.name} is not of {vision.library.build.name}: "
                f"mtmd_context_params.{name} is {found!r}, not {value!r}",
                WITHOUT,
            )


def _reason(library: Library) -> str:
    told = [line for line in library.log if "error" in line.lower() or "mismatch" in line.lower()]
    reason = (told or library.log or ["no reason given"])[0]
    return reason.removeprefix("mtmd_init_from_file: error: ").removeprefix("clip_init: ").splitlines()[0][:300]
