"""A file on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...errors import UnreachableError
from ...values import PathSource
from .stream import CHUNK, ByteStream


@asynccontextmanager
async def open_path(source: PathSource, offset: int) -> AsyncIterator[ByteStream]:
    path = source.path.expanduser().absolute()
    try:
        with path.open("rb") as file:
            file.seek(offset)

            async def chunks() -> AsyncIterator[bytes]:
                while chunk := file.read(CHUNK):
                    yield chunk

            yield ByteStream(chunks(), start=offset, size=path.stat().st_size, file=path)
    except FileNotFoundError:
        raise UnreachableError(f"there is no file {source.path}") from None
    except IsADirectoryError:
        raise UnreachableError(f"{source.path} is a folder", "name the .gguf file in it") from None
    except PermissionError as error:
        raise UnreachableError(f"{source.path} may not be read: {error.strerror}") from error
