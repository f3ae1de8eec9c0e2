"""What is here of a file that is not whole yet: its bytes, and what their source said of the whole.

Knows files in `incoming` by a key; nothing of sources but their words, and nothing of networks.
"""

import contextlib
import json
import shutil
from pathlib import Path

from ..files import fill
from ..values import Pullable, Source
from .sources import ByteStream, Earlier

ENDS = (".part", ".note", ".link", ".scratch", ".etag")  # the last one is of earlier versions


class Part:
    """`file` is what is here so far; `link` a second name of the user's own file, to which nothing is ever written;
    `scratch` a folder for what a source puts down on the way."""

    def __init__(self, incoming: Path, key: str) -> None:
        self.file, self.link, self.scratch = (incoming / f"{key}.{end}" for end in ("part", "link", "scratch"))
        self._note = incoming / f"{key}.note"

    def earlier(self, pullable: Pullable, source: Source) -> Earlier:
        """What is here, if it can be gone on with: nothing may be put behind bytes of which it is not known what."""
        checked, total, validator = pullable.digest is not None, pullable.size, None
        have = self.file.stat().st_size if self.file.exists() else 0
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            note = json.loads(self._note.read_bytes())
            if note["source"] == str(source) and isinstance(note["validator"], str):
                validator, total = note["validator"], total or note["total"]
        if not have or not (checked or validator) or (total is not None and have > total):
            return Earlier(checked=checked)
        return Earlier(have, total, None if checked else validator, checked)

    def note(self, source: Source, stream: ByteStream) -> None:
        """Keep what is said of the whole. Once the old bytes are gone: a kill must not leave them under a new note."""
        note = {"source": str(source), "validator": stream.validator, "total": stream.size}
        fill(self._note, json.dumps(note))

    def link_to(self, file: Path) -> bool:
        """Share the bytes of a file on the same disk instead of copying them."""
        self.link.unlink(missing_ok=True)
        try:
            self.link.hardlink_to(file.resolve())  # a symbolic link would itself get the second name
        except OSError:  # another disk, or one without links
            return False
        return True

    def drop(self, file: Path) -> None:
        """`file`, which is wrong, goes: of one that was only linked, the link."""
        file.unlink(missing_ok=True)
        if file == self.file:
            self.discard()

    def discard(self) -> None:
        """Leave nothing behind."""
        for path in (self.file, self._note, self.link):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
