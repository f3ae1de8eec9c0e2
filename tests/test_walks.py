"""The drawing and the walks of docs/architecture.md against the code: what is above what, and who calls whom."""

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from types import FrameType

import pytest

from pluriverse.cli import main

from .test_layers import GROUND, MAY_IMPORT, NAMES, ROOT, room

PAGE = (Path(__file__).parent.parent / "docs" / "architecture.md").read_text("utf-8")
FILES = {str(ROOT / path): room(name) for name, path in NAMES.items()}


def drawn() -> Iterator[tuple[str, int]]:
    """Each room of the drawing and its line, from the top."""
    (drawing,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for number, line in enumerate(drawing.splitlines()):
        inside = re.match(r" {12}(\w+)/ ", line)
        for name in [f"measure.{inside[1]}"] if inside else re.findall(r"(?:^|  )(\w+)/ ", line):
            yield name, number
    for name in re.findall(r"\w+", drawing.splitlines()[-1]):
        yield name, number


def test_every_room_is_drawn_above_those_that_it_may_import_from() -> None:
    lines = dict(drawn())
    for upper, below in MAY_IMPORT.items():
        for lower in (below & lines.keys()) - {upper} if upper in lines and upper not in GROUND else ():
            assert lines[upper] < lines[lower], f"{upper} may import from {lower}"
    assert lines.keys() >= GROUND and len(lines) > 25


def walk(heading: str) -> list[str]:
    """The rooms that a walk of the page passes, in its order."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    paths = [ROOT / words.partition(":")[0] for words in re.findall(r"`(\w+/[\w./-]+)[^`\n]*`", section)]
    found = [room(".".join(path.relative_to(ROOT).with_suffix("").parts)) for path in paths if path.exists()]
    return [name for name, _ in groupby(found)]


def test_the_walk_of_an_instrument_is_short_and_comes_back_only_to_return() -> None:
    rooms = walk("An instrument")
    assert len(set(rooms)) <= 10 and rooms[0] == "cli.commands" and {"measure.data", "measure.metrics"} <= set(rooms)
    way: list[str] = []
    left: set[str] = set()
    for name in rooms:
        assert name not in left, f"{name} was left before"
        if name in way:
            left |= {*way[way.index(name) + 1 :]}
            del way[way.index(name) + 1 :]
        else:
            way.append(name)


def test_no_room_is_called_back_by_one_that_it_called(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the ground may be told how to understand what it reads."""
    back: set[str] = set()
    passed: set[str] = set()

    def look(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or frame.f_code.co_filename not in FILES:
            return
        rooms: list[str] = []
        at: FrameType | None = frame
        while at is not None:
            if at.f_code.co_name == "<module>":
                if at.f_code.co_filename in FILES:
                    return  # importing
            elif (name := FILES.get(at.f_code.co_filename)) and name not in GROUND and name not in rooms[-1:]:
                rooms.append(name)
            at = at.f_back
        passed.update(rooms)
        if len(set(rooms)) < len(rooms):
            back.add(" > ".join(reversed(rooms)))

    words = ("remarks-politics", "--base", "scripted", "--with", "duty,outcomes", "--limit", "8")
    before = sys.getprofile()
    sys.setprofile(look)
    try:
        code = main(["measure", *words, "--blind-too", "--json"])
    finally:
        sys.setprofile(before)
    assert code == 0, capsys.readouterr().err
    assert not back
    assert passed >= {"cli.commands", "measure", "measure.run", "measure.results", "measure.metrics", "engines"}
