"""Texts of the library that do not ship, fetched from their public homes by pinned address and digest."""

from difflib import get_close_matches
from urllib.parse import quote

from ..errors import IntegrityError, NotFoundError, UnreachableError, command
from ..settings import Settings
from . import library
from .library.remaking import recipe, remade
from .schema import Work

HOME = "https://raw.githubusercontent.com"  # where files of GitHub's repositories are had by commit
_MOST = 64 * 2**20  # bytes of one file


def in_library(name: str) -> Work:
    """A work of the library by its name. NotFoundError, with the name that is most like it."""
    known = library.entries()
    if name in known:
        return known[name].work
    like = get_close_matches(name, known, 1, 0.5)
    hint = f"do you mean library:{like[0]}?" if like else command("works", "library")
    raise NotFoundError(f"the library has no work {name!r}", hint)


def has_home(work: Work) -> bool:
    """Whether the library knows where its text is made from, and how."""
    entry = library.entries().get(work.id)
    return entry is not None and entry.work.digest == work.digest and recipe(work.id).is_file()


async def fetch_text(work: Work, settings: Settings) -> bytes:
    """The text in UTF-8, made of the public files. NotFoundError where it has no home (`has_home`).

    UnreachableError where these cannot be had or the user wants no network, IntegrityError where they are others.
    """
    from ..store.sources.http import read_url

    if not has_home(work):
        raise NotFoundError(f"nobody knows where the text of {work.id} ({work.title}) comes from")
    origin = library.entries()[work.id].origin
    hint = f"or set PLURIVERSE_DATA to a folder that has it as works/{work.id}.txt"
    if settings.offline:
        raise UnreachableError(
            f"the text of {work.id} ({work.title}) is not here and PLURIVERSE_OFFLINE is set",
            f"unset PLURIVERSE_OFFLINE, {hint}",
        )
    home = f"{HOME}/{origin.repo.removeprefix('https://github.com/')}/{origin.commit}"
    try:
        files = [await read_url(f"{home}/{quote(path)}", _MOST) for path in origin.paths]
    except UnreachableError as error:
        message = f"the text of {work.id} ({work.title}) cannot be fetched: {error.message}"
        raise UnreachableError(message, f"try again later, {hint}") from error
    text = remade(work.id, b"".join(files), origin.digest.hex)
    if library.digest_of(text) != work.digest:
        raise IntegrityError(f"the recipe of {work.id} makes another text", "install the package again")
    return text
