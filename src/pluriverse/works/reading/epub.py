"""EPUB into blocks: the pages of its reading order, its title, author, language, publisher and year."""

import re
from pathlib import Path
from typing import Any

from .archive import Archive, beside, local
from .markup import read_chapter
from .parts import Part, Raw, Unreadable

CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_YEAR = re.compile(r"\b\d{4}\b")


def read_epub(path: Path) -> Raw:
    archive = Archive(path)
    if CONTAINER not in archive:
        raise Unreadable("broken", "is broken: it does not say where its book is", "get it anew")
    package = next(
        (each.get("full-path") for each in archive.xml(CONTAINER).iter() if local(each.tag) == "rootfile"), ""
    )
    if package not in archive:
        raise Unreadable("broken", "is broken: its book is not in it", "get it anew")
    root = archive.xml(package)
    raw = _described(root)
    pages = _pages(root, package)
    locked = _locked(archive)
    if pages and locked.issuperset(pages):
        raise Unreadable("encrypted", "is encrypted: it has copy protection", "get an edition without it")
    missing = [page for page in pages if page not in archive or page in locked]
    for page in pages:
        if page in archive and page not in locked:
            read_chapter(archive.read(page), raw)
    if missing:
        raw.parts.append(Part("broken", f"lacks {len(missing):,} of its {len(pages):,} pages", None, len(missing)))
    return raw


def _described(root: Any) -> Raw:
    said: dict[str, str] = {}
    for each in root.iter():
        name = local(each.tag)
        if name in {"title", "creator", "language", "publisher", "date"} and each.text and name not in said:
            said[name] = each.text.strip()
    year = _YEAR.search(said.get("date", ""))
    edition = ", ".join(filter(None, (said.get("publisher", ""), year[0] if year else "")))
    return Raw(said.get("title", ""), said.get("creator", ""), said.get("language", ""), edition)


def _pages(root: Any, package: str) -> list[str]:
    """Members in reading order, without the list of contents."""
    items = {each.get("id"): each for each in root.iter() if local(each.tag) == "item"}
    found = []
    for each in root.iter():
        item = items.get(each.get("idref")) if local(each.tag) == "itemref" else None
        if item is not None and item.get("href") and "nav" not in (item.get("properties") or "").split():
            found.append(beside(package, item.get("href")))
    return found


def _locked(archive: Archive) -> set[str]:
    """Members that are encrypted; fonts often are, and nobody reads them."""
    if _ENCRYPTION not in archive:
        return set()
    found = (each.get("URI") for each in archive.xml(_ENCRYPTION).iter() if local(each.tag) == "CipherReference")
    return {beside("", reference) for reference in found if reference}
