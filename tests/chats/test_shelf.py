"""The history: what is kept is found, and what is deleted is gone from the disk."""

import json
import multiprocessing
import os
import sqlite3
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluriverse.chats import search as search_index
from pluriverse.chats import shelf as history_module
from pluriverse.chats.chat import Turn, as_document, as_markdown
from pluriverse.chats.shelf import VERSION, ChatShelf
from pluriverse.errors import NotFoundError, PluriverseError, UsageError


@pytest.fixture
def history(tmp_path: Path) -> ChatShelf:
    return ChatShelf(tmp_path / "home" / "history.db")


@pytest.fixture(params=["trigram index", "no FTS5"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, history: ChatShelf) -> ChatShelf:
    """The history with and without the search index: both must find the same."""
    if request.param == "no FTS5":
        monkeypatch.setattr(search_index, "_available", lambda db: False)
    return history


def talk(history: ChatShelf, question: str, *answers: tuple[str, str]) -> str:
    conversation = history.begin(question)
    history.add(conversation, Turn(None, question))
    for speaker, answer in answers:
        history.add(conversation, Turn(speaker, answer, "stop", {"assistant": speaker, "base": "small"}))
    return conversation


def traces(history: ChatShelf, secret: str) -> list[str]:
    files = history.file.parent.glob(f"{history.file.name}*")
    return [file.name for file in files if secret.encode() in file.read_bytes()]


def test_looking_creates_nothing(history: ChatShelf) -> None:
    assert history.list() == [] and history.search("anything") == [] and history.clear() == 0
    for call in (history.get, history.delete):
        with pytest.raises(NotFoundError):
            call("abcdef")
    assert not history.file.parent.exists()


def test_what_is_kept_comes_back(history: ChatShelf) -> None:
    record = {"assistant": "green", "seed": 7, "error": {"kind": "engine", "message": "ö", "hint": None}}
    conversation = history.begin("What is\na fair tax?")
    history.add(conversation, Turn(None, "What is\na fair tax?"))
    history.add(conversation, Turn("green", "One that\n\nis paid \N{SPARKLES}", "cancelled", record))
    kept = history.get(conversation[:6])
    assert (kept.id, kept.title) == (conversation, "What is a fair tax?")
    assert [(turn.speaker, turn.content, turn.state, turn.record) for turn in kept.turns] == [
        (None, "What is\na fair tax?", "said", None),
        ("green", "One that\n\nis paid \N{SPARKLES}", "cancelled", record),
    ]
    assert all(turn.created.endswith("+00:00") for turn in kept.turns)


def test_the_list_begins_with_the_latest_talk(history: ChatShelf) -> None:
    first = talk(history, "first", ("green", "a"))
    second = talk(history, "second")
    assert [each.id for each in history.list()] == [second, first]
    history.add(first, Turn("red", "late"))
    latest = history.list(limit=1)
    assert [each.id for each in latest] == [first]
    assert latest[0].turns == 3 and set(latest[0].assistants) == {"green", "red"}


def test_only_the_owner_can_read_the_file(history: ChatShelf) -> None:
    if sys.platform == "win32":
        pytest.skip("no such modes here")
    talk(history, "mine")
    assert stat.S_IMODE(history.file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tax", ["taxes"]),
        ("TAXES fair", ["taxes"]),
        ("taxes missing", []),
        ("cafe", ["cafe"]),
        ("CAFÉ", ["cafe"]),
        ("经济", ["chinese"]),
        ("济", ["chinese"]),
        ("fair", ["taxes", "cafe"]),
    ],
)
def test_search_finds_parts_of_words_in_any_script(either: ChatShelf, query: str, found: list[str]) -> None:
    talks = {
        "taxes": talk(either, "What are fair taxes?", ("green", "Those that all pay.")),
        "cafe": talk(either, "Un café", ("red", "is a fair drink")),
        "chinese": talk(either, "什么是经济学?", ("red", "研究")),
    }
    assert {each.id for each in either.search(query)} == {talks[name] for name in found}


def test_search_sees_what_was_said_since_the_last_search(either: ChatShelf) -> None:
    conversation = talk(either, "one")
    assert either.search("two") == []
    either.add(conversation, Turn("green", "and two"))
    (found,) = either.search("two")
    assert found.id == conversation and found.excerpt == "and two"


def test_the_excerpt_is_around_the_word(history: ChatShelf) -> None:
    talk(history, "long", ("green", "before " * 40 + "needle" + " after" * 40))
    (found,) = history.search("Needle")
    assert found.excerpt is not None and "before needle after" in found.excerpt and len(found.excerpt) < 150


@pytest.mark.parametrize("query", ['"', '"unclosed', "a AND", "NOT b", "col:x", "x*", "(", "%", "_", "\0a", "\ud800"])
def test_search_text_is_no_query_language(either: ChatShelf, query: str) -> None:
    talk(either, "nothing of the kind here")
    assert either.search(query) == []


def test_an_empty_search_is_refused(history: ChatShelf) -> None:
    with pytest.raises(UsageError):
        history.search(" \n")


