"""Makes the recipes of the library's works that do not ship: how their texts are made of the public files.

    python tools/work_recipes.py FOLDER ORIGINALS [ID...]

FOLDER has works.toml and one ID.txt for each work. ORIGINALS has a clone of each public repository, called OWNER+NAME
(bare, or with a work tree). What `works/library/remaking.py` makes of each recipe is compared with the text.
"""

import argparse
import json
import lzma
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from library import HOME, SHIPPED

from pluriverse.works.library.remaking import cooked, plain

_ANCHOR = 16  # letters that two texts must share before they are taken for the same place
_LOOKED_AT = 200  # places of one anchor

Copy = list[tuple[str, int, int]]


def original(work: dict[str, Any], clones: Path) -> bytes:
    """The public files of a work as they were at its commit, joined."""
    clone = clones / work["source_repo"].removeprefix("https://github.com/").replace("/", "+")
    folder = next(
        each for each in (clone / "repo" / ".git", clone / "repo", clone / ".git", clone) if (each / "HEAD").is_file()
    )
    git = ["git", "--git-dir", str(folder), "show"]
    shown = [
        subprocess.run([*git, f"{work['source_commit']}:{path}"], capture_output=True, check=True)
        for path in work["source_path"]
    ]
    return b"".join(each.stdout for each in shown)


def recipe(letters: str, text: str) -> Copy:
    """Of a text, which stretches of `letters` it has: the longest from each place on, the next place preferred."""
    places: dict[str, list[int]] = {}
    for place in range(len(letters) - _ANCHOR + 1):
        places.setdefault(letters[place : place + _ANCHOR], []).append(place)
    copy: Copy = []
    own, at, here = "", 0, 0  # letters of its own before the next stretch; places in `letters` and in `text`
    while here < len(text):
        found = places.get(text[here : here + _ANCHOR], [])[:_LOOKED_AT]
        if not found:
            own += text[here]
            here += 1
            continue
        start = min(found, key=lambda place: (place < at, abs(place - at)))
        length = _ANCHOR
        while letters[start + length : start + length + 1] == text[here + length : here + length + 1] != "":
            length += 1
        back = 0
        while back < min(len(own), start) and own[-1 - back] == letters[start - 1 - back]:
            back += 1
        own = own[: len(own) - back]
        copy.append((own, start - back - at, length + back))
        own, at, here = "", start + length, here + length
    return [*copy, (own, 0, 0)] if own else copy


def packed(work: dict[str, Any], text: str, clones: Path) -> bytes:
    """The smaller of the recipes by lines and by paragraphs."""
    data = original(work, clones)
    found = []
    for lines in (False, True):
        letters = plain(data, lines=lines)
        copy = recipe(letters, text)
        if cooked(letters, copy) != text:
            sys.exit(f"{work['id']}: the recipe makes another text")
        document = json.dumps({"lines": lines, "copy": copy}, ensure_ascii=False, separators=(",", ":"))
        found.append(lzma.compress(document.encode(), preset=9 | lzma.PRESET_EXTREME, check=lzma.CHECK_CRC32))
    return min(found, key=len)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("originals", type=Path)
    parser.add_argument("ids", nargs="*")
    asked = parser.parse_args()
    target = HOME / "recipes"
    target.mkdir(exist_ok=True)
    for work in tomllib.loads((asked.folder / "works.toml").read_text("utf-8"))["work"]:
        name = work["id"]
        if name not in (asked.ids or {name} - set(SHIPPED)):
            continue
        text = (asked.folder / f"{name}.txt").read_bytes().decode("utf-8")
        made = packed(work, text, asked.originals)
        (target / f"{name}.json.xz").write_bytes(made)
        print(f"{name}: {len(made):,} bytes", flush=True)


if __name__ == "__main__":
    main()
