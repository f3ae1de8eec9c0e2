"""Texts that do not ship, made again from the public files that they were made from.

A recipe names the stretches of those files that the text has, letter by letter, and what stands between them. What it
makes is the text to the last byte, or is not used. `tools/work_recipes.py` writes recipes. Knows no network.
"""

import json
import lzma
import re
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from ...errors import IntegrityError

_AGAIN = "try again later; the file is pinned by its digest"


def recipe(name: str) -> Traversable:
    """Where the recipe of a work lies, if there is one."""
    return files(__package__).joinpath("recipes", f"{name}.json.xz")


def remade(name: str, original: bytes, digest: str) -> bytes:
    """The text of a work in UTF-8. `original`: its public files, joined in their order; `digest`: theirs, hexadecimal.

    IntegrityError where these are other files, or the installed recipe was changed.
    """
    if sha256(original).hexdigest() != digest:
        raise IntegrityError(f"the public file of {name} is not what it was: its digest differs", _AGAIN)
    try:
        document = json.loads(lzma.decompress(recipe(name).read_bytes()))
        return cooked(plain(original, lines=document["lines"]), document["copy"]).encode()
    except (OSError, lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"the recipe of {name} in the package was changed", "install the package again") from error


def plain(original: bytes, *, lines: bool) -> str:
    """A public file as recipes count its letters: white space folded, marks of italics gone, dashes as one letter.

    `lines`: lines stay lines, as in verse; else only paragraphs are kept apart.
    """
    try:
        text = original.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = original.decode("cp1252", "replace")
    text = re.sub(r"(?<!-)--(?!-)", "—", text.replace("\r\n", "\n").replace("\r", "\n").replace("_", ""))
    if lines:
        return re.sub(r"\n{2,}", "\n\n", re.sub(r" ?\n ?", "\n", re.sub(r"[^\S\n]+", " ", text)))
    return re.sub(r"\s+", lambda space: "\n\n" if space[0].count("\n") > 1 else " ", text)


def cooked(letters: str, copy: list[tuple[str, int, int]]) -> str:
    """What a recipe makes of `letters`: by turns some of its own, then `length` of theirs, `skip` after the last."""
    made, at = [], 0
    for own, skip, length in copy:
        at += skip
        made += [own, letters[at : at + length]]
        at += length
    return "".join(made)
