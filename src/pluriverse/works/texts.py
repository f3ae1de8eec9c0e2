"""The text of a work, by its digest: from a store, from the library that ships, or from the folder of
public data.

What is found elsewhere is kept in the home store, so that it is there tomorrow whatever happens to the place it came
from. A text is what its digest says, or it is not used.
"""

from hashlib import sha256
from pathlib import Path

from ..errors import IntegrityError, NotFoundError, command
from ..files import read
from ..settings import Settings
from ..store.works import StoredWork, checked
from . import library
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
    if (text := library.text_of(work)) is not None:
        return text
    if settings.data and (text := _read(settings.data / "works" / f"{work.id}.txt", work)) is not None:
        return text
    again = f"add it again: {command('works', 'add', 'gardener', 'roses.epub')}"
    if damaged:
        raise IntegrityError(f"the text of {work.id} has been changed in the store", again)
    if work.id in library.entries():
        again = f"set PLURIVERSE_DATA to a folder that has it as works/{work.id}.txt, or {again}"
    raise NotFoundError(f"the text of {work.id} ({work.title}) is not on this machine", again)


def is_here(work: Work, stored: StoredWork | None, settings: Settings) -> bool:
    """Whether `text_of` has something to read: nothing is read."""
    if (stored and stored.path(TEXT)) or library.ships(work):
        return True
    return settings.data is not None and (settings.data / "works" / f"{work.id}.txt").is_file()


def _read(path: Path, work: Work) -> bytes | None:
    """What a file says, where that is the work's text."""
    try:
        data = read(path, _MOST)
    except OSError:
        return None
    return data if sha256(data).hexdigest() == work.digest.hex else None
