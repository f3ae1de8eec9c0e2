"""Searching works of the store: indexes are made, kept, shared, checked, made anew; nothing that is broken is used."""

import asyncio
import errno
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pluriverse.errors import IntegrityError, NoSpaceError, NotFoundError, PluriverseError
from pluriverse.settings import Settings
from pluriverse.store import Store
from pluriverse.store.layout import Layout
from pluriverse.values import Digest, Work
from pluriverse.works.index import keeping, words
from pluriverse.works.index.search import _span as span
from pluriverse.works.index.search import search
from pluriverse.works.schema import Found

from .test_words import book, digest_of

QUESTION = "Is a lie to a friend against nature?"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store.at(settings)


def keep(store: Store, *books: tuple[Work, str]) -> list[Work]:
    for work, text in books:
        store.add_work(work, {"text": text.encode()})
    return [work for work, _ in books]


def found(store: Store, settings: Settings, works: Sequence[Work], question: str = QUESTION, k: int = 5) -> list[Found]:
    return asyncio.run(search(store, settings, works, question, k))


def part(store: Store, work: Work, name: str) -> Path:
    path = store.works({work.digest})[work.digest].path(name)
    assert path is not None
    return path


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The works whose index is made from now on."""
    made: list[str] = []
    real = words.build
    monkeypatch.setattr(keeping, "build", lambda work, *more: (made.append(work.id), real(work, *more))[1])
    return made


def test_works_are_indexed_once_and_shared(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    works, made = keep(store, book(1), book(2)), counted(monkeypatch)
    first = found(store, settings, works)
    assert first and [each.by for each in first] == [("words",)] * 5
    assert [each.score for each in first] == sorted((each.score for each in first), reverse=True)
    assert found(store, settings, works) == first
    found(store, settings, works[:1])
    found(Store.at(settings), settings, works[::-1])
    assert made == [work.id for work in works]
    text = dict(zip(works, (book(1)[1], book(2)[1]), strict=True))
    for each in first:
        assert each.passage.text == " ".join(text[each.passage.work][each.passage.start : each.passage.end].split())


def test_neighbours_that_were_both_found_are_one_passage(store: Store, settings: Settings) -> None:
    speaks = ["The whale is an animal of the sea. " * 14, "A whale of the sea has no fear of ships. " * 11]
    other = ["Bread is made of corn in every town. " * 14] * 3
    text = "# One\n\n" + "\n\n".join([*other, *speaks]) + "\n\n# Two\n\n" + "\n\n".join([speaks[0], *other])
    (work,) = keep(store, (Work("sea", "Sea", digest_of(text), "en"), text))
    first, second = found(store, settings, [work], "Do whales fear the sea?")
    assert first.passage.place == "One, 4–5" and [each.place for each in first.parts] == ["One, 4", "One, 5"]
    assert second.passage.place == "Two, 1" and second.parts == (second.passage,), "no chapter goes on in another"
    assert first.passage.text == " ".join(text[first.passage.start : first.passage.end].split())


@pytest.mark.parametrize(
    ("first", "last", "both"),
    [
        ("Chapter III, 12–14", "Chapter III, 14–15", "Chapter III, 12–15"),
        ("paragraph 3", "paragraphs 4–6", "paragraphs 3–6"),
        ("paragraph 3", "paragraph 3", "paragraph 3"),
        ("Job 1:5–9", "Job 1:10", "Job 1:5–10"),
        ("Chapter III, 12", "Chapter IV, 1", ""),
        ("Of Truth", "Of Death", ""),
    ],
)
def test_a_place_of_two_passages(first: str, last: str, both: str) -> None:
    assert span(first, last) == both


@pytest.mark.parametrize("how", ["cut", "empty", "garbled", "one bit", "gone", "a folder", "version", "locked away"])
def test_an_index_that_is_no_use_is_made_anew(
    how: str, store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = keep(store, book(1), book(2))
    before = found(store, settings, works)
    path = part(store, works[0], "words.en")
    data = path.read_bytes()
    keeping._opened.clear()  # as another process finds it
    match how:
        case "cut":
            path.write_bytes(data[: len(data) // 3])
        case "empty":
            path.write_bytes(b"")
        case "garbled":
            path.write_bytes(b"\xff" * len(data))
        case "one bit":
            path.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
        case "gone":
            path.unlink()
        case "a folder":
            path.unlink()
            path.mkdir()
        case "locked away":
            path.chmod(0)
        case _:
            monkeypatch.setattr(words, "_made_by", lambda: "another")
    assert found(store, settings, works) == before
    if how not in {"version", "a folder", "locked away"}:
        assert path.read_bytes() == data  # mended in its place
        (verified,) = (each for each in store.verify() if hasattr(each, "bad"))
        assert not verified.bad
    assert part(store, works[0], "text").read_text("utf-8") == book(1)[1]


def test_a_text_that_was_changed_is_never_quoted(store: Store, settings: Settings, tmp_path: Path) -> None:
    works = keep(store, book(1))
    found(store, settings, works)
    path = part(store, works[0], "text")
    path.chmod(0o600)
    path.write_text(path.read_text("utf-8").replace("truth", "falsehood"), "utf-8")
    with pytest.raises(IntegrityError, match="has been changed"):
        found(store, settings, works)
    keep(store, book(1))  # the same text, added again, takes its place
    assert found(store, settings, works)
    path.unlink()
    with pytest.raises(NotFoundError, match="not on this machine"):
        found(store, settings, works)


def test_a_text_comes_from_the_folder_of_public_data(store: Store, tmp_path: Path) -> None:
    work, text = book(1)
    (tmp_path / "data" / "works").mkdir(parents=True)
    file = tmp_path / "data" / "works" / f"{work.id}.txt"
    file.write_text(text, "utf-8")
    settings = Settings(home=tmp_path / "home", data=tmp_path / "data")
    before = found(store, settings, [work])
    file.write_text("another text", "utf-8")
    assert found(store, settings, [work]) == before
    other = Work(work.id, "Another", digest_of("not there"))
    with pytest.raises(NotFoundError):
        found(store, settings, [other])


def test_where_nothing_can_be_kept_it_is_searched_all_the_same(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = keep(store, book(1))

    def full(*words: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pluriverse.store.layout.fill", full)
    assert found(store, settings, works)
    with pytest.raises(NoSpaceError):
        keeping.keep(store, works[0], book(1)[1], None)
    monkeypatch.undo()
    assert found(store, settings, works)
    assert part(store, works[0], "words.en")


def test_a_store_beside_gives_texts_and_indexes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stick, home = Settings(home=tmp_path / "stick"), Settings(home=tmp_path / "home")
    works = keep(Store.at(stick), book(1), book(2))
    found(Store.at(stick), stick, works[:1])
    made = counted(monkeypatch)
    both = Store(home.store, [stick.store])
    assert found(both, home, works)
    assert made == [works[1].id]
    assert found(both, home, works) and made == [works[1].id]


def test_one_text_in_two_languages_has_two_indexes(store: Store, settings: Settings) -> None:
    work, text = book(1)
    other = Work("same", "The same", work.digest, "fr")
    keep(store, (work, text))
    for _ in range(2):
        assert found(store, settings, [work]) and found(store, settings, [other])
    assert set(store.works({work.digest})[work.digest].parts) == {"text", "words.en", "words.fr"}


INDEXING = """
import sys
from pathlib import Path
from pluriverse.settings import Settings
from pluriverse.store import Store
from pluriverse.works.adding import add_works, Added
import asyncio
async def main():
    settings = Settings(home=Path(sys.argv[1]))
    print("go", flush=True)
    async for event in add_works(Store.at(settings), settings, [Path(sys.argv[2])]):
        if isinstance(event, Added):
            print(*sorted(f"{each.work.id}:{each.passages}" for each in event.works))
