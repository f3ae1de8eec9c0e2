"""The library that ships: works in the public domain, most of them with their texts.

Knows what is in the package; no store, no network. `tools/library.py` makes index.toml and the packed texts. Works
whose text does not ship are listed too: it comes from PLURIVERSE_DATA/works, or is made again of the public files that
it was made from (`remaking.py`).
"""

import lzma
import tomllib
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from ...errors import IntegrityError
from ...values import Digest
from ..schema import Work


@dataclass(frozen=True, slots=True)
class Origin:
    """The public files that a text was made from. `digest`: of their bytes, joined in their order."""

    repo: str
    commit: str
    paths: tuple[str, ...]
    digest: Digest


@dataclass(frozen=True, slots=True)
class Entry:
    """One work of the library. `year`, `public_domain`, `note`: in words. `size`: bytes of its text."""

    work: Work
    translator: str
    year: str
    dimension: str
    tradition: str
    counterpart: str  # the tradition on the other side; "": none
    public_domain: str
    life70: str  # yes, likely, no: free where copyright ends 70 years after the deaths of author and translator
    note: str
    size: int
    shipped: bool
    origin: Origin


@cache
def entries() -> dict[str, Entry]:
    """All works of the library by their ids, also those whose texts do not ship."""
    document = tomllib.loads(files(__package__).joinpath("index.toml").read_text("utf-8"))
    return {table["id"]: _entry(table) for table in document["work"]}


def text_of(work: Work) -> bytes | None:
    """The text of a work that ships, in UTF-8; None where it does not, or is known by another digest.

    IntegrityError where the installed file was changed.
    """
    if not ships(work):
        return None
    try:
        text = lzma.decompress(_packed(work).read_bytes())
    except lzma.LZMAError:
        text = b""
    digest = digest_of(text)
    if digest == work.digest:
        return text
    if digest == entries()[work.id].work.digest:
        return None
    raise IntegrityError(f"the text of {work.id} in the installed package was changed", "install the package again")


def ships(work: Work) -> bool:
    """Whether a text of this name is in the package."""
    return work.id.replace("-", "").isalnum() and _packed(work).is_file()


def digest_of(text: bytes) -> Digest:
    return Digest(f"sha256:{sha256(text).hexdigest()}")


def edition(translator: str, year: str) -> str:
    """What a citation says of a text beside author and title."""
    return ", ".join(filter(None, (f"translated by {translator}" if translator else "", year)))


def _packed(work: Work) -> Traversable:
    return files(__package__).joinpath("texts", f"{work.id}.txt.xz")


def _entry(table: dict[str, Any]) -> Entry:
    translator, year = table.get("translator", ""), table.get("year", "")
    return Entry(
        work=Work(
            id=table["id"],
            title=table["title"],
            digest=Digest(f"sha256:{table['sha256']}"),
            language=table["language"],
            author=table.get("author", ""),
            edition=edition(translator, year),
        ),
        translator=translator,
        year=year,
        dimension=table["dimension"],
        tradition=table["tradition"],
        counterpart=table.get("counterpart", ""),
        public_domain=table["public_domain"],
        life70=table["pd_life70"],
        note=table.get("note", ""),
        size=table["bytes"],
        shipped=table.get("shipped", False),
        origin=Origin(
            table["origin_repo"],
            table["origin_commit"],
            tuple(table["origin_path"]),
            Digest(f"sha256:{table['origin_sha256']}"),
        ),
    )
