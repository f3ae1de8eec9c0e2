"""What other packages bring: a tiny one on the path, with the metadata that pip would write, by real commands."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from . import forked
from .store.conftest import gguf

INSTRUMENT = """
name = "toy"
title = "Toy: two questions"
dimension = "risk"
count = 2
version = "1"
loader = "toy"
datasets = ["toy"]
languages = ["en"]
licence = "Apache-2.0"
source = "this test"
measures = ["exact_match"]
about = "Nothing."
"""
LOADER = """
import json

from pluriverse.measure.data.datasets import text_of
from pluriverse.measure.schema.items import Item


async def load_toy(instrument, settings):
    rows = [json.loads(line) for line in (await text_of("toy", settings)).splitlines()]
    return [Item(f"toy/{n}", row["ask"], "chat", target=(row["answer"],)) for n, row in enumerate(rows)]
"""
SOURCE = """
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pluriverse.errors import UnreachableError, UsageError
from pluriverse.store.sources import ByteStream, SourceKind, StartOver
from pluriverse.values import Pullable

HOARD = Path(__file__).with_name("hoard")


@dataclass(frozen=True)
class ToySource:
    kind: ClassVar[str] = "toy"
    thing: str

    def __str__(self):
        return f"toy:{self.thing}"


class Toy(SourceKind):
    def parse(self, ref):
        thing = ref.removeprefix("toy:")
        if not thing:
            raise UsageError("toy: names no thing", "write toy:THING")
        return Pullable.of_file(ref, f"{thing}.gguf", ToySource(thing))

    @asynccontextmanager
    async def open(self, source, scratch, earlier):
        file = HOARD / source.thing
        if not file.is_file():
            raise UnreachableError(f"there is no toy {source.thing}")
        whole = file.read_bytes()
        start = earlier.bytes + (HOARD / "lies").is_file()
        said = len(whole) + (HOARD / "boasts").is_file()

        async def chunks():
            for at in range(start, len(whole), 4096):
                if at >= 8192 and start == 0 and (HOARD / "breaks").is_file():
                    raise UnreachableError("the hoard fell shut")
                yield whole[at : at + 4096]

        yield ByteStream(chunks(), start=start, size=said, validator="one")
"""
ENTRIES = """
[pluriverse.instruments]
toy = toy_things.instruments
[pluriverse.loaders]
toy = toy_things.loader:load_toy
[pluriverse.sources]
toy = toy_things.source:Toy
"""
DATA = '{"ask": "One and one?", "answer": "two"}\n{"ask": "Two and two?", "answer": "four"}\n'
DATASETS = f"""
[toy]
title = "Toy data"
source = "this test"
licence = "Apache-2.0"
home = "http://127.0.0.1:9"
path = "{{}}.jsonl"
local = "toy/{{}}.jsonl"
name = "toy"
[toy.files]
sums = [{len(DATA)}, "{hashlib.sha256(DATA.encode()).hexdigest()}"]
"""
Call = Callable[..., tuple[int, Any, str]]


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package's own folder; it is installed in the folder above."""
    things = tmp_path / "site" / "toy_things"
    for name, text in (
        ("__init__.py", ""),
        ("instruments/__init__.py", ""),
        ("instruments/toy.toml", INSTRUMENT),
        ("instruments/datasets.toml", DATASETS),
        ("loader.py", LOADER),
        ("source.py", SOURCE),
        ("../toy_things-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy-things\nVersion: 1.0\n"),
        ("../toy_things-1.0.dist-info/entry_points.txt", ENTRIES),
    ):
        write(things / name, text)
    write(tmp_path / "data" / "toy" / "sums.jsonl", DATA)
    return things


@pytest.fixture
def call(package: Path, tmp_path: Path) -> Call:
    """Run `pluriverse WORDS --json` where that package is installed: the exit code, the document, what was said."""

    def run(*words: str, **environment: str) -> tuple[int, Any, str]:
        given = {"PYTHONPATH": str(package.parent), "PLURIVERSE_DATA": str(tmp_path / "data"), **environment}
        done = forked.run(*words, "--json", module="pluriverse", environment=os.environ | given)
        return done.returncode, json.loads(done.stdout), done.stderr

    return run


