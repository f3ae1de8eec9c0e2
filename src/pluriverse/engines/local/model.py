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

from ...errors import EngineError, UnsupportedError, UsageError
from ..thinking import CHANNEL, HARMONY, SPELLED
from .layouts import NATIVE
from .library import Library
from .words import Words

PIECE = 4096  # characters that are at least tokenised at a time, where a text may be too long
_KNOWS_NOT = re.compile(
    r"un(?:known|supported) (?:model )?(architecture|tokenizer|pre-tokenizer)(?: type)?: '(.{1,80})'"
)
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

    def __init__(self, library: Library, path: Path, vocabulary_only: bool = False) -> None:
        self.library, self.path = library, path
        self.handle: int = load(library, path, path.name, vocab_only=vocabulary_only)
        handle = self.handle
        self._vocab = library.llama_model_get_vocab(handle)
        self.vocabulary_size: int = library.llama_vocab_n_tokens(self._vocab)
        self.context_length: int = library.llama_model_n_ctx_train(handle)
        self.bytes: int = library.llama_model_size(handle)
        self._bos: int = library.llama_vocab_bos(self._vocab)
        self.adds_bos: bool = library.llama_vocab_get_add_bos(self._vocab)
        self.piece = functools.lru_cache(maxsize=None)(self._piece)
        self.is_end = functools.lru_cache(maxsize=None)(self._is_end)
        self.is_control = functools.lru_cache(maxsize=None)(self._is_control)

    @property
    def vocabulary(self) -> Any:
        """The native handle that grammars need."""
        return self._vocab

    @functools.cached_property
    def words(self) -> Words:
        """What each token adds to a text; control tokens and ends of a turn add nothing.

        Made when it is first used, in a third of a second for 150,000 tokens.
        """
        room, pieces = 512, list[bytes]()
        buffer = c.create_string_buffer(room)
        for token in range(self.vocabulary_size):
            n = self.library.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)
            pieces.append(c.string_at(buffer, n) if n > 0 and not self._is_end(token) else b"")
        return Words(pieces)

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
        return self._text(self._bos)

    @property
    def eos(self) -> str:
        return self._text(self.library.llama_vocab_eos(self._vocab))

    def text(self, token: int) -> str:
        """What spells a token."""
        return self._text(token)

    def shown(self, token: int) -> str:
        """What a token adds to a text, control tokens as they are spelled; odd bytes as surrogate escapes."""
        return self.text(token) if self.is_control(token) else self.piece(token).decode("utf-8", "surrogateescape")

    def spelling(self, tokens: Sequence[int]) -> str:
        """The text of these tokens, control tokens too."""
        pieces = (self.text(each).encode() if self.is_control(each) else self.piece(each) for each in tokens)
        return b"".join(pieces).decode("utf-8", "replace")

    def tokenize(self, text: str, *, special: bool, add_bos: bool = False) -> list[int]:
        """Token ids of `text`. `special`: whether text that spells a control token becomes that token.

        The mark of the beginning is put here, and the library asked for none: with it, it would also add a mark of the
        end behind a prompt that is to be continued, where the file says so (`add_eos_token`, `add_sep_token`).
        """
        data = text.encode("utf-8", "replace")
        bos = [self._bos] if add_bos and self._bos >= 0 else []
        room = len(data) + 2
        while True:
            ids = (c.c_int32 * room)()
            n = self.library.llama_tokenize(self._vocab, data, len(data), ids, room, False, special)
            if n >= 0:
                return bos + ids[:n]
            room = -n

    def tokenize_plain(self, text: str) -> list[int]:
        """Token ids of `text` as mere text: no control token among them, whatever it spells. UsageError if none can be.

        Some tokenizers (RWKV's) find every word of their vocabulary in any text; there the spelling is broken up.
        """
        ids = self.tokenize(text, special=False)
        spelled = {self.text(token) for token in ids if self.is_control(token)}
        if not spelled:
            return ids
        found: list[int] = []
        marks = "|".join(map(re.escape, sorted(filter(None, spelled), key=len, reverse=True)))
        for place, piece in enumerate(re.split(f"({marks})", text) if marks else [text]):
            parts = (piece[:1], piece[1:]) if place % 2 else (piece,)
            if text in parts:
                raise UsageError("a message spells a control token of this model that is not to be told from text")
            for part in filter(None, parts):
                found += self.tokenize_plain(part)
        return found

    def spells_control(self, text: str) -> bool:
        """Whether control tokens would be found in `text`."""
        ids = self.tokenize(text, special=True)
        return any(map(self.is_control, ids)) or ids != self.tokenize(text, special=False)

    def longer(self, text: str, most: int, *, special: bool) -> int:
        """0 where `text` may have at most `most` tokens; else about how many it has at least.

        It is read piece by piece and only until that is certain, so that a text of any length is refused at once; one
        that is not long is not read at all, for whoever tokenises it will count.
        """
        if len(text) <= PIECE + 4 * most:
            return 0
        piece = max(most, PIECE)
        tokens = 0
        for start in range(0, len(text), piece):
            tokens += len(self.tokenize(text[start : start + piece], special=special))
            if tokens > most + most // 2:  # pieces that are cut anywhere have a few tokens more than the whole
                return tokens
        return 0

    def close(self) -> None:
        if self.handle:
            self.library.llama_model_free(self.handle)
            self.handle = 0

    def _piece(self, token: int) -> bytes:
        """The bytes a token adds to a text; control tokens add none, but for marks of thinking."""
        room = 64
        special = self.text(token).lower() in (SPELLED | HARMONY if self._channels else SPELLED)
        while True:
            buffer = c.create_string_buffer(room)
            n = self.library.llama_token_to_piece(self._vocab, token, buffer, room, 0, special)
            if n >= 0:
                return buffer.raw[:n]
            room = -n

    @functools.cached_property
    def _channels(self) -> bool:
        return len(self.tokenize(CHANNEL, special=True)) == 1

    def _is_control(self, token: int) -> bool:
        """Whether it is a mark such as the end of a turn, over which no other token reaches."""
        return bool(self.library.llama_vocab_is_control(self._vocab, token))

    def _is_end(self, token: int) -> bool:
        return bool(self.library.llama_vocab_is_eog(self._vocab, token))

    def _text(self, token: int) -> str:
        if token < 0:
            return ""
        return str((self.library.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace"))
