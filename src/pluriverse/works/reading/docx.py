"""DOCX into blocks: paragraphs as they stand after all changes, headings by their styles, title and author."""

from pathlib import Path
from typing import Any

from .archive import Archive, local
from .parts import Raw, Unreadable

BODY = "word/document.xml"
_PROPERTIES = "docProps/core.xml"
_STYLES = "word/styles.xml"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# What was deleted, what stands in the text a second time for older programs, and fields' commands.
_SKIPPED = frozenset(("del", "moveFrom", "Fallback", "instrText", "delText", "pPr", "sectPr"))


def read_docx(path: Path) -> Raw:
    archive = Archive(path)
    if BODY not in archive:
        raise Unreadable("broken", "is broken: its text is not in it", "get it anew")
    raw = Raw()
    if _PROPERTIES in archive:
        said = {local(each.tag): (each.text or "").strip() for each in archive.xml(_PROPERTIES)}
        raw.title, raw.author, raw.language = said.get("title", ""), said.get("creator", ""), said.get("language", "")
    levels = _levels(archive)
    for paragraph in archive.xml(BODY).iter(f"{_W}p"):
        level = _level(paragraph, levels)
        text = _text(paragraph)
        if level == 0 and not raw.title:
            raw.title = " ".join(text.split())
        elif level:
            raw.heading(level, text)
        else:
            raw.block(text)
    return raw


def _levels(archive: Archive) -> dict[str, int]:
    """Levels of headings by the ids of styles; 0: the title's."""
    found = {}
    for style in archive.xml(_STYLES).iter(f"{_W}style") if _STYLES in archive else ():
        name = style.find(f"{_W}name")
        said = (name.get(f"{_W}val") or "").lower() if name is not None else ""
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        if said == "title":
            found[style.get(f"{_W}styleId")] = 0
        elif outline is not None and (outline.get(f"{_W}val") or "").isdigit():
            found[style.get(f"{_W}styleId")] = int(outline.get(f"{_W}val")) + 1
        elif said.startswith("heading ") and said[8:].isdigit():
            found[style.get(f"{_W}styleId")] = int(said[8:])
    return {name: level for name, level in found.items() if level <= 4}


def _level(paragraph: Any, levels: dict[str, int]) -> int | None:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return levels.get(style.get(f"{_W}val")) if style is not None else None


def _text(paragraph: Any) -> str:
    """Of a paragraph, without paragraphs inside it, which come by themselves."""
    said: list[str] = []
    waiting = [iter(paragraph)]
    while waiting:
        element = next(waiting[-1], None)
        if element is None:
            waiting.pop()
            continue
        name = local(element.tag)
        if name == "t":
            said.append(element.text or "")
        elif name == "tab":
            said.append(" ")
        elif name in {"br", "cr"}:
            said.append("\n")
        elif name == "noBreakHyphen":
            said.append("-")
        elif name not in _SKIPPED and name != "p" and not _hidden(element):
            waiting.append(iter(element))
    return "".join(said)


def _hidden(element: Any) -> bool:
    """A run that Word does not show."""
    mark = element.find(f"{_W}rPr/{_W}vanish") if local(element.tag) == "r" else None
    return mark is not None and mark.get(f"{_W}val") not in {"0", "false"}
