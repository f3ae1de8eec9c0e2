"""Files that are kept in the data folder: whole or not at all, also when two processes write the same one."""

import errno
import os
import tempfile
from pathlib import Path

from ..errors import NoSpaceError, PluriverseError


def keep(path: Path, content: bytes) -> None:
    """Write it in place of what was there, or leave that and raise NoSpaceError or PluriverseError."""
    scratch = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(scratch).replace(path)
    except OSError as error:
        if scratch:
            Path(scratch).unlink(missing_ok=True)
        kind = NoSpaceError if error.errno == errno.ENOSPC else PluriverseError
        raise kind(f"{path} cannot be written: {error.strerror}", "free some space, or set PLURIVERSE_HOME") from error
