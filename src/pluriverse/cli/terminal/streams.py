"""The three streams that a process gets, in whatever state they are: closed, full, gone, or not UTF-8.

Knows descriptors and encodings; nothing of what is read or written.
"""

import codecs
import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from ...errors import NoSpaceError, PluriverseError, UsageError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


def prepare() -> None:
    """Let stdin and stdout say what is wrong with them, and fill the places of closed streams.

    A file that is opened later would get the number of a closed stream, and be read or written in its place.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    out = sys.stdout
    if type(out) is io.TextIOWrapper:
        sys.stdout = _telling(out)
    if sys.stdin is None:
        sys.stdin = _Closed()
    elif isinstance(sys.stdin, io.TextIOWrapper) and not sys.stdin.isatty():
        codecs.register_error("words", _not_text)
        utf8 = codecs.lookup(sys.stdin.encoding).name in {"utf-8", "ascii"}
        # A byte order mark, as some editors and shells write it, is no part of a text.
        with contextlib.suppress(io.UnsupportedOperation):  # it has been read from already
            sys.stdin.reconfigure(encoding="utf-8-sig" if utf8 else None, errors="words")


class LostStdout(OSError):
    """Stdout takes nothing more: its reader is gone (EPIPE), its disk is full, its terminal is closed."""


class _Told(io.FileIO):
    """The bytes of stdout; what cannot be written is told from all else that may fail."""

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        try:
            return super().write(data)
        except OSError as error:
            raise LostStdout(error.errno, error.strerror) from error


def _telling(out: io.TextIOWrapper) -> io.TextIOWrapper:
    """The same stream, whose failures are LostStdout; as it is where it is no plain file, pipe or terminal."""
    raw = getattr(out.buffer, "raw", out.buffer)  # no buffer with PYTHONUNBUFFERED
    if type(raw) is not io.FileIO:
        return out
    out.flush()
    told: Any = _Told(raw.fileno(), "wb", closefd=False)
    buffer = told if raw is out.buffer else io.BufferedWriter(told)
    how = {"line_buffering": out.line_buffering, "write_through": out.write_through}
    return io.TextIOWrapper(buffer, out.encoding, out.errors, newline=None, **how)


def nowhere() -> TextIO:
    """A stream of which all is lost: in place of a closed stderr."""
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123


def silence(stream: TextIO) -> None:
    """Let what is still to be written to `stream` vanish: Python would complain at exit where it cannot be written."""
    with contextlib.suppress(io.UnsupportedOperation):  # a stream of a test, or of a notebook
        number = stream.fileno()
        to = os.open(os.devnull, os.O_WRONLY)
        os.dup2(to, number)
        os.close(to)


def outside(error: BaseException) -> PluriverseError | None:
    """What disks, memory and other people's bytes do, in words; None where the mistake is ours."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        told = f"{where}{error.strerror or error or type(error).__name__}"
        if error.errno in _FULL:
            return NoSpaceError(told, "free some space, e.g. pluriverse gc; then try again")
        return PluriverseError(told, "the same command with --debug shows what was being done")
    if isinstance(error, MemoryError):
        return PluriverseError("this machine has no memory left for that", "close other programs, then try again")
    if isinstance(error, UnicodeDecodeError):
        return _not_utf8("a text", error)
    if isinstance(error, UnicodeEncodeError):  # a path or a word of the command with other bytes in it
        return UsageError("the command, or a name it comes upon, holds bytes that are not UTF-8", "write it in UTF-8")
    return None


def _not_text(error: UnicodeError) -> tuple[str, int]:
    """For a decoder of stdin."""
    raise _not_utf8("stdin", error) if isinstance(error, UnicodeDecodeError) else error


def _not_utf8(what: str, error: UnicodeDecodeError) -> UsageError:
    encoding = _MARKS.get(error.object[:2], "LATIN1")
    if error.encoding.startswith("utf-16"):
        encoding = "UTF-16"
    known = "UTF-16" if encoding == "UTF-16" else f"not UTF-8 (byte {error.object[error.start]:#04x})"
    return UsageError(f"{what} is {known}", f"change it into UTF-8 first, e.g. iconv -f {encoding} -t UTF-8 FILE")


class _Closed(io.StringIO):
    """In place of a stdin that was closed before the process began."""

    @property
    def closed(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def read(self, size: int | None = -1, /) -> str:
        raise UsageError("stdin is closed, so nothing can be read from it", "give it a file: pluriverse ... < FILE")

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        return self.read()

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return self

    def __next__(self) -> str:  # type: ignore[override]
        return self.read()
