"""libllama's public C API, loaded with ctypes, and the proof that it is one of the two builds we know.

Knows the names, argument types and struct layouts. Does not know models, prompts or scheduling.
"""

import ctypes as c
import importlib.metadata
import importlib.util
import re
from pathlib import Path
from typing import Any

from ...errors import EngineError
from . import layouts
from .layouts import NATIVE, WHEEL, Batch, Build, Candidates, ContextParams, ModelParams, SamplerChainParams

P, I32, U32, SIZE, BOOL, F32, STR = c.c_void_p, c.c_int32, c.c_uint32, c.c_size_t, c.c_bool, c.c_float, c.c_char_p
TOKENS = c.POINTER(I32)

# name: (result, arguments). Opaque handles are void pointers; ContextParams stands for the build's own.
_PROTOTYPES: dict[str, tuple[object, list[object]]] = {
    "llama_backend_init": (None, []),
    "llama_log_set": (None, [P, P]),
    "llama_print_system_info": (STR, []),
    "llama_model_default_params": (ModelParams, []),
    "llama_context_default_params": (ContextParams, []),
    "llama_sampler_chain_default_params": (SamplerChainParams, []),
    "llama_model_load_from_file": (P, [STR, ModelParams]),
    "llama_model_free": (None, [P]),
    "llama_model_get_vocab": (P, [P]),
    "llama_model_n_ctx_train": (I32, [P]),
    "llama_model_n_embd_inp": (I32, [P]),
    "llama_model_n_embd": (I32, [P]),
    "llama_model_size": (c.c_uint64, [P]),
    "llama_model_has_encoder": (BOOL, [P]),
    "llama_model_is_diffusion": (BOOL, [P]),
    "llama_model_is_recurrent": (BOOL, [P]),
    "llama_model_is_hybrid": (BOOL, [P]),
    "llama_model_n_swa": (I32, [P]),
    "llama_model_chat_template": (STR, [P, STR]),
    "llama_init_from_model": (P, [P, ContextParams]),
    "llama_free": (None, [P]),
    "llama_n_ctx": (U32, [P]),
    "llama_n_ctx_seq": (U32, [P]),
    "llama_n_batch": (U32, [P]),
    "llama_n_ubatch": (U32, [P]),
    "llama_n_seq_max": (U32, [P]),
    "llama_n_threads": (I32, [P]),
    "llama_n_threads_batch": (I32, [P]),
    "llama_set_n_threads": (None, [P, I32, I32]),
    "llama_set_causal_attn": (None, [P, BOOL]),
    "llama_get_memory": (P, [P]),
    "llama_memory_seq_rm": (BOOL, [P, I32, I32, I32]),
    "llama_memory_seq_pos_max": (I32, [P, I32]),
    "llama_memory_clear": (None, [P, BOOL]),
    "llama_state_seq_get_size": (SIZE, [P, I32]),
    "llama_state_seq_get_data": (SIZE, [P, P, SIZE, I32]),
    "llama_state_seq_set_data": (SIZE, [P, P, SIZE, I32]),
    "llama_decode": (I32, [P, Batch]),
    "llama_get_logits_ith": (c.POINTER(F32), [P, I32]),
    "llama_get_embeddings_seq": (c.POINTER(F32), [P, I32]),
    "llama_vocab_n_tokens": (I32, [P]),
    "llama_vocab_is_eog": (BOOL, [P, I32]),
    "llama_vocab_is_control": (BOOL, [P, I32]),
    "llama_vocab_bos": (I32, [P]),
    "llama_vocab_eos": (I32, [P]),
    "llama_vocab_get_add_bos": (BOOL, [P]),
    "llama_vocab_get_text": (STR, [P, I32]),
    "llama_tokenize": (I32, [P, STR, I32, TOKENS, I32, BOOL, BOOL]),
    "llama_token_to_piece": (I32, [P, I32, P, I32, I32, BOOL]),
    "llama_sampler_chain_init": (P, [SamplerChainParams]),
    "llama_sampler_chain_add": (None, [P, P]),
    "llama_sampler_apply": (None, [P, c.POINTER(Candidates)]),
    "llama_sampler_accept": (None, [P, I32]),
    "llama_sampler_free": (None, [P]),
    "llama_sampler_init_dist": (P, [U32]),
    "llama_sampler_init_top_k": (P, [I32]),
    "llama_sampler_init_top_p": (P, [F32, SIZE]),
    "llama_sampler_init_min_p": (P, [F32, SIZE]),
    "llama_sampler_init_temp": (P, [F32]),
    "llama_sampler_init_grammar": (P, [P, STR, STR]),
}

