"""The text of a work, by its digest: from a store, or from the folder of public data.

What is found elsewhere is kept in the home store, so that it is there tomorrow whatever happens to the place it came
from. A text is what its digest says, or it is not used.
"""

from hashlib import sha256
from pathlib import Path

from ..errors import IntegrityError, NotFoundError, command
from ..settings import Settings
from ..store.works import StoredWork, checked
from .schema import Work

TEXT = "text"  # the part of a stored work
_MOST = 256 * 2**20  # bytes


def text_of(work: Work, stored: StoredWork | None, settings: Settings) -> bytes:
    """The whole text in UTF-8. IntegrityError where the store's copy was changed and no other is found.

    NotFoundError where there is none.
    """
    damaged: IntegrityError | None = None
    if stored and (path := stored.path(TEXT)):
        try:
            return checked(path, work.digest)
        except IntegrityError as error:
            damaged = error
        except FileNotFoundError:
            pass
    for place in _elsewhere(work, settings):
        try:
            data = place.read_bytes() if place.stat().st_size <= _MOST else b""
        except OSError:
            continue
        if sha256(data).hexdigest() == work.digest.hex:
            return data
    if damaged:
        raise IntegrityError(
            f"the text of {work.id} has been changed in the store", "add the work again; pluriverse verify"
        )
    raise NotFoundError(
        f"the text of {work.id} ({work.title}) is not on this machine",
        f"add it again: {command('works', 'add', 'NAME', 'FILE')}",
    )


def _elsewhere(work: Work, settings: Settings) -> list[Path]:
    return [settings.data / "works" / f"{work.id}.txt"] if settings.data else []