@given(content=st.text(max_size=40), query=st.text(min_size=1, max_size=5))
def test_with_and_without_index_the_same_is_found(content: str, query: str) -> None:
    words = search_index.words(query)
    results = []
    for indexed in (True, False):
        db = sqlite3.connect(":memory:", isolation_level=None)
        db.execute("CREATE TABLE turns (id INTEGER PRIMARY KEY, conversation TEXT, content TEXT)")
        db.execute("INSERT INTO turns VALUES (1, 'c', ?)", (content.encode("utf-8", "replace").decode(),))
        with pytest.MonkeyPatch.context() as patch:
            if not indexed:
                patch.setattr(search_index, "_available", lambda db: False)
            results.append(set(search_index.conversations_with(db, words)) if words else set())
        db.close()
    assert results[0] == results[1]
    assert bool(results[0]) == bool(words and all(word in search_index.fold(content) for word in words))


def test_half_surrogates_are_kept_as_question_marks(history: ChatShelf) -> None:
    conversation = talk(history, "bad \udcff byte", ("green", "\ud800"))
    assert [turn.content for turn in history.get(conversation).turns] == ["bad ? byte", "?"]


@pytest.mark.parametrize("everything", [False, True])
def test_deleting_leaves_no_trace_on_the_disk(either: ChatShelf, everything: bool) -> None:
    secret = "xyzzysecretplover"
    doomed = talk(either, f"about {secret} " * 200, ("green", f"{secret} it is " * 200))
    other = talk(either, "something else")
    assert [each.id for each in either.search(secret)] == [doomed]
    assert traces(either, secret)
    if everything:
        assert either.clear() == 2
    else:
        assert either.delete(doomed[:5]) == doomed
        assert [each.id for each in either.list()] == [other]
        assert [each.id for each in either.search("something")] == [other]
    assert traces(either, secret) == [] and traces(either, secret[:8]) == []
    assert either.search(secret) == []


def test_an_index_is_removed_even_where_this_sqlite_has_no_fts5(
    history: ChatShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "xyzzysecretplover"
    doomed = talk(history, secret)
    kept = talk(history, "another one")
    assert history.search(secret)
    with monkeypatch.context() as patch:
        patch.setattr(search_index, "_available", lambda db: False)
        history.delete(doomed)
        assert traces(history, secret) == []
    assert [each.id for each in history.search("another")] == [kept]


def test_a_reader_in_the_way_of_a_clean_deletion_is_told(history: ChatShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "_PATIENCE_S", 0.05)
    doomed = talk(history, "going")
    reader = sqlite3.connect(history.file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM turns").fetchone()
    with pytest.raises(PluriverseError, match=r"traces|locked"):
        history.delete(doomed)
    reader.close()
    assert history.list() == []


def test_ids_may_be_shortened_but_not_ambiguous(history: ChatShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter(["abcd11", "abcd22"])
    monkeypatch.setattr("secrets.token_hex", lambda n: next(ids))
    talk(history, "one"), talk(history, "two")
    assert history.get("abcd1").id == "abcd11"
    with pytest.raises(NotFoundError, match="several"):
        history.get("abcd")
    for unknown in ("abc", "", "zzzz", "%"):
        with pytest.raises(NotFoundError, match="no conversation"):
            history.get(unknown)


def test_adding_to_a_deleted_conversation_is_an_error(history: ChatShelf) -> None:
    conversation = talk(history, "short")
    history.delete(conversation)
    with pytest.raises(NotFoundError):
        history.add(conversation, Turn(None, "still there?"))


def test_a_file_of_a_newer_version_is_refused_and_untouched(history: ChatShelf) -> None:
    talk(history, "old")
    db = sqlite3.connect(history.file)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    before = history.file.read_bytes()
    with pytest.raises(PluriverseError, match="newer") as caught:
        history.begin("new")
    assert caught.value.hint == "pip install --upgrade pluriverse"
    assert history.file.read_bytes() == before


def test_a_file_that_is_no_history_is_an_error_in_words(history: ChatShelf) -> None:
    history.file.parent.mkdir()
    history.file.write_text("a shopping list, " * 100)
    with pytest.raises(PluriverseError, match="cannot be used") as caught:
        history.list()
    assert caught.value.hint and "mv" in caught.value.hint


def test_export_has_everything(history: ChatShelf) -> None:
    first = talk(history, "# tax?", ("green", "yes\n## You\nno"))
    history.add(first, Turn("red", "half a", "cancelled"))
    talk(history, "second")
    document = {"conversations": [as_document(each) for each in history.chosen(None)]}
    assert json.loads(json.dumps(document)) == document
    assert [each["title"] for each in document["conversations"]] == ["# tax?", "second"]
    assert document["conversations"][0]["turns"][1]["record"] == {"assistant": "green", "base": "small"}
    (kept,) = history.chosen(first)
    text = as_markdown(kept)
    assert "## green (small)\n\n> yes\n> ## You\n> no\n" in text and "*(stopped)*" in text
    assert text.count("\n## You\n") == 1 and "second" not in text


def _write_many(file: Path, count: int) -> None:
    for number in range(count):
        talk(ChatShelf(file), f"question {number} of {os.getpid()}", ("green", "answer"))


def test_several_processes_may_write_a_new_file_at_once(history: ChatShelf) -> None:
    spawn = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    processes = [spawn.Process(target=_write_many, args=(history.file, 10)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(history.list()) == 40 and all(each.turns == 2 for each in history.list())
