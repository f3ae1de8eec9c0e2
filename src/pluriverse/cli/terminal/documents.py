"""Answers and kept conversations as files: Markdown, HTML, JSON or plain text, by the file's suffix.

Knows how they look; texts of models and people are escaped wherever they are put. An HTML file is complete in itself:
no script, nothing loaded.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import PluriverseError, UsageError
from .text import cells, clean

if TYPE_CHECKING:
    from ...chats.chat import KeptChat, Turn
    from ...report.markup import Html

FORMS = {
    ".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".json": "json", ".txt": "text",
}  # fmt: skip
SUFFIXES = ".md, .html, .json or .txt"
_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.5rem 0 0.3rem; }
p { margin: 0.3rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
article { border-left: 3px solid #8886; padding-left: 0.8rem; max-width: 44rem; }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 0 1.5rem; }
small, summary { color: GrayText; }
@media print { article { break-inside: avoid; } }
"""


def form_of(file: Path) -> str:
    """What a file is written as, by its suffix. UsageError for another suffix, or a folder; PluriverseError where
    nothing can be written."""
    if file.is_dir():
        raise UsageError(f"{file} is a folder", f"name a file that ends in {SUFFIXES}")
    if file.suffix.lower() not in FORMS:
        raise UsageError(f"{file} does not say what to write", f"name a file that ends in {SUFFIXES}")
    folder = next(each for each in (file.absolute().parent, *file.absolute().parents) if each.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise PluriverseError(f"{file} cannot be written: {folder} is no folder to write into", "choose another place")
    return FORMS[file.suffix.lower()]


def rendered(form: str, kept: "Sequence[KeptChat]", document: dict[str, Any]) -> str:
    """The whole file: `document` where `form` is json, else the conversations."""
    if form == "json":
        import json

        return json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n"
    if form == "html":
        return page(kept)
    if form == "text":
        return "\n\n".join(map(plain, kept))
    from ...chats.chat import as_markdown

    return clean("\n\n".join(map(as_markdown, kept)))


def plain(kept: "KeptChat") -> str:
    """One conversation under underlined names, as `ask` writes replies where stdout is no terminal."""
    from ...chats.chat import begun, cited, said, shown, speaker, state, thinking, thought_first

    parts = []
    for turn in kept.turns:
        name = clean(speaker(turn)).replace("\n", " ")
        thought = thinking(turn)
        folded = f"({thought_first(thought)})" if thought else ""
        below = [clean(each["told"]) for each in cited(turn)]
        lines = filter(None, (folded, clean(said(turn)).strip(), *shown(turn), *below, state(turn)))
        parts.append("\n".join([name, "-" * cells(name), *lines]))
    return "\n\n".join([*parts, begun(kept)]) + "\n"


def page(kept: "Sequence[KeptChat]") -> str:
    """The conversations as one HTML file."""
    from ...chats.chat import begun
    from ...report.markup import document, el, joined

    title = kept[0].title if len(kept) == 1 else f"{len(kept)} conversations"
    talks = [
        el("section", el("h1", each.title, dir="auto"), *_turns(each), el("p", el("small", begun(each))))
        for each in kept
    ]
    return document(title, _STYLE, el("main", joined(talks)))


def _turns(kept: "KeptChat") -> "list[Html]":
    """In their order, answers to one question side by side; a question that is the title is not told twice."""
    from itertools import groupby

    from ...report.markup import el

    found: list[Html] = []
    for asked, turns in groupby(kept.turns, lambda turn: turn.speaker is None):
        articles = [_article(turn) for turn in turns if turn is not kept.turns[0] or not _told(turn, kept)]
        found += articles if asked else [el("div", *articles, class_="answers")]
    return found


def _told(turn: "Turn", kept: "KeptChat") -> bool:
    """Whether the title says all of it."""
    return turn.content.strip() == kept.title and not turn.record


def _article(turn: "Turn") -> "Html":
    from ...chats.chat import cited, said, shown, speaker, state, thinking, thought_first
    from ...report.markup import el

    note, thought = state(turn), thinking(turn)
    return el(
        "article",
        el("h2", speaker(turn)),
        el("details", el("summary", thought_first(thought)), el("p", thought, dir="auto")) if thought else None,
        el("p", said(turn).strip(), dir="auto") if turn.content.strip() else None,
        *(el("p", el("small", line)) for line in shown(turn)),
        *(el("details", el("summary", each["told"]), el("p", each["passage"], dir="auto")) for each in cited(turn)),
        el("p", el("small", note)) if note else None,
    )
