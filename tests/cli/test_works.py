"""Works on the command line: made from files, listed, shown, added, removed and searched."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pluriverse.assistant import Shelf
from pluriverse.cli.commands import works as works_command
from pluriverse.settings import load
from pluriverse.store import Store
from pluriverse.values import Digest
from pluriverse.works.schema import Found, Why

from ..works.index.test_words import book
from .conftest import Call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two English books, a Chinese one, one that is the first again, and a file that is no text."""
    place = tmp_path / "books"
    (place / "more").mkdir(parents=True)
    (place / "Duty.txt").write_text(book(1)[1].replace("law", "duty"), "utf-8")
    (place / "more" / "Liberty & Truth.txt").write_text(book(2)[1], "utf-8")
    (place / "more" / "again.txt").write_text(book(2)[1], "utf-8")
    (place / "論語.txt").write_text("# 學而\n\n子曰：「學而時習之，不亦說乎？有朋自遠方來，不亦樂乎？」\n" * 3, "utf-8")
    (place / "bad.txt").write_bytes(b"\xff\xfe\xfa" * 50)
    return place


@pytest.fixture
def voice(call: Call, folder: Path) -> str:
    assert call("new", "voice", "--works", str(folder), "--words-now").code == 0
    return "voice"


def test_a_voice_is_made_from_a_folder(call: Call, folder: Path) -> None:
    result = call("new", "voice", "--works", str(folder), "--words-now", "--json")
    assert result.code == 0, result.err
    works = result.document["works"]
    ids = {each["work"] for each in works}
    assert {"duty"} < ids and len(works) == 3 and all(each["passages"] for each in works)
    assert [each["path"] for each in result.document["problems"]] == [str(folder / "bad.txt")]
    assert "read 3 works" in result.err and "bad.txt" in result.err
    made = Shelf(load()).assistant("voice")
    assert {work.id for work in made.works} == ids and made.system
    assert made.digest == result.document["digest"]
    chinese = next(work for work in made.works if "論" in work.title)
    assert chinese.id.startswith("work-") and chinese.language == "zh" and "zh" in made.languages


def test_a_voice_is_asked_from_its_works(call: Call, voice: str) -> None:
    result = call("ask", "Is a lie to a friend against truth?", "--with", voice, "--json")
    assert result.code == 0, result.err
    assert result.document["replies"][0]["assistant"] == voice


def test_works_are_listed_and_shown(call: Call, voice: str, folder: Path) -> None:
    all_listed = call("works", "ls", "--json").document["assistants"]
    (listed,) = (each for each in all_listed if each["assistant"] == voice)
    assert all({"work", "title", "language", "passages", "digest"} == set(each) for each in listed["works"])
    assert "duty" in call("works", "ls").out
    shown = call("works", "show", voice, "--json").document["works"]
    assert {each["file"]["state"] for each in shown} == {"same"}
    file = folder / "Duty.txt"
    file.write_text("Another text.", "utf-8")
    (folder / "論語.txt").unlink()
    states = {each["title"]: each["file"]["state"] for each in call("works", "show", voice, "--json").document["works"]}
    assert sorted(states.values()) == ["changed", "gone", "same"]
    words = call("works", "show", voice)
    assert "another now" in words.out and "not there now" in words.out and f"works add {voice} /" in words.err
    assert call("works", "search", voice, "duty").out  # from the text as it was read


def test_passages_are_found(call: Call, voice: str) -> None:
    found = call("works", "search", voice, "duty", "and", "virtue", "--limit", "3", "--json").document["passages"]
    assert len(found) == 3 and all({"work", "place", "text", "score", "by"} <= set(each) for each in found)
    assert [each["score"] for each in found] == sorted((each["score"] for each in found), reverse=True)
    assert found[0]["by"] == ["words"] and "duty" in found[0]["text"].lower()
    chinese = call("works", "search", voice, "学习", "--json").document["passages"][0]
    assert "學而" in chinese["text"]
    assert "found by words" in call("works", "search", voice, "duty").out
    nothing = call("works", "search", voice, "zebra")
    assert nothing.code == 0 and not nothing.out and "none of these words" in nothing.err
    assert call("works", "search", voice, "duty", "--limit", "0").code == 2