def test_an_instrument_of_another_package_is_measured(call: Call) -> None:
    code, listed, _ = call("measure")
    toy = next(each for each in listed["instruments"] if each["name"] == "toy")
    assert code == 0 and toy["items"] == 2 and len(listed["instruments"]) > 30
    code, found, _ = call("measure", "toy", "--base", "scripted", "--with", "duty", PLURIVERSE_OFFLINE="1")
    row = next(each for each in found["rows"] if each["metric"] == "exact_match")
    assert code == 0 and row["assistant"] == "duty" and row["n"] == 2


def test_what_was_measured_can_be_read_without_its_package(call: Call) -> None:
    _, found, _ = call("measure", "toy", "--base", "scripted", "--with", "duty")
    code, card, _ = call("card", "duty", "--base", "scripted", PYTHONPATH="")
    assert code == 0 and [each for each in card["rows"] if each["instrument"] == "toy"] == found["rows"]


BROKEN = [
    ("instruments/toy.toml", INSTRUMENT.replace('title = "Toy: two questions"\n', ""), "lacks title"),
    ("instruments/toy.toml", INSTRUMENT + "colour = 1\n", "no field colour"),
    ("instruments/toy.toml", INSTRUMENT.replace("risk", "taste"), "dimension is 'taste', not one of expertise"),
    ("instruments/toy.toml", INSTRUMENT.replace("count = 2", 'count = "2"'), "count is '2'"),
    ("instruments/toy.toml", INSTRUMENT + "standard = 1\n", "`standard` is the same on all machines"),
    ("instruments/toy.toml", INSTRUMENT.replace('"toy"\ntitle', '"xstest"\ntitle'), "another instrument 'xstest'"),
    ("instruments/toy.toml", "name = ", "cannot be used"),
    ("instruments/toy.toml", b"\xff\xfe", "cannot be used"),
    ("instruments/toy.toml", INSTRUMENT + "[opposites]\na = 1\nb = 2\nc = 3\n", "no field opposites.c"),
]


@pytest.mark.parametrize(("file", "text", "why"), BROKEN, ids=[why for *_, why in BROKEN])
def test_a_broken_file_is_named_with_its_package_and_the_others_go_on(
    call: Call, package: Path, file: str, text: str | bytes, why: str
) -> None:
    write(package / "instruments" / "well.toml", INSTRUMENT.replace('"toy"\ntitle', '"well"\ntitle'))
    write(package / file, text)
    code, listed, said = call("measure", COLUMNS="400")
    assert code == 0 and {"well", "xstest"} <= {each["name"] for each in listed["instruments"]}
    assert "toy.toml of the package toy-things" in said and why in said
    code, document, _ = call("measure", "toy", "--base", "scripted", "--with", "duty")
    assert code == 2 and "toy.toml of the package toy-things" in document["error"]["message"]


DATA_FAULTS = [
    ("instruments/datasets.toml", DATASETS.replace('local = "toy', 'local = "../toy'), "leads out of the folder"),
    ("instruments/datasets.toml", DATASETS.replace('licence = "Apache-2.0"\n', ""), "lacks 'licence'"),
    ("instruments/datasets.toml", DATASETS.replace('name = "toy"', 'name = "xstest"'), "other data named xstest"),
    ("instruments/datasets.toml", "", "there are no data named toy"),
    ("instruments/datasets.toml", DATASETS.replace('"toy/{}', '"elsewhere/{}'), "PLURIVERSE_OFFLINE is set"),
    ("../../data/toy/sums.jsonl", "{}", "its digest differs"),
    ("loader.py", "import nowhere", "toy of the package toy-things cannot be loaded: No module named 'nowhere'"),
    ("loader.py", "def", "toy of the package toy-things cannot be loaded: invalid syntax"),
    ("loader.py", LOADER.replace('"chat"', '"raw"'), "items of toy are of the form 'raw', and its file says 'chat'"),
    ("instruments/toy.toml", INSTRUMENT.replace('loader = "toy"', 'loader = "lost"'), "no loader named lost"),
    (
        "instruments/toy.toml",
        INSTRUMENT.replace('"exact_match"', '"luck"'),
        "no metric named luck, which toy is measured by",
    ),
    ("instruments/toy.toml", INSTRUMENT.replace('["exact_match"]', "[]"), "toy has no measures"),
]


