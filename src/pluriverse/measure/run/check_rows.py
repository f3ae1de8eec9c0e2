"""Responses of a sensitivity check on disk, each as it comes, so that a check that was killed goes on where it was.

    checks/INSTRUMENT-KEY/responses.jsonl   one response a line; respondents are `a`, `b` and `again`

KEY is a digest of all that decides the answers. What cannot be read is asked again; two processes that check the same
at once do not wait for one another: the second keeps nothing. Knows files; asks nobody.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from ...errors import PluriverseError
from ...files import make_folder
from ...jsonl import Found
from ..classify.rows import row_of
from ..schema.responses import Response

Place = tuple[str, str]  # respondent and cell


class CheckRows(Found[Place, Response]):
    """The rows of one check. A context manager."""

    def __init__(self, home: Path, instrument: str, prompts: Mapping[str, str], **decided_by: Any) -> None:
        """`prompts`: the system prompts of `a`, `b` and `again`, which rows are not written with."""
        key = hashlib.sha256(json.dumps(decided_by, sort_keys=True, default=str).encode()).hexdigest()[:12]
        self.folder = home / "checks" / f"{instrument}-{key}"
        super().__init__(self.folder / "responses.jsonl", lambda document: _placed(row_of(document, prompts)))
        self._lock = FileLock(self.folder / "lock", timeout=0, mode=0o600)

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
        return super().__enter__()

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        self._lock.release()

    def known(self, respondent: str, cell: str) -> Response | None:
        return self.get((respondent, cell))

    def add(self, responses: Sequence[Response]) -> None:
        """Bring them to the disk. NoSpaceError leaves what was there before."""
        self.keep(dict(map(_placed, responses)), [each.as_dict() for each in responses])


def _placed(row: Response) -> tuple[Place, Response]:
    return (row.respondent, row.cell), row