def test_a_search_says_where_an_answer_would_be_refused(call: Call, voice: str) -> None:
    question = "Is duty to a friend boiled titanium in zebra orbit rockets?"
    refused = call("ask", question, "--with", voice, "--json").document["replies"][0]["declined"]
    searched = call("works", "search", voice, question, "--json").document
    assert refused and searched["declined"] and searched["passages"]
    assert "do not speak of it" in call("works", "search", voice, question, "--limit", "1").err
    assert not call("works", "search", voice, "duty and virtue", "--json").document["declined"]


def test_a_search_says_why_words_served_alone(call: Call, voice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("works", "search", voice, "duty", "--json").document["words_alone"] is None

    async def search_works(*asked: object) -> tuple[list[Found], Why]:
        return [], "language"

    monkeypatch.setattr("pluriverse.runtime.studying.search_works", search_works)
    assert call("works", "search", voice, "devoir", "--json").document["words_alone"] == "language"
    assert "the question is not" in call("works", "search", voice, "devoir").err


def test_works_are_added_and_removed(call: Call, voice: str, folder: Path, tmp_path: Path) -> None:
    new = tmp_path / "duty.txt"
    new.write_text("A new text about roses.\n", "utf-8")
    added = call("works", "add", voice, str(new), str(folder / "Duty.txt"), "--words-now", "--json")
    assert added.code == 0, added.err
    assert [(each["work"], each["again"]) for each in added.document["works"]] == [("duty-2", False), ("duty", True)]
    assert call("works", "search", voice, "roses", "--json").document["passages"][0]["work"] == "duty-2"
    wrong = call("works", "rm", voice, "dutyy")
    assert wrong.code == 1 and "did you mean duty" in wrong.err
    assert call("works", "rm", voice, "duty", "duty-2").code == 0
    assert "duty" not in {work.id for work in Shelf(load()).assistant(voice).works}
    assert not call("works", "search", voice, "roses", "--json").document["passages"]


def test_a_file_that_holds_another_text_now_is_read_again(call: Call, voice: str, folder: Path) -> None:
    before = [work.id for work in Shelf(load()).assistant(voice).works]
    (folder / "Duty.txt").write_text("A text of roses came in the place of that of duty.\n", "utf-8")
    again = call("works", "add", voice, str(folder), "--words-now", "--json")
    assert again.code == 0, again.err
    instead = {each["work"]: each["instead"] for each in again.document["works"]}
    assert instead.pop("duty") and not any(instead.values())
    after = Shelf(load()).assistant(voice).works
    assert sorted(work.id for work in after) == sorted(before)
    assert call("works", "search", voice, "roses", "--json").document["passages"][0]["work"] == "duty"
    shown = call("works", "show", voice, "--json").document["works"]
    assert {each["file"]["state"] for each in shown} == {"same"}
    (folder / "Duty.txt").write_text("A third text.\n", "utf-8")
    assert "another text before" in call("works", "add", voice, str(folder / "Duty.txt"), "--words-now").err


def test_works_are_removed_by_their_titles_too(call: Call, voice: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(f"# The same\n\nText {name}.\n", "utf-8")
    (tmp_path / "roof.md").write_text("# The roof\n\nIt leaks.\n", "utf-8")
    files = [str(tmp_path / f"{name}.md") for name in ("a", "b", "roof")]
    assert call("works", "add", voice, *files, "--words-now").code == 0
    assert call("works", "rm", voice, "the roof", "--json").document["removed"] == ["roof"]
    two = call("works", "rm", voice, "The same")
    assert two.code == 1 and "2 works" in two.err and "name one: a, b" in two.err


def test_what_others_change_while_works_are_read_stays(
    call: Call, voice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "roses.txt"
    new.write_text("A new text about roses.\n", "utf-8")
    other = replace(Shelf(load()).assistant(voice).works[0], id="roses", digest=Digest("sha256:" + "a" * 64))
    reading = works_command.read

    async def slow(*args: Any, **options: Any) -> Any:
        added = await reading(*args, **options)
        now = Shelf(load()).assistant(voice)
        Shelf(load()).write(replace(now, title="Another", works=(*now.works, other)), overwrite=True)
        return added

    monkeypatch.setattr(works_command, "read", slow)
    assert call("works", "add", voice, str(new), "--words-now").code == 0
    changed = Shelf(load()).assistant(voice)
    assert changed.title == "Another" and [each.id for each in changed.works[-2:]] == ["roses", "roses-2"]


def test_gc_frees_what_nobody_answers_from(call: Call, voice: str, folder: Path, home: Path) -> None:
    kept = Shelf(load()).assistant(voice)
    assert call("new", "other", "--works", str(folder / "Duty.txt"), "--words-now").code == 0
    call("gc")
    store = Store.at(load())
    digests = {work.digest for work in kept.works}
    assert set(store.works(digests)) == digests
    (home / "assistants" / "broken.toml").write_text("= nothing", "utf-8")
    assert call("rm", voice).code == 0
    call("gc")
    assert set(store.works(digests)) == digests  # who knows what the broken one names
    (home / "assistants" / "broken.toml").unlink()
    assert call("gc").code == 0
    assert set(Store.at(load()).works(digests)) == {work.digest for work in kept.works if work.id == "duty"}
    assert call("works", "search", "other", "duty").out
    assert call("verify").code == 0


def test_verify_tells_of_a_damaged_work(call: Call, voice: str) -> None:
    digest = Shelf(load()).assistant(voice).works[0].digest
    path = Store.at(load()).works({digest})[digest].path("words.en")
    assert path
    path.chmod(0o600)
    path.write_bytes(b"x" * path.stat().st_size)
    result = call("verify")
    assert result.code == 3 and "made anew" in result.err and "pull it again" not in result.err
    assert call("works", "search", voice, "duty").code == 0
    assert call("verify").code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("new", "voice", "--works", "missing.txt"), "is not there"),
        (("new", "voice", "--works", "{bad}"), "bad.txt"),
        (("new", "duty", "--works", "{folder}"), "starter set has"),
        (("new", "--pair", "north", "south", "--works", "{folder}"), "for one assistant"),
        (("works", "add", "duty", "{folder}"), "is built in"),
        (("works", "search", "duty", "words"), "has no works"),
        (("works", "show", "nobody"), "no assistant called"),
    ],
)
def test_what_cannot_be_is_told(call: Call, folder: Path, words: tuple[str, ...], told: str) -> None:
    result = call(*(word.format(bad=folder / "bad.txt", folder=folder) for word in words))
    assert result.code in {1, 2} and told in result.err and "hint: " in result.err
    assert not (load().assistants / "voice.toml").exists()


