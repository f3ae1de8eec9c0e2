"""A model's projector at work: a picture's pixels become embeddings that stand in a prompt in place of tokens.

A picture is computed once, however many voices see it. Knows pixels, tokens and embeddings. Does not know prompts or
contexts. Not thread-safe.
"""

import ctypes as c
import weakref
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import EngineError
from ...values import Digest
from .layouts import InputPart
from .model import Model
from .pixels import Pixels
from .turns import Turns
from .vision import IMAGE, VisionLibrary

MEMORY = 256 * 1024**2  # bytes that pictures seen before may keep
Places = NDArray[np.int32]  # [axes, tokens]

_AXES = 4  # of a position in models that place pictures in two dimensions


class Part:
    """A run of embeddings in a prompt. In token ids each of them is `key`: below zero, and of no other picture.

    `advance`: how far positions go on behind it, which may be less than its `tokens`. Where it is not `causal`, each of
    them attends to all, so that one decode must hold them. `chunk` is the library's, freed by `release`.
    """

    def __init__(
        self, key: int, chunk: int, release: Callable[[int], None], places: Sequence[Places], advance: int, causal: bool
    ) -> None:
        self.key, self.chunk, self.advance, self.causal = key, chunk, advance, causal
        self.embeddings: NDArray[np.float32] | None = None  # [tokens, width], once they are computed
        self.release = weakref.finalize(self, release, chunk)
        self._places, next_ = places
        self._moves = next_ - self._places

    @property
    def tokens(self) -> int:
        return int(self._places.shape[1])

    def positions(self, start: int) -> Places:
        """int32 [axes, tokens], where it begins at position `start`."""
        return self._places + start * self._moves


Seen = tuple[Part | tuple[int, ...], ...]
"""What a picture is to a model: embeddings, and the tokens that some models have around and between them."""


class Projector:
    def __init__(
        self, vision: VisionLibrary, model: Model, path: Path, threads: int, flash_attention: bool, turns: Turns
    ) -> None:
        """Raises EngineError as `VisionLibrary.load`."""
        self._vision, self._turns = vision, turns
        self._handle = vision.load(path, model.handle, model.path.name, threads, flash_attention)
        self._width: int = vision.library.llama_model_n_embd_inp(model.handle)
        self._mrope = bool(vision.mtmd_decode_use_mrope(self._handle))
        self._weights = path.stat().st_size
        self._pictures: OrderedDict[Digest, Seen] = OrderedDict()
        self._sizes: dict[Digest, int] = {}

    @property
    def memory(self) -> int:
        """Bytes of its weights, and of pictures."""
        return self._weights + sum(self._sizes.values())

    def see(self, pictures: Mapping[Digest, Pixels]) -> dict[Digest, Seen]:
        """What these pictures are to the model, in its tokens; nothing is computed yet.

        EngineError for one that the library cannot take apart.
        """
        for digest, pixels in pictures.items():
            if digest not in self._pictures:
                self._pictures[digest] = self._take(digest, pixels)
                self._sizes[digest] = _bytes(self._pictures[digest], self._width)
            self._pictures.move_to_end(digest)
        self._forget(pictures.keys())
        return {digest: self._pictures[digest] for digest in pictures}

    def embeddings(self, part: Part) -> NDArray[np.float32]:
        """float32 [tokens, width]; computed at the first call. EngineError where the library cannot."""
        if part.embeddings is None:
            with self._turns.taken():
                code = self._vision.mtmd_encode_chunk(self._handle, part.chunk)
            if code != 0:
                raise EngineError(f"the engine could not see a picture (code {code})", "try another copy of it")
            found = self._vision.mtmd_get_output_embd(self._handle)
            part.embeddings = np.ctypeslib.as_array(found, shape=(part.tokens, self._width)).copy()
            part.release()
        return part.embeddings

    def close(self) -> None:
        if self._handle:
            self._vision.mtmd_free(self._handle)
            self._handle = 0

    def _take(self, digest: Digest, pixels: Pixels) -> Seen:
        vision = self._vision
        bitmap = vision.mtmd_bitmap_init(pixels.width, pixels.height, pixels.data)
        chunks = vision.mtmd_input_chunks_init()
        try:
            part = InputPart(None, bitmap)
            parts = (c.POINTER(InputPart) * 1)(c.pointer(part))
            if code := vision.mtmd_tokenize_from_parts(self._handle, chunks, parts, 1, False):
                raise EngineError(f"the engine cannot take this picture apart (code {code})", "try another copy of it")
            count = vision.mtmd_input_chunks_size(chunks)
            found = [self._piece(digest, at, vision.mtmd_input_chunks_get(chunks, at)) for at in range(count)]
            return tuple(piece for piece in found if not isinstance(piece, tuple) or piece)
        finally:
            vision.mtmd_input_chunks_free(chunks)
            vision.mtmd_bitmap_free(bitmap)

    def _piece(self, digest: Digest, at: int, chunk: int) -> Part | tuple[int, ...]:
        vision = self._vision
        if vision.mtmd_input_chunk_get_type(chunk) != IMAGE:
            count = c.c_size_t()
            ids = vision.mtmd_input_chunk_get_tokens_text(chunk, c.byref(count))
            return tuple(ids[: count.value])
        key = -int(sha256(f"{digest} {at}".encode()).hexdigest(), 16)
        places = [self._places(chunk, begin) for begin in (0, 1)]
        advance = vision.mtmd_input_chunk_get_n_pos(chunk)
        causal = not vision.mtmd_decode_use_non_causal(self._handle, chunk)
        return Part(key, vision.mtmd_input_chunk_copy(chunk), vision.mtmd_input_chunk_free, places, advance, causal)

    def _places(self, chunk: int, start: int) -> Places:
        """The library says t, x, y, z, and decodes them as t, y, x, z."""
        tokens = self._vision.mtmd_input_chunk_get_n_tokens(chunk)
        if not self._mrope:
            return np.arange(start, start + tokens, dtype=np.int32)[None]
        found = np.zeros((tokens, _AXES), np.uint32)
        image = self._vision.mtmd_input_chunk_get_tokens_image(chunk)
        self._vision.mtmd_helper_image_get_decoder_pos(image, start, found.ctypes.data)
        return np.ascontiguousarray(found[:, [0, 2, 1, 3]].T.astype(np.int32))

    def _forget(self, wanted: Collection[Digest]) -> None:
        """The pictures that were seen longest ago, where all take too much; none of those that are wanted now."""
        for digest in [each for each in self._pictures if each not in wanted]:
            if sum(self._sizes.values()) <= MEMORY:
                return
            del self._pictures[digest], self._sizes[digest]


def _bytes(seen: Seen, width: int) -> int:
    return sum(4 * width * piece.tokens for piece in seen if isinstance(piece, Part))