asyncio.run(main())
"""


def indexing(home: Path, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", INDEXING, str(home), str(folder)], stdout=subprocess.PIPE, text=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "books"
    place.mkdir()
    for seed in range(6):
        (place / f"book-{seed}.txt").write_text(book(seed, 150)[1], "utf-8")
    return place


def whole(home: Path, said: str) -> None:
    """All six are there, whole, each once, and nothing else is left after gc."""
    settings = Settings(home=home)
    store = Store.at(settings)
    assert len(said.split()) == 6
    (verified,) = (each for each in store.verify() if hasattr(each, "bad"))
    assert not verified.bad
    store.gc()
    assert len(list(store.home.blobs.iterdir())) == 6 * 4  # text, words, config, manifest
    assert len(store.home.index()) == 6


@pytest.mark.parametrize("rounds", [range(0, 20, 5), pytest.param(range(20), marks=pytest.mark.slow)])
def test_killed_many_times_while_indexing(rounds: range, tmp_path: Path, folder: Path) -> None:
    home = tmp_path / "home"
    for round_ in rounds:
        process = indexing(home, folder)
        assert process.stdout and process.stdout.readline() == "go\n"
        try:
            process.wait(0.02 + 0.03 * round_)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        settings = Settings(home=home)
        for each in Store.at(settings).verify():
            assert not getattr(each, "bad", ())
    said, _ = indexing(home, folder).communicate()
    whole(home, said.partition("\n")[2])


def test_two_processes_index_one_folder(tmp_path: Path, folder: Path) -> None:
    home = tmp_path / "home"
    both = [indexing(home, folder) for _ in range(2)]
    said = [process.communicate()[0].partition("\n")[2] for process in both]
    assert said[0] == said[1]
    whole(home, said[0])


def test_a_full_disk_loses_nothing(tmp_path: Path, folder: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160k", "none", str(small)], capture_output=True).returncode:
        pytest.skip("no right to mount a small file system here")
    try:
        settings = Settings(home=small)
        from pluriverse.works.adding import add_works

        async def add() -> None:
            async for _ in add_works(Store.at(settings), settings, [folder]):
                pass

        with pytest.raises(NoSpaceError) as caught:
            asyncio.run(add())
        assert caught.value.hint
        for each in Store.at(settings).verify():
            assert not getattr(each, "bad", ())
        assert len(list(folder.iterdir())) == 6
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_works_that_nobody_names_are_forgotten_unless_somebody_adds(store: Store) -> None:
    works = keep(store, book(1), book(2))
    used = {works[0].digest}
    with store.holding_works(), store.holding_works():
        assert store.forget_works(used) == 0
    assert store.forget_works(used) == 1
    assert store.forget_works(used) == 0
    assert set(store.works({work.digest for work in works})) == used
    before = len(list(store.home.blobs.iterdir()))
    assert store.gc().blobs and len(list(store.home.blobs.iterdir())) < before
    assert part(store, works[0], "text").exists()


@pytest.mark.parametrize("damage", ["config", "manifest"])
def test_a_manifest_that_is_damaged_is_as_if_the_work_were_unknown(
    damage: str, store: Store, settings: Settings
) -> None:
    works = keep(store, book(1))
    layout = Layout(settings.store)
    (entry,) = layout.index()
    digest = entry["digest"] if damage == "manifest" else layout.document(Digest(entry["digest"]))["config"]["digest"]
    path = layout.blobs / str(digest).removeprefix("sha256:")
    path.chmod(0o600)
    path.write_bytes(b"{}")
    with pytest.raises(PluriverseError):
        found(store, settings, works)
    work, text = book(1)
    keep(store, (Work("another", "Another", work.digest, "en"), text))
    assert found(store, settings, works)
    assert len(layout.index()) == 1
