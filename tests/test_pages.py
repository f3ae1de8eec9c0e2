"""The pages for engineers name what is there: each file, folder, module and function of them is looked up."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "pluriverse"
PAGES = [ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md"]
FILE = re.compile(r"[\w./{}-]+\.(?:py|toml|md)|[\w.-]+(?:/[\w.-]+)+/?|\w+/")
BESIDE = (ROOT, SOURCE, SOURCE / "measure")  # where a path of these pages may begin


def quoted(page: Path) -> list[str]:
    """What stands between back quotes, but for blocks and commands; a placeholder in capitals ends a path."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [word for word in re.findall(r"`([^`\n]+)`", text) if " " not in word]


def found(path: str, near: Path) -> list[Path]:
    """Where a path is, from the top, the package or `measure`; a name alone is beside the file named last."""
    whole = re.sub(r"/?NAME.*", "", path).rstrip("/")
    return [place for base in (*BESIDE, near) for place in (base / whole, base / f"{whole}.py") if place.exists()]


def defined(module: Path) -> set[str]:
    """Functions and classes of a module, and methods as `Class.method`."""
    names = set()
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{each.name}" for each in node.body if hasattr(each, "name")}
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_functions_that_a_page_names_are_there(page: Path) -> None:
    looked_up, near = 0, ROOT
    for words in quoted(page):
        path, _, name = words.partition(":")
        if not FILE.fullmatch(path):
            continue
        places = found(path, near)
        assert places, f"{page.name} names {words}"
        if name:
            assert name in defined(places[0]), f"{page.name} names {words}"
        looked_up, near = looked_up + 1, places[0].parent
    assert looked_up > 8


def test_the_drawing_of_the_house_has_every_room_and_no_other() -> None:
    (drawn,) = re.findall(r"^```text\n(.*?)^```", PAGES[0].read_text("utf-8"), re.MULTILINE | re.DOTALL)
    inside = re.findall(r"^ {12}(\w+)/ ", drawn, re.MULTILINE)
    rooms = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    rooms_of_measuring = {path.parent.name for path in (SOURCE / "measure").glob("*/__init__.py")}
    assert set(inside) == rooms_of_measuring
    assert rooms <= set(re.findall(r"(\w+)/", drawn))
    assert set(re.findall(r"^(\w+)/", drawn, re.MULTILINE)) <= rooms


DOTTED = re.compile(r"`((?:[a-z_]+\.)+[A-Za-z_]+)(?:\(.*)?`")
FILES = {"py", "toml", "txt", "json", "jsonl", "h"}
OF_OTHERS = {"metadata", "ray", "general", "org"}  # keys of documents and names of other packages


def test_docstrings_name_modules_that_are_there() -> None:
    """A dotted name of a docstring or comment begins with a module, wherever that stands, or ends as a file does."""
    modules = {part for path in SOURCE.rglob("*.py") for part in path.relative_to(SOURCE).with_suffix("").parts}
    for path in sorted(SOURCE.rglob("*.py")):
        for dotted in DOTTED.findall(path.read_text("utf-8")):
            first, *rest = dotted.removeprefix("pluriverse.").split(".")
            if first in OF_OTHERS or (rest and rest[-1] in FILES):
                continue
            assert first in modules, f"{path.relative_to(SOURCE)} names {dotted}"
            assert all(part in modules for part in rest[:-1] if part.islower()), f"{path.name} names {dotted}"


def test_tests_lie_in_folders_named_like_the_rooms() -> None:
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")} - {Path(), Path("api")}
    assert [str(folder) for folder in sorted(folders) if not (SOURCE / folder).is_dir()] == []
