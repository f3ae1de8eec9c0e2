"""The header of a model that is not here: the first bytes of its file are read, and no more than the header needs."""

import asyncio
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import IntegrityError, UnreachableError
from ..settings import Settings
from ..values import PathSource, Source
from .gguf import MAX_HEADER, Header, header_of, read_header
from .sources import InParts, candidates, in_parts, open_source
from .sources.stream import Coming, Earlier
from .splits import combined, data_bytes

_FIRST = 4 * 1024**2  # bytes after which it is tried for the first time


@dataclass(frozen=True, slots=True)
class Heading:
    header: Header
    size: int  # of the file in bytes


async def read_heading(source: Source, settings: Settings) -> Heading:
    """The header of the file at `source`, or at a mirror of it, and the file's size; of a model that is split, of the
    one file that its parts make.

    UnreachableError where it cannot be had, or the place does not say how large it is; IntegrityError where it is not
    sound.
    """
    parts = in_parts(source)
    if len(parts) == 1:
        try:
            return await _of_one(source, settings)
        except InParts as split:
            parts = split.sources
    header = combined([(await _of_one(each, settings)).header for each in parts], str(source))
    return Heading(header, header.data_offset + data_bytes(header))


async def _of_one(source: Source, settings: Settings) -> Heading:
    if isinstance(source, PathSource):
        header = await asyncio.to_thread(read_header, source.path)
        return Heading(header, source.path.stat().st_size)
    failed: UnreachableError | None = None
    for each in candidates(source, settings):
        try:
            return await _beginning(each, settings)
        except UnreachableError as error:
            failed = error
    assert failed is not None  # there is always one candidate
    raise failed


async def _beginning(source: Source, settings: Settings) -> Heading:
    with tempfile.TemporaryDirectory() as folder:
        async with open_source(source, settings, Path(folder), Earlier()) as stream:
            if stream.size is None:
                raise UnreachableError(f"{source} does not say how large it is", "pull it, then look at the file")
            data, wanted = bytearray(), _FIRST
            async for chunk in stream.chunks:
                if isinstance(chunk, Coming):  # a piece is on its way
                    continue
                data += chunk
                if len(data) < min(wanted, stream.size):
                    continue
                so_far = _SoFar(bytes(data))
                try:
                    return Heading(await asyncio.to_thread(header_of, so_far, str(source), stream.size), stream.size)
                except IntegrityError:
                    if not so_far.short or len(data) >= min(MAX_HEADER, stream.size):
                        raise
                wanted = 2 * len(data)
    raise UnreachableError(f"{source} ended before its header did", "try again later")


class _SoFar(io.BytesIO):
    """`short`: more was wanted than had come."""

    short = False

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.short = self.short or not data
        return data