@pytest.mark.parametrize(("file", "text", "why"), DATA_FAULTS, ids=[why for *_, why in DATA_FAULTS])
def test_faults_of_data_and_loaders_are_told_in_words(
    call: Call, package: Path, file: str, text: str, why: str
) -> None:
    write(package / file, text)
    code, document, _ = call("measure", "toy", "--base", "scripted", "--with", "duty", PLURIVERSE_OFFLINE="1")
    assert code in {1, 2, 3} and why in f"{document['error']['message']} {document['error']['hint']}"


def test_a_folder_that_is_none_is_told_and_the_others_go_on(call: Call, package: Path) -> None:
    entries = ENTRIES.replace("toy_things.instruments", "toy_things.loader")
    write(package.parent / "toy_things-1.0.dist-info" / "entry_points.txt", entries)
    code, listed, said = call("measure", COLUMNS="400")
    assert code == 0 and len(listed["instruments"]) > 30 and "toy of the package toy-things is no folder" in said


def test_a_source_of_another_package_is_pulled_from_and_goes_on_where_it_broke_off(call: Call, package: Path) -> None:
    hoard = package / "hoard"
    write(hoard / "thing", gguf(9000))
    write(hoard / "breaks", "")
    code, document, _ = call("pull", "toy:thing")
    assert code == 1 and "the hoard fell shut" in document["error"]["message"]
    (hoard / "breaks").unlink()
    code, pulled, _ = call("pull", "toy:thing")
    assert code == 0 and pulled["name"] == "thing" and pulled["source"] == "toy:thing"
    assert pulled["resumed_bytes"] == 8192 and pulled["bytes"] == len(gguf(9000))
    code, shown, _ = call("ls")
    assert code == 0 and [each["name"] for each in shown["models"]] == ["thing"]


def test_what_is_wrong_with_such_a_source_is_told_in_words(call: Call, package: Path) -> None:
    def told(ref: str, **environment: str) -> str:
        code, document, _ = call("pull", ref, **environment)
        assert code, "it must fail"
        return f"{document['error']['message']} {document['error']['hint']}"

    write(package / "hoard" / "thing", gguf(9000))
    assert "there is no toy other" in told("toy:other")
    assert "write toy:THING" in told("toy:")
    assert "PLURIVERSE_OFFLINE is set" in told("toy:thing", PLURIVERSE_OFFLINE="1")
    assert "'toyish:thing' is not known" in told("toyish:thing")
    write(package / "hoard" / "lies", "")
    assert "begins at byte 1, which nobody asked for" in told("toy:thing")
    (package / "hoard" / "lies").rename(package / "hoard" / "boasts")
    assert f"toy:thing ended after {len(gguf(9000)):,} of" in told("toy:thing")
    write(package / "source.py", SOURCE.replace("(SourceKind):", "(SourceKind):\n    here = True"))
    assert "look whether it is there" in told("toy:other") and "the network" not in told("toy:other")
    write(package / "source.py", "import nowhere")
    assert "toy of the package toy-things cannot be loaded" in told("toy:thing")


