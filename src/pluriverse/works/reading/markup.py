"""HTML into blocks: what a reader of the page sees, without menus, scripts, page numbers and marks of footnotes.

Knows the parser (lxml), which mends broken pages, loads nothing and has limits of its own.
"""

import re
from contextlib import suppress
from typing import Any

from .decoding import decode
from .parts import Part, Raw, Unreadable

_SKIPPED = frozenset((
    "script", "style", "template", "noscript", "nav", "aside", "head", "svg", "math", "iframe", "object", "button",
    "select", "textarea", "form", "audio", "video",
))  # fmt: skip
_BLOCKS = frozenset((
    "p", "div", "section", "article", "main", "header", "footer", "blockquote", "li", "ul", "ol", "dl", "dt", "dd",
    "table", "tr", "thead", "tbody", "figure", "figcaption", "pre", "address", "hr", "center", "body", "details",
    "summary", "caption", "h5", "h6",
))  # fmt: skip
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4}
_CELLS = frozenset(("td", "th"))
_PAGE_NUMBERS = re.compile(r"\b(?:pagenum|pageno|pagebreak|page-number)\b", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_NOTE_MARK = re.compile(r"\s*[\[(]?(?:\d{1,4}|[*†‡§])[\])]?\s*")
_CHARSET = re.compile(rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)


def read_html(data: bytes) -> Raw:
    named = _CHARSET.search(data[:4096])
    text, lost = decode(data, named[1].decode("ascii") if named else "")
    root = _parsed(text)
    raw = Raw(parts=[lost] if lost is not None else [])
    raw.title, raw.author = _title(root), _meta(root, "author") or _meta(root, "dc.creator")
    raw.language = root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    walk(root, raw)
    return raw


def read_chapter(data: bytes, raw: Raw) -> None:
    """One page of a book, into the book."""
    named = _CHARSET.search(data[:4096])
    text, lost = decode(data, named[1].decode("ascii") if named else "")
    if lost:
        raw.parts.append(Part(lost.reason, lost.message, lost.hint, lost.count))
    with suppress(Unreadable):  # a page of pictures
        walk(_parsed(text), raw)


def _parsed(text: str) -> Any:
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise Unreadable("empty", "has no text") from None
    return root


def _title(root: Any) -> str:
    found = root.find(".//title")
    return " ".join((found.text or "").split()) if found is not None else ""


def _meta(root: Any, name: str) -> str:
    for each in root.iter("meta"):
        if (each.get("name") or "").lower() == name:
            return str(each.get("content") or "")
    return ""


def walk(root: Any, raw: Raw) -> None:
    """The blocks below one element, in one pass that no depth of nesting can overflow."""
    from lxml import etree

    said: list[str] = []
    verbatim = skipped = 0

    def flush(level: int = 0) -> None:
        text = "".join(said)
        said.clear()
        if level:
            raw.heading(level, text)
        else:
            raw.block(text)

    def say(text: str | None) -> None:
        if text and not skipped:
            said.append(text if verbatim else re.sub(r"\s+", " ", text))

    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if skipped or _is_skipped(element, tag):
                skipped += 1
            elif tag in _BLOCKS or tag in _HEADINGS:
                flush()
            verbatim += tag == "pre"
            say(element.text)
        else:
            verbatim -= tag == "pre"
            if skipped:
                skipped -= 1
            elif tag == "br":
                said.append("\n")
            elif tag in _HEADINGS:
                flush(_HEADINGS[tag])
            elif tag in _BLOCKS:
                flush()
            elif tag in _CELLS:
                said.append(" ")
            if element is not root:
                say(element.tail)
    flush()


def _is_skipped(element: Any, tag: str) -> bool:
    if tag in _SKIPPED or element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if _HIDDEN.search(element.get("style") or "") or _PAGE_NUMBERS.search(element.get("class") or ""):
        return True
    if tag == "sup" and len(element) == 1 and element[0].tag == "a":
        return bool(_NOTE_MARK.fullmatch("".join(element.itertext())))
    kind = element.get("{http://www.idpf.org/2007/ops}type") or element.get("epub:type") or ""
    return tag == "a" and "noteref" in kind
