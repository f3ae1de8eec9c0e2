"""The search over kept conversations: a trigram index beside the turns, and the same search without one.

The index is only a memory of what the turns say: made at the first search, caught up at each, dropped whenever
something is deleted. Text and query are folded alike (case, accents, compatibility forms), so both ways find the same.
"""

import sqlite3
import unicodedata
from collections.abc import Sequence

_TABLE = "turns_index"
_SHADOWS = tuple(f"{_TABLE}_{part}" for part in ("data", "idx", "docsize", "config"))
_EXCERPT = 60  # characters on either side


def words(text: str) -> tuple[str, ...]:
    """The folded words of a query; never read as a query language."""
    return tuple(dict.fromkeys(fold(text.encode("utf-8", "replace").decode("utf-8")).split()))


def fold(text: str) -> str:
    """Without case, accents and compatibility forms: "Ｃafé" and "CAFE" are the same. FTS5 would stop at a NUL."""
    text = text.replace("\0", " ")
    if text.isascii():  # only faster
        return text.lower()
    open_form = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(char for char in open_form if not "\u0300" <= char <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def conversations_with(db: sqlite3.Connection, words: Sequence[str]) -> dict[str, str]:
    """Ids of the conversations whose turns hold every word, each with an excerpt around the first word."""
    db.create_function("fold", 1, fold, deterministic=True)
    indexed = _catch_up(db)
    holding = [_turns_with(db, word, indexed) for word in words]
    common = set.intersection(*({conversation for conversation, _ in turns} for turns in holding))
    found: dict[str, str] = {}
    for conversation, turn in holding[0]:
        if conversation in common and conversation not in found:
            content = db.execute("SELECT content FROM turns WHERE id = ?", (turn,)).fetchone()[0]
            found[conversation] = _excerpt(content, words[0])
    return found


def drop(db: sqlite3.Connection) -> None:
    """Remove the index with everything in it."""
    if not _exists(db):
        return
    if _available(db):
        db.execute(f"DROP TABLE {_TABLE}")
        return
    # An SQLite without FTS5 knows its tables only as plain ones, and the virtual one not at all.
    for shadow in _SHADOWS:
        db.execute(f"DROP TABLE IF EXISTS {shadow}")
    db.execute("PRAGMA writable_schema = ON")
    db.execute("DELETE FROM sqlite_master WHERE name = ?", (_TABLE,))
    db.execute("PRAGMA writable_schema = OFF")


def _catch_up(db: sqlite3.Connection) -> bool:
    """Index the turns that came since the last search; False where this SQLite cannot."""
    if not _available(db):
        return False
    if not _exists(db):
        db.execute(f"CREATE VIRTUAL TABLE {_TABLE} USING fts5(folded, content='', tokenize='trigram case_sensitive 1')")
    db.execute(
        f"""INSERT INTO {_TABLE}(rowid, folded) SELECT id, fold(content) FROM turns
            WHERE id > (SELECT coalesce(max(id), 0) FROM {_TABLE}_docsize) ORDER BY id"""  # noqa: S608
    )
    return True


def _turns_with(db: sqlite3.Connection, word: str, indexed: bool) -> list[tuple[str, int]]:
    """(conversation, turn) of every turn that holds the folded word."""
    if indexed and len(word) >= 3:
        quoted = '"' + word.replace('"', '""') + '"'
        condition, value = f"id IN (SELECT rowid FROM {_TABLE} WHERE {_TABLE} MATCH ?)", quoted  # noqa: S608
    else:  # shorter than a trigram
        condition, value = "instr(fold(content), ?)", word
    return db.execute(f"SELECT conversation, id FROM turns WHERE {condition} ORDER BY id", (value,)).fetchall()  # noqa: S608


def _available(db: sqlite3.Connection) -> bool:
    try:
        db.execute("CREATE VIRTUAL TABLE temp.fts5_probe USING fts5(x, tokenize='trigram case_sensitive 1')")
    except sqlite3.OperationalError:
        return False
    db.execute("DROP TABLE temp.fts5_probe")
    return True


def _exists(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_TABLE,)).fetchone() is not None


def _excerpt(content: str, word: str) -> str:
    """The text around the word. Folding may move letters a little, so the place is a good guess."""
    text = " ".join(content.split())
    at = max(fold(text).find(word), 0)
    start, end = max(at - _EXCERPT, 0), at + len(word) + _EXCERPT
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