ODD = """
import sys
from contextlib import asynccontextmanager

from pluriverse.measure.schema.metric import FigureKind, Metric
from pluriverse.store.sources import SourceKind
from pluriverse.values import Pullable
from toy_things.source import ToySource


def raising(*words):
    raise ZeroDivisionError("boom")


class Parses(SourceKind):
    def parse(self, ref):
        return 5

    open = raising


class Opens(SourceKind):
    def parse(self, ref):
        return Pullable.of_file(ref, "thing.gguf", ToySource("thing"))

    open = raising


class Stops:
    def __init__(self, base, settings):
        self.base = base.name

    async def start(self):
        raising()

    async def aclose(self):
        raise KeyError("and once more")


async def no_items(instrument, settings):
    return None


luck = Metric("luck", raising, raising, (FigureKind("luck", "luck", "Luck."),))
number = 3
"""
ODD_ENTRIES = """
[pluriverse.engines]
number = toy_things.odd:number
raising = toy_things.odd:raising
stops = toy_things.odd:Stops
leaves = toy_things.leaves:engine
local = toy_things.odd:raising
[pluriverse.sources]
number = toy_things.odd:number
raising = toy_things.odd:raising
parses = toy_things.odd:Parses
toy = toy_things.odd:Opens
hf = toy_things.odd:raising
[pluriverse.instruments]
toy = toy_things.instruments
number = toy_things.odd:number
leaves = toy_things.leaves
[pluriverse.metrics]
luck = toy_things.odd:luck
exact_match = toy_things.odd:number
[pluriverse.loaders]
toy = toy_things.LOADER
"""


@pytest.fixture
def odd(package: Path) -> Callable[[str], None]:
    """Make it a package whose parts fail in ways of their own; with that loader."""

    def make(loader: str = "loader:load_toy") -> None:
        write(package / "odd.py", ODD)
        write(package / "leaves.py", "import sys; sys.exit(0)")
        entries = ODD_ENTRIES.replace("LOADER", loader)
        write(package.parent / "toy_things-1.0.dist-info" / "entry_points.txt", entries)

    return make


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("ask hi --with duty --base number:x", "number of the package toy-things went wrong: TypeError: 'int' object"),
        (
            "ask hi --with duty --base raising:x",
            "raising of the package toy-things went wrong: ZeroDivisionError: boom",
        ),
        ("ask hi --with duty --base stops:x", "stops of the package toy-things went wrong: ZeroDivisionError: boom"),
        ("ask hi --with duty --base leaves:x", "leaves of the package toy-things cannot be loaded: 0"),
        ("pull number:x", "number of the package toy-things went wrong: TypeError"),
        ("pull raising:x", "raising of the package toy-things went wrong: ZeroDivisionError"),
        ("pull parses:x", "what parses:x stands for is of type int, and no Pullable"),
        ("pull toy:x", "toy of the package toy-things went wrong: ZeroDivisionError: boom"),
        ("pull hf:a/b/c.gguf", "PLURIVERSE_OFFLINE is set"),
    ],
)
def test_parts_that_fail_in_ways_of_their_own_are_told_with_their_package(
    call: Call, odd: Callable[..., None], words: str, why: str
) -> None:
    odd()
    offline = {"PLURIVERSE_OFFLINE": "1"} if "hf:" in words else {}
    code, document, _ = call(*words.split(), **offline)
    assert code == 1 and why in document["error"]["message"]
    assert "hf:" in words or "toy-things" in document["error"]["hint"]


def test_instruments_metrics_and_loaders_that_fail_in_ways_of_their_own(
    call: Call, odd: Callable[..., None], package: Path
) -> None:
    odd()
    write(package / "instruments" / "toy.toml", INSTRUMENT.replace('["exact_match"]', '["exact_match", "luck"]'))
    write(package / "instruments" / "long.toml", "x = " + "9" * 5000)
    code, listed, said = call("measure", COLUMNS="400")
    assert code == 0 and len(listed["instruments"]) > 30 and "number of the package toy-things is no folder" in said
    assert "leaves of the package toy-things cannot be loaded" in said and "longer than 64 characters" in said
    code, found, _ = call("measure", "toy", "--base", "scripted", "--with", "duty")
    rows = {each["metric"]: each for each in found["rows"]}
    assert code == 0 and rows["exact_match"]["n"] == 2
    assert rows["luck"]["value"] is None
    odd("odd:no_items")
    code, document, _ = call("measure", "toy", "--base", "scripted", "--with", "duty")
    assert code == 1 and "toy of the package toy-things went wrong: TypeError: what it gives is no list" in str(
        document
    )
