"""A definition's file on disk: it appears whole or not at all. Knows paths and text, nothing of what is in it."""

import errno
import os
import secrets
from pathlib import Path

from ..errors import NoSpaceError, PluriverseError, UsageError

_MODE = 0o644  # everybody on the machine may read it


def write_text(path: Path, text: str, *, overwrite: bool) -> None:
    """Write `path` atomically; UsageError when it is there already and `overwrite` is not said."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(fresh, text)
            _show(fresh, path, overwrite)
        finally:
            fresh.unlink(missing_ok=True)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already", "choose another name, or overwrite it") from error
    except OSError as error:
        raise _in_words(path, "written", error) from error


def delete(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise _in_words(path, "removed", error) from error


def _write(fresh: Path, text: str) -> None:
    with fresh.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.chmod(_MODE)


def _show(fresh: Path, path: Path, overwrite: bool) -> None:
    if overwrite:
        fresh.replace(path)
        return
    try:
        path.hardlink_to(fresh)  # unlike a rename it never replaces what somebody else wrote meanwhile
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        fresh.replace(path)


def _in_words(path: Path, done: str, error: OSError) -> PluriverseError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NoSpaceError(f"{path} cannot be {done}: the disk is full", "pluriverse gc")
    return PluriverseError(f"{path} cannot be {done}: {error.strerror}", "check who may write to that folder")