_LOG_CALLBACK = c.CFUNCTYPE(None, c.c_int, STR, P)
_KEPT: list[object] = []  # callbacks: native code may call them for as long as the process lives


class Library:
    """The loaded shared library. Its C functions are attributes, e.g. `library.llama_decode(...)`."""

    def __init__(self, path: Path, build: Build = WHEEL) -> None:
        def own(kind: object) -> object:
            return build.context_params if kind is ContextParams else kind

        hint = _REINSTALL if build is WHEEL else REBUILD
        try:
            self._dll = c.CDLL(str(path))
            for name, (result, arguments) in _PROTOTYPES.items():
                function = getattr(self._dll, name)
                function.restype, function.argtypes = own(result), [own(kind) for kind in arguments]
                setattr(self, name, function)
        except (OSError, AttributeError) as error:
            raise EngineError(f"the engine library {path.name} cannot be used: {error}", hint) from error
        self.path, self.build = path, build
        self.log: list[str] = []  # the library's last warnings and errors, to be quoted when a call fails
        callback = _LOG_CALLBACK(self._keep_log)
        _KEPT.append(callback)
        self.log_callback = c.cast(callback, P)
        self.llama_log_set(self.log_callback, None)
        check_sensitivity(self)
        self.llama_backend_init()

    def __getattr__(self, name: str) -> Any:  # reached only for names that _PROTOTYPES lacks
        raise AttributeError(f"libllama function {name!r} has no prototype here")

    def _keep_log(self, level: int, text: bytes | None, _data: object) -> None:
        if level >= 3 and text:  # ggml: 3 = warning, 4 = error
            self.log = [*self.log[-9:], text.decode("utf-8", "replace").strip()]

    def reason(self, unknown: str) -> str:
        """Why the last call failed, by the log since it was cleared; `unknown` where that says nothing.

        The library says first why, and last only that it failed.
        """
        causes = [line.split(_CAUSE, 1)[1] for line in self.log if _CAUSE in line]
        told = [line for line in self.log if not line.endswith(_NO_CAUSE)]
        if causes and not causes[0].startswith("llama_model_loader: failed to load"):
            return _WHERE.sub("", causes[0])
        return told[0] if told else causes[0] if causes else unknown

    def system_info(self) -> str:
        """The processor features its kernels were built for, as the library prints them."""
        return str(self.llama_print_system_info().decode())


_CAUSE = "error loading model: "
_WHERE = re.compile(r"^(error loading model \w+: |\w+: )+")  # in the library it was noticed
_NO_CAUSE = ("failed to load model", "failed to create context", "failed to initialize the context")
REBUILD = "pluriverse engine use wheel; or build it again: pluriverse engine build"
_REINSTALL = f"pip install --force-reinstall xllamacpp=={layouts.WHEEL_VERSION}"


def find() -> Path:
    """Path of the pinned wheel's shared library. EngineError when it is missing or of another version."""
    spec = importlib.util.find_spec("xllamacpp")
    if spec is None or not spec.submodule_search_locations:
        raise EngineError("the local engine needs the package xllamacpp, which is not installed", _REINSTALL)
    version = importlib.metadata.version("xllamacpp")
    if version != layouts.WHEEL_VERSION:
        raise EngineError(f"xllamacpp {version} is installed; this pluriverse knows {WHEEL.name} only", _REINSTALL)
    folder = Path(next(iter(spec.submodule_search_locations)))
    for pattern in ("xllamacpp*.so", "xllamacpp*.pyd", "xllamacpp*.dylib"):
        for path in sorted(folder.glob(pattern)):
            return path
    raise EngineError(f"no shared library in {folder}", _REINSTALL)


def open_library(native: Path | None = None) -> Library:
    """The wheel's library, or a native one at that path."""
    return Library(native, NATIVE) if native else Library(find())


def check_sensitivity(library: Library) -> None:
    """Refuse a library whose structs are not laid out as `layouts` says. Raises EngineError.

    Sizes first, then every field of both default parameter structs. What a created context says of itself is read
    back in `context.Context`, which proves the places of the fields that are set.
    """
    build = library.build
    for struct, size in build.sizes.items():
        if c.sizeof(struct) != size:
            raise EngineError(f"{struct.__name__} has {c.sizeof(struct)} bytes on this platform, not {size}")
    for given, wanted in (
        (library.llama_model_default_params(), build.model_defaults),
        (library.llama_context_default_params(), build.context_defaults),
    ):
        for name, value in wanted.items():
            if getattr(given, name) != value:
                found = getattr(given, name)
                raise EngineError(
                    f"this libllama is not {build.name}: {type(given).__name__}.{name} is {found!r}, not {value!r}",
                    _REINSTALL if build is WHEEL else REBUILD,
                )
