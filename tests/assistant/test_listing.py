"""A list of many assistants is fast, says what the files say, and no file that lies there can break or delay it."""

import json
import os
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pluriverse.assistant import Assistant, Panel, Shelf, listing
from pluriverse.assistant.guidance import Guidance
from pluriverse.cli import main
from pluriverse.errors import PluriverseError, UsageError
from pluriverse.settings import Settings


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "home" / "assistants").mkdir(parents=True)
    return Shelf(Settings(home=tmp_path / "home"))


@pytest.fixture
def folder(shelf: Shelf, tmp_path: Path) -> Path:
    return tmp_path / "home" / "assistants"


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_SETTLED_NS", 0)


def names(shelf: Shelf) -> set[str]:
    return {each.name for each in shelf.listing()[0]}


def counting(shelf: Shelf) -> list[str]:
    """The names that are read from now on."""
    read: list[str] = []
    real = Assistant.from_toml
    object.__setattr__(shelf._assistants, "read", lambda *words: (read.append(words[1]), real(*words))[1])
    return read


def test_it_says_what_the_files_say(shelf: Shelf) -> None:
    shelf.write(
        Assistant("ada", title="Ada", languages=("en", "fr"), counterpart="bo", guidance=Guidance("counterpart", 2))
    )
    shelf.write(Assistant("duty", system="Mine."), overwrite=True)
    for _ in range(2):
        found, problems = shelf.listing()
        assert found == [listing.listed(each) for each in shelf.assistants()]
        assert not problems
    assert {each.name: each.shadows for each in found if not each.builtin} == {"ada": False, "duty": True}


def test_only_what_has_changed_is_read(shelf: Shelf, folder: Path) -> None:
    for name in ("ada", "bo"):
        shelf.write(Assistant(name, title="one"))
    (folder / "bad.toml").write_text("title = ")
    read = counting(shelf)
    first = shelf.listing()
    assert sorted(read) == ["ada", "bad", "bo"]
    read.clear()
    again = shelf.listing()
    assert not read and again[0] == first[0]
    assert [str(each) for each in again[1]] == [str(each) for each in first[1]] and type(again[1][0]) is UsageError
    before = (folder / "ada.toml").stat()
    (folder / "ada.toml").write_text((folder / "ada.toml").read_text().replace("one", "two"))
    os.utime(folder / "ada.toml", ns=(before.st_atime_ns, before.st_mtime_ns))  # same size, same time of change
    (folder / "bo.toml").unlink()
    assert {each.title for each in shelf.listing()[0] if each.name == "ada"} == {"two"}
    assert read == ["ada"] and "bo" not in names(shelf)


def test_a_file_that_may_still_change_is_read_again(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_SETTLED_NS", 10**12)
    shelf.write(Assistant("ada"))
    read = counting(shelf)
    shelf.listing()
    shelf.listing()
    assert read == ["ada", "ada"]


POISON: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "deep": lambda data: b"[" * 500_000,
    "not UTF-8": lambda data: b"\xff" + data,
    "a list": lambda data: b"[]",
    "no files": lambda data: data.replace(b'"files"', b'"fails"'),
    "files of another kind": lambda data: json.dumps({**json.loads(data), "files": ["ada"]}).encode(),
    "rows of another kind": lambda data: json.dumps({**json.loads(data), "files": {"ada": [None]}}).encode(),
    "a number": lambda data: data.replace(b'"Ada"', b"7"),
    "another name": lambda data: data.replace(b',"ada",', b',"eve",'),
    "a language that is none": lambda data: data.replace(b'["en"]', b"[{}]"),
    "guidance that is none": lambda data: data.replace(b'["plain",2.0]', b"[[],2.0]"),
    "a row too long": lambda data: data.replace(b"false,false]", b"false,false,1]"),
    "digits": lambda data: data.replace(b"2.0", b"2" * 5000),
}


@pytest.mark.parametrize("name", POISON)
def test_a_cache_that_was_cut_or_tampered_with_counts_for_nothing(shelf: Shelf, tmp_path: Path, name: str) -> None:
    shelf.write(Assistant("ada", title="Ada", languages=("en",), system="I am.", guidance=Guidance("plain", 2.0)))
    before = shelf.listing()[0]
    cache = tmp_path / "home" / "cache" / "assistants.json"
    data = cache.read_bytes()
    assert POISON[name](data) != data
    cache.write_bytes(POISON[name](data))
    assert shelf.listing()[0] == before


def test_a_cache_in_whose_place_something_else_lies(shelf: Shelf, tmp_path: Path) -> None:
    shelf.write(Assistant("ada"))
    cache = tmp_path / "home" / "cache"
    cache.mkdir()
    os.mkfifo(cache / "assistants.json")
    assert "ada" in names(shelf)
    (cache / "assistants.json").unlink()
    (cache / "assistants.json").mkdir()
    assert "ada" in names(shelf)
    (cache / "assistants.json").rmdir()
    cache.rmdir()
    cache.touch()
    assert "ada" in names(shelf)


