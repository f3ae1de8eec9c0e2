"""The works of an assistant, as its file names them: `[[works]]` tables with id, title and digest.

Knows the tables and what fits into them; nothing of texts, or of where they lie.
"""

import re

from ..errors import UsageError
from ..values import Digest, Work
from .checks import LANGUAGE, one_line
from .layout import Line, Section
from .names import shortened
from .reading import Table

KEYS = ("id", "title", "author", "edition", "language", "digest")
MOST = 1000  # what more is, belongs together: a year of a newspaper is one work
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_COMMENT = "What it answers from, by the digest of the text. How to change it: pluriverse works --help"


def read(top: Table) -> tuple[Work, ...]:
    """The works that a file names. UsageError, naming the work and the key, for what does not fit."""
    return tuple(_read(each) for each in top.tables("works", MOST))


def _read(table: Table) -> Work:
    table.only(*KEYS)
    for key in ("id", "title", "digest"):
        if not table.text(key):
            raise UsageError(f"{table.where}: {table.path} has no {key}", f"write it like this: {_EXAMPLES[key]}")
    try:
        digest = Digest(table.text("digest"))
    except UsageError as error:
        raise UsageError(f"{table.where}: {table.path}.digest: {error.message}", error.hint) from error
    return Work(
        table.text("id"), table.text("title"), digest, table.text("language"), table.text("author"),
        table.text("edition"),
    )  # fmt: skip


_EXAMPLES = {
    "id": 'id = "burke-reflections"',
    "title": 'title = "Reflections on the Revolution in France"',
    "digest": 'digest = "sha256:..." (pluriverse works add writes it)',
}


def checked(works: tuple[Work, ...]) -> tuple[Work, ...]:
    """The same without space around their texts. UsageError for what does not fit, or stands there twice."""
    if len(works) > MOST:
        raise UsageError(f"works: {len(works):,} are named", f"{MOST:,} are the most; join what belongs together")
    ids: set[str] = set()
    digests: dict[str, str] = {}
    settled = []
    for work in works:
        key = f"works.{shortened(work.id, 40)}"
        if not is_id(work.id):
            raise UsageError(
                f"works: {shortened(work.id)!r} cannot be the id of a work",
                "an id is 1 to 100 lower-case letters, digits, dots and hyphens, like burke-reflections",
            )
        if work.id in ids:
            raise UsageError(f"works: two have the id {work.id!r}", "give each an id of its own")
        if work.digest in digests:
            raise UsageError(f"works: {work.id} and {digests[work.digest]} are the same text", "name it once")
        if work.language and not LANGUAGE.fullmatch(work.language):
            raise UsageError(
                f"{key}.language: {shortened(work.language)!r} is no language tag", 'write tags like "en" or "zh-Hant"'
            )
        title, author, edition = (
            one_line(f"{key}.{name}", getattr(work, name)) for name in ("title", "author", "edition")
        )
        if not title:
            raise UsageError(f"{key} has no title", "say what the work is called")
        ids.add(work.id)
        digests[work.digest] = work.id
        settled.append(Work(work.id, title, work.digest, work.language, author, edition))
    return tuple(settled)


def is_id(text: str) -> bool:
    """Whether `text` can be the id of a work."""
    return bool(_ID.fullmatch(text))


def sections(works: tuple[Work, ...]) -> list[Section]:
    """Their tables, for the assistant's file."""
    return [
        Section("[works]", "" if number else _COMMENT, [Line(key, getattr(work, key) or None, "") for key in KEYS])
        for number, work in enumerate(works)
    ]
