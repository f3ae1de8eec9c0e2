"""Responses of a sensitivity check on disk, each as it comes, so that a check that was killed goes on where it was.

    checks/INSTRUMENT-KEY/responses.jsonl   one response a line; respondents are `a`, `b` and `again`

KEY is a digest of all that decides the answers. What cannot be read is asked again; two processes that check the same
at once do not wait for one another: the second keeps nothing. Knows files; asks nobody.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

from filelock import FileLock, Timeout

from ...errors import IntegrityError, PluriverseError
from ...files import appending, make_folder
from ...jsonl import append, cut_torn_line, whole_lines
from ..classify.rows import row_of
from ..schema.responses import Response

Place = tuple[str, str]  # respondent and cell


class CheckRows:
    """The rows of one check. A context manager."""

    def __init__(self, home: Path, instrument: str, prompts: Mapping[str, str], **decided_by: Any) -> None:
        """`prompts`: the system prompts of `a`, `b` and `again`, which rows are not written with."""
        key = hashlib.sha256(json.dumps(decided_by, sort_keys=True, default=str).encode()).hexdigest()[:12]
        self.folder = home / "checks" / f"{instrument}-{key}"
        self.path = self.folder / "responses.jsonl"
        self._lock = FileLock(self.folder / "lock", timeout=0, mode=0o600)
        self._prompts = prompts
        self._file: IO[bytes] | None = None
        self._rows: dict[Place, Response] = {}

    def __enter__(self) -> Self:
        try:
            make_folder(self.folder.parent)
            make_folder(self.folder)
            self._lock.acquire()
        except Timeout:
            return self
        except OSError as error:
            raise PluriverseError(
                f"{self.folder} cannot be written: {error.strerror}", "set PLURIVERSE_HOME"
            ) from error
        cut_torn_line(self.path)
        for each in self._read():
            self._rows[each.respondent, each.cell] = each
        self._file = appending(self.path)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file:
            self._file.close()
            self._lock.release()

    def known(self, respondent: str, cell: str) -> Response | None:
        return self._rows.get((respondent, cell))

    def add(self, responses: list[Response]) -> None:
        """Bring them to the disk. NoSpaceError leaves what was there before."""
        if self._file:
            append(self._file, self.path, [each.as_dict() for each in responses])
        self._rows |= {(each.respondent, each.cell): each for each in responses}

    def _read(self) -> list[Response]:
        try:
            return list(whole_lines(self.path, self._row, "response", "it will be asked again"))
        except IntegrityError:
            self.path.unlink()  # not worth a word: a minute's asking
            return []

    def _row(self, document: Mapping[str, Any]) -> Response:
        return row_of(document, self._prompts)
