"""Catalogues of users: what is wrong is said with file and line, and everything else counts."""

import os
import time
from pathlib import Path

import pytest

from pluriverse import catalogue
from pluriverse.catalogue.lineage import Family
from pluriverse.catalogue.reading import MOST_BYTES, read, read_file
from pluriverse.errors import UsageError
from pluriverse.values import UrlSource

GOOD = """id = "our-model"
name = "Our Model"
maker = "Our School"
country = "NO"
kind = "chat"
url = "https://models.example.org/our-model.gguf"
sources = ["https://example.org/about"]
"""


def put(folder: Path, text: str | bytes, name: str = "a.toml") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_an_entry_of_a_user_can_be_found_and_pulled(tmp_path: Path) -> None:
    put(tmp_path / "deep", GOOD)
    found = read([tmp_path])
    assert not found.problems and found.entries["our-model"].file
    pullable = catalogue.parse("our-model", [tmp_path])
    assert pullable.sources == (UrlSource("https://models.example.org/our-model.gguf"),)
    with pytest.raises(UsageError):
        catalogue.parse("our-model")


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("country = \"NO\"", "country = \"Norway\""), 4, "country must be two capital letters"),
        (("kind =", "kined ="), 5, "kined is not known; did you mean kind?"),
        (("kind = \"chat\"", "kind = 3"), 5, "kind must be a text"),
        (("sources = [\"https://example.org/about\"]", "sources = []"), 7, "sources must be a list that is not empty"),
        (("name = \"Our Model\"", ""), None, "name is missing"),
        (("id = \"our-model\"", "id = \"../x\""), 1, "id must be small letters"),
        (("url =", "wheel = \"x==1/y\"\nurl ="), 6, "only the catalogue that comes with pluriverse"),
        (("url =", "params_b = true\nurl ="), 6, "params_b must be a number above 0"),
        (("url =", "digest = \"sha256:abc\"\nurl ="), 6, "digest must be sha256:"),
        (("url = \"https://models.example.org/our-model.gguf\"", "url = \"ftp://x\""), 6, "url must be an address"),
        (("country =", "country = = "), 4, "it is no TOML"),
        (("name = \"Our Model\"", "name = \"Our\"\nname = \"Model\""), 3, "it is no TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int | None, words: str
) -> None:
    entry, problems = read_file(put(tmp_path, GOOD.replace(*change)))
    assert entry is None
    assert any(words in each.message and each.line == line for each in problems), problems


SCORE = """
[[scores]]
board = "Open LLM Leaderboard v1"
by = "board"
source = "https://example.org"
values = { arc = 1.0 }

[[scores]]
board = "Another"
by = "me"
source = "https://example.org"
values = { arc = "high" }
"""


def test_scores_and_lineage_are_checked_too(tmp_path: Path) -> None:
    _, problems = read_file(put(tmp_path, GOOD + SCORE))
    told = {(each.line, each.message.partition(";")[0]) for each in problems}
    assert (17, 'by must be "board", "maker" or "others"') in told
    assert (19, "values must be a table, each value a number") in told
    assert (13, "the average of Open LLM Leaderboard v1 needs all six") in told
    _, problems = read_file(put(tmp_path, GOOD + 'lineage = [{ parent = "a/b" }]\n'))
    assert [each.message for each in problems] == ["relation is missing"]
    _, problems = read_file(put(tmp_path, GOOD + 'lineage = ["a/b"]\nscores = 3\n'))
    assert len(problems) == 2


def test_bad_files_do_not_hinder_good_ones(tmp_path: Path) -> None:
    put(tmp_path, GOOD, "good.toml")
    put(tmp_path, b'id = "x"\nname = "\xff"\n', "latin.toml")
    put(tmp_path, "x = " + "[" * 5_000, "deep.toml")
    put(tmp_path, "# " + "x" * MOST_BYTES, "huge.toml")
    put(tmp_path, b"", "empty.toml")
    put(tmp_path, GOOD, "twice.toml")
    put(tmp_path, GOOD.replace("our-model", "smollm2-135m-instruct"), "ours.toml")
    (tmp_path / "folder.toml").mkdir()
    os.symlink("nowhere", tmp_path / "link.toml")
    os.mkfifo(tmp_path / "pipe.toml")
    found = read([tmp_path, tmp_path / "missing"])
    assert "our-model" in found.entries
    assert found.entries["smollm2-135m-instruct"].file is None, "ours is never replaced"
    told = {Path(each.file).name: (each.line, each.message) for each in found.problems}
    assert told["latin.toml"] == (2, "it is not UTF-8; save it as UTF-8")
    assert "no TOML" in told["deep.toml"][1] and "longer than" in told["huge.toml"][1]
    assert "missing" in told["empty.toml"][1] and "our-model is also in" in told["twice.toml"][1]
    assert "an entry that ships has it" in told["ours.toml"][1]
    assert all("cannot be read" in told[name][1] for name in ("folder.toml", "link.toml", "pipe.toml"))
    assert told["missing"] == (None, "there is no such folder")


