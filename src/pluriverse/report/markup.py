"""Markup that cannot be broken by what stands in it: elements are built, never pasted together.

Names of assistants and what models said are strangers' text. A plain `str` is escaped wherever it is put; only `Html`,
which `el` and `joined` return, goes in as it is. Tags balance by construction. Knows HTML and SVG; no figures.
"""

import html
import re
import unicodedata
from collections.abc import Iterable

_VOID = {"br", "col", "hr", "meta"}  # of HTML; those that the report uses
_DRAWN = {"line", "rect", "circle", "ellipse", "path", "polygon"}  # of SVG, mostly empty

# What XML forbids, what is no character, and what turns the direction of the text after it (a name could hide there).
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u202a-\u202e\u2066-\u2069\u200e\u200f]"
)
_ADDRESS = re.compile(r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]]")

_WIDE = 1.0  # em of an ideograph
_NARROW = 0.55  # em of a letter of a usual sans serif, on average


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


class Numeric(Html):
    """A number, whatever stands beside it: an interval, a mark. Columns of these are set as numbers."""

    __slots__ = ()


Child = str | Html | None
Attribute = str | float | bool | None


def cleaned(text: str) -> str:
    return _UNWANTED.sub("", text)


def escaped(child: Child) -> str:
    if child is None:
        return ""
    return child if isinstance(child, Html) else html.escape(cleaned(child))


def el(name: str, *children: Child, **attributes: Attribute) -> Html:
    """One element. `class_="x"` is class, underscores become hyphens; None and False leave an attribute out."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{"" if value is True else _attribute(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{words}>")
    inside = "".join(escaped(child) for child in children)
    if not inside and name in _DRAWN:
        return Html(f"<{name}{words}/>")
    return Html(f"<{name}{words}>{inside}</{name}>")


def joined(parts: Iterable[Child], between: str = "") -> Html:
    return Html(html.escape(between).join(escaped(part) for part in parts if part))


def numeric(parts: Iterable[Child], between: str = "") -> Numeric:
    return Numeric(joined(parts, between))


def linked(text: str) -> Html:
    """Text with its addresses as links. Only http and https become one; nothing is loaded until somebody follows it."""
    parts: list[Child] = []
    end = 0
    for found in _ADDRESS.finditer(text):
        parts += [text[end : found.start()], el("a", found[0], href=found[0], rel="noopener noreferrer")]
        end = found.end()
    return joined([*parts, text[end:]])


def document(title: str, style: str, *body: Child, lang: str | None = None) -> str:
    """A whole file that is complete in itself: no script, nothing loaded, and a browser holds it to that."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name_="color-scheme", content="light dark"),
        el("meta", name_="referrer", content="no-referrer"),
        el("title", title),
        el("style", Html(style)),
    )
    return f"<!doctype html>\n{el('html', head, el('body', *body), lang=lang)}\n"


def ems(text: str) -> float:
    """About how wide a text is, in em."""
    return sum(_WIDE if unicodedata.east_asian_width(letter) in "WF" else _NARROW for letter in text)


def shortened(text: str, width: float) -> str:
    """At most about `width` em of a text, the cut shown."""
    text = cleaned(text)
    if ems(text) <= width:
        return text
    while text and ems(text) > width - _WIDE:
        text = text[:-1]
    return text.rstrip(" -·,") + "…"


def _attribute(value: str | float | bool) -> str:
    return f"{value:.6g}" if isinstance(value, float) else html.escape(cleaned(str(value)))