def test_without_what_embeds_words_alone_serve(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLURIVERSE_OFFLINE", "1")
    result = call("new", "voice", "--works", str(folder / "Duty.txt"))
    assert result.code == 0 and "by words alone" in result.err


def test_the_library_is_listed_and_its_works_can_be_answered_from(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(call("works", "library", "--json").document["works"]) == 107
    (found,) = call("works", "library", "communist", "manifesto", "--json").document["works"]
    assert (found["id"], found["ships"]) == ("marx-engels-manifesto", True)
    named = ["library:udhr-en", f"library:{found['id']}"]
    made = call("new", "rights", "--works", *named, "--words-now", "--json")
    assert made.code == 0, made.err
    assert [each["work"] for each in made.document["works"]] == ["udhr-en", "marx-engels-manifesto"]
    passages = call("works", "search", "rights", "slavery and the slave trade", "--json").document["passages"]
    assert "No one shall be held in slavery" in passages[0]["text"]
    again = call("works", "add", "rights", *named, "--words-now", "--json")
    assert all(each["again"] for each in again.document["works"])
    call("works", "rm", "rights", "udhr-en")
    assert [each.id for each in Shelf(load()).assistant("rights").works] == ["marx-engels-manifesto"]


@pytest.mark.parametrize(
    ("name", "kind", "hint"),
    [
        ("library:marx-engels-manifest", "not_found", "marx-engels-manifesto"),
        ("library:", "not_found", "works library"),
    ],
)
def test_a_work_that_the_library_does_not_have(name: str, kind: str, hint: str, call: Call) -> None:
    result = call("new", "nobody", "--works", name, "--words-now", "--json")
    assert result.code == 1
    assert result.document["error"]["kind"] == kind and hint in result.document["error"]["hint"]


def test_a_work_that_must_be_fetched_is_not_where_nobody_wants_a_network(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLURIVERSE_OFFLINE", "1")
    monkeypatch.delenv("PLURIVERSE_DATA", raising=False)
    result = call("new", "nobody", "--works", "library:hobbes-leviathan", "--words-now", "--json")
    assert result.code == 1 and result.document["error"]["kind"] == "unreachable"
    assert "PLURIVERSE_OFFLINE" in result.document["error"]["hint"]
