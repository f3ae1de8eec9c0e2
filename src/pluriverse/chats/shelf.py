"""Conversations that were kept, asks among them, in one SQLite file on this machine.

Knows rows and their search; nothing of engines, and nothing of the terminal. Nothing is created before something is
kept. Every call opens the file, does one transaction and closes it: so several processes and threads may use it at
once, and nothing stays open. What is deleted is overwritten, not only unlinked (secure_delete, VACUUM, an empty WAL).

Search finds conversations in which every word of the query occurs, as a part of a word too, in any script, without
regard to case and accents. With SQLite's trigram index it is fast; without FTS5 it reads every turn and finds the same.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from ..errors import NotFoundError, PluriverseError, UsageError
from ..files import make_folder
from ..settings import Settings
from . import search as search_index
from .chat import KeptChat, Summary, Turn

VERSION = 1
_PATIENCE_S = 10.0  # how long to wait for another process's write

_TABLES = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    created TEXT NOT NULL  -- UTC, ISO 8601
);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given out twice: the search index relies on it
    conversation TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    speaker TEXT,  -- the assistant's name; NULL is the user
    content TEXT NOT NULL,
    state TEXT NOT NULL,  -- "said" for the user's turns, the finish reason for replies
    record TEXT,  -- the reply's JSON form: digests, seed, sampling, times
    created TEXT NOT NULL
);
CREATE INDEX turns_of ON turns(conversation, id);
"""


def chats_of(settings: Settings) -> "ChatShelf | None":
    """Where asks and chats are kept; None where the settings say that nothing is kept."""
    return ChatShelf(settings.history_file) if settings.history else None