DOTS = ".".join("a" * 100_000)
BAD: dict[str, bytes] = {
    "5,000 digits": b"x = " + b"9" * 5000,
    "hexadecimal": b"[generation]\ntop_k = 0x" + b"f" * 200_000,
    "a key of 100,000 dots": f"{DOTS} = 1".encode(),
    "a table of 100,000 dots": f"[{DOTS}]".encode(),
    "quoted dots": b'"a".' * 40_000 + b'"a" = 1',
    "dots in a list": b"x = {" + f"{DOTS[:100_000]} = 1".encode() + b"}",
    "deep lists": b"x = " + b"[" * 100_000,
    "deep tables": b"x = " + b"{a=" * 80_000,
    "many tables": b"".join(b"[[a%d]]\n" % n for n in range(25_000)),
    "many keys": b"".join(b"a%d=1\n" % n for n in range(25_000)),
    "a long list": b"stop = [" + b"1," * 120_000 + b"]",
    "many languages": b"languages = [" + b",".join(b'"en-a%d"' % n for n in range(20_000)) + b"]",
    "many escapes": b'title = "a' + b"\\n" * 120_000 + b'b"',
    "a long title": b'title = "' + b"a" * 200_000 + b'"',
    "an open string": b'title = "' + b'\\"' * 120_000,
    "an open long string": b'system = """' + b'\\"""' * 60_000,
    "open literals": b"x = '" + b"'''" * 80_000 + b"'",
    "quotes": b'"' * 250_000,
    "a long key": b"a" * 250_000 + b" = 1",
    "a long name": b'counterpart = "' + b"a" * 250_000 + b'"',
    "100 MB": b"#" * 100_000_000,
    "NUL": b'title = "a\0b"',
    "UTF-16": 'title = "a"'.encode("utf-16"),
    "Latin-1": 'title = "é"'.encode("latin-1"),
    "NaN": b"[guidance]\nstrength = nan",
    "infinite": b"[generation]\ntemperature = inf",
    "too large": b"[guidance]\nstrength = " + b"9" * 60 + b"e99999",
    "two of a key": b"title = 'a'\ntitle = 'b'",
    "a date": b"title = 1979-05-27T07:32:00Z",
    "zero width": "title = 'du\u200bty'".encode(),
    "a joiner at the end": "title = 'duty\u200d'".encode(),
    "bidi": "title = 'duty\u202e'".encode(),
    "tags": "title = 'duty\U000e0041'".encode(),
    "hidden words": "system = 'Be kind.\U000e0042\U000e0065'".encode(),
    "a filler": "title = '\u3164'".encode(),
    "escape": b'title = "\\u001b[31m"',
    "C1": "title = '\x9b31m'".encode(),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_told_and_the_others_work(shelf: Shelf, folder: Path, name: str) -> None:
    shelf.write(Assistant("ada"))
    shelf.listing()
    (folder / "bad.toml").write_bytes(BAD[name])
    start = time.process_time()
    found, problems = shelf.listing()
    assert time.process_time() - start < 1.0  # a tenth of it on a quiet machine; before it was for ever
    assert "ada" in {each.name for each in found} and len(problems) == 1
    assert "bad.toml" in problems[0].message and len(problems[0].message) < len(str(folder)) + 600
    with pytest.raises(PluriverseError):
        shelf.assistant("bad")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_what_is_no_file_is_told(shelf: Shelf, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.write(Assistant("ada"))
    (folder / "folder.toml").mkdir()
    os.mkfifo(folder / "pipe.toml")
    (folder / "round.toml").symlink_to("round.toml")
    (folder / "nowhere.toml").symlink_to("nothing")
    (folder / "device.toml").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(folder)  # a path of a socket must be short
        server.bind("socket.toml")
        (folder / "name\u202e.toml").touch()
        (folder / os.fsdecode(b"latin\xe9.toml")).touch()
        found, problems = shelf.listing()
    assert "ada" in {each.name for each in found} and len(problems) == 8, [each.message for each in problems]
    for name in ("folder", "pipe", "round", "nowhere", "device", "socket"):
        with pytest.raises(PluriverseError):
            shelf.assistant(name)
    assert main(["ls"]) == 0


def test_a_file_in_place_of_the_folder_is_told(shelf: Shelf, folder: Path) -> None:
    folder.rmdir()
    folder.write_text("")
    (problem,) = shelf.listing()[1]
    assert str(folder) in problem.message and "duty" in names(shelf)


@pytest.mark.parametrize(
    "title",
    [
        "می\u200cخواهم",
        "👩\u200d👩\u200d👧",
        "❤️",
        "क्\u200dष",
        "日本語",
        "Scotland 🏴\U000e0067\U000e0062\U000e0073\U000e007f",
    ],
)
def test_what_is_writing_stays(title: str) -> None:
    assert Assistant("ada", title=title, system=title).title == title


def test_a_panel_of_many_is_read_in_time() -> None:
    members = ", ".join(f'"v{n}"' for n in range(15_000))
    start = time.process_time()
    assert len(Panel.from_toml(f"members = [{members}]", "all").members) == 15_000
    assert time.process_time() - start < 2


def test_any_files_whatever(shelf: Shelf, folder: Path) -> None:
    """Two hundred that were damaged at random: each is an assistant or a problem."""
    rng = random.Random(7)
    whole = (Path(listing.__file__).parent / "starter" / "duty.toml").read_bytes()
    pieces = [
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"nan",
        b"[[",
        b'"""',
        b"'''",
        b"= =",
        b"\r",
        b"[a.b]",
        b"9" * 400,
        b"{",
        b"#",
    ]
    values = [b"1", b"-1", b"1.5", b"true", b"[]", b"{}", b"1e400", b'""', b"[[1]]", b"1979-05-27", b"0x" + b"f" * 50]
    keys = b"title description base languages counterpart system outlook guidance generation".split()
    for number in range(200):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(data))
            match rng.randrange(3):
                case 0:
                    data[place : place + rng.randrange(5)] = rng.choice(pieces)
                case 1:
                    data[place] = rng.randrange(256)
                case 2:
                    data[:0] = rng.choice(keys) + b" = " + rng.choice(values) + b"\n"
        (folder / f"f{number}.toml").write_bytes(data)
    found, problems = shelf.listing()
    assert len([each for each in found if not each.builtin]) + len(problems) == 200
    assert shelf.listing()[0] == found
