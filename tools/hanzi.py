"""Makes the table by which traditional and simplified Chinese characters are the same in a search.

    python tools/hanzi.py TSCharacters.txt    of OpenCC (Apache-2.0): data/dictionary/TSCharacters.txt

One pair of characters after the other, the traditional one first. Where a character has several simplified forms, the
first that is another one counts: a search may find too much by that, and never too little.
"""

import sys
from pathlib import Path

PLACE = Path(__file__).parent.parent / "src" / "pluriverse" / "works" / "index" / "hanzi.txt"
HEADING = """\
# Traditional characters and the simplified ones that they are searched as, in pairs. Made by tools/hanzi.py from
# data/dictionary/TSCharacters.txt of OpenCC (https://github.com/BYVoid/OpenCC, commit {commit}),
# Copyright BYVoid and contributors, Apache License 2.0.
"""
COMMIT = "5249273a3e5606852f088c9a8b23522145d94f78"


def main(file: str) -> None:
    simple: dict[str, str] = {}
    for line in Path(file).read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            character, forms = line.split("\t")[:2]
            other = next((form for form in forms.split() if form != character), character)
            if len(character) == len(other) == 1 and other != character:
                simple[character] = other
    pairs = []
    for character, other in sorted(simple.items()):
        while other in simple and simple[other] != character:
            other = simple[other]
        pairs.append(character + other)
    rows = ["".join(pairs[start : start + 50]) for start in range(0, len(pairs), 50)]
    PLACE.write_text(HEADING.format(commit=COMMIT) + "\n".join(rows) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
