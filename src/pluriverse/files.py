"""How pluriverse writes its files: whole or not at all, and for their owner alone. The only place that does it.

What is a user's is private, whatever the umask says: files 0600 and the folders made for them 0700. That goes for
chats, assistants and their prompts, panels, runs, verdicts, and for reports, cards and exports that are written where
the user says; one of these that takes the place of an older file has that file's mode, so that what was opened to
others stays open. Public are weights and the index of the store, which other stores read: 0644. Folders in between are
0755 at most. Knows paths, bytes and modes; nothing of what is in them.
"""

import errno
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from .errors import NoSpaceError, PluriverseError, UsageError

PRIVATE, PUBLIC = 0o600, 0o644
_MOST_JSON = 256 * 2**20  # bytes; an index of a hundred thousand entries has 40 MB
_LEFT = re.compile(r"\..+\.[0-9a-f]{8}", re.DOTALL)  # as `_beside` makes names


def make_folder(path: Path, *, private: bool = True) -> None:
    """Make it where it is missing, with all folders above it; one that is there stays as it is. Raises OSError."""
    if not path.is_dir():
        if not path.parent.is_dir():
            make_folder(path.parent, private=False)
        try:
            path.mkdir(0o700 if private else 0o755, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, "a file is in the place of a folder", str(path)) from None


@contextmanager
def replacing(path: Path, mode: int = PRIVATE) -> Iterator[Path]:
    """A fresh, empty file beside `path`, to be written; it takes the place of `path` at the end of the block.

    Where the block raises, `path` is as it was. Raises OSError.
    """
    fresh = _beside(path)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
    try:
        yield fresh
        if mode != PRIVATE:
            fresh.chmod(mode)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def write(path: Path, content: str | bytes, *, overwrite: bool = True) -> None:
    """Write a private file and bring it to the disk.

    Raises UsageError where it is there and `overwrite` is not said, NoSpaceError, PluriverseError.
    """
    try:
        make_folder(path.parent)
        if overwrite:
            with replacing(path) as fresh:
                fill(fresh, content)
        else:
            _add(path, content)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already", "choose another name, or replace it with --force") from error
    except OSError as error:
        raise file_error(path, "written", error) from error


def write_out(path: Path, content: str | bytes) -> None:
    """Write where the user says, also through a link, or to a device or pipe. NoSpaceError, PluriverseError."""
    try:
        path = Path(os.path.realpath(path))  # a path's own way has two answers to links that lead in a circle
        if path.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        make_folder(path.parent, private=False)
        found = path.stat().st_mode if path.exists() else None
        if found is None or stat.S_ISREG(found):
            with replacing(path, PRIVATE if found is None else stat.S_IMODE(found)) as fresh:
                fill(fresh, content)
        else:
            path.write_bytes(_bytes(content))
    except OSError as error:
        raise file_error(path, "written", error, "choose another place") from error


def sweep(home: Path) -> list[int]:
    """Delete what killed writers have left in a data folder, an hour or more ago; the bytes of each."""
    gone = []
    for path in home.rglob(".*"):
        with suppress(OSError):
            state = path.lstat()
            if _LEFT.fullmatch(path.name) and stat.S_ISREG(state.st_mode) and state.st_mtime < time.time() - 3600:
                path.unlink()
                gone.append(state.st_size)
    return gone


def delete(path: Path) -> None:
    """Raises PluriverseError."""
    try:
        path.unlink()
    except OSError as error:
        raise file_error(path, "removed", error) from error


def appending(path: Path) -> IO[bytes]:
    """The file, private where it is new, opened to add to its end. Raises OSError."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, PRIVATE), "ab")


def read(path: Path, most: int) -> bytes:
    """What is in a file, at most `most` bytes and one. OSError also for what is no file: it is never waited for."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        start = file.read(min(state.st_size, most) + 1)  # room for all of `most` would cost more than reading
        return start + file.read(most + 1 - len(start)) if len(start) > state.st_size else start


def read_json(path: Path) -> Any:
    """What a JSON file that pluriverse wrote holds, whoever has edited it since. OSError as `read`; ValueError where it
    is no JSON, nested too deeply, or far too large."""
    data = read(path, _MOST_JSON)
    if len(data) > _MOST_JSON:
        raise ValueError(f"it has more than {_MOST_JSON // 2**20} MB")
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def file_error(
    path: Path, done: str, error: OSError, hint: str = "check who may write to that folder"
) -> PluriverseError:
    """What a disk answered, for people; `done`: written, removed."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NoSpaceError(f"{path} cannot be {done}: the disk is full", "free some space, e.g. pluriverse gc")
    return PluriverseError(f"{path} cannot be {done}: {error.strerror or error}", hint)


def _add(path: Path, content: str | bytes) -> None:
    """Write a file that must not be there; it never replaces what somebody else writes meanwhile."""
    fresh = _beside(path)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
    try:
        fill(fresh, content)
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if path.exists():
                raise FileExistsError(path) from None
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}")


def fill(path: Path, content: str | bytes) -> None:
    """Write a file that is there, and bring it to the disk. Raises OSError."""
    with path.open("wb") as file:
        file.write(_bytes(content))
        file.flush()
        os.fsync(file.fileno())


def _bytes(content: str | bytes) -> bytes:
    return content.encode("utf-8", "replace") if isinstance(content, str) else content
