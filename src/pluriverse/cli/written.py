"""Files that a command writes where it was told to: whole or not at all, with words where that fails."""

import os
import tempfile
from pathlib import Path

from ..errors import PluriverseError

PRIVATE = 0o600


def write_text(path: Path, text: str, mode: int = 0o644) -> str:
    """Write it, in place of what was there; where it stands now."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        Path(scratch).chmod(mode)
        Path(scratch).replace(path)
    except OSError as error:
        raise PluriverseError(f"{path} cannot be written: {error.strerror}", "choose another place") from error
    return str(path)
