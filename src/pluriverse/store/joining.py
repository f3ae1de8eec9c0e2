"""The parts of a split model, all here, joined into one file: its bytes are hashed while they are written.

A part that was fetched for this is cut down to its header as soon as its data are safe in the whole, so that the disk
holds no more than the model and one part. Whoever is killed on the way goes on at the border between two parts.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ..errors import IntegrityError
from ..values import Digest
from .gguf import Header, read_header
from .parts import Part
from .splits import check_piece, combined, data_bytes, head_of

_CHUNK = 4 * 1024**2
_WHOLE, _JOINED = ".whole", ".joined"


@dataclass(frozen=True, slots=True)
class Lying:
    """One part that is here. `file` has at least its header. `fetched`: it is ours to cut; `joined`: its data are
    in the whole already."""

    file: Path
    header: Header
    fetched: bool = False
    joined: bool = False


def set_aside(part: Part, header: Header) -> Lying:
    """A part that was fetched and is whole keeps to itself from now on: nobody asks for it again."""
    whole = part.file.with_suffix(_WHOLE)
    part.file.replace(whole)
    part.discard()
    return Lying(whole, header, fetched=True)


def here_before(part: Part, called: str) -> Lying | None:
    """What an earlier call has of a part: all of it, or its header after its data were safe."""
    for file in part.file.parent.glob(f"{part.file.stem}-*{_JOINED}"):
        return Lying(file, read_header(file, called, int(file.stem.rpartition("-")[2])), fetched=True, joined=True)
    whole = part.file.with_suffix(_WHOLE)
    return Lying(whole, read_header(whole, called), fetched=True) if whole.exists() else None


class Join:
    """`header`, `size` (bytes) and, when `steps` has ended, `digest` are those of the whole, in the partial file.

    IntegrityError where the parts are not all of one model. `room`: bytes of disk that it takes besides.
    """

    def __init__(self, pieces: Sequence[Lying], part: Part, called: str) -> None:
        for number, piece in enumerate(pieces, 1):
            check_piece(piece.header, f"part {number} of {called}", number, len(pieces))
        self.header = combined([piece.header for piece in pieces], called)
        self.size = self.header.data_offset + data_bytes(self.header)
        self.digest: Digest | None = None
        self._pieces, self._part, self._called = pieces, part, called
        before = [piece for piece in pieces if piece.joined]
        self.start = self.header.data_offset + self._data(before) if before else 0
        # Parts that are ours shrink while the whole grows.
        ours = all(piece.fetched for piece in pieces)
        self.room = max(self._data([piece]) for piece in pieces) if ours else self.size - self.start

    def steps(self) -> Iterator[int]:
        """Write what is missing; yields bytes done. OSError of either disk."""
        hasher = sha256()
        with self._part.file.open("r+b" if self.start else "wb") as whole:
            if os.fstat(whole.fileno()).st_size < self.start:
                raise IntegrityError(f"what was here of {self._called} is gone", "pull it again")
            done = 0
            while done < self.start:
                block = whole.read(min(_CHUNK, self.start - done))
                hasher.update(block)
                done += len(block)
            whole.truncate(self.start)
            for block in self._missing():
                if isinstance(block, Lying):
                    whole.flush()
                    os.fsync(whole.fileno())
                    _cut(block)
                    continue
                hasher.update(block)
                whole.write(block)
                done += len(block)
                yield done
        self.digest = Digest("sha256:" + hasher.hexdigest())

    def _missing(self) -> Iterator[bytes | Lying]:
        """The bytes from `start` on, and each part when all its bytes were given."""
        if not self.start:
            with self._pieces[0].file.open("rb") as file:
                yield head_of(self.header, file.read(self.header.metadata_end))
        for piece in self._pieces:
            if piece.joined:
                continue
            with piece.file.open("rb", buffering=0) as file:
                for tensor in piece.header.tensors:
                    file.seek(piece.header.data_offset + tensor.offset)
                    left = tensor.bytes
                    while left:
                        block = file.read(min(_CHUNK, left))
                        if not block:
                            raise IntegrityError(f"{piece.file} became shorter while it was read", "pull it again")
                        left -= len(block)
                        yield block
                    yield bytes(-tensor.bytes % self.header.alignment)
            yield piece

    def _data(self, pieces: Sequence[Lying]) -> int:
        return sum(data_bytes(piece.header, self.header.alignment) for piece in pieces)


def _cut(piece: Lying) -> None:
    """Leave the header of a part that was fetched, under a name that says how large it was."""
    if not piece.fetched:  # the user's own, or the hub's
        return
    left = piece.file.with_name(f"{piece.file.stem}-{piece.file.stat().st_size}{_JOINED}")
    piece.file.replace(left)
    os.truncate(left, piece.header.data_offset)