class ChatShelf:
    """The conversations in `file`. Ids may be shortened to any unambiguous beginning of four or more characters."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def begin(self, title: str) -> str:
        """Start a conversation; its id."""
        return self.keep(title, ())

    def keep(self, title: str, turns: Sequence[Turn]) -> str:
        """Keep a conversation with all its turns at once; its id."""
        new = secrets.token_hex(6)
        with self._write() as db:
            db.execute("INSERT INTO conversations VALUES (?, ?, ?)", (new, _title(title), _now()))
            for turn in turns:
                _add(db, new, turn)
        return new

    def add(self, conversation: str, turn: Turn) -> None:
        """Keep one more turn. NotFoundError when the conversation has been deleted meanwhile."""
        with self._write() as db:
            if not db.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation,)).fetchone():
                raise NotFoundError(f"the conversation {conversation} is no longer kept")
            _add(db, conversation, turn)

    def list(self, limit: int | None = None) -> Sequence[Summary]:
        """The conversations, the latest first."""
        with self._read() as db:
            return [] if db is None else _summaries(db, None, limit)

    def search(self, text: str, limit: int | None = None) -> Sequence[Summary]:
        """Conversations in which every word of `text` occurs, the latest first. UsageError for an empty text."""
        words = search_index.words(text)
        if not words:
            raise UsageError("there is nothing to search for", "give a word, e.g. pluriverse history search taxes")
        if not self.file.exists():
            return []
        with self._write() as db:  # the index catches up with what was said since the last search
            found = search_index.conversations_with(db, words)
            summaries = _summaries(db, list(found), limit)
        return [replace(summary, excerpt=found[summary.id]) for summary in summaries]

    def get(self, conversation: str) -> KeptChat:
        """One conversation with all its turns. NotFoundError where there is none of that id, or several."""
        with self._read() as db:
            if db is None:
                raise _unknown(conversation)
            full = _full_id(db, conversation)
            title, created = db.execute("SELECT title, created FROM conversations WHERE id = ?", (full,)).fetchone()
            rows = db.execute(
                "SELECT speaker, content, state, record, created FROM turns WHERE conversation = ? ORDER BY id", (full,)
            ).fetchall()
        turns = tuple(
            Turn(speaker, content, state, json.loads(record) if record else None, said)
            for speaker, content, state, record, said in rows
        )
        return KeptChat(full, title, created, turns)

    def delete(self, conversation: str) -> str:
        """Delete one conversation for good; its full id. NotFoundError where there is none."""
        if not self.file.exists():
            raise _unknown(conversation)
        with self._write() as db:
            full = _full_id(db, conversation)
            search_index.drop(db)  # it holds pieces of every text; the next search builds it again
            db.execute("DELETE FROM conversations WHERE id = ?", (full,))
        self._overwrite_deleted()
        return full

    def clear(self) -> int:
        """Delete all conversations for good; how many there were."""
        if not self.file.exists():
            return 0
        with self._write() as db:
            search_index.drop(db)
            count = db.execute("DELETE FROM conversations").rowcount
        self._overwrite_deleted()
        return int(count)

    def chosen(self, conversation: str | None) -> Sequence[KeptChat]:
        """One conversation, or all of them, the oldest first. Raises as `get`."""
        ids = [summary.id for summary in reversed(self.list())] if conversation is None else [conversation]
        return [self.get(each) for each in ids]

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._told(), closing(self._open()) as db:
            db.execute("BEGIN IMMEDIATE")
            with db:
                yield db

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection | None]:
        if not self.file.exists():
            yield None
            return
        with self._told(), closing(self._open()) as db:
            db.execute("BEGIN")
            yield db

    def _open(self) -> sqlite3.Connection:
        make_folder(self.file.parent, private=False)
        self.file.touch(mode=0o600)  # before SQLite makes it with the common mode; its side files follow
        db = sqlite3.connect(self.file, timeout=_PATIENCE_S, isolation_level=None)
        try:
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA secure_delete = ON")
            db.execute("PRAGMA synchronous = NORMAL")  # in WAL mode a power cut may lose the last turn, no more
            version = _version(db)
            if version > VERSION:
                raise PluriverseError(
                    f"{self.file} was written by a newer pluriverse (history version {version}, known: {VERSION})",
                    "pip install --upgrade pluriverse",
                )
            if version == 0:
                _create(db)
        except BaseException:
            db.close()
            raise
        return db

    def _overwrite_deleted(self) -> None:
        with self._told(), closing(self._open()) as db:
            db.execute("VACUUM")
            blocked, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if blocked:
            raise PluriverseError(
                f"it is deleted, but another program is reading {self.file}, so traces stay on the disk until it ends",
                "end it, then delete anything once more or type pluriverse history ls",
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors in the user's words."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            hint = "set PLURIVERSE_HISTORY=off to go on without it"
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                hint = f"move it away: mv {self.file} {self.file}.broken"
            raise PluriverseError(f"the history {self.file} cannot be used: {error}", hint) from error


def _add(db: sqlite3.Connection, conversation: str, turn: Turn) -> None:
    record = None if turn.record is None else _clean(json.dumps(turn.record, ensure_ascii=False))
    db.execute(
        "INSERT INTO turns (conversation, speaker, content, state, record, created) VALUES (?, ?, ?, ?, ?, ?)",
        (conversation, turn.speaker, _clean(turn.content), turn.state, record, _now()),
    )


def _create(db: sqlite3.Connection) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:  # SQLite does not wait by itself when two processes switch to WAL at once
        try:
            db.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    db.execute("BEGIN IMMEDIATE")
    with db:
        if _version(db) == 0:  # no other process was faster
            for statement in _TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _summaries(db: sqlite3.Connection, ids: Sequence[str] | None, limit: int | None) -> Sequence[Summary]:
    rows = db.execute(
        """SELECT c.id, c.title, c.created, coalesce(max(t.created), c.created), count(t.id),
                  coalesce(json_group_array(DISTINCT t.speaker) FILTER (WHERE t.speaker IS NOT NULL), '[]')
           FROM conversations c LEFT JOIN turns t ON t.conversation = c.id
           WHERE ?1 IS NULL OR c.id IN (SELECT value FROM json_each(?1))
           GROUP BY c.id ORDER BY max(t.id) DESC NULLS LAST, c.rowid DESC LIMIT ?2""",
        (None if ids is None else json.dumps(ids), -1 if limit is None else limit),
    )
    return [
        Summary(id_, title, created, updated, tuple(json.loads(speakers)), count)
        for id_, title, created, updated, count, speakers in rows
    ]


def _full_id(db: sqlite3.Connection, beginning: str) -> str:
    rows = db.execute(
        "SELECT id FROM conversations WHERE id = ?1 OR (length(?1) >= 4 AND substr(id, 1, length(?1)) = ?1) LIMIT 2",
        (_clean(beginning),),
    ).fetchall()
    if len(rows) > 1:
        raise NotFoundError(f"several conversations begin with {beginning!r}", "give more of the id")
    if not rows:
        raise _unknown(beginning)
    return str(rows[0][0])


def _unknown(conversation: str) -> NotFoundError:
    return NotFoundError(f"no conversation {conversation!r} is kept", "see them all: pluriverse history ls")


def _title(text: str) -> str:
    """The first words, on one line."""
    line = " ".join(_clean(text).split())
    return line if len(line) <= 80 else line[:79].rstrip() + "…"


def _clean(text: str) -> str:
    """Without what UTF-8 cannot hold: half surrogates, as they come from a badly encoded terminal."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="seconds")
