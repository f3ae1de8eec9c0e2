"""One set of weights in memory, and its vocabulary.

Knows tokens and bytes. Does not know chat templates, sequences or sampling.
"""

import ctypes as c
import functools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import EngineError, UnsupportedError
from .layouts import NATIVE
from .library import Library

_KNOWS_NOT = re.compile(r"unknown (?:model )?(architecture|tokenizer|pre-tokenizer)(?: type)?: '(.{1,80})'")
_NEWER = "a newer pluriverse may know it: pip install --upgrade pluriverse; see what can be asked: pluriverse catalogue"


def load(library: Library, path: Path, called: str, **parameters: Any) -> int:
    """The native handle of the model at `path`, with changed default parameters.

    Raises UnsupportedError where the library does not know such models, EngineError where it cannot load this one, with
    the library's own reason; both call it `called`.
    """
    params = library.llama_model_default_params()
    for name, value in parameters.items():
        setattr(params, name, value)
    library.log = []
    handle = library.llama_model_load_from_file(os.fsencode(path), params)
    if handle:
        return int(handle)
    reason = library.reason("no reason given")
    if unknown := _KNOWS_NOT.search(reason):
        words = f"the engine does not know the {unknown[1]} {unknown[2]!r} of {called}"
        wheel = "take the wheel's library, which may know it: pluriverse engine use wheel"
        raise UnsupportedError(words, wheel if library.build is NATIVE else _NEWER)
    raise EngineError(f"the engine cannot load {called}: {reason}", "pluriverse verify, or pull another file of it")


class Model:
    """Loaded weights. The file's header must have passed `store.gguf.read_header` before."""

    def __init__(self, library: Library, path: Path) -> None:
        self.library = library
        self.handle: int = load(library, path, path.name)
        handle = self.handle
        self._vocab = library.llama_model_get_vocab(handle)
        self.vocabulary_size: int = library.llama_vocab_n_tokens(self._vocab)
        self.context_length: int = library.llama_model_n_ctx_train(handle)
        self.bytes: int = library.llama_model_size(handle)
        self.adds_bos: bool = library.llama_vocab_get_add_bos(self._vocab)
        self.piece = functools.lru_cache(maxsize=None)(self._piece)
        self.is_end = functools.lru_cache(maxsize=None)(self._is_end)

    @property
    def vocabulary(self) -> Any:
        """The native handle that grammars need."""
        return self._vocab

    @property
    def plain_memory(self) -> bool:
        """One key/value cache that can be rewound; models with recurrent or sliding-window memory have more."""
        library, handle = self.library, self.handle
        recurrent = library.llama_model_is_recurrent(handle) or library.llama_model_is_hybrid(handle)
        return not recurrent and library.llama_model_n_swa(handle) == 0

    @property
    def chat_template(self) -> str | None:
        """The model's own Jinja template, or None for a model that was not trained to chat."""
        text = self.library.llama_model_chat_template(self.handle, None)
        return text.decode("utf-8", "replace") if text else None

    @property
    def bos(self) -> str:
        return self._text(self.library.llama_vocab_bos(self._vocab))

    @property
    def eos(self) -> str:
        return self._text(self.library.llama_vocab_eos(self._vocab))

    def is_control(self, token: int) -> bool:
        """Whether it is a mark such as the end of a turn, over which no other token reaches."""
        return bool(self.library.llama_vocab_is_control(self._vocab, token))

    def text(self, token: int) -> str:
        """What spells a token."""
        return self._text(token)

    def tokenize(self, text: str, *, special: bool, add_bos: bool = False) -> list[int]:
        """Token ids of `text`. `special`: whether text that spells a control token becomes that token."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 2
        while True:
            ids = (c.c_int32 * room)()
            n = self.library.llama_tokenize(self._vocab, data, len(data), ids, room, add_bos, special)
            if n >= 0:
                return ids[:n]
            room = -n

    def detokenize(self, tokens: Sequence[int]) -> bytes:
        return b"".join(self.piece(token) for token in tokens)

    def close(self) -> None:
        if self.handle:
            self.library.llama_model_free(self.handle)
            self.handle = 0

    def _piece(self, token: int) -> bytes:
        """The bytes a token adds to a text; control tokens add none."""
        room = 64
        while True:
            buffer = c.create_string_buffer(room)
            n = self.library.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)
            if n >= 0:
                return buffer.raw[:n]
            room = -n

    def _is_end(self, token: int) -> bool:
        return bool(self.library.llama_vocab_is_eog(self._vocab, token))

    def _text(self, token: int) -> str:
        if token < 0:
            return ""
        return str((self.library.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace"))