def test_a_lineage_in_a_circle(tmp_path: Path) -> None:
    for name, parent in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", "e")):
        text = GOOD.replace("our-model", name) + f'lineage = [{{ parent = "{parent}", relation = "finetune" }}]\n'
        put(tmp_path, text, f"{name}.toml")
    found = read([tmp_path])
    assert {"a", "b", "c", "e"} & found.entries.keys() == set() and "d" in found.entries
    told = {Path(each.file).stem: each.message for each in found.problems}
    assert told["a"] == "its lineage is a circle: a -> b -> c -> a" and told["e"].endswith("e -> e")


HOSTILE = {
    "a number of many digits": ("size = " + "9" * 5000, "longer than 64 characters"),
    "a deep key": (".".join("a" * 50_000) + " = 1", "nested too deeply"),
    "deep lists": ("a = " + "[" * 100_000, "nested too deeply"),
    "a line of braces": ("bad = 1\n# " + "{" * 250_000, "bad is not known"),
    "braces outside of a remark": ("bad = 1\nnotes = '" + "{ " * 100_000 + "'", "bad is not known"),
    "thousands of keys": ("\n".join(f"x{n} = 1" for n in range(20_000)), "x0 is not known"),
    "thousands of parents": ("lineage = [" + "{parent='a',relation='b'}," * 9_000 + "]", "a list of 500 at most"),
    "a second line in a name": ('licence = "x\\nLicence  MIT"', "licence must be a text on one line"),
    "an escape code": ('knowledge_cutoff = "\\u001b[2J"', "without control characters"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_take_long_or_look_like_something_else_is_refused_at_once(tmp_path: Path, name: str) -> None:
    lines, words = HOSTILE[name]
    path = put(tmp_path, GOOD + lines)
    began = time.process_time()
    entry, problems = read_file(path)
    assert entry is None and words in problems[0].message and len(problems) <= 20
    assert time.process_time() - began < 5


def test_a_mark_that_editors_put_in_front_is_passed_over(tmp_path: Path) -> None:
    assert read_file(put(tmp_path, b"\xef\xbb\xbf" + GOOD.encode()))[0]


@pytest.mark.parametrize("taken", ["default", "small", "better", "scripted"])
def test_an_id_that_means_something_else_is_refused(tmp_path: Path, taken: str) -> None:
    put(tmp_path, GOOD.replace("our-model", taken))
    found = read([tmp_path])
    assert f"{taken} means something else" in found.problems[0].message and taken not in found.entries


def made_from(tmp_path: Path, parents: dict[str, list[str]]) -> None:
    for name, above in parents.items():
        tables = ", ".join(f'{{ parent = "{each}", relation = "r" }}' for each in above)
        put(tmp_path, GOOD.replace("our-model", name) + f"lineage = [{tables}]\n", f"{name}.toml")


def test_lineages_of_any_shape_are_read_in_their_length(tmp_path: Path) -> None:
    chain = {f"c{n}": [f"c{n - 1}"] if n else [] for n in range(800)}
    ring = {f"r{n}": [f"r{(n - 1) % 300}"] for n in range(300)}
    twos = {f"d{n}{side}": [f"d{n - 1}a", f"d{n - 1}b"] if n else [] for n in range(40) for side in "ab"}
    made_from(
        tmp_path, {**chain, **ring, **twos, "below": ["r7"], "one": ["two", "three"], "two": ["one"], "three": ["one"]}
    )
    began = time.process_time()
    found = read([tmp_path])
    wrong = {Path(each.file).stem for each in found.problems}
    assert wrong == {*ring, "one", "two", "three"}, "what is in a circle, and nothing that only comes from one"
    assert max(len(each.message) for each in found.problems) < 200
    walked = list(Family(found.entries.values()).walk("d0a"))
    assert len(walked) == 1 + 2 + 38 * 4 and walked[-1][0] < 40
    assert time.process_time() - began < 20
