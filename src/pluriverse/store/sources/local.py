"""A file on this machine, and the files of a folder."""

import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from ...errors import UnreachableError
from ...values import PathSource
from .stream import CHUNK, ByteStream


@asynccontextmanager
async def open_path(source: PathSource, offset: int = 0) -> AsyncIterator[ByteStream]:
    path = source.path.expanduser().absolute()
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise UnreachableError(f"{source.path} is a folder", "name the .gguf file in it")
        if not stat.S_ISREG(found.st_mode):  # to open a pipe waits for its other end
            raise UnreachableError(f"{source.path} is no file with an end, but a pipe or a device")
        file = path.open("rb")
    except FileNotFoundError:
        raise UnreachableError(f"there is no file {source.path}") from None
    except OSError as error:
        raise UnreachableError(f"{source.path} may not be read: {error.strerror}") from error

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while chunk := file.read(CHUNK):
                yield chunk
        except OSError as error:  # a stick that was drawn out
            raise UnreachableError(f"{source.path} cannot be read on: {error.strerror}") from error

    with file:
        file.seek(offset)
        yield ByteStream(chunks(), start=offset, size=found.st_size, file=path)


def files_in(folder: Path) -> Iterator[tuple[Path, int]]:
    """All files under a folder, at any depth, with sizes, also while others change it: what vanishes is passed."""
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            try:
                yield path, path.stat().st_size
            except OSError:
                continue
