"""PDF into blocks: lines joined to paragraphs, running heads dropped, bookmarks as headings.

Knows the parser (pypdfium2, the library of a browser), which gives the letters of a page in lines. What a page looks
like is not asked: a paragraph ends where a line does that is shorter than the others and ends a sentence.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .parts import Part, Raw, Unreadable

_SCANS = "run a character recognition (OCR) over it first"
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_HYPHEN = re.compile(r"[\x02\ufffe\u00ad]$")  # what the parser says of a word that goes on in the next line
_PAGE_NUMBER = re.compile(r"\W*(?:\d{1,5}|[ivxlc]{1,8})\W*", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_SENTENCE_END = re.compile(r"[.!?…。！？؟:][\"'”’»)\]」』]*$")
_SHORT = 0.8  # of a full line: one that may end a paragraph
_FEW_LETTERS = 3
_RUNNING = 0.3  # share of pages on which a first or last line stands that is none of the text


def read_pdf(path: Path) -> Raw:
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if error.err_code == _PASSWORD:
            raise Unreadable("encrypted", "is encrypted", "save it without a password") from None
        raise Unreadable("broken", "is broken: it cannot be opened", "get it anew") from None
    raw = Raw(document.get_metadata_value("Title").strip(), document.get_metadata_value("Author").strip())
    pages, scanned, broken = [], 0, 0
    for number in range(len(document)):
        try:
            page = document[number]
            text = page.get_textpage().get_text_range()
            scanned += sum(map(str.isalnum, text)) < _FEW_LETTERS and _has_pictures(page)
            page.close()
        except pdfium.PdfiumError:
            text, broken = "", broken + 1
        pages.append([line.rstrip(" ") for line in re.split(r"\r\n|\r|\n|(?<=[\x02\ufffe])", text) if line.strip()])
    if not any(pages):
        if scanned:
            raise Unreadable("no_text", f"has no text on its {len(pages):,} pages, only pictures of it", _SCANS)
        raise Unreadable("broken" if broken else "empty", "has no text")
    if scanned:
        raw.parts.append(Part("no_text", f"has {scanned:,} of {len(pages):,} pages without text", _SCANS, scanned))
    if broken:
        raw.parts.append(Part("broken", f"has {broken:,} broken pages", None, broken))
    _fill(raw, _without_running_heads(pages), _bookmarks(document))
    return raw


def _has_pictures(page: Any) -> bool:
    import pypdfium2.raw as c

    return any(page.get_objects(filter=[c.FPDF_PAGEOBJ_IMAGE], max_depth=3))


def _bookmarks(document: Any) -> dict[int, list[tuple[int, str]]]:
    """Levels and titles by the page that they lead to."""
    found: dict[int, list[tuple[int, str]]] = {}
    for mark in document.get_toc(max_depth=4):
        target = mark.get_dest()
        page = target.get_index() if target is not None else None
        if page is not None and (title := " ".join(mark.get_title().split())):
            found.setdefault(page, []).append((mark.level + 1, title))
    return found


def _without_running_heads(pages: list[list[str]]) -> list[list[str]]:
    """Pages without their numbers and without lines that return at the top or foot of many pages."""
    edges = Counter(edge for page in pages for edge in {_plain(line) for line in (page[:1] + page[-1:])})
    often = {edge for edge, count in edges.items() if len(pages) >= 5 and count > _RUNNING * len(pages)}

    def runs(line: str) -> bool:
        return bool(_PAGE_NUMBER.fullmatch(line)) or _plain(line) in often

    kept = []
    for page in pages:
        start, end = 0, len(page)
        while start < min(end, 2) and runs(page[start]):
            start += 1
        while end > max(start, len(page) - 2) and runs(page[end - 1]):
            end -= 1
        kept.append(page[start:end])
    return kept


def _plain(line: str) -> str:
    return _DIGITS.sub("#", " ".join(line.split()).casefold())


def _fill(raw: Raw, pages: list[list[str]], marks: dict[int, list[tuple[int, str]]]) -> None:
    """The paragraphs, which may go on over pages, with headings before them."""
    lengths = sorted(len(line) for page in pages for line in page)
    full = lengths[int(len(lengths) * 0.9)] if lengths else 0
    words = _Words(pages)
    paragraph: list[str] = []

    def flush() -> None:
        raw.block(words.joined(paragraph))
        paragraph.clear()

    for number, page in enumerate(pages):
        waiting = list(marks.get(number, ()))
        found = {_plain(line) for line in page}
        for level, title in [each for each in waiting if _plain(each[1]) not in found]:
            flush()
            raw.heading(level, title)
        titles = {_plain(title): (level, title) for level, title in waiting if _plain(title) in found}
        for line in page:
            if here := titles.pop(_plain(line), None):
                flush()
                raw.heading(*here)
                continue
            paragraph.append(line)
            if len(line) < _SHORT * full and _SENTENCE_END.search(line):
                flush()
    flush()


class _Words:
    """How words of the document are written, to tell hyphens of words from those of lines."""

    def __init__(self, pages: Iterable[list[str]]) -> None:
        self._known = {
            word.strip(".,;:!?()[]\"'“”‘’").casefold() for page in pages for line in page for word in line.split()
        }

    def joined(self, lines: list[str]) -> str:
        text = ""
        for line in lines:
            line = line.strip()
            if _HYPHEN.search(text) or (text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower()):
                head = text[:-1]
                first, rest = head.rpartition(" ")[2], line.split(" ", 1)[0].strip(".,;:!?()[]\"'“”‘’")
                text = head + ("-" if f"{first}-{rest}".casefold() in self._known else "") + line
            else:
                text = f"{text} {line}" if text else line
        return text
